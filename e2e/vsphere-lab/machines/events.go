package machines

import "sync"

// Kind says what happened to a machine.
type Kind string

// The kinds of events.
const (
	// Started: it runs, from power-on or from its suspended state.
	Started Kind = "started"
	// Exited: it runs no more; Reason says why.
	Exited Kind = "exited"
	// Rebooted: the guest has reset it, or panicked into a reset.
	Rebooted Kind = "rebooted"
	// GuestInfo: the guest has told Key and Value.
	GuestInfo Kind = "guestinfo"
	// Migrated: it runs on Host now and came from From.
	Migrated Kind = "migrated"
)

// Reason says why a machine exited.
type Reason string

// The reasons.
const (
	PoweredOff   Reason = "powered off"
	GuestOff     Reason = "the guest turned the machine off"
	SuspendedOff Reason = "suspended"
	HostFailed   Reason = "host failed"
	// Killed: QEMU ended, and neither the guest nor the lab had asked for it. Detail says how.
	Killed Reason = "killed"
)

// Event is what an observer is told.
type Event struct {
	Kind       Kind
	ID         string
	Host, From string
	Reason     Reason
	Detail     string
	Key, Value string
}

// events calls an observer with one event after another, in the order in which they were put in, and holds no lock meanwhile: an observer
// may call the fleet, which then must not wait for an event.
type events struct {
	observe func(Event)

	mu      sync.Mutex
	queue   []any // an Event, or a channel to be closed when its turn comes
	running bool
}

func newEvents(observe func(Event)) *events {
	return &events{observe: observe}
}

func (e *events) put(event Event) { e.add(event) }

func (e *events) add(item any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queue = append(e.queue, item)
	if !e.running {
		e.running = true
		go e.deliver()
	}
}

func (e *events) deliver() {
	for {
		e.mu.Lock()
		if len(e.queue) == 0 {
			e.running = false
			e.mu.Unlock()
			return
		}
		item := e.queue[0]
		e.queue = e.queue[1:]
		e.mu.Unlock()
		switch i := item.(type) {
		case Event:
			e.observe(i)
		case chan struct{}:
			close(i)
		}
	}
}

// told is closed when every event so far was told.
func (e *events) told() <-chan struct{} {
	turn := make(chan struct{})
	e.add(turn)
	return turn
}

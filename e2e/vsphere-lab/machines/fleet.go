package machines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// What the state of a machine refuses.
var (
	ErrPoweredOn  = errors.New("the machine is powered on")
	ErrPoweredOff = errors.New("the machine is not powered on")
	ErrClosed     = errors.New("the lab has been closed")
)

// Options are what a Fleet needs to know.
type Options struct {
	// Folder gets a folder for each machine, with qemu.log, firmware.log and what the machine needs while it runs.
	Folder string
	// QEMU is the program; qemu-system-x86_64 of the path when empty.
	QEMU string
	// Networks joins NICs to bridges. Without it they have no cable.
	Networks *Networks
	// Observe is told of every event, one after another. It may call the fleet.
	Observe func(Event)
}

// Fleet holds the machines that run, on whatever host. Its methods may be called at any time; those on one machine wait for each other.
// Every QEMU ends with Close, and with this process at the latest.
type Fleet struct {
	options Options
	events  *events

	mu       sync.Mutex
	closed   bool
	machines map[string]*machine
}

// New makes a fleet with no machines.
func New(options Options) (*Fleet, error) {
	if options.QEMU == "" {
		options.QEMU = "qemu-system-x86_64"
	}
	if options.Observe == nil {
		options.Observe = func(Event) {}
	}
	folder, err := filepath.Abs(options.Folder)
	if err != nil {
		return nil, err
	}
	options.Folder = folder
	if err := os.MkdirAll(options.Folder, 0o700); err != nil {
		return nil, err
	}
	return &Fleet{options: options, events: newEvents(options.Observe), machines: map[string]*machine{}}, nil
}

// identity is what names a machine's folder.
var identity = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// use gives a machine, made if it is not there, with its operations locked; the caller unlocks m.operation.
func (f *Fleet) use(id string, create bool) (*machine, error) {
	if !identity.MatchString(id) {
		return nil, fmt.Errorf("%q cannot name a machine", id)
	}
	for {
		f.mu.Lock()
		m := f.machines[id]
		switch {
		case f.closed:
			f.mu.Unlock()
			return nil, ErrClosed
		case m == nil && !create:
			f.mu.Unlock()
			return nil, ErrPoweredOff
		case m == nil:
			m = &machine{fleet: f, id: id, folder: filepath.Join(f.options.Folder, id)}
			f.machines[id] = m
		}
		f.mu.Unlock()
		m.operation.Lock()
		f.mu.Lock()
		current := f.machines[id] == m
		f.mu.Unlock()
		if current {
			return m, nil
		}
		// It went while we waited.
		m.operation.Unlock()
	}
}

// running gives a machine as use does, and its QEMU.
func (f *Fleet) running(id string) (*machine, *process, error) {
	m, err := f.use(id, false)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	p := m.process
	f.mu.Unlock()
	if p == nil {
		m.operation.Unlock()
		return nil, nil, ErrPoweredOff
	}
	return m, p, nil
}

// PowerOn starts a machine on a host, or resumes it there when it is suspended; its hardware is then what it was. It returns when the
// processor runs. A file that is missing or locked by another machine is a *FileError or ErrLocked.
func (f *Fleet) PowerOn(ctx context.Context, id, host string, hardware Hardware) error {
	m, err := f.use(id, true)
	if err != nil {
		return err
	}
	defer m.operation.Unlock()
	f.mu.Lock()
	on, suspended := m.process != nil, m.suspended
	f.mu.Unlock()
	if on {
		return ErrPoweredOn
	}
	if suspended {
		return m.resume(ctx, host)
	}
	if err := m.powerOn(ctx, host, hardware); err != nil {
		f.forget(m)
		return fmt.Errorf("power on %s: %w", id, err)
	}
	return nil
}

// PowerOff ends a machine at once, as a pulled plug does, and drops the state of a suspended one. It returns when the machine is off.
func (f *Fleet) PowerOff(ctx context.Context, id string) error {
	m, err := f.use(id, false)
	if err != nil {
		return err
	}
	defer m.operation.Unlock()
	f.mu.Lock()
	p, host := m.process, m.host
	if p != nil {
		p.intent = PoweredOff
	}
	f.mu.Unlock()
	if p == nil {
		f.events.put(Event{Kind: Exited, ID: id, Host: host, Reason: PoweredOff})
		f.forget(m)
		return nil
	}
	p.kill()
	return await(ctx, p.finished)
}

// Reset presses the reset button.
func (f *Fleet) Reset(ctx context.Context, id string) error {
	return f.execute(ctx, id, "system_reset")
}

// ShutdownGuest presses the power button (ACPI) and does not wait for what the guest makes of it.
func (f *Fleet) ShutdownGuest(ctx context.Context, id string) error {
	return f.execute(ctx, id, "system_powerdown")
}

func (f *Fleet) execute(ctx context.Context, id, command string) error {
	m, p, err := f.running(id)
	if err != nil {
		return err
	}
	defer m.operation.Unlock()
	return p.monitor.execute(ctx, command, nil, nil)
}

// FailHost ends all machines of a host at once, those that are just moving there as well, and returns when they are off. Suspended ones stay.
func (f *Fleet) FailHost(ctx context.Context, host string) error {
	return f.end(ctx, HostFailed, func(m *machine, p *process) bool {
		return p == m.process && m.host == host || p == m.incoming && m.incomingHost == host
	})
}

// Close ends every machine and removes the bridges. Every event is told before it returns.
func (f *Fleet) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	err := f.end(context.Background(), PoweredOff, func(*machine, *process) bool { return true })
	<-f.events.told()
	if f.options.Networks != nil {
		err = errors.Join(err, f.options.Networks.Close())
	}
	return err
}

// Settle waits until the observer was told of all that has happened so far; it must not be called by the observer.
func (f *Fleet) Settle(ctx context.Context) error { return await(ctx, f.events.told()) }

// end kills every chosen QEMU and waits for them.
func (f *Fleet) end(ctx context.Context, reason Reason, choose func(*machine, *process) bool) error {
	var ending []*process
	f.mu.Lock()
	for _, m := range f.machines {
		for _, p := range []*process{m.process, m.incoming} {
			if p != nil && choose(m, p) {
				p.intent = reason
				p.kill()
				ending = append(ending, p)
			}
		}
	}
	f.mu.Unlock()
	for _, p := range ending {
		if err := await(ctx, p.finished); err != nil {
			return err
		}
	}
	return nil
}

// Host tells where a machine runs; it gives false when it does not.
func (f *Fleet) Host(id string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.machines[id]
	if m == nil || m.process == nil {
		return "", false
	}
	return m.host, true
}

// Process gives the process id of a machine's QEMU, for who wants to end it from outside.
func (f *Fleet) Process(id string) (int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.machines[id]
	if m == nil || m.process == nil {
		return 0, false
	}
	return m.process.command.Process.Pid, true
}

// forget takes a machine that does not run out of the fleet.
func (f *Fleet) forget(m *machine) {
	m.clean()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.machines[m.id] == m {
		delete(f.machines, m.id)
	}
}

func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

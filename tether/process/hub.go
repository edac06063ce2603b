package process

import (
	"context"
	"sync"
	"time"
)

const (
	attachQueue = 64
	// attachPatience is how long a process waits for an attached caller that takes no output before the caller is dropped.
	attachPatience = 10 * time.Second
)

// chunk is some output of one stream.
type chunk struct {
	stream string
	data   []byte
}

// hub passes the output of a run on to whoever is attached.
type hub struct {
	mu       sync.Mutex
	closed   bool
	attached map[*attachment]bool
}

type attachment struct {
	queue   chan chunk
	gone    context.Context
	dropped chan struct{}
}

func (h *hub) attach(ctx context.Context) *attachment {
	a := &attachment{queue: make(chan chunk, attachQueue), gone: ctx, dropped: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(a.queue)
		return a
	}
	if h.attached == nil {
		h.attached = map[*attachment]bool{}
	}
	h.attached[a] = true
	return a
}

// detach tells whether the attachment was still there.
func (h *hub) detach(a *attachment) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.attached[a]
	delete(h.attached, a)
	return was
}

// send gives output to all, and waits a while for a slow one.
func (h *hub) send(stream string, data []byte) {
	h.mu.Lock()
	all := make([]*attachment, 0, len(h.attached))
	for a := range h.attached {
		all = append(all, a)
	}
	h.mu.Unlock()
	if len(all) == 0 {
		return
	}
	c := chunk{stream, append([]byte(nil), data...)}
	for _, a := range all {
		select {
		case a.queue <- c:
			continue
		default:
		}
		select {
		case a.queue <- c:
		case <-a.gone.Done():
		case <-time.After(attachPatience):
			// Both streams may be waiting.
			if h.detach(a) {
				close(a.dropped)
			}
		case <-a.dropped:
		}
	}
}

// close ends every attachment after what it has not yet taken. No send may be under way.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for a := range h.attached {
		close(a.queue)
	}
	h.attached = nil
}

package link

import "sync"

// window is how much a resumable session may have sent without word that it came; confirmEvery is how often that word is given.
const (
	window       = 128 << 10
	confirmEvery = window / 4
)

// history is what a resumable session has sent and may have to send again.
type history struct {
	mu      sync.Mutex
	changed *sync.Cond
	// The first byte of kept is byte number first of the session.
	first uint64
	kept  []byte
	ended bool
}

func newHistory() *history {
	h := &history{}
	h.changed = sync.NewCond(&h.mu)
	return h
}

// awaitRoom waits until n more bytes, at most a window, may be kept; false when the session has ended.
func (h *history) awaitRoom(n int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.ended && len(h.kept)+n > window {
		h.changed.Wait()
	}
	return !h.ended
}

func (h *history) keep(data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, data...)
}

// confirm forgets what the host has received; false when that is not a position in the history.
func (h *history) confirm(received uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if received < h.first || received-h.first > uint64(len(h.kept)) {
		return false
	}
	h.kept = h.kept[received-h.first:]
	if len(h.kept) == 0 {
		h.kept = nil
	}
	h.first = received
	h.changed.Broadcast()
	return true
}

// unconfirmed gives what may have to be sent again; later confirmations do not change it.
func (h *history) unconfirmed() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.kept
}

func (h *history) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.changed.Broadcast()
}

package link

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// inboundLimit bounds what a session may hold unread. Flow control above keeps a sane peer far below it, and the link's reader must never
// wait for a session, or it would not see the next HELLO.
const inboundLimit = 4 << 20

// session is one clean byte stream, a net.Conn.
type session struct {
	link *Listener

	mu       sync.Mutex
	inbound  []byte
	ended    bool
	deadline time.Time
	timer    *time.Timer
	changed  *sync.Cond

	over          atomic.Bool
	writeDeadline atomic.Pointer[time.Time]
}

func newSession(l *Listener) *session {
	s := &session{link: l}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// deliver hands received bytes to the reader; false when the session has ended or holds too much.
func (s *session) deliver(data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.inbound)+len(data) > inboundLimit {
		return false
	}
	s.inbound = append(s.inbound, data...)
	s.changed.Broadcast()
	return true
}

func (s *session) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if len(s.inbound) > 0 {
			n := copy(p, s.inbound)
			s.inbound = s.inbound[n:]
			if len(s.inbound) == 0 {
				s.inbound = nil
			}
			return n, nil
		}
		if s.ended {
			return 0, io.EOF
		}
		if !s.deadline.IsZero() && !time.Now().Before(s.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		s.changed.Wait()
	}
}

func (s *session) Write(p []byte) (int, error) {
	s.link.writing.Lock()
	defer s.link.writing.Unlock()
	if s.over.Load() {
		return 0, net.ErrClosed
	}
	deadline := time.Time{}
	if d := s.writeDeadline.Load(); d != nil {
		deadline = *d
	}
	if err := s.link.stream.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	// end() may have set its deadline just before the line above cleared it.
	if s.over.Load() {
		return 0, net.ErrClosed
	}
	return s.link.stream.Write(p)
}

// end stops reads and writes, and waits for a write under way to give up.
func (s *session) end() {
	s.markEnded()
	for !s.link.writing.TryLock() {
		// Repeated, because the writer may clear the deadline between its two looks at over.
		_ = s.link.stream.SetWriteDeadline(time.Unix(1, 0))
		time.Sleep(100 * time.Microsecond)
	}
	s.link.writing.Unlock()
}

func (s *session) markEnded() {
	s.over.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
}

// Close ends this side of the session; the link discards what still arrives for it.
func (s *session) Close() error {
	s.markEnded()
	_ = s.link.stream.SetWriteDeadline(time.Unix(1, 0))
	return nil
}

func (s *session) LocalAddr() net.Addr  { return address{} }
func (s *session) RemoteAddr() net.Addr { return address{} }

func (s *session) SetDeadline(t time.Time) error {
	_ = s.SetWriteDeadline(t)
	return s.SetReadDeadline(t)
}

func (s *session) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if !t.IsZero() {
		s.timer = time.AfterFunc(time.Until(t), func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed.Broadcast()
		})
	}
	s.changed.Broadcast()
	return nil
}

// SetWriteDeadline takes effect with the next Write.
func (s *session) SetWriteDeadline(t time.Time) error {
	s.writeDeadline.Store(&t)
	return nil
}

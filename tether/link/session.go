package link

import (
	"errors"
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

// resumeWrite bounds the sending of a whole window again, which takes an emulated serial port half a second.
const resumeWrite = 10 * time.Second

// session is one clean byte stream, a net.Conn.
type session struct {
	link  *Listener
	nonce Nonce

	mu       sync.Mutex
	inbound  []byte
	ended    bool
	deadline time.Time
	timer    *time.Timer
	changed  *sync.Cond

	over          atomic.Bool
	writeDeadline atomic.Pointer[time.Time]

	// history is nil unless the session is resumable. How much has come and how much of that was confirmed is guarded by mu.
	history   *history
	received  uint64
	confirmed uint64
}

func newSession(l *Listener) *session {
	s := &session{link: l, nonce: l.nonce}
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
	s.received += uint64(len(data))
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
	if s.history == nil {
		return s.write(p)
	}
	written := 0
	for written < len(p) {
		part := p[written:min(len(p), written+window/2)]
		if !s.history.awaitRoom(len(part)) {
			return written, net.ErrClosed
		}
		if _, err := s.write(part); err != nil && !s.interrupted(err) {
			return written, err
		}
		written += len(part)
	}
	return written, nil
}

func (s *session) write(p []byte) (int, error) {
	s.link.writing.Lock()
	defer s.link.writing.Unlock()
	if s.over.Load() {
		return 0, net.ErrClosed
	}
	if s.history != nil {
		s.history.keep(p)
	}
	return s.writeLocked(p)
}

// interrupted tells whether a write was cut short by a resumption, which sends again what was cut.
func (s *session) interrupted(err error) bool {
	deadline := s.writeDeadline.Load()
	own := deadline != nil && !deadline.IsZero() && !time.Now().Before(*deadline)
	return errors.Is(err, os.ErrDeadlineExceeded) && !own && !s.over.Load()
}

// writeLocked writes with the lock of writers held.
func (s *session) writeLocked(p []byte) (int, error) {
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

// resume goes on over a new connection of a host that has received so many bytes; false when that cannot be.
func (s *session) resume(received uint64) bool {
	if !s.history.confirm(received) {
		return false
	}
	s.lockWriting()
	defer s.link.writing.Unlock()
	s.mu.Lock()
	position := Position(s.nonce, s.received)
	s.confirmed = s.received
	s.mu.Unlock()
	frame := Frame{Type: Resume, Nonce: position}.Bytes()
	_ = s.link.stream.SetWriteDeadline(time.Now().Add(resumeWrite))
	// What cannot be written is sent again at the next resumption.
	_, _ = s.link.stream.Write(append(frame[:], s.history.unconfirmed()...))
	return true
}

// confirmReceipts tells the host what came, until the session ends. It is not done by the goroutine that reads the line: that must never
// wait for a writer.
func (s *session) confirmReceipts() {
	for {
		s.mu.Lock()
		for !s.ended && s.received-s.confirmed < confirmEvery {
			s.changed.Wait()
		}
		if s.ended {
			s.mu.Unlock()
			return
		}
		s.confirmed = s.received
		frame := Frame{Type: Received, Nonce: Position(s.nonce, s.received)}
		s.mu.Unlock()
		// Without a deadline: half a frame would be taken for what the session carries.
		b := frame.Bytes()
		s.link.writing.Lock()
		_, _ = s.writeLocked(b[:])
		s.link.writing.Unlock()
	}
}

// end stops reads and writes, and waits for a write under way to give up.
func (s *session) end() {
	s.link.ending.Lock()
	s.markEnded()
	s.link.ending.Unlock()
	s.lockWriting()
	s.link.writing.Unlock()
}

// lockWriting makes a write under way give up.
func (s *session) lockWriting() {
	for !s.link.writing.TryLock() {
		// Repeated, because the writer may clear the deadline between its two looks at over.
		_ = s.link.stream.SetWriteDeadline(time.Unix(1, 0))
		time.Sleep(100 * time.Microsecond)
	}
}

func (s *session) markEnded() {
	s.over.Store(true)
	if s.history != nil {
		s.history.end()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
}

// Close ends this side of the session; the link discards what still arrives for it.
func (s *session) Close() error {
	s.link.ending.Lock()
	defer s.link.ending.Unlock()
	// The stream may be another session's by now, whose write must not be cut short.
	if !s.over.Load() {
		s.markEnded()
		_ = s.link.stream.SetWriteDeadline(time.Unix(1, 0))
	}
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

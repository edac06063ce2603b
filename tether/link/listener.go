package link

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"berth.dev/tether/crash"
)

// Stream is the port beneath the link. A Write may be cut short by SetWriteDeadline.
type Stream interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// releaseAfter is how long a prefix of the magic is held back in a session: longer than a frame takes through an emulated serial port, on a
// busy machine.
const releaseAfter = 200 * time.Millisecond

// handshakeWrite bounds the writing of one frame: a host that does not read begins again anyway.
const handshakeWrite = time.Second

// Listener is the guest's end: it accepts one session at a time from the host and is a net.Listener of them. The next session ends the
// one before.
type Listener struct {
	stream  Stream
	name    Nonce
	accept  chan *session
	done    chan struct{}
	close   sync.Once
	writing sync.Mutex
	// ending is held by who ends a session.
	ending sync.Mutex

	// Used by the reading goroutine only.
	scanner Scanner
	nonce   Nonce
	greeted bool
	current *session
	// lost is set from WHO to RESUME: what comes between belongs to no session.
	lost bool
}

// NewListener serves a stream under a name, NameOf the containerVM's id; Run must be called to read it.
func NewListener(stream Stream, name Nonce) *Listener {
	l := &Listener{stream: stream, name: name, accept: make(chan *session), done: make(chan struct{})}
	l.scanner = Scanner{OnFrame: l.onFrame, OnPayload: l.onPayload}
	return l
}

// Run reads the stream until the context ends or the stream fails. An end of the stream (the host hung up) ends only the session.
func (l *Listener) Run(ctx context.Context) error {
	defer l.Close()
	defer l.endSession()
	buffer := make([]byte, 64<<10)
	for ctx.Err() == nil {
		deadline := time.Time{}
		if l.current != nil && l.scanner.Holding() {
			deadline = time.Now().Add(releaseAfter)
		}
		if err := l.stream.SetReadDeadline(deadline); err != nil {
			return err
		}
		n, err := l.stream.Read(buffer)
		if n > 0 {
			l.scanner.Feed(buffer[:n])
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.scanner.Flush()
		case errors.Is(err, io.EOF):
			l.endSession()
		default:
			return err
		}
	}
	return ctx.Err()
}

func (l *Listener) onFrame(frame Frame) {
	switch frame.Type {
	case Hello:
		if l.current == nil || frame.Nonce != l.nonce {
			l.endSession()
			l.nonce, l.greeted = frame.Nonce, true
			l.writeFrame(Frame{Type: Ack, Nonce: frame.Nonce})
		}
	case Start, Begin:
		if l.greeted && l.current == nil && frame.Nonce == l.nonce {
			l.greeted = false
			if l.writeFrame(Frame{Type: Ready, Nonce: frame.Nonce}) {
				l.beginSession(frame.Type == Begin)
			}
		}
	case Who:
		// The host has a new connection: nobody is at the other end of the old one.
		if l.current != nil && l.current.history == nil {
			l.endSession()
		}
		l.lost = true
		l.writeFrame(Frame{Type: Name, Nonce: l.name})
	case Received:
		if received, ok := positionIn(frame.Nonce, l.nonce); ok && l.current != nil && l.current.history != nil {
			l.current.history.confirm(received)
		}
	case Resume:
		received, ok := positionIn(frame.Nonce, l.nonce)
		if !ok || l.current == nil || l.current.history == nil || !l.current.resume(received) {
			l.endSession()
			l.writeFrame(Frame{Type: Gone, Nonce: frame.Nonce})
			return
		}
		l.lost = false
	}
}

func (l *Listener) onPayload(data []byte) {
	if l.current != nil && !l.lost && !l.current.deliver(data) {
		l.endSession()
	}
}

func (l *Listener) beginSession(resumable bool) {
	l.lost = false
	l.current = newSession(l)
	if resumable {
		l.current.history = newHistory()
		crash.Go(l.current.confirmReceipts)
	}
	select {
	case l.accept <- l.current:
	case <-l.done:
		l.endSession()
	}
}

// endSession stops the session's reader and writer; no byte of it is written once endSession has returned.
func (l *Listener) endSession() {
	if l.current == nil {
		return
	}
	l.current.end()
	l.current = nil
}

func (l *Listener) writeFrame(frame Frame) bool {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.stream.SetWriteDeadline(time.Now().Add(handshakeWrite)) != nil {
		return false
	}
	b := frame.Bytes()
	_, err := l.stream.Write(b[:])
	return err == nil
}

// Accept waits for the host's next session.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case s := <-l.accept:
		return s, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. The stream stays open.
func (l *Listener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

// Addr names the link.
func (l *Listener) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "link" }
func (address) String() string  { return "control" }

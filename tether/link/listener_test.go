package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

const patience = 10 * time.Second

// port is an in-memory port: a pipe whose host end can go and come back. What the guest writes is kept until the host reads it.
type port struct {
	net.Conn
}

// host is the other end, with a scanner.
type host struct {
	t       *testing.T
	conn    net.Conn
	frames  chan Frame
	payload chan []byte
	// full is closed when payload takes no more, and the host therefore reads no more.
	full chan struct{}
}

func newHost(t *testing.T) (*host, *Listener) {
	t.Helper()
	h, listener := newSilentHost(t)
	read := make(chan struct{})
	go func() { defer close(read); h.read() }()
	t.Cleanup(func() {
		_ = h.conn.Close()
		<-read
	})
	return h, listener
}

// newSilentHost reads nothing by itself.
func newSilentHost(t *testing.T) (*host, *Listener) {
	t.Helper()
	guestEnd, hostEnd := net.Pipe()
	listener := NewListener(port{guestEnd}, NameOf("vm-1"))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = listener.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		_ = guestEnd.Close()
		_ = hostEnd.Close()
		running.Wait()
	})
	return &host{t: t, conn: hostEnd, frames: make(chan Frame, 16), payload: make(chan []byte, 1024), full: make(chan struct{})}, listener
}

func (h *host) read() {
	var full sync.Once
	scanner := Scanner{
		OnFrame: func(f Frame) { h.frames <- f },
		OnPayload: func(b []byte) {
			data := append([]byte(nil), b...)
			select {
			case h.payload <- data:
			default:
				full.Do(func() { close(h.full) })
				h.payload <- data
			}
		},
	}
	buffer := make([]byte, 1024)
	for {
		n, err := h.conn.Read(buffer)
		scanner.Feed(buffer[:n])
		scanner.Flush()
		if err != nil {
			return
		}
	}
}

// awaitFull waits until the host reads no more.
func (h *host) awaitFull() {
	h.t.Helper()
	select {
	case <-h.full:
	case <-time.After(patience):
		h.t.Fatalf("%d pieces of payload came, the host takes %d", len(h.payload), cap(h.payload))
	}
}

func (h *host) send(b []byte) {
	h.t.Helper()
	if err := h.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.conn.Write(b); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) expect(want Frame) {
	h.t.Helper()
	select {
	case got := <-h.frames:
		if got != want {
			h.t.Fatalf("frame %v, want %v", got, want)
		}
	case <-time.After(patience):
		h.t.Fatalf("no frame %v", want)
	}
}

func (h *host) open(listener *Listener, nonce Nonce) net.Conn {
	h.t.Helper()
	h.send(join(Frame{Hello, nonce}))
	h.expect(Frame{Ack, nonce})
	h.send(join(Frame{Start, nonce}))
	h.expect(Frame{Ready, nonce})
	session, err := listener.Accept()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := session.SetReadDeadline(time.Now().Add(patience)); err != nil {
		h.t.Fatal(err)
	}
	return session
}

func expectRead(t *testing.T, session net.Conn, want string) {
	t.Helper()
	buffer := make([]byte, len(want))
	if _, err := io.ReadFull(session, buffer); err != nil || string(buffer) != want {
		t.Fatalf("read %q, %v; want %q", buffer, err, want)
	}
}

// A session that was ended by the next one is closed by its user some time later.
func TestCloseOfAnEarlierSessionCutsNothing(t *testing.T) {
	h, listener := newHost(t)
	first := h.open(listener, Nonce{1})
	second := h.open(listener, Nonce{2})
	content := make([]byte, 2*cap(h.payload)*1024)
	failure := make(chan error, 1)
	go func() {
		_, err := second.Write(content)
		failure <- err
	}()
	h.awaitFull()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for received := 0; received < len(content); {
		select {
		case part := <-h.payload:
			received += len(part)
		case err := <-failure:
			if err != nil {
				t.Fatalf("the second session's write ends after %d bytes: %v", received, err)
			}
			failure <- nil
		}
	}
}

func TestSessionBeginsAfterStaleBytes(t *testing.T) {
	h, listener := newHost(t)
	h.send([]byte("the end of a session of yesterday BERTH-LI"))
	session := h.open(listener, Nonce{1})
	h.send([]byte("hello"))
	expectRead(t, session, "hello")
	if _, err := session.Write([]byte("welcome")); err != nil {
		t.Fatal(err)
	}
	if got := <-h.payload; string(got) != "welcome" {
		t.Fatalf("host read %q", got)
	}
}

func TestHelloIsAnsweredAgain(t *testing.T) {
	h, listener := newHost(t)
	nonce := Nonce{1}
	h.send(join(Frame{Hello, nonce}))
	h.expect(Frame{Ack, nonce})
	h.send(join(Frame{Hello, nonce}))
	h.expect(Frame{Ack, nonce})
	h.open(listener, nonce)
}

func TestLateHelloOfTheSameSessionIsPassedOver(t *testing.T) {
	h, listener := newHost(t)
	session := h.open(listener, Nonce{1})
	h.send(join(Frame{Hello, Nonce{1}}, "data"))
	expectRead(t, session, "data")
}

func TestWhoIsAnsweredWithTheNameAndEndsTheSession(t *testing.T) {
	h, listener := newHost(t)
	old := h.open(listener, Nonce{1})
	h.send(join(Frame{Who, Nonce{7}}))
	h.expect(Frame{Name, NameOf("vm-1")})
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the old session reads %v", err)
	}
	h.send(join(Frame{Who, Nonce{8}}))
	h.expect(Frame{Name, NameOf("vm-1")})
	h.open(listener, Nonce{2})
}

// resumable opens a resumable session.
func (h *host) resumable(listener *Listener, nonce Nonce) net.Conn {
	h.t.Helper()
	h.send(join(Frame{Hello, nonce}))
	h.expect(Frame{Ack, nonce})
	h.send(join(Frame{Begin, nonce}))
	h.expect(Frame{Ready, nonce})
	session, err := listener.Accept()
	if err != nil {
		h.t.Fatal(err)
	}
	return session
}

// take reads so many bytes of payload.
func (h *host) take(n int) string {
	h.t.Helper()
	var got []byte
	for len(got) < n {
		select {
		case data := <-h.payload:
			got = append(got, data...)
		case <-time.After(patience):
			h.t.Fatalf("%d of %d bytes came: %q", len(got), n, got)
		}
	}
	return string(got)
}

func TestAResumedSessionSendsAgainWhatDidNotArrive(t *testing.T) {
	h, listener := newHost(t)
	nonce := Nonce{1}
	session := h.resumable(listener, nonce)
	if _, err := session.Write([]byte("one two three")); err != nil {
		t.Fatal(err)
	}
	h.take(13)
	h.send([]byte("in"))
	expectRead(t, session, "in")

	// A new connection; the host says that only "one" arrived.
	h.send(join("rest of the old line", Frame{Who, Nonce{7}}))
	h.expect(Frame{Name, NameOf("vm-1")})
	h.send(join("noise", Frame{Resume, Position(nonce, 3)}))
	h.expect(Frame{Resume, Position(nonce, 2+uint64(len("rest of the old line")))})
	if got := h.take(10); got != " two three" {
		t.Fatalf("sent again: %q", got)
	}
	h.send([]byte("put"))
	expectRead(t, session, "rest of the old lineput")
	if _, err := session.Write([]byte(" four")); err != nil {
		t.Fatal(err)
	}
	h.take(5)
}

func TestAWriterWaitsForTheHostToConfirm(t *testing.T) {
	h, listener := newHost(t)
	nonce := Nonce{1}
	session := h.resumable(listener, nonce)
	written := make(chan error, 1)
	go func() {
		_, err := session.Write(make([]byte, 2*window))
		written <- err
	}()
	h.take(window)
	select {
	case err := <-written:
		t.Fatalf("written without confirmation: %v", err)
	default:
	}
	h.send(join(Frame{Received, Position(nonce, window)}))
	h.take(window)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

func TestTheGuestConfirmsWhatItReceived(t *testing.T) {
	h, listener := newHost(t)
	nonce := Nonce{1}
	h.resumable(listener, nonce)
	h.send(make([]byte, confirmEvery))
	h.expect(Frame{Received, Position(nonce, confirmEvery)})
}

func TestAWriterThatIsBlockedIsResumed(t *testing.T) {
	h, listener := newSilentHost(t)
	reading := make(chan struct{})
	go func() { h.read(); close(reading) }()
	nonce := Nonce{1}
	session := h.resumable(listener, nonce)
	data := make([]byte, 16<<10)
	for i := range data {
		data[i] = byte(i % 251)
	}
	// A host that stops reading: the pipe has no buffer.
	if err := h.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	<-reading
	written := make(chan error, 1)
	go func() {
		_, err := session.Write(data)
		written <- err
	}()
	if err := h.conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1000)
	if _, err := io.ReadFull(h.conn, first); err != nil {
		t.Fatal(err)
	}
	h.send(join(Frame{Resume, Position(nonce, 500)}))
	resumed := false
	var again []byte
	scanner := Scanner{
		OnFrame: func(f Frame) { resumed = resumed || f == Frame{Resume, Position(nonce, 0)} },
		OnPayload: func(b []byte) {
			if resumed {
				again = append(again, b...)
			}
		},
	}
	if err := h.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for buffer := make([]byte, 1024); len(again) < len(data)-500; {
		n, err := h.conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		scanner.Feed(buffer[:n])
		scanner.Flush()
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, data[500:]) {
		t.Fatal("what was sent again is not what was cut")
	}
}

func TestASessionThatIsNotThereIsGone(t *testing.T) {
	h, listener := newHost(t)
	for _, position := range []Nonce{Position(Nonce{9}, 0), Position(Nonce{1}, 99)} {
		session := h.resumable(listener, Nonce{1})
		h.send(join(Frame{Resume, position}))
		h.expect(Frame{Gone, position})
		if _, err := session.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("the session reads %v", err)
		}
	}
}

func TestStartWithoutHelloIsPassedOver(t *testing.T) {
	h, listener := newHost(t)
	h.send(join(Frame{Start, Nonce{9}}))
	h.open(listener, Nonce{1})
}

func TestHelloInMidStreamBeginsANewSession(t *testing.T) {
	h, listener := newHost(t)
	old := h.open(listener, Nonce{1})
	h.send([]byte("cut in the mid"))
	next := h.open(listener, Nonce{2})
	h.send([]byte("fresh"))
	expectRead(t, next, "fresh")
	expectRead(t, old, "cut in the mid")
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the old session reads %v", err)
	}
	if _, err := old.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("the old session writes: %v", err)
	}
}

func TestNewSessionInterruptsABlockedWriter(t *testing.T) {
	h, listener := newSilentHost(t)
	go h.read()
	old := h.open(listener, Nonce{1})
	// The host's reader stops here: it waits to hand on more payload than its channel takes.
	failed := make(chan error, 1)
	go func() {
		for {
			if _, err := old.Write(make([]byte, 8)); err != nil {
				failed <- err
				return
			}
		}
	}()
	h.awaitFull()
	h.send(join(Frame{Hello, Nonce{2}}))
	select {
	case err := <-failed:
		if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
			t.Fatalf("the writer failed with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the writer still waits")
	}
	go func() {
		for range h.payload {
		}
	}()
	h.expect(Frame{Ack, Nonce{2}})
}

func TestPrefixOfTheMagicIsReleasedInASession(t *testing.T) {
	h, listener := newHost(t)
	session := h.open(listener, Nonce{1})
	h.send([]byte("B"))
	expectRead(t, session, "B")
}

func TestReadDeadline(t *testing.T) {
	h, listener := newHost(t)
	session := h.open(listener, Nonce{1})
	if err := session.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := session.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read: %v", err)
	}
}

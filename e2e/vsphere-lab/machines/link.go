package machines

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

const (
	dialDeadline = 5 * time.Second
	firstRedial  = 100 * time.Millisecond
	lastRedial   = 2 * time.Second
	// lineBuffer is what a line moves at once: a serial port is slow, and what is in here is lost with a connection.
	lineBuffer = 4 << 10
)

// link joins the line of a serial port to a remote that it dials, and dials again whenever the connection is lost or refused. What the
// guest writes while nobody is connected is dropped, as by a line without a plug; a remote that does not read makes the guest wait.
type link struct {
	line io.ReadWriteCloser
	dial func(context.Context) (net.Conn, error)

	mu     sync.Mutex
	remote net.Conn
}

// run works until the line ends or the context does, and closes the line.
func (l *link) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { l.redial(ctx) })
	stop := context.AfterFunc(ctx, func() { l.line.Close() })
	l.outward()
	cancel()
	stop()
	l.line.Close()
	all.Wait()
}

// outward carries what the guest writes.
func (l *link) outward() {
	buffer := make([]byte, lineBuffer)
	for {
		n, err := l.line.Read(buffer)
		if err != nil {
			return
		}
		l.mu.Lock()
		remote := l.remote
		l.mu.Unlock()
		if remote == nil {
			continue
		}
		if _, err := remote.Write(buffer[:n]); err != nil {
			l.drop(remote)
		}
	}
}

// drop closes a connection; redial makes the next.
func (l *link) drop(remote net.Conn) {
	l.mu.Lock()
	if l.remote == remote {
		l.remote = nil
	}
	l.mu.Unlock()
	remote.Close()
}

// redial keeps a connection and carries what comes in on it.
func (l *link) redial(ctx context.Context) {
	pause := firstRedial
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, dialDeadline)
		remote, err := l.dial(limited)
		cancel()
		if err == nil {
			pause = firstRedial
			l.inward(ctx, remote)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		if err != nil {
			pause = min(2*pause, lastRedial)
		}
	}
}

// inward carries a connection's bytes to the guest until it ends.
func (l *link) inward(ctx context.Context, remote net.Conn) {
	l.mu.Lock()
	l.remote = remote
	l.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = remote.SetDeadline(time.Now().Add(-time.Second)) })
	defer stop()
	buffer := make([]byte, lineBuffer)
	for {
		n, err := remote.Read(buffer)
		if n > 0 {
			if _, failure := l.line.Write(buffer[:n]); failure != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	l.drop(remote)
}

package port

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 10 * time.Second

// pair gives a port on one end of a socket pair; a socket, like a port, gives 0 bytes once its peer has gone.
func pair(t *testing.T) (*Port, *os.File) {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPort(os.NewFile(uintptr(ends[0]), "guest"))
	if err != nil {
		t.Fatal(err)
	}
	host := os.NewFile(uintptr(ends[1]), "host")
	t.Cleanup(func() {
		_ = p.Close()
		_ = host.Close()
	})
	if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return p, host
}

func TestHangupIsToldOnce(t *testing.T) {
	p, host := pair(t)
	if _, err := host.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	if n, err := p.Read(buffer); err != nil || string(buffer[:n]) != "last words" {
		t.Fatalf("%q, %v", buffer[:n], err)
	}
	if _, err := p.Read(buffer); !errors.Is(err, io.EOF) {
		t.Fatalf("after the hangup: %v", err)
	}
	if err := p.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the hangup was told again: %d, %v", n, err)
	}
}

func TestReadWaitsForBytes(t *testing.T) {
	p, host := pair(t)
	time.AfterFunc(10*time.Millisecond, func() { _, _ = host.Write([]byte("late")) })
	buffer := make([]byte, 100)
	if n, err := p.Read(buffer); err != nil || string(buffer[:n]) != "late" {
		t.Fatalf("%q, %v", buffer[:n], err)
	}
}

func TestWriteWaitsForTheHostUntilItsDeadline(t *testing.T) {
	p, host := pair(t)
	if err := p.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := p.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 {
		t.Fatalf("%d, %v", n, err)
	}
	if err := p.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, host) }()
	if n, err := p.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
}

func TestFindTellsTheName(t *testing.T) {
	if _, err := Find("dev.berth.nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestAwaitedBytesAreReadLater(t *testing.T) {
	p, host := pair(t)
	if _, err := host.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := p.Await(); err != nil {
		t.Fatal(err)
	}
	if _, err := host.Write([]byte(" again")); err != nil {
		t.Fatal(err)
	}
	content := make([]byte, 11)
	if _, err := io.ReadFull(p, content[:2]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, content[2:]); err != nil || string(content) != "hello again" {
		t.Errorf("%q, %v", content, err)
	}
}

func TestAwaitOutlivesAHangup(t *testing.T) {
	p, host := pair(t)
	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := p.Await(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a hangup is not the end: %v", err)
	}
}

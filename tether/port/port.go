// Package port opens the containerVM's virtio-serial ports and waits on them without blocking a thread.
package port

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The names of the ports that every containerVM has.
const (
	Log     = "dev.berth.log"
	State   = "dev.berth.state"
	Control = "dev.berth.control"
)

// writeLimit is what the virtio console driver takes in one write.
const writeLimit = 32 << 10

// Port is an open port. One goroutine may read while another writes.
type Port struct {
	file   *os.File
	raw    syscall.RawConn
	hungUp bool
	early  []byte // what Await has read
}

// Find gives the device node of the named port, or an error that wraps os.ErrNotExist while there is none.
func Find(name string) (string, error) {
	const ports = "/sys/class/virtio-ports/"
	entries, err := os.ReadDir(ports)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	for _, entry := range entries {
		content, err := os.ReadFile(ports + entry.Name() + "/name")
		if err == nil && strings.TrimSpace(string(content)) == name {
			return "/dev/" + entry.Name(), nil
		}
	}
	return "", fmt.Errorf("no virtio port is named %s: %w", name, os.ErrNotExist)
}

// Open opens a port's device node. One opener at a time is possible (EBUSY).
func Open(path string) (*Port, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return newPort(os.NewFile(uintptr(fd), path))
}

func newPort(file *os.File) (*Port, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &Port{file: file, raw: raw}, nil
}

// Read waits for bytes. It returns io.EOF once when the host has hung up (or is not there yet); the next Read waits for the host to come
// back.
func (p *Port) Read(b []byte) (int, error) {
	if len(p.early) > 0 {
		n := copy(b, p.early)
		p.early = p.early[n:]
		return n, nil
	}
	var n int
	var failure error
	err := p.raw.Read(func(fd uintptr) bool {
		n, failure = unix.Read(int(fd), b)
		switch {
		case errors.Is(failure, unix.EINTR):
			n, failure = 0, nil
			return true
		case errors.Is(failure, unix.EAGAIN):
			p.hungUp = false
			return false
		case failure != nil:
			n = 0
			return true
		case n > 0:
			p.hungUp = false
			return true
		case p.hungUp:
			return false
		}
		p.hungUp = true
		failure = io.EOF
		return true
	})
	if err != nil {
		return 0, err
	}
	return n, failure
}

// Await waits for the host to send something. The next Read gives it.
func (p *Port) Await() error {
	buffer := make([]byte, 4096)
	for {
		n, err := p.Read(buffer)
		if n > 0 {
			p.early = buffer[:n]
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
}

// Write waits until everything is with the driver; the host takes it from there in order. A host that does not take it, or is not there,
// makes Write wait until the write deadline.
func (p *Port) Write(b []byte) (int, error) {
	written := 0
	chunk := writeLimit
	for written < len(b) {
		var n int
		var failure error
		err := p.raw.Write(func(fd uintptr) bool {
			n, failure = unix.Write(int(fd), b[written:min(len(b), written+chunk)])
			return !errors.Is(failure, unix.EAGAIN) && (failure != nil || n > 0)
		})
		switch {
		case err != nil:
			return written, err
		case errors.Is(failure, unix.EINTR):
		case errors.Is(failure, unix.ENOMEM) && chunk > 1024:
			// The driver copies each write into one contiguous buffer, which a VM short of memory may not have.
			chunk /= 2
		case failure != nil:
			return written, failure
		default:
			written += n
		}
	}
	return written, nil
}

// SetReadDeadline makes a waiting or later Read fail with os.ErrDeadlineExceeded from that time on; the zero time lifts it.
func (p *Port) SetReadDeadline(t time.Time) error { return p.file.SetReadDeadline(t) }

// SetWriteDeadline does the same for Write.
func (p *Port) SetWriteDeadline(t time.Time) error { return p.file.SetWriteDeadline(t) }

// Close closes the port.
func (p *Port) Close() error { return p.file.Close() }

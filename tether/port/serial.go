package port

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// The serial ports of a containerVM that has no virtio ones.
const (
	SerialLog     = "/dev/ttyS0"
	SerialControl = "/dev/ttyS1"
)

// raw makes a line carry bytes as they are, without regard to a modem.
func raw(fd int) error {
	settings := &unix.Termios{Iflag: unix.IGNBRK | unix.IGNPAR, Cflag: unix.B115200 | unix.CS8 | unix.CREAD | unix.CLOCAL}
	settings.Cc[unix.VMIN] = 1
	return unix.IoctlSetTermios(fd, unix.TCSETS, settings)
}

// OpenSerial opens a serial port's device node for both directions.
func OpenSerial(path string) (*Port, error) {
	p, err := Open(path)
	if err != nil {
		return nil, err
	}
	var failure error
	if err := p.raw.Control(func(fd uintptr) { failure = raw(int(fd)) }); err != nil {
		return nil, err
	}
	if failure != nil {
		_ = p.Close()
		return nil, fmt.Errorf("set up %s: %w", path, failure)
	}
	// Fewer interrupts, each with more bytes; a port without such a setting works as well.
	_ = os.WriteFile("/sys/class/tty/"+strings.TrimPrefix(path, "/dev/")+"/rx_trig_bytes", []byte("14"), 0)
	return p, nil
}

// SerialSink is a serial port that is only written.
type SerialSink struct{ file *os.File }

// OpenSerialSink opens a serial port's device node for writing. Whatever else is written there, such as the kernel's last words, comes between two
// of its writes and not within one.
func OpenSerialSink(path string) (*SerialSink, error) {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := raw(fd); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set up %s: %w", path, err)
	}
	return &SerialSink{os.NewFile(uintptr(fd), path)}, nil
}

// Write returns when the bytes are with the hypervisor.
func (s *SerialSink) Write(b []byte) (int, error) {
	n, err := s.file.Write(b)
	if err != nil {
		return n, err
	}
	return n, unix.IoctlSetInt(int(s.file.Fd()), unix.TCSBRK, 1) // tcdrain
}

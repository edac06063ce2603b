package process

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const maximumSignal = 64

// ParseSignal reads "SIGTERM", "TERM", "15", "SIGRTMIN+3" or "RTMAX-1".
func ParseSignal(name string) (unix.Signal, error) {
	if number, err := strconv.Atoi(name); err == nil {
		if number < 1 || number > maximumSignal {
			return 0, fmt.Errorf("signal %d is not in 1 to %d", number, maximumSignal)
		}
		return unix.Signal(number), nil
	}
	plain := strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if number := unix.SignalNum("SIG" + plain); number != 0 {
		return number, nil
	}
	if number, ok := realtime(plain); ok {
		return unix.Signal(number), nil
	}
	return 0, fmt.Errorf("%q is not the name or number of a signal", name)
}

// realtime reads the names of real-time signals as libc counts them: 34 to 64.
func realtime(name string) (int, bool) {
	const first, last = 34, 64
	base, offset := 0, ""
	switch {
	case strings.HasPrefix(name, "RTMIN"):
		base, offset = first, strings.TrimPrefix(name, "RTMIN")
	case strings.HasPrefix(name, "RTMAX"):
		base, offset = last, strings.TrimPrefix(name, "RTMAX")
	default:
		return 0, false
	}
	if offset == "" {
		return base, true
	}
	delta, err := strconv.Atoi(offset)
	number := base + delta
	return number, err == nil && (offset[0] == '+' || offset[0] == '-') && number >= first && number <= last
}

// exitCode gives a status as a shell does.
func exitCode(status unix.WaitStatus) (code int32, signal uint32) {
	if status.Signaled() {
		return 128 + int32(status.Signal()), uint32(status.Signal())
	}
	return int32(status.ExitStatus()), 0
}

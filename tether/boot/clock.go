package boot

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// timestampCounter gives what the processor has counted. It begins at 0 when a VM's processors begin to run.
func timestampCounter() uint64

// SincePowerOn tells how long the VM's processors have run: longer than the kernel's clocks know, which begin with the kernel.
func SincePowerOn() (time.Duration, error) {
	content, err := os.ReadFile(ProcDirectory + "/cpuinfo")
	if err != nil {
		return 0, err
	}
	return counted(timestampCounter(), string(content))
}

// counted gives the time in which a processor as described in /proc/cpuinfo counts so far.
func counted(ticks uint64, cpuinfo string) (time.Duration, error) {
	for line := range strings.Lines(cpuinfo) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "cpu MHz" {
			rate, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || rate <= 0 {
				return 0, fmt.Errorf("the processor's rate is %q MHz", strings.TrimSpace(value))
			}
			return time.Duration(float64(ticks) / rate * 1000), nil
		}
	}
	return 0, errors.New("the processor's rate is not known")
}

// SetClock sets the system's clock when it is off by more than the tolerance.
func SetClock(now time.Time, tolerance time.Duration) error {
	if time.Until(now).Abs() <= tolerance {
		return nil
	}
	value := unix.NsecToTimespec(now.UnixNano())
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &value); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	return nil
}

// Package monitor quiets the Go runtime's monitor, the thread that takes processors from goroutines in long system calls. While anything
// runs it wakes up every 20 microseconds at first, and begins anew with each such call. On one emulated processor, where every system
// call is long and every timer an interrupt, that took a tenth of a containerVM's start.
package monitor

import (
	"os"
	"strconv"
)

const (
	quiet = 10_000_000 // nanoseconds, the longest that the monitor ever sleeps by itself
	usual = 50_000     // the kernel's default
)

// Quiet lets the kernel put off the monitor's waking up to that of another timer. It is given a directory with a procfs. Should it fail, all
// works the same, only later.
func Quiet(procfs string) {
	// The runtime starts its monitor before any other thread.
	if threads := threads(procfs); len(threads) > 1 {
		setSlack(procfs, threads[1], quiet)
	}
}

// Release makes the monitor, and threads that it began meanwhile, as they were.
func Release(procfs string) {
	for _, thread := range threads(procfs) {
		setSlack(procfs, thread, usual)
	}
}

// threads gives the numbers of this process's threads, in the order of their age.
func threads(procfs string) []int {
	directory, err := os.Open(procfs + "/self/task")
	if err != nil {
		return nil
	}
	defer directory.Close()
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return nil
	}
	numbers := make([]int, 0, len(names))
	for _, name := range names {
		if number, err := strconv.Atoi(name); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func setSlack(procfs string, thread, nanoseconds int) {
	_ = os.WriteFile(procfs+"/"+strconv.Itoa(thread)+"/timerslack_ns", []byte(strconv.Itoa(nanoseconds)), 0)
}

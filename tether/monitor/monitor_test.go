package monitor

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func slack(t *testing.T, thread int) string {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/timerslack_ns", thread))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(content))
}

func TestMonitorIsTheFirstThreadAfterTheMainOne(t *testing.T) {
	all := threads("/proc")
	if len(all) < 2 || all[0] != unix.Getpid() {
		t.Fatalf("threads %v of process %d", all, unix.Getpid())
	}
	// The monitor is the one that sleeps by itself, in nanosleep, while a goroutine runs.
	deadline := time.Now().Add(10 * time.Second)
	for {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", all[1]))
		if err != nil {
			t.Skip(err)
		}
		if strings.HasPrefix(string(content), fmt.Sprintf("%d ", unix.SYS_NANOSLEEP)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the second thread is in the system call %s", content)
		}
	}
}

func TestQuietAndRelease(t *testing.T) {
	second := threads("/proc")[1]
	Quiet("/proc")
	if got := slack(t, second); got != "10000000" {
		t.Errorf("quiet: %s", got)
	}
	Release("/proc")
	for _, thread := range threads("/proc") {
		if got := slack(t, thread); got != "50000" {
			t.Errorf("released: thread %d has %s", thread, got)
		}
	}
}

func TestWithoutProcfsNothingHappens(t *testing.T) {
	Quiet(t.TempDir())
	Release(t.TempDir())
}

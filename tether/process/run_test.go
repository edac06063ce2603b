package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/schema"
)

func TestTerminationMessage(t *testing.T) {
	tests := map[string]struct {
		path     string
		content  string
		fallback bool
		code     int32
		want     string
	}{
		"the file":                {"/dev/termination-log", "because", false, 1, "because"},
		"the file on success":     {"/dev/termination-log", "fine", true, 0, "fine"},
		"the file before the log": {"/dev/termination-log", "because", true, 1, "because"},
		"the log":                 {"/dev/termination-log", "", true, 1, "the log"},
		"no log on success":       {"/dev/termination-log", "", true, 0, ""},
		"no log by policy":        {"/dev/termination-log", "", false, 1, ""},
		"no path":                 {"", "not asked for", false, 1, ""},
		"the file's first 4 KiB":  {"/x", strings.Repeat("y", 5000), false, 0, strings.Repeat("y", 4096)},
	}
	for name, test := range tests {
		file := filepath.Join(t.TempDir(), "termination")
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &schema.Process{TerminationMessagePath: test.path, FallbackToLogs: test.fallback}
		if got := terminationMessage(p, file, test.code, func() string { return "the log" }); got != test.want {
			t.Errorf("%s: %.50q, want %.50q", name, got, test.want)
		}
	}
}

func TestHubPassesOutputToWhoIsAttached(t *testing.T) {
	var h hub
	h.send("stdout", []byte("before"))
	a := h.attach(context.Background())
	h.send("stdout", []byte("one"))
	h.send("stderr", []byte("two"))
	h.close()
	h.send("stdout", []byte("after"))
	var got []string
	for c := range a.queue {
		got = append(got, c.stream+" "+string(c.data))
	}
	if strings.Join(got, ",") != "stdout one,stderr two" {
		t.Errorf("got %q", got)
	}
	if _, open := <-h.attach(context.Background()).queue; open {
		t.Error("attached to an ended run")
	}
}

func TestHubForgetsWhoHasGone(t *testing.T) {
	var h hub
	ctx, cancel := context.WithCancel(context.Background())
	h.attach(ctx)
	for range attachQueue {
		h.send("stdout", []byte("x"))
	}
	cancel()
	begin := time.Now()
	h.send("stdout", []byte("x"))
	if took := time.Since(begin); took > attachPatience/2 {
		t.Errorf("waited %s for nobody", took)
	}
}

func TestInputEndsWithItsCaller(t *testing.T) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	deaf, to := os.NewFile(uintptr(ends[0]), "read"), os.NewFile(uintptr(ends[1]), "write")
	defer deaf.Close()
	defer to.Close()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	var turn sync.Mutex
	if err := writeInput(ctx, to, &turn, make([]byte, 1<<20)); !errors.Is(err, context.Canceled) {
		t.Errorf("writing to a deaf process: %v", err)
	}
}

package process

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseSignal(t *testing.T) {
	for name, want := range map[string]unix.Signal{
		"SIGTERM": unix.SIGTERM, "TERM": unix.SIGTERM, "15": unix.SIGTERM, "sigquit": unix.SIGQUIT, "9": unix.SIGKILL,
		"SIGRTMIN": 34, "SIGRTMIN+3": 37, "RTMAX-1": 63, "RTMAX": 64, "SIGWINCH": unix.SIGWINCH,
	} {
		if got, err := ParseSignal(name); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", name, got, err, want)
		}
	}
	for _, name := range []string{"", "0", "65", "-1", "SIG", "SIGNOTHING", "RTMIN-1", "RTMAX+1", "RTMIN3", "RTMIN+x"} {
		if got, err := ParseSignal(name); err == nil {
			t.Errorf("%q is %d", name, got)
		}
	}
}

func TestStopSignal(t *testing.T) {
	tests := []struct {
		configured, override string
		want                 unix.Signal
	}{{"", "", unix.SIGTERM}, {"SIGQUIT", "", unix.SIGQUIT}, {"SIGQUIT", "INT", unix.SIGINT}}
	for _, test := range tests {
		if got, err := stopSignal(test.configured, test.override); err != nil || got != test.want {
			t.Errorf("%+v: %v, %v", test, got, err)
		}
	}
}

func TestExitCode(t *testing.T) {
	tests := []struct {
		status unix.WaitStatus
		code   int32
		signal uint32
	}{{0, 0, 0}, {3 << 8, 3, 0}, {9, 137, 9}, {15, 143, 15}, {11 | 0x80, 139, 11}}
	for _, test := range tests {
		if code, signal := exitCode(test.status); code != test.code || signal != test.signal {
			t.Errorf("%#x is %d, %d; want %d, %d", test.status, code, signal, test.code, test.signal)
		}
	}
}

package shim

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"berth.dev/tether/user"
)

func TestEnvironmentIsCompleted(t *testing.T) {
	spec := &Spec{Hostname: "web-0", Terminal: true, Environment: []string{"A=1", "PATH=/bin", "A=2", "EMPTY=", "HOME=/own"}}
	got := completeEnvironment(spec, user.Identity{Home: "/home/alice"})
	slices.Sort(got)
	if want := []string{"A=2", "EMPTY=", "HOME=/own", "HOSTNAME=web-0", "PATH=/bin", "TERM=xterm"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = completeEnvironment(&Spec{Hostname: "h"}, user.Identity{Home: "/home/alice"})
	if want := []string{defaultPath, "HOSTNAME=h", "HOME=/home/alice"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFindExecutable(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"good": 0o755, "bad": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	environment := []string{"PATH=/nonexistent:" + dir}
	tests := []struct {
		command, message string
		code             int
	}{
		{"good", "", 0},
		{dir + "/good", "", 0},
		{"foo", `exec: "foo": executable file not found in $PATH`, 127},
		{"bad", `exec: "bad": permission denied`, 126},
		{dir + "/bad", `exec: "` + dir + `/bad": permission denied`, 126},
		{dir, `exec: "` + dir + `": is a directory`, 126},
		{"/nope/foo", `exec: "/nope/foo": stat /nope/foo: no such file or directory`, 127},
		{"", "no command specified", 127},
	}
	for _, test := range tests {
		path, err := findExecutable([]string{test.command}, environment)
		var failure *Failure
		switch {
		case test.code == 0:
			if err != nil || path != dir+"/good" {
				t.Errorf("%s: %q, %v", test.command, path, err)
			}
		case !errors.As(err, &failure) || failure.Message != test.message || failure.ExitCode != test.code:
			t.Errorf("%s: %+v, want %d %s", test.command, err, test.code, test.message)
		}
	}
}

func TestUnionKeepsEachGroupOnce(t *testing.T) {
	if got := union([]uint32{1, 2}, []uint32{2, 3}); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

func TestSysctlPath(t *testing.T) {
	for name, want := range map[string]string{
		"net.core.somaxconn":      "/proc/sys/net/core/somaxconn",
		"net.ipv4.conf.eth0/1.rp": "/proc/sys/net/ipv4/conf/eth0.1/rp",
		"....etc.passwd":          "/proc/sys/etc/passwd",
	} {
		if got := sysctlPath(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

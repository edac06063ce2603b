package process

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"berth.dev/tether/schema"
	"berth.dev/tether/shim"
	"berth.dev/tether/volume"
)

func TestProcessSpec(t *testing.T) {
	group := uint32(2000)
	spec, err := processSpec(&schema.Process{
		Arguments: []string{"run"}, WorkingDirectory: "work/../dir", SupplementaryGroups: []uint32{7}, FilesystemGroup: &group,
		Capabilities: []string{"CAP_CHOWN", "net_bind_service"}, Limits: []schema.ResourceLimit{{Name: "NOFILE", Soft: 5, Hard: 6}},
	}, "web-0")
	if err != nil {
		t.Fatal(err)
	}
	if spec.WorkingDirectory != "/dir" || spec.Hostname != "web-0" || !slices.Equal(spec.SupplementaryGroups, []uint32{7, 2000}) ||
		!slices.Equal(spec.Capabilities, []uint{0, 10}) {
		t.Errorf("%+v", spec)
	}
	if last := spec.Limits[len(spec.Limits)-1]; last != (shim.Limit{Resource: unix.RLIMIT_NOFILE, Soft: 5, Hard: 6}) {
		t.Errorf("limit %+v", last)
	}
	if len(spec.Seccomp) == 0 {
		t.Error("no seccomp filter by default")
	}
}

func TestSeccompIsLeftOut(t *testing.T) {
	for _, p := range []*schema.Process{{Unconfined: true}, {Privileged: true}} {
		if spec, err := processSpec(p, ""); err != nil || len(spec.Seccomp) != 0 {
			t.Errorf("%v: %d instructions, %v", p, len(spec.Seccomp), err)
		}
	}
}

func TestBadProcessNamesTheField(t *testing.T) {
	tests := map[string]*schema.Process{
		`capabilities: "CAP_FLY" is not a capability`:  {Capabilities: []string{"CAP_FLY"}},
		`limits: "WINGS" is not a resource`:            {Limits: []schema.ResourceLimit{{Name: "WINGS"}}},
		`environment[1] is not of the form NAME=value`: {Environment: []string{"A=b", "SECRET"}},
	}
	for want, p := range tests {
		_, err := processSpec(p, "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v tells a value", err)
		}
	}
}

func TestCapabilityNumbersAreTheKernels(t *testing.T) {
	for name, want := range map[string]uint{
		"CHOWN": unix.CAP_CHOWN, "SYS_ADMIN": unix.CAP_SYS_ADMIN, "SYS_TIME": unix.CAP_SYS_TIME, "SETFCAP": unix.CAP_SETFCAP,
		"CHECKPOINT_RESTORE": unix.CAP_CHECKPOINT_RESTORE, "AUDIT_READ": unix.CAP_AUDIT_READ, "NET_RAW": unix.CAP_NET_RAW,
	} {
		if got, err := capabilities([]string{"CAP_" + name}); err != nil || !slices.Equal(got, []uint{want}) {
			t.Errorf("%s is %v, %v", name, got, err)
		}
	}
	if all, err := capabilities([]string{"CHOWN", "ALL"}); err != nil || len(all) != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d capabilities, %v", len(all), err)
	}
}

func TestHostLines(t *testing.T) {
	p := &schema.Process{DomainName: "sub.ns.svc", HostAliases: []schema.HostAlias{{Address: "10.0.0.9", Names: []string{"a", "b"}}}}
	got := hostLines(p, "web-0", []string{"10.222.0.5", "fd00::5"})
	for _, want := range []string{
		"127.0.0.1\tlocalhost\n", "::1\tlocalhost ", "10.222.0.5\tweb-0.sub.ns.svc\tweb-0\n", "fd00::5\tweb-0.sub.ns.svc\tweb-0\n",
		"10.0.0.9\ta\tb\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if got := hostLines(&schema.Process{}, "web-0", []string{"10.222.0.5"}); !strings.Contains(got, "10.222.0.5\tweb-0\n") {
		t.Error(got)
	}
	if got := hostLines(p, "web-0.sub.ns.svc", []string{"10.222.0.5"}); !strings.Contains(got, "10.222.0.5\tweb-0.sub.ns.svc\tweb-0\n") {
		t.Errorf("a full name as host name gave\n%s", got)
	}
}

func TestResolverLines(t *testing.T) {
	got := resolverLines(schema.NameResolution{Servers: []string{"10.0.0.10", "::1"}, Searches: []string{"a.b", "c"}, Options: []string{"ndots:5", "edns0"}})
	if want := "nameserver 10.0.0.10\nnameserver ::1\nsearch a.b c\noptions ndots:5 edns0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := resolverLines(schema.NameResolution{}); got != "" {
		t.Errorf("nothing gave %q", got)
	}
}

func TestBadMountsNameTheField(t *testing.T) {
	s := newSources(&volume.Store{Directory: t.TempDir()})
	for want, mount := range map[string]schema.Mount{
		"destination must be an absolute": {Destination: "data"},
		"absolute path below /":           {Destination: "/"},
		"sub_path must be relative":       {Destination: "/data", SubPath: "a/../../b"},
		"source is missing":               {Destination: "/data"},
		`"../x" is not a plain file`:      {Destination: "/data", Kind: schema.ScratchDirectory, Source: "../x"},
	} {
		_, err := s.prepare([]schema.Mount{mount}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "mounts[0]") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

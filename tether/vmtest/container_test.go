//go:build vm

package vmtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"berth.dev/tether/api"
)

const callDeadline = 2 * time.Minute

// suite is one machine whose container is restarted in place from test to test.
type suite struct {
	*machine
	t       *testing.T
	client  api.TetherClient
	session *grpc.ClientConn
	attempt uint32
	started bool
}

// bulk gives how much to move: an emulated serial port moves some tens of KB a second.
func (s *suite) bulk(amount int) int {
	if s.vsphere {
		return max(1, amount/64)
	}
	return amount
}

func (s *suite) next() uint32 {
	if s.started {
		s.attempt++
	}
	s.started = true
	return s.attempt
}

// run starts a process and gives its attempt.
func (s *suite) run(t *testing.T, p *api.Process) uint32 {
	t.Helper()
	attempt := s.next()
	got, err := s.client.Start(within(t, callDeadline), &api.StartRequest{Attempt: attempt, Process: p})
	if err != nil {
		t.Fatal(err)
	}
	if got.Attempt != attempt {
		t.Fatalf("started %v", got)
	}
	return attempt
}

// finish runs a process to its end and gives its output and state.
func (s *suite) finish(t *testing.T, p *api.Process) (string, stateLine) {
	t.Helper()
	attempt := s.run(t, p)
	end := s.awaitState("EXITED", attempt)
	return s.text(attempt, "stdout"), end
}

func (s *suite) stop(t *testing.T) {
	t.Helper()
	if _, err := s.client.Stop(within(t, callDeadline), &api.StopRequest{}); err != nil {
		t.Fatal(err)
	}
}

func (s *suite) exec(t *testing.T, arguments ...string) execResult {
	t.Helper()
	result, err := execute(within(t, callDeadline), s.client, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestContainer(t *testing.T) { everything(t, options{}) }

// everything tests what a containerVM does on one kind of hardware.
func everything(t *testing.T, o options) {
	m := bootMachine(t, built(t), o)
	m.awaitState("READY", 0)
	s := &suite{machine: m, t: t}
	s.client, s.session = m.connect()
	for _, test := range []struct {
		name string
		run  func(*suite, *testing.T)
	}{
		{"Environment", testEnvironment},
		{"Users", testUsers},
		{"Isolation", testIsolation},
		{"Privileged", testPrivileged},
		{"Files", testFiles},
		{"Mounts", testMounts},
		{"Group", testGroup},
		{"ReadOnlyRoot", testReadOnlyRoot},
		{"Network", testNetwork},
		{"StartErrors", testStartErrors},
		{"Invalid", testInvalid},
		{"Ends", testEnds},
		{"Termination", testTermination},
		{"Stop", testStop},
		{"Restart", testRestart},
		{"OutOfMemory", testOutOfMemory},
		{"Exec", testExec},
		{"ExecPipes", testExecPipes},
		{"ExecTerminal", testExecTerminal},
		{"ExecMany", testExecMany},
		{"ExecDisconnect", testExecDisconnect},
		{"Attach", testAttach},
		{"AttachTerminal", testAttachTerminal},
		{"PortForward", testPortForward},
		{"Stats", testStats},
		{"Reconnect", testReconnect},
		{"LogThroughput", testLogThroughput},
		{"LogBeforeState", testLogBeforeState},
		{"Shutdown", testShutdown},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.machine.t = t
			// A failed test leaves nothing to the next.
			defer func() { _, _ = s.client.Stop(within(t, callDeadline), &api.StopRequest{}) }()
			test.run(s, t)
		})
	}
}

func expectText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func expectContains(t *testing.T, what, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%s: %q is missing in %q", what, want, got)
		}
	}
}

func testEnvironment(s *suite, t *testing.T) {
	p := shell(`echo $A; echo $PATH; echo $HOME; echo $HOSTNAME; hostname; pwd; ulimit -n; ulimit -H -n; umask; cat /proc/self/oom_score_adj; sysctl -n net.ipv4.ip_default_ttl; ls -l /proc/self/fd | wc -l`)
	p.Environment = []string{"A=1", "A=2"}
	p.WorkingDirectory = "/made/for/it"
	p.Limits = []*api.ResourceLimit{{Name: "NOFILE", Soft: 100, Hard: 200}}
	p.Sysctls = map[string]string{"net.ipv4.ip_default_ttl": "77"}
	text, end := s.finish(t, p)
	expectText(t, "output", text, "2\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n/root\nweb-0\nweb-0\n/made/for/it\n100\n200\n0022\n0\n77\n5\n")
	expectText(t, "reason", end.Reason, "Completed")
	if end.StartedAt == "" || end.FinishedAt == "" {
		t.Errorf("%+v", end)
	}
}

func testUsers(s *suite, t *testing.T) {
	script := `id -u; id -g; id -G; echo $HOME; grep -E "Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp:" /proc/self/status; echo to-stdout >/dev/stdout`
	p := shell(script)
	p.User, p.SupplementaryGroups, p.NoNewPrivileges = "alice", []uint32{4242}, true
	text, _ := s.finish(t, p)
	expectContains(t, "named user", text, "1000\n1000\n", "100", "4242", "/home/alice\n", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
		"CapBnd:\t00000000a80425fb", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "to-stdout\n")
	p = shell(script)
	p.User = "4000:50"
	text, _ = s.finish(t, p)
	expectContains(t, "numbers", text, "4000\n50\n50\n/\n", "NoNewPrivs:\t0", "Seccomp:\t2")
	p = shell(script)
	p.Capabilities, p.Seccomp = []string{"CAP_NET_BIND_SERVICE"}, api.SeccompProfile_UNCONFINED
	text, _ = s.finish(t, p)
	expectContains(t, "root", text, "0\n0\n", "/root\n", "CapPrm:\t0000000000000400", "CapEff:\t0000000000000400", "CapBnd:\t0000000000000400",
		"CapInh:\t0000000000000000", "Seccomp:\t0")
}

func testIsolation(s *suite, t *testing.T) {
	text, _ := s.finish(t, shell(`
echo "first $$"
ls /proc | grep -c '^[0-9]'
mount -t tmpfs none /mnt 2>&1 || echo no mount
unshare -m true 2>&1 || echo no unshare
chroot / true && echo chroot works
echo 1 >/proc/sys/vm/drop_caches 2>&1 || echo no sysctl
ls /sys/firmware | wc -l
cat /proc/kcore | wc -c
touch /sys/x 2>/dev/null || echo sys is read-only
mkdir /sys/fs/cgroup/x 2>/dev/null || echo cgroups are read-only
cat /proc/self/cgroup
ls /dev | sort | tr '\n' ' '
df -k /dev/shm | tail -1 | awk '{print $2}'
mknod /tmp/vda b 254 0 2>/dev/null; test -b /tmp/vda && echo a node; dd if=/tmp/vda of=/dev/null bs=512 count=1 2>&1 | grep -c -i "not permitted"
echo a >/dev/null && head -c 1 /dev/urandom | wc -c
ls /modules /run/berth 2>/dev/null || echo nothing of the tether
grep -c . /proc/mounts >/dev/null && awk '$2=="/"{print $3}' /proc/mounts
`))
	expectContains(t, "isolation", text, "first 1\n", "no mount\n", "no unshare\n", "chroot works\n", "no sysctl\n", "sys is read-only\n",
		"cgroups are read-only\n", "0::/\n", "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero", "65536\n",
		"nothing of the tether\n", "overlay\n", "a node\n1\n1\n")
}

func testPrivileged(s *suite, t *testing.T) {
	p := shell(`mount -t tmpfs none /mnt && echo mounted; ls /dev | grep -cE '^[sv]d'; ls /dev | grep -cE 'vport|ttyS'; touch /sys/fs/cgroup/cgroup.procs && echo writable; ls /sys/firmware/qemu_fw_cfg 2>/dev/null | wc -l`)
	p.Privileged, p.Capabilities, p.MaskedPaths, p.ReadOnlyPaths = true, []string{"ALL"}, nil, nil
	text, _ := s.finish(t, p)
	expectText(t, "privileged", text, "mounted\n3\n0\nwritable\n0\n")
}

func testFiles(s *suite, t *testing.T) {
	p := shell(`cat /etc/hostname /etc/hosts /etc/resolv.conf; echo added >>/etc/hosts; tail -1 /etc/hosts; hostname`)
	p.Hostname, p.DomainName = "db-1", "sub.ns.svc"
	p.HostAliases = []*api.HostAlias{{Address: "10.9.9.9", Names: []string{"alias"}}}
	p.NameResolution = &api.NameResolution{Servers: []string{"10.0.0.10"}, Searches: []string{"ns.svc"}, Options: []string{"ndots:5"}}
	text, _ := s.finish(t, p)
	expectContains(t, "files", text, "db-1\n", "127.0.0.1\tlocalhost\n", "10.0.2.15\tdb-1.sub.ns.svc\tdb-1\n", "10.9.9.9\talias\n",
		"nameserver 10.0.0.10\nsearch ns.svc\noptions ndots:5\n", "added\ndb-1\n")
}

func writeVolume(t *testing.T, s *suite, name string, files map[string]string) {
	t.Helper()
	request := &api.WriteVolumeRequest{Volume: name}
	for path, content := range files {
		request.Files = append(request.Files, &api.File{Path: path, Content: []byte(content), Mode: 0o640})
	}
	if _, err := s.client.WriteVolume(within(t, callDeadline), request); err != nil {
		t.Fatal(err)
	}
}

func testMounts(s *suite, t *testing.T) {
	writeVolume(t, s, "config", map[string]string{"key": "one", "deep/file": "below"})
	mounts := []*api.Mount{
		{Destination: "/cache", Source: &api.Mount_ScratchDirectory{ScratchDirectory: "cache"}},
		{Destination: "/cache/inner", Source: &api.Mount_Memory{Memory: &api.MemoryDirectory{Name: "fast", SizeLimit: 1 << 20}}},
		{Destination: "/etc/config", Source: &api.Mount_Files{Files: "config"}, ReadOnly: true},
		{Destination: "/etc/single", Source: &api.Mount_Files{Files: "config"}, SubPath: "key", ReadOnly: true},
		{Destination: "/disk", Source: &api.Mount_Disk{Disk: "volume-0"}},
		{Destination: "/sub", Source: &api.Mount_Disk{Disk: "volume-0"}, SubPath: "made/here"},
	}
	p := shell(`
cat /etc/config/key /etc/config/deep/file /etc/single; stat -c %a /etc/config/key/../key /etc/config/ 2>/dev/null
touch /etc/config/x 2>/dev/null || echo read-only
df -k /cache/inner | tail -1 | awk '{print $2}'
echo kept >/cache/kept; echo kept >/disk/kept; ls /disk
echo gone >/root-file
echo below >/sub/file; cat /disk/made/here/file
trap 'exit 0' TERM
while :; do sleep 0.1; done`)
	p.Mounts = mounts
	attempt := s.run(t, p)
	await(t, "the output", time.Minute, func() bool { return strings.HasSuffix(s.text(attempt, "stdout"), "\nbelow\n") })
	expectContains(t, "mounts", s.text(attempt, "stdout"), "onebelowone", "read-only\n1024\n", "kept\n")
	writeVolume(t, s, "config", map[string]string{"key": "two", "other": "new"})
	got := s.exec(t, "sh", "-c", "cat /etc/config/key /etc/config/other /etc/single; ls /etc/config")
	expectText(t, "after the update", got.stdout, "twonewonekey\nother\n")
	s.stop(t)
	p = shell("cat /cache/kept /disk/kept; ls /root-file 2>/dev/null || echo fresh; ls -A /cache/inner | wc -l")
	p.Mounts = mounts
	text, _ := s.finish(t, p)
	expectText(t, "after the restart", text, "kept\nkept\nfresh\n0\n")
}

func testGroup(s *suite, t *testing.T) {
	group := uint32(2000)
	request := &api.WriteVolumeRequest{Volume: "secret", Group: &group, Files: []*api.File{{Path: "token", Content: []byte("t"), Mode: 0o400}}}
	if _, err := s.client.WriteVolume(within(t, callDeadline), request); err != nil {
		t.Fatal(err)
	}
	p := shell(`id -G; cat /secret/token; echo; echo x >/work/file && stat -c '%g %a' /work/file /work; stat -L -c '%g %a' /secret/token`)
	p.User, p.FilesystemGroup = "1500:1500", &group
	p.Mounts = []*api.Mount{
		{Destination: "/work", Source: &api.Mount_ScratchDirectory{ScratchDirectory: "grouped"}},
		{Destination: "/secret", Source: &api.Mount_Files{Files: "secret"}, ReadOnly: true},
	}
	text, _ := s.finish(t, p)
	expectText(t, "group", text, "1500 2000\nt\n2000 644\n2000 2777\n2000 440\n")
}

func testReadOnlyRoot(s *suite, t *testing.T) {
	p := shell(`touch /x 2>/dev/null || echo read-only; touch /tmp/y && echo tmp; touch /dev/shm/z && echo shm; cat /data/original; pwd`)
	p.ReadOnlyRoot, p.WorkingDirectory = true, "/new/dir"
	p.Mounts = []*api.Mount{{Destination: "/tmp", Source: &api.Mount_ScratchDirectory{ScratchDirectory: "tmp"}}}
	p.SharedMemorySize = 1 << 20
	text, _ := s.finish(t, p)
	expectText(t, "read-only root", text, "read-only\ntmp\nshm\nfrom the image\n/new/dir\n")
}

func testNetwork(s *suite, t *testing.T) {
	p := shell(`ip addr show eth0 2>/dev/null || ip addr; ip route; ping -c 1 -W 5 127.0.0.1 >/dev/null && echo ping; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; (echo hi | nc -l -p 80 &) ; true`)
	p.User, p.Capabilities = "1000:1000", nil
	text, _ := s.finish(t, p)
	expectContains(t, "network", text, "mtu 1400", "10.0.2.15/24", "default via 10.0.2.2", "\n0\n")
}

func testStartErrors(s *suite, t *testing.T) {
	tests := []struct {
		process *api.Process
		message string
	}{
		{&api.Process{Arguments: []string{"foo"}}, `exec: "foo": executable file not found in $PATH`},
		{&api.Process{Arguments: []string{"/foo"}}, `exec: "/foo": stat /foo: no such file or directory`},
		{&api.Process{Arguments: []string{"/etc/passwd"}}, `exec: "/etc/passwd": permission denied`},
		{&api.Process{Arguments: []string{"/etc"}}, `exec: "/etc": is a directory`},
		{&api.Process{Arguments: []string{"true"}, User: "bob"}, `unable to find user bob: no matching entries in passwd file`},
		{&api.Process{Arguments: []string{"true"}, User: "0:none"}, `unable to find group none: no matching entries in group file`},
		{&api.Process{}, `no command specified`},
		{&api.Process{Arguments: []string{"true"}, Sysctls: map[string]string{"net.nothing": "1"}}, `set the sysctl "net.nothing"`},
		{&api.Process{Arguments: []string{"true"}, WorkingDirectory: "/etc/passwd"}, `working directory`},
		{&api.Process{Arguments: []string{"true"}, Mounts: []*api.Mount{{Destination: "/a", Source: &api.Mount_Files{Files: "never-written"}}}},
			`mount /a: open the source`},
	}
	for _, test := range tests {
		attempt := s.next()
		begin := time.Now()
		got, err := s.client.Start(within(t, callDeadline), &api.StartRequest{Attempt: attempt, Process: test.process})
		if err != nil {
			t.Errorf("%s: %v", test.message, err)
			continue
		}
		t.Logf("%s: %s", time.Since(begin).Round(time.Millisecond), got.Message)
		if got.Phase != api.Phase_EXITED || got.Reason != "StartError" || got.ExitCode != 128 || !strings.Contains(got.Message, test.message) {
			t.Errorf("got %v, want %s", got, test.message)
		}
		if line := s.awaitState("EXITED", attempt); line.ExitCode != 128 || line.Reason != "StartError" || line.Message != got.Message {
			t.Errorf("state line %+v", line)
		}
	}
}

func testInvalid(s *suite, t *testing.T) {
	ctx := within(t, callDeadline)
	expect := func(what string, err error, code codes.Code, text string) {
		t.Helper()
		if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), text) {
			t.Errorf("%s: %v, want %s %s", what, err, code, text)
		}
	}
	start := func(attempt uint32, p *api.Process) error {
		_, err := s.client.Start(ctx, &api.StartRequest{Attempt: attempt, Process: p})
		return err
	}
	expect("lower attempt", start(s.attempt-1, shell("true")), codes.FailedPrecondition, "lower")
	expect("no process", start(s.attempt+1, nil), codes.InvalidArgument, "process is missing")
	expect("bad capability", start(s.attempt+1, &api.Process{Capabilities: []string{"X"}}), codes.InvalidArgument, `"X" is not a capability`)
	expect("bad mount", start(s.attempt+1, &api.Process{Mounts: []*api.Mount{{Destination: "a", Source: &api.Mount_Files{Files: "none"}}}}),
		codes.InvalidArgument, "destination must be an absolute path")
	_, err := s.client.Signal(ctx, &api.SignalRequest{Signal: "TERM"})
	expect("signal to nobody", err, codes.FailedPrecondition, "no process runs")
	_, err = execute(ctx, s.client, "true")
	expect("exec beside nobody", err, codes.FailedPrecondition, "no process runs")
	_, err = s.client.WriteVolume(ctx, &api.WriteVolumeRequest{Volume: "v", Files: []*api.File{{Path: "../x"}}})
	expect("bad file", err, codes.InvalidArgument, "../x")
	attempt := s.run(t, shell("sleep 600"))
	expect("another attempt", start(attempt+1, shell("true")), codes.FailedPrecondition, "still runs")
	expect("the same attempt", start(attempt, shell("true")), codes.OK, "")
	_, err = s.client.Signal(ctx, &api.SignalRequest{Signal: "SIGNOTHING"})
	expect("bad signal", err, codes.InvalidArgument, "SIGNOTHING")
	s.stop(t)
	if got, err := s.client.Stop(ctx, &api.StopRequest{}); err != nil || got.Phase != api.Phase_EXITED {
		t.Errorf("stopping again: %v, %v", got, err)
	}
}

func testEnds(s *suite, t *testing.T) {
	for _, test := range []struct {
		script string
		code   int
		signal int
		reason string
	}{
		{"exit 0", 0, 0, "Completed"},
		{"exit 7", 7, 0, "Error"},
		{"sh -c 'kill -9 $$'; exit $?", 137, 0, "Error"},
	} {
		_, end := s.finish(t, shell(test.script))
		if end.ExitCode != test.code || end.Signal != test.signal || end.Reason != test.reason {
			t.Errorf("%s: %+v", test.script, end)
		}
	}
	attempt := s.run(t, shell("sleep 600 & sleep 600"))
	if _, err := s.client.Signal(within(t, callDeadline), &api.SignalRequest{Signal: "KILL"}); err != nil {
		t.Fatal(err)
	}
	if end := s.awaitState("EXITED", attempt); end.ExitCode != 137 || end.Signal != 9 || end.Reason != "Error" {
		t.Errorf("killed: %+v", end)
	}
}

func testTermination(s *suite, t *testing.T) {
	with := func(script string, policy api.TerminationMessagePolicy) string {
		p := shell(script)
		p.TerminationMessagePath, p.TerminationMessagePolicy, p.User = "/dev/termination-log", policy, "1000:1000"
		_, end := s.finish(t, p)
		return end.Message
	}
	const fallback = api.TerminationMessagePolicy_FALLBACK_TO_LOGS_ON_ERROR
	expectText(t, "file", with("echo because >/dev/termination-log; echo log; exit 1", fallback), "because\n")
	expectText(t, "fallback", with("echo first; echo second; exit 1", fallback), "first\nsecond\n")
	expectText(t, "no fallback on success", with("echo first", fallback), "")
	expectText(t, "no fallback by policy", with("echo first; exit 1", 0), "")
	long := with("head -c 10000 /dev/zero | tr '\\0' x >/dev/termination-log", 0)
	expectText(t, "long", long, strings.Repeat("x", 4096))
}

func testStop(s *suite, t *testing.T) {
	stop := func(p *api.Process, request *api.StopRequest, announce string) (*api.State, time.Duration) {
		t.Helper()
		attempt := s.run(t, p)
		await(t, announce, time.Minute, func() bool { return s.text(attempt, "stdout") == announce+"\n" })
		begin := time.Now()
		got, err := s.client.Stop(within(t, callDeadline), request)
		if err != nil {
			t.Fatal(err)
		}
		return got, time.Since(begin)
	}
	p := shell("trap 'echo quitting; exit 5' QUIT; echo up; while :; do sleep 0.05; done")
	p.StopSignal = "SIGQUIT"
	got, _ := stop(p, &api.StopRequest{GracePeriod: durationpb.New(time.Minute)}, "up")
	if got.ExitCode != 5 || got.Phase != api.Phase_EXITED {
		t.Errorf("gentle stop: %v", got)
	}
	p = shell("trap '' TERM; echo up; while :; do sleep 0.05; done")
	got, took := stop(p, &api.StopRequest{GracePeriod: durationpb.New(time.Second)}, "up")
	if got.ExitCode != 137 || got.Signal != 9 || took < time.Second {
		t.Errorf("stop after grace: %v in %s", got, took)
	}
	// A second call with a shorter grace shortens the wait of both.
	attempt := s.run(t, p)
	await(t, "up", time.Minute, func() bool { return s.text(attempt, "stdout") == "up\n" })
	long := make(chan error, 1)
	go func() {
		_, err := s.client.Stop(within(t, callDeadline), &api.StopRequest{GracePeriod: durationpb.New(time.Hour)})
		long <- err
	}()
	if _, err := s.client.Stop(within(t, callDeadline), &api.StopRequest{GracePeriod: durationpb.New(100 * time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	if err := <-long; err != nil {
		t.Fatal(err)
	}
}

func testRestart(s *suite, t *testing.T) {
	attempt := s.run(t, shell("ls /made 2>/dev/null; touch /made; exit 1"))
	s.awaitState("EXITED", attempt)
	begin := time.Now()
	attempt = s.run(t, shell("ls /made 2>/dev/null || echo fresh"))
	s.awaitState("EXITED", attempt)
	t.Logf("a restart in place took %s from the call to the exit", time.Since(begin))
	expectText(t, "second attempt", s.text(attempt, "stdout"), "fresh\n")
}

func testOutOfMemory(s *suite, t *testing.T) {
	// A child eats; the kernel ends the whole container, as the kubelet has it.
	attempt := s.run(t, shell("dd if=/dev/zero of=/dev/null bs=1000M count=1; echo survived; sleep 600"))
	end := s.awaitState("EXITED", attempt)
	if end.Reason != "OOMKilled" || end.ExitCode != 137 || end.Signal != 9 {
		t.Errorf("%+v", end)
	}
	if _, err := s.client.Describe(within(t, callDeadline), &api.DescribeRequest{}); err != nil {
		t.Errorf("the tether did not survive: %v", err)
	}
	attempt = s.run(t, shell("cat /sys/fs/cgroup/memory.max"))
	s.awaitState("EXITED", attempt)
	expectText(t, "limit", s.text(attempt, "stdout"), fmt.Sprintln(memoryLimit))
}

func testExec(s *suite, t *testing.T) {
	p := shell("trap 'exit 0' TERM; while :; do sleep 0.1; done")
	p.Environment, p.WorkingDirectory, p.User, p.NoNewPrivileges = []string{"A=inherited"}, "/data", "alice", true
	s.run(t, p)
	got := s.exec(t, "sh", "-c", `echo $A; pwd; id -u; ls /proc | grep -c '^1$'; hostname; grep Seccomp: /proc/self/status; readlink /proc/self/fd/0; echo err >&2; cat /proc/self/cgroup; exit 9`)
	expectText(t, "exec", got.stdout, "inherited\n/data\n1000\n1\nweb-0\nSeccomp:\t2\n/dev/null\n0::/\n")
	expectText(t, "stderr", got.stderr, "err\n")
	for _, test := range []struct {
		arguments []string
		code      int32
		message   string
	}{
		{[]string{"true"}, 0, ""},
		{[]string{"false"}, 1, ""},
		{[]string{"sh", "-c", "kill -9 $$"}, 137, ""},
		{[]string{"nonesuch"}, 127, `exec: "nonesuch": executable file not found in $PATH`},
		{[]string{"/nonesuch"}, 127, "no such file or directory"},
		{[]string{"/etc/notexecutable"}, 126, "permission denied"},
	} {
		got := s.exec(t, test.arguments...)
		if got.exit.GetExitCode() != test.code || !strings.Contains(got.exit.GetMessage(), test.message) {
			t.Errorf("%q: %v", test.arguments, got.exit)
		}
	}
	var best time.Duration = time.Hour
	for range 10 {
		begin := time.Now()
		s.exec(t, "true")
		best = min(best, time.Since(begin))
	}
	t.Logf("exec round trip: best of 10 %s", best)
	s.stop(t)
}

// pump feeds an exec and gives what comes back.
func pump(ctx context.Context, client api.TetherClient, begin *api.ExecBegin, input io.Reader) ([]byte, *api.Exit, error) {
	stream, err := client.Exec(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := stream.Send(&api.ExecRequest{Kind: &api.ExecRequest_Begin{Begin: begin}}); err != nil {
		return nil, nil, err
	}
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := input.Read(buffer)
			if n > 0 && stream.Send(&api.ExecRequest{Kind: &api.ExecRequest_Stdin{Stdin: bytes.Clone(buffer[:n])}}) != nil {
				return
			}
			if err != nil {
				_ = stream.Send(&api.ExecRequest{Kind: &api.ExecRequest_StdinClosed{StdinClosed: true}})
				return
			}
		}
	}()
	var output []byte
	for {
		message, err := stream.Recv()
		if err != nil {
			return output, nil, err
		}
		output = append(output, message.GetStdout()...)
		if exit := message.GetExit(); exit != nil {
			return output, exit, nil
		}
	}
}

func random(size int) []byte {
	generator := rand.NewChaCha8([32]byte{1})
	data := make([]byte, size)
	_, _ = generator.Read(data)
	return data
}

func testExecPipes(s *suite, t *testing.T) {
	s.run(t, shell("sleep 600"))
	data := random(s.bulk(20 << 20))
	want := fmt.Sprintf("%x", sha256.Sum256(data))
	begin := time.Now()
	output, exit, err := pump(within(t, callDeadline), s.client, &api.ExecBegin{Arguments: []string{"sha256sum"}, Stdin: true}, bytes.NewReader(data))
	if err != nil || exit.ExitCode != 0 || !strings.HasPrefix(string(output), want) {
		t.Fatalf("in: %q, %v, %v", output, exit, err)
	}
	t.Logf("%d KiB in: %s", len(data)>>10, time.Since(begin))
	begin = time.Now()
	output, exit, err = pump(within(t, callDeadline), s.client, &api.ExecBegin{Arguments: []string{"cat"}, Stdin: true}, bytes.NewReader(data))
	if err != nil || exit.ExitCode != 0 || !bytes.Equal(output, data) {
		t.Fatalf("through: %d bytes, %v, %v", len(output), exit, err)
	}
	t.Logf("%d KiB in and out: %s", len(data)>>10, time.Since(begin))
	// Output of what the process leaves behind is not waited for without end, and what it wrote itself is there.
	begin = time.Now()
	got := s.exec(t, "sh", "-c", "sleep 300 & echo done")
	if got.stdout != "done\n" || time.Since(begin) > time.Minute {
		t.Errorf("%+v after %s", got, time.Since(begin))
	}
	s.stop(t)
}

func testExecTerminal(s *suite, t *testing.T) {
	s.run(t, shell("sleep 600"))
	ctx := within(t, callDeadline)
	stream, err := s.client.Exec(ctx)
	if err != nil {
		t.Fatal(err)
	}
	send := func(request *api.ExecRequest) {
		t.Helper()
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	var output strings.Builder
	expect := func(text string) {
		t.Helper()
		for !strings.Contains(output.String(), text) {
			message, err := stream.Recv()
			if err != nil {
				t.Fatalf("%v after %q, waiting for %q", err, output.String(), text)
			}
			output.Write(message.GetStdout())
			if message.GetExit() != nil {
				t.Fatalf("ended after %q, waiting for %q", output.String(), text)
			}
		}
		output.Reset()
	}
	send(&api.ExecRequest{Kind: &api.ExecRequest_Begin{Begin: &api.ExecBegin{
		Arguments: []string{"sh", "-c", "stty -echo; tty; stty size; echo $TERM; trap 'stty size' WINCH; while [ \"$line\" != quit ]; do read line && echo \"<$line>\"; done; cat; exit 4"},
		Terminal:  true, Stdin: true, Size: &api.TerminalSize{Columns: 100, Rows: 40},
	}}})
	expect("/dev/pts/")
	expect("40 100\r\nxterm")
	send(&api.ExecRequest{Kind: &api.ExecRequest_Stdin{Stdin: []byte("typed\n")}})
	expect("<typed>\r\n")
	send(&api.ExecRequest{Kind: &api.ExecRequest_Resize{Resize: &api.TerminalSize{Columns: 120, Rows: 50}}})
	send(&api.ExecRequest{Kind: &api.ExecRequest_Stdin{Stdin: []byte("again\n")}})
	expect("50 120\r\n")
	send(&api.ExecRequest{Kind: &api.ExecRequest_Stdin{Stdin: []byte("quit\n")}})
	expect("<quit>\r\n")
	send(&api.ExecRequest{Kind: &api.ExecRequest_StdinClosed{StdinClosed: true}})
	for {
		message, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if exit := message.GetExit(); exit != nil {
			if exit.ExitCode != 4 {
				t.Errorf("exit %v", exit)
			}
			break
		}
	}
	s.stop(t)
}

func testExecMany(s *suite, t *testing.T) {
	s.run(t, shell("sleep 600"))
	var all sync.WaitGroup
	begin := time.Now()
	for i := range 20 {
		all.Go(func() {
			want := fmt.Sprintf("number %d\n", i)
			got, err := execute(within(t, callDeadline), s.client, "sh", "-c", fmt.Sprintf("sleep 0.5; echo number %d; exit %d", i, i))
			if err != nil || got.stdout != want || got.exit.GetExitCode() != int32(i) {
				t.Errorf("%d: %+v, %v", i, got, err)
			}
		})
	}
	all.Wait()
	t.Logf("20 at once: %s", time.Since(begin))
	s.stop(t)
}

func testExecDisconnect(s *suite, t *testing.T) {
	s.run(t, shell("sleep 600"))
	ctx, cancel := context.WithCancel(within(t, callDeadline))
	stream, err := s.client.Exec(ctx)
	if err != nil {
		t.Fatal(err)
	}
	begin := &api.ExecBegin{Arguments: []string{"sh", "-c", "trap 'echo hup >/tmp/hup; exit' HUP; echo up; while :; do sleep 0.05; done"}}
	if err := stream.Send(&api.ExecRequest{Kind: &api.ExecRequest_Begin{Begin: begin}}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	await(t, "the hangup", time.Minute, func() bool { return s.exec(t, "cat", "/tmp/hup").stdout == "hup\n" })
	s.stop(t)
}

func testAttach(s *suite, t *testing.T) {
	p := shell(`echo before; while read line; do echo "<$line>"; echo "e$line" >&2; done; echo end; exit 6`)
	p.Stdin, p.StdinOnce = true, true
	attempt := s.run(t, p)
	await(t, "before", time.Minute, func() bool { return s.text(attempt, "stdout") == "before\n" })
	stream, err := s.client.Attach(within(t, callDeadline))
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []*api.AttachRequest{
		{Kind: &api.AttachRequest_Begin{Begin: &api.AttachBegin{Stdin: true}}},
		{Kind: &api.AttachRequest_Stdin{Stdin: []byte("one\ntwo\n")}},
		{Kind: &api.AttachRequest_StdinClosed{StdinClosed: true}},
	} {
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr string
	for {
		message, err := stream.Recv()
		if err != nil {
			t.Fatalf("%v after %q", err, stdout)
		}
		stdout += string(message.GetStdout())
		stderr += string(message.GetStderr())
		if exit := message.GetExit(); exit != nil {
			if exit.ExitCode != 6 {
				t.Errorf("exit %v", exit)
			}
			break
		}
	}
	expectText(t, "attached stdout", stdout, "<one>\n<two>\nend\n")
	expectText(t, "attached stderr", stderr, "eone\netwo\n")
	expectText(t, "log", s.text(attempt, "stdout"), "before\n<one>\n<two>\nend\n")
}

func testAttachTerminal(s *suite, t *testing.T) {
	p := shell(`stty -echo; trap 'stty size' WINCH; tty; test -c /dev/console && echo console; while :; do read line && echo "<$line>"; done`)
	p.Terminal, p.Stdin = true, true
	attempt := s.run(t, p)
	await(t, "the console", time.Minute, func() bool { return strings.Contains(s.text(attempt, "stdout"), "/dev/pts/0\r\nconsole\r\n") })
	stream, err := s.client.Attach(within(t, callDeadline))
	if err != nil {
		t.Fatal(err)
	}
	size := &api.TerminalSize{Columns: 90, Rows: 30}
	for _, request := range []*api.AttachRequest{
		{Kind: &api.AttachRequest_Begin{Begin: &api.AttachBegin{Stdin: true, Size: size}}},
		{Kind: &api.AttachRequest_Stdin{Stdin: []byte("typed\n")}},
	} {
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"30 90\r\n", "<typed>\r\n"} {
		await(t, want, time.Minute, func() bool { return strings.Contains(s.text(attempt, "stdout"), want) })
	}
	// A caller that goes leaves the process alone.
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	expectText(t, "exec beside a terminal", s.exec(t, "echo", "fine").stdout, "fine\n")
	s.stop(t)
}

func testPortForward(s *suite, t *testing.T) {
	s.run(t, shell("while :; do nc -l -p 8080 -e cat; done"))
	forward := func(port uint32) (api.Tether_PortForwardClient, error) {
		stream, err := s.client.PortForward(within(t, callDeadline))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&api.PortForwardRequest{Kind: &api.PortForwardRequest_Port{Port: port}}); err != nil {
			t.Fatal(err)
		}
		first, err := stream.Recv()
		if err == nil && !first.GetConnected() {
			t.Errorf("first answer %v", first)
		}
		return stream, err
	}
	if _, err := forward(9); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("closed port: %v", err)
	}
	var stream api.Tether_PortForwardClient
	await(t, "the listener", time.Minute, func() bool {
		var err error
		stream, err = forward(8080)
		return err == nil
	})
	data := random(s.bulk(2 << 20))
	go func() {
		for rest := data; len(rest) > 0; {
			n := min(32<<10, len(rest))
			if stream.Send(&api.PortForwardRequest{Kind: &api.PortForwardRequest_Data{Data: rest[:n]}}) != nil {
				return
			}
			rest = rest[n:]
		}
		_ = stream.Send(&api.PortForwardRequest{Kind: &api.PortForwardRequest_Closed{Closed: true}})
	}()
	var back []byte
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, message.GetData()...)
	}
	if !bytes.Equal(back, data) {
		t.Errorf("%d of %d bytes came back", len(back), len(data))
	}
	s.stop(t)
}

func testStats(s *suite, t *testing.T) {
	// Two processes at the end: a shell becomes the last command that it runs.
	s.run(t, shell("sleep 600 & head -c 20000000 /dev/zero >/big; wait"))
	var got *api.StatsResponse
	defer func() {
		if t.Failed() {
			t.Logf("the last statistics: %v", got)
		}
	}()
	await(t, "consumption", time.Minute, func() bool {
		var err error
		if got, err = s.client.Stats(within(t, callDeadline), &api.StatsRequest{}); err != nil {
			t.Fatal(err)
		}
		return got.CpuNanoseconds > 0 && got.MemoryUsage > 0 && got.MemoryWorkingSet > 0 && got.ScratchUsed > 20_000_000 &&
			got.ScratchCapacity > 400<<20 && got.Processes == 2
	})
	status := s.exec(t, "cat", "/proc/meminfo")
	t.Log(status.stdout[:strings.Index(status.stdout, "Buffers")])
	s.stop(t)
}

// testReconnect cuts sessions in mid-transfer; the process and its output go on.
func testReconnect(s *suite, t *testing.T) {
	attempt := s.run(t, shell("i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); sleep 0.05; done"))
	var worst time.Duration
	_ = s.session.Close() // One at a time.
	sessions := 15
	if s.vsphere {
		sessions = 4
	}
	for i := range sessions {
		client, connection := s.connect()
		ctx, cancel := context.WithTimeout(context.Background(), callDeadline)
		begin := time.Now()
		if _, err := client.Describe(ctx, &api.DescribeRequest{}); err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
		worst = max(worst, time.Since(begin))
		stream, err := client.Exec(ctx)
		if err == nil {
			err = stream.Send(&api.ExecRequest{Kind: &api.ExecRequest_Begin{Begin: &api.ExecBegin{Arguments: []string{"cat", "/dev/zero"}}}})
		}
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
		_ = connection.Close()
		cancel()
	}
	t.Logf("%d sessions cut in mid-transfer; the slowest new one took %s", sessions, worst)
	s.machine.t = s.t // The new session is for the tests after this one too.
	s.client, s.session = s.connect()
	s.machine.t = t
	s.awaitState("EXITED", attempt)
	var want strings.Builder
	for i := range 200 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	expectText(t, "output", s.text(attempt, "stdout"), want.String())
	s.run(t, shell("sleep 600"))
	await(t, "the end of what was cut", time.Minute, func() bool { return s.exec(t, "sh", "-c", "ps | grep -c '[c]at /dev/zero'").stdout == "0\n" })
	s.stop(t)
}

func testLogThroughput(s *suite, t *testing.T) {
	rounds := s.bulk(100)
	lines := rounds * 10_000 // of 100 bytes with the newline
	begin := time.Now()
	attempt := s.run(t, shell(fmt.Sprintf("i=0; while [ $i -lt %d ]; do cat /data/lines; i=$((i+1)); done; echo the end >&2", rounds)))
	var end stateLine
	await(t, "the end", 5*time.Minute, func() bool {
		for _, line := range s.states() {
			if line.Phase == "EXITED" && line.Attempt == attempt {
				end = line
				return true
			}
		}
		time.Sleep(100 * time.Millisecond)
		return false
	})
	took := time.Since(begin)
	text := s.text(attempt, "stdout")
	if end.ExitCode != 0 || len(text) != 100*lines || s.text(attempt, "stderr") != "the end\n" {
		t.Errorf("%d of %d bytes, %+v", len(text), 100*lines, end)
	}
	t.Logf("%d MB of output in %s, %.1f MB/s", rounds, took, float64(rounds)/took.Seconds())
}

// testLogBeforeState looks at the log in the moment that the exit is seen.
func testLogBeforeState(s *suite, t *testing.T) {
	size := s.bulk(300_000)
	for range 20 {
		attempt := s.run(t, shell(fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x; echo; echo last", size)))
		s.awaitState("EXITED", attempt)
		if text := s.text(attempt, "stdout"); !strings.HasSuffix(text, "\nlast\n") || len(text) != size+6 {
			t.Fatalf("%d bytes of the log were there at the exit", len(text))
		}
	}
}

func testShutdown(s *suite, t *testing.T) {
	attempt := s.run(t, shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"))
	await(t, "up", time.Minute, func() bool { return s.text(attempt, "stdout") == "up\n" })
	begin := time.Now()
	_, err := s.client.Shutdown(within(t, callDeadline), &api.ShutdownRequest{GracePeriod: durationpb.New(30 * time.Second)})
	if err != nil && status.Code(err) != codes.Unavailable {
		t.Fatal(err)
	}
	select {
	case <-s.exited:
	case <-time.After(time.Minute):
		t.Fatal("the machine still runs")
	}
	t.Logf("the machine ended %s after the call", time.Since(begin))
	expectText(t, "output", s.text(attempt, "stdout"), "up\nbye\n")
	if end := s.awaitStateAfterEnd(attempt); end.ExitCode != 0 || end.Reason != "Completed" {
		t.Errorf("%+v", end)
	}
	run(t, "", "e2fsck", "-fn", s.path("scratch.img"))
	if _, err := net.Dial("unix", s.path("control")); err == nil {
		t.Error("the control socket still answers")
	}
	_ = os.Remove(s.path("control"))
}

func (m *machine) awaitStateAfterEnd(attempt uint32) stateLine {
	for _, line := range m.states() {
		if line.Phase == "EXITED" && line.Attempt == attempt {
			return line
		}
	}
	m.t.Error("no exit was told")
	return stateLine{}
}

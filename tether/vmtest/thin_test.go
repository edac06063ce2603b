//go:build vm

package vmtest

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"berth.dev/tether/api"
)

var shared artifacts

func TestMain(m *testing.M) {
	directory, err := os.MkdirTemp("", "tether-vmtest-")
	if err != nil {
		panic(err)
	}
	artifactsDirectory = directory
	code := m.Run()
	_ = os.RemoveAll(directory)
	os.Exit(code)
}

var artifactsDirectory string

func built(t testing.TB) artifacts {
	t.Helper()
	if shared.kernel == "" {
		shared = buildArtifacts(t, artifactsDirectory)
	}
	return shared
}

// shell gives a process that runs a script with the usual rights.
func shell(script string) *api.Process {
	return &api.Process{
		Arguments: []string{"/bin/sh", "-c", script}, Capabilities: usualCapabilities,
		MaskedPaths:   []string{"/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"},
		ReadOnlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
	}
}

var usualCapabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP",
	"CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

type execResult struct {
	stdout, stderr string
	exit           *api.Exit
}

func execute(ctx context.Context, client api.TetherClient, arguments ...string) (execResult, error) {
	var result execResult
	stream, err := client.Exec(ctx)
	if err != nil {
		return result, err
	}
	begin := &api.ExecBegin{Arguments: arguments}
	if err := stream.Send(&api.ExecRequest{Kind: &api.ExecRequest_Begin{Begin: begin}}); err != nil {
		return result, err
	}
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return result, nil
		}
		if err != nil {
			return result, err
		}
		switch kind := message.Kind.(type) {
		case *api.ExecResponse_Stdout:
			result.stdout += string(kind.Stdout)
		case *api.ExecResponse_Stderr:
			result.stderr += string(kind.Stderr)
		case *api.ExecResponse_Exit:
			result.exit = kind.Exit
		}
	}
}

func TestThinPath(t *testing.T) { thinPath(t, built(t), options{}) }

// The trimmed kernel has no modules and no ACPI, and its machine ends in another way.
func TestThinPathOnMicrovm(t *testing.T) {
	kernel := os.Getenv("TETHER_VM_TRIMMED")
	if kernel == "" {
		t.Skip("TETHER_VM_TRIMMED names no trimmed kernel (a vmlinux)")
	}
	of := built(t)
	of.kernel = kernel
	of.initramfs = of.bare
	// Not nolapic_timer: with ACPI, microvm has no other timer that reaches the processor, and everything that sleeps would sleep for good.
	thinPath(t, of, options{microvm: true, arguments: "pci=off tsc_early_khz=" + clockRate(t)})
}

// A process that comes with the power-on runs although no session is ever opened, with its volumes and on the clock that it came with.
func TestInitialProcess(t *testing.T) {
	clock := time.Date(2042, 1, 2, 3, 0, 0, 0, time.UTC)
	process := shell("cat /config/name; date -u +%Y-%m-%dT%H; exit 5")
	process.Mounts = []*api.Mount{{Destination: "/config", ReadOnly: true, Source: &api.Mount_Files{Files: "config"}}}
	m := bootMachine(t, built(t), options{process: &api.InitialProcess{
		Start:   &api.StartRequest{Process: process, Clock: timestamppb.New(clock)},
		Volumes: []*api.WriteVolumeRequest{{Volume: "config", Files: []*api.File{{Path: "name", Content: []byte("given\n"), Mode: 0o644}}}},
	}})
	if end := m.awaitState("EXITED", 0); end.ExitCode != 5 {
		t.Errorf("%+v", end)
	}
	if text := m.text(0, "stdout"); text != "given\n2042-01-02T03\n" {
		t.Errorf("output %q", text)
	}
	for _, line := range m.states() {
		if line.Phase == "READY" {
			t.Error("the guest waited for a process")
		}
	}
}

func thinPath(t *testing.T, of artifacts, o options) {
	m := bootMachine(t, of, o)
	m.awaitState("READY", 0)
	t.Logf("READY after %s", time.Since(m.started))
	client, _ := m.connect()
	ctx := within(t, time.Minute)
	described, err := client.Describe(ctx, &api.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if described.Phase != api.Phase_READY || described.Id != vmID {
		t.Fatalf("described %v", described)
	}
	begin := time.Now()
	started, err := client.Start(ctx, &api.StartRequest{Process: shell("echo hello; echo warning >&2; sleep 600")})
	if err != nil {
		t.Fatal(err)
	}
	if started.Phase != api.Phase_RUNNING {
		t.Fatalf("started %v", started)
	}
	await(t, "the first log line", 10*time.Second, func() bool { return m.text(0, "stdout") == "hello\n" })
	t.Logf("first log line %s after Start", time.Since(begin))
	await(t, "the error line", 10*time.Second, func() bool { return m.text(0, "stderr") == "warning\n" })
	result, err := execute(ctx, client, "sh", "-c", "echo $$; id; cat /proc/1/cmdline; exit 3")
	if err != nil || result.exit.GetExitCode() != 3 {
		t.Fatalf("exec: %+v %v", result, err)
	}
	t.Log(result.stdout)
	if result, err = execute(ctx, client, "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done; echo awake"); err != nil || result.stdout != "awake\n" {
		t.Fatalf("timers: %+v %v", result, err)
	}
	if _, err := client.Shutdown(ctx, &api.ShutdownRequest{}); err != nil && status.Code(err) != codes.Unavailable {
		t.Fatal(err)
	}
	select {
	case <-m.exited:
	case <-ctx.Done():
		t.Error("the machine still runs")
	}
	if end := m.awaitStateAfterEnd(0); end.ExitCode != 137 {
		t.Errorf("%+v", end)
	}
	if console, err := os.ReadFile(m.path("console.log")); err == nil {
		t.Logf("console:\n%s", console)
	}
}

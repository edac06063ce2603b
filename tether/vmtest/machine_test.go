//go:build vm

package vmtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"berth.dev/tether/api"
	"berth.dev/tether/boot"
)

const kernelArguments = "quiet panic=-1 rdinit=/init console=ttyS0 no_timer_check noreplace-smp tsc=reliable " +
	"cryptomgr.notests init_on_alloc=0 initcall_blacklist=trace_eval_init TETHER_TIMING=1 "

const (
	vmID         = "vm-1"
	bootDeadline = 60 * time.Second
)

// machine is one running virtual machine.
type machine struct {
	t         testing.TB
	directory string
	command   *exec.Cmd
	exited    chan struct{}
	started   time.Time
	pki       *pki
}

type options struct {
	arguments string // more kernel arguments
	qemu      []string
	memory    int
	microvm   bool
	process   *api.InitialProcess // given with the power-on
}

// clockRate gives the host's time-stamp rate in kHz, which the emulated processor passes through and microvm cannot measure.
func clockRate(t testing.TB) string {
	t.Helper()
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "cpu MHz" {
			return strings.ReplaceAll(strings.TrimSpace(value), ".", "")
		}
	}
	t.Fatal("no clock rate in /proc/cpuinfo")
	return ""
}

func (m *machine) path(name string) string { return filepath.Join(m.directory, name) }

// boot starts a machine with a scratch disk, a volume disk and a NIC on QEMU's own network.
func bootMachine(t testing.TB, of artifacts, o options) *machine {
	t.Helper()
	m := &machine{t: t, directory: t.TempDir(), exited: make(chan struct{}), pki: newPKI(t)}
	makeScratch(t, m.path("scratch.img"), 512)
	makeScratch(t, m.path("volume.img"), 64)
	config := boot.Config{
		Schema: 1, ID: vmID, Hostname: "web-0",
		Identity:   m.pki.identity(),
		Interfaces: []boot.Interface{{MAC: "52:54:00:12:34:56", Addresses: []string{"10.0.2.15/24"}, Gateway: "10.0.2.2", MTU: 1400}},
		Disks:      []boot.Disk{{Serial: "image", Role: "image"}, {Serial: "scratch", Role: "scratch"}},
	}
	if o.process != nil {
		message, err := proto.Marshal(o.process)
		if err != nil {
			t.Fatal(err)
		}
		config.Process = message
	}
	content, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, m.path("config.json"), string(content), 0o600)
	memory := o.memory
	if memory == 0 {
		memory = 256
	}
	arguments := []string{
		"-accel", "tcg,thread=multi", "-cpu", "max,family=26,model=2,stepping=1", "-m", fmt.Sprint(memory), "-smp", "1", "-nodefaults", "-no-user-config",
		"-display", "none", "-no-reboot", "-initrd", of.initramfs,
		"-serial", "file:" + m.path("console.log"),
		"-fw_cfg", "name=opt/dev.berth/config,file=" + m.path("config.json"),
		"-chardev", "file,id=log,path=" + m.path("log") + ",append=on",
		"-chardev", "file,id=state,path=" + m.path("state") + ",append=on",
		"-chardev", "socket,id=control,path=" + m.path("control") + ",server=on,wait=off",
		"-drive", "if=none,id=image,format=raw,readonly=on,file=" + of.image,
		"-drive", "if=none,id=scratch,format=raw,cache=unsafe,file=" + m.path("scratch.img"),
		"-drive", "if=none,id=volume,format=raw,cache=unsafe,file=" + m.path("volume.img"),
		"-netdev", "user,id=net,restrict=on",
	}
	kind, more := "pci", ",romfile="
	if o.microvm {
		kind, more = "device", ""
		// Kicks are then handled before the guest goes on, so that what a write handed over is in the file: see testLogBeforeState.
		arguments = append(arguments, "-M", "microvm,acpi=on,pit=on,pic=on,rtc=on,isa-serial=on,pcie=off,usb=off", "-bios", "qboot.rom",
			"-global", "virtio-mmio.ioeventfd=off", "-device", "virtio-serial-device")
	} else {
		o.arguments += " acpi=noirq nolapic_timer"
		arguments = append(arguments, "-M", "pc,hpet=off,usb=off,vmport=off", "-device", "virtio-serial-pci,ioeventfd=off")
	}
	arguments = append(arguments, "-kernel", of.kernel, "-append", kernelArguments+o.arguments,
		"-device", "virtserialport,chardev=log,name=dev.berth.log", "-device", "virtserialport,chardev=state,name=dev.berth.state",
		"-device", "virtserialport,chardev=control,name=dev.berth.control",
		"-device", "virtio-blk-"+kind+",drive=image,serial=image", "-device", "virtio-blk-"+kind+",drive=scratch,serial=scratch",
		"-device", "virtio-blk-"+kind+",drive=volume,serial=volume-0",
		"-device", "virtio-net-"+kind+",netdev=net,mac=52:54:00:12:34:56"+more)
	m.command = exec.Command("qemu-system-x86_64", append(arguments, o.qemu...)...)
	var errors bytes.Buffer
	m.command.Stderr = &errors
	m.started = time.Now()
	if err := m.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = m.command.Wait()
		close(m.exited)
	}()
	t.Cleanup(func() {
		_ = m.command.Process.Kill()
		<-m.exited
		if t.Failed() {
			console, _ := os.ReadFile(m.path("console.log"))
			t.Logf("QEMU: %s\nconsole:\n%s", errors.String(), console)
		}
	})
	return m
}

// await polls until the condition gives true.
func await(t testing.TB, what string, limit time.Duration, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %s", what, limit)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

type stateLine struct {
	Sequence   uint64
	BootID     string
	Phase      string
	Attempt    uint32
	StartedAt  string
	FinishedAt string
	ExitCode   int
	Signal     int
	Reason     string
	Message    string
}

func (m *machine) states() []stateLine {
	content, err := os.ReadFile(m.path("state"))
	if err != nil {
		return nil
	}
	var lines []stateLine
	for _, text := range bytes.SplitAfter(content, []byte{'\n'}) {
		var line stateLine
		if bytes.HasSuffix(text, []byte{'\n'}) {
			if err := json.Unmarshal(text, &line); err != nil {
				m.t.Fatalf("state line %q: %v", text, err)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func (m *machine) awaitState(phase string, attempt uint32) stateLine {
	m.t.Helper()
	var found stateLine
	await(m.t, fmt.Sprintf("state %s of attempt %d", phase, attempt), bootDeadline, func() bool {
		select {
		case <-m.exited:
			m.t.Fatal("the machine has ended")
		default:
		}
		for _, line := range m.states() {
			if line.Phase == phase && line.Attempt == attempt {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

// logLine is a parsed line of the CRI log.
type logLine struct {
	stream, tag, text string
}

func (m *machine) log() []logLine {
	file, err := os.Open(m.path("log"))
	if err != nil {
		return nil
	}
	defer file.Close()
	var lines []logLine
	reader := bufio.NewReaderSize(file, 64<<10)
	for {
		text, err := reader.ReadString('\n')
		if err == io.EOF {
			return lines
		}
		fields := strings.SplitN(strings.TrimSuffix(text, "\n"), " ", 4)
		if len(fields) != 4 {
			m.t.Fatalf("bad log line %q", text)
		}
		if _, err := time.Parse(time.RFC3339Nano, fields[0]); err != nil || len(fields[0]) != 30 {
			m.t.Fatalf("bad time in the log line %q", text)
		}
		lines = append(lines, logLine{fields[1], fields[2], fields[3]})
	}
}

// text joins the output of an attempt.
func (m *machine) text(attempt uint32, stream string) string {
	var b strings.Builder
	inside := false
	for _, line := range m.log() {
		if line.stream == "berth" {
			inside = line.text == fmt.Sprintf("attempt %d", attempt)
		} else if inside && line.stream == stream {
			b.WriteString(line.text)
			if line.tag == "F" {
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

// connect opens a session of the control port.
func (m *machine) connect() (api.TetherClient, *grpc.ClientConn) {
	m.t.Helper()
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return dialLink(ctx, m.path("control"))
	}
	connection, err := grpc.NewClient("passthrough:///control", grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(credentials.NewTLS(m.pki.client(vmID))),
		grpc.WithStaticStreamWindowSize(256<<10), grpc.WithStaticConnWindowSize(256<<10))
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = connection.Close() })
	return api.NewTetherClient(connection), connection
}

func within(t testing.TB, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

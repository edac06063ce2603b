//go:build vm

package vmtest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
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
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"berth.dev/tether/api"
	"berth.dev/tether/boot"
	"berth.dev/tether/guestinfo"
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
	vsphere   bool
}

// memoryLimit is the container's, in bytes, in VMs of at least 256 MiB.
const memoryLimit = 160 << 20

type options struct {
	arguments string // more kernel arguments
	qemu      []string
	memory    int
	microvm   bool
	process   *api.InitialProcess // given with the power-on
	vsphere   bool                // the hardware of vSphere, with the door of the vCenter lab
	resets    bool                // and does not end
	// controlNIC adds an interface that is the control plane's, to vSphere's hardware.
	controlNIC bool
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
	m := &machine{t: t, directory: t.TempDir(), exited: make(chan struct{}), pki: newPKI(t), vsphere: o.vsphere}
	makeScratch(t, m.path("scratch.img"), 512)
	makeScratch(t, m.path("volume.img"), 64)
	memory := o.memory
	if memory == 0 {
		memory = 256
	}
	control := "control"
	if o.vsphere {
		control = "line"
	}
	arguments := []string{
		"-accel", "tcg,thread=multi", "-cpu", "max,family=26,model=2,stepping=1", "-m", fmt.Sprint(memory), "-smp", "1", "-nodefaults", "-no-user-config",
		"-display", "none", "-kernel", of.kernel, "-initrd", of.initramfs,
		"-chardev", "file,id=log,path=" + m.path("log") + ",append=on",
		"-chardev", "file,id=state,path=" + m.path("state") + ",append=on",
		"-chardev", "socket,id=control,path=" + m.path(control) + ",server=on,wait=off",
		"-drive", "if=none,id=image,format=raw,readonly=on,file=" + of.image,
		"-drive", "if=none,id=scratch,format=raw,cache=unsafe,file=" + m.path("scratch.img"),
		"-drive", "if=none,id=volume,format=raw,cache=unsafe,file=" + m.path("volume.img"),
		"-netdev", "user,id=net,restrict=on",
	}
	if !o.resets {
		arguments = append(arguments, "-no-reboot")
	}
	if o.vsphere {
		arguments = append(arguments, m.vsphereHardware(o)...)
	} else {
		arguments = append(arguments, m.virtioHardware(o)...)
	}
	m.command = exec.Command("qemu-system-x86_64", append(arguments, o.qemu...)...)
	var errors bytes.Buffer
	m.command.Stderr = &errors
	m.started = time.Now()
	if err := m.command.Start(); err != nil {
		t.Fatal(err)
	}
	if o.vsphere {
		t.Cleanup(m.hold())
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
			if m.vsphere {
				console, _ = os.ReadFile(m.path("log"))
				console = console[max(0, len(console)-4096):]
			}
			t.Logf("QEMU: %s\nconsole:\n%s", errors.String(), console)
		}
	})
	return m
}

func (m *machine) config() boot.Config {
	return boot.Config{
		Schema: 1, ID: vmID, Hostname: "web-0",
		Interfaces:  []boot.Interface{{MAC: "52:54:00:12:34:56", Addresses: []string{"10.0.2.15/24"}, Gateway: "10.0.2.2", MTU: 1400}},
		Disks:       []boot.Disk{{Serial: "image", Role: "image"}, {Serial: "scratch", Role: "scratch"}},
		MemoryLimit: memoryLimit,
	}
}

func (m *machine) virtioHardware(o options) []string {
	config := m.config()
	config.Identity = m.pki.identity()
	if o.process != nil {
		message, err := proto.Marshal(o.process)
		if err != nil {
			m.t.Fatal(err)
		}
		config.Process = message
	}
	content, err := json.Marshal(config)
	if err != nil {
		m.t.Fatal(err)
	}
	write(m.t, m.path("config.json"), string(content), 0o600)
	arguments := []string{"-serial", "file:" + m.path("console.log"), "-fw_cfg", "name=opt/dev.berth/config,file=" + m.path("config.json")}
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
	return append(arguments, "-append", kernelArguments+o.arguments,
		"-device", "virtserialport,chardev=log,name=dev.berth.log", "-device", "virtserialport,chardev=state,name=dev.berth.state",
		"-device", "virtserialport,chardev=control,name=dev.berth.control",
		"-device", "virtio-blk-"+kind+",drive=image,serial=image", "-device", "virtio-blk-"+kind+",drive=scratch,serial=scratch",
		"-device", "virtio-blk-"+kind+",drive=volume,serial=volume-0",
		"-device", "virtio-net-"+kind+",netdev=net,mac=52:54:00:12:34:56"+more)
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
		if m.vsphere {
			key, value := m.told(text)
			if key != guestinfo.StateKey {
				continue
			}
			text = append([]byte(value), '\n')
		}
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
		if m.vsphere && !strings.HasPrefix(text, "20") {
			continue // the kernel's last words
		}
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
		grpc.WithTransportCredentials(credentials.NewTLS(m.trust())),
		// What an earlier session had on its way over a serial port comes first.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: bootDeadline}),
		grpc.WithStaticStreamWindowSize(256<<10), grpc.WithStaticConnWindowSize(256<<10))
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = connection.Close() })
	return api.NewTetherClient(connection), connection
}

// trust is in the VM's authority, or on vSphere's hardware in what the VM has told of its certificate.
func (m *machine) trust() *tls.Config {
	config := m.pki.client(vmID)
	if m.vsphere {
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if told := m.last(guestinfo.CertificateKey); told != hex.EncodeToString(sum[:]) {
				return fmt.Errorf("the VM has the certificate %x and has told %s", sum, told)
			}
			return nil
		}
	}
	return config
}

func within(t testing.TB, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

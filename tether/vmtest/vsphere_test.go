//go:build vm

package vmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth.dev/tether/api"
	"berth.dev/tether/boot"
	"berth.dev/tether/guestinfo"
)

// The disks' UUIDs, as a vCenter writes them.
const imageUUID, scratchUUID = "6000C290-0000-0000-0000-000000000001", "6000C290-0000-0000-0000-000000000002"

const controlMAC = "00:50:56:00:00:01"

func digits(uuid string) string { return strings.ToLower(strings.ReplaceAll(uuid, "-", "")) }

// vsphereHardware gives QEMU's arguments for a VM of vSphere: disks on a paravirtual SCSI controller, VMXNET3, two serial ports, and the pairs
// of guestinfo at the lab's door. Its kernel arguments are those of the ISO.
func (m *machine) vsphereHardware(o options) []string {
	config := m.config()
	config.Identity = boot.Identity{Authority: m.pki.identity().Authority}
	if o.controlNIC {
		config.ControlMAC = controlMAC
	}
	config.Disks = []boot.Disk{{Serial: imageUUID, Role: "image"}, {Serial: scratchUUID, Role: "scratch"}}
	content, err := json.Marshal(config)
	if err != nil {
		m.t.Fatal(err)
	}
	pairs, err := json.Marshal(map[string]string{guestinfo.ConfigKey: string(content)})
	if err != nil {
		m.t.Fatal(err)
	}
	write(m.t, m.path("guestinfo.json"), string(pairs), 0o600)
	arguments := []string{
		"-M", "pc,usb=off,vmport=on", "-append", "quiet panic=10 rdinit=/init console=ttyS0,115200n8 no_timer_check noreplace-smp tsc=reliable " +
			"cryptomgr.notests init_on_alloc=0 initcall_blacklist=trace_eval_init " + o.arguments,
		"-fw_cfg", "name=opt/dev.berth/guestinfo,file=" + m.path("guestinfo.json"),
		"-device", "virtio-serial-pci,ioeventfd=off", "-device", "virtserialport,chardev=state,name=dev.berth.guestinfo",
		"-device", "isa-serial,index=0,chardev=log", "-device", "isa-serial,index=1,chardev=control",
		"-device", "pvscsi,id=scsi0", "-device", "scsi-hd,bus=scsi0.0,scsi-id=0,drive=volume,serial=volume-0",
		"-device", "scsi-hd,bus=scsi0.0,scsi-id=1,drive=scratch,serial=" + digits(scratchUUID),
		"-device", "scsi-hd,bus=scsi0.0,scsi-id=2,drive=image,serial=" + digits(imageUUID),
		"-device", "vmxnet3,netdev=net,mac=52:54:00:12:34:56,romfile=",
		"-chardev", "socket,id=qmp,path=" + m.path("qmp") + ",server=on,wait=off", "-mon", "chardev=qmp,mode=control",
	}
	if o.controlNIC {
		arguments = append(arguments, "-netdev", "user,id=controlnet,restrict=on", "-device", "vmxnet3,netdev=controlnet,mac="+controlMAC+",romfile=")
	}
	return arguments
}

// hold keeps the line of the control port as a hypervisor does, whoever is at its other end or nobody: QEMU's serial port was seen to stop for good
// when its own connection broke while that was full. It gives what ends it.
func (m *machine) hold() func() {
	m.t.Helper()
	var line net.Conn
	await(m.t, "the control port's line", bootDeadline, func() bool {
		var err error
		line, err = net.Dial("unix", m.path("line"))
		return err == nil
	})
	listener, err := net.Listen("unix", m.path("control"))
	if err != nil {
		m.t.Fatal(err)
	}
	var remote atomic.Pointer[net.Conn]
	var all sync.WaitGroup
	all.Go(func() {
		defer listener.Close()
		buffer := make([]byte, 4096)
		for {
			n, err := line.Read(buffer)
			if err != nil {
				return
			}
			if r := remote.Load(); r != nil {
				_, _ = (*r).Write(buffer[:n]) // what a remote that has gone would have had is lost
			}
		}
	})
	all.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			remote.Store(&connection)
			_, _ = io.Copy(line, connection)
			remote.Store(nil)
			connection.Close()
		}
	})
	return func() {
		line.Close()
		listener.Close()
		if r := remote.Load(); r != nil {
			(*r).Close()
		}
		all.Wait()
	}
}

// told reads a line of the lab's door; the key is empty when it is none.
func (m *machine) told(line []byte) (key, value string) {
	var pair struct{ Key, Value string }
	if !strings.HasSuffix(string(line), "\n") {
		return "", ""
	}
	if err := json.Unmarshal(line, &pair); err != nil {
		m.t.Fatalf("the door has the line %q: %v", line, err)
	}
	return pair.Key, pair.Value
}

// last gives the last value that the VM has told for a key.
func (m *machine) last(key string) string {
	content, _ := os.ReadFile(m.path("state"))
	last := ""
	for line := range strings.Lines(string(content)) {
		if k, value := m.told([]byte(line)); k == key {
			last = value
		}
	}
	return last
}

func TestContainerOnVSphere(t *testing.T) { everything(t, options{vsphere: true}) }

// A VM that is reset comes back as a new boot with a key of its own, and starts nothing by itself.
func TestResetsOnVSphere(t *testing.T) {
	m := bootMachine(t, built(t), options{vsphere: true, resets: true, arguments: "unknown_nmi_panic"})
	ready := m.awaitState("READY", 0)
	if address := m.last(guestinfo.AddressKey); address != "10.0.2.15" {
		t.Errorf("its address is told as %q", address)
	}
	client, session := m.connect()
	if _, err := client.Start(within(t, callDeadline), &api.StartRequest{Process: shell("echo hello; sleep 600")}); err != nil {
		t.Fatal(err)
	}
	await(t, "the output", bootDeadline, func() bool { return m.text(0, "stdout") == "hello\n" })
	certificate := m.last(guestinfo.CertificateKey)
	began := time.Now()
	m.qmp("inject-nmi")
	await(t, "another boot", bootDeadline, func() bool {
		states := m.states()
		last := states[len(states)-1]
		return last.BootID != ready.BootID && last.Phase == "READY"
	})
	t.Logf("READY %s after the panic", time.Since(began).Round(time.Millisecond))
	content, err := os.ReadFile(m.path("log"))
	if err != nil || !strings.Contains(string(content), "Kernel panic") {
		t.Errorf("the log does not tell why: %q, %v", content, err)
	}
	_ = session.Close() // One at a time.
	again, _ := m.connect()
	state, err := again.Describe(within(t, callDeadline), &api.DescribeRequest{})
	if err != nil || state.Phase != api.Phase_READY {
		t.Errorf("it is %v, %v", state, err)
	}
	if m.last(guestinfo.CertificateKey) == certificate {
		t.Error("it has the key of the boot before")
	}
}

// The control interface is in nobody's sight. That the control plane reaches the tether by it is a matter of portlayer-vsphere's tests, which have a
// network for it.
func TestContainerSeesNoControlInterface(t *testing.T) {
	m := bootMachine(t, built(t), options{vsphere: true, controlNIC: true})
	m.awaitState("READY", 0)
	s := &suite{machine: m, t: t}
	s.client, s.session = m.connect()
	look := "ls /sys/class/net; cat /proc/net/dev /proc/net/if_inet6 /proc/net/tcp6; ls -l /proc/1/ns/net /proc/self/ns/net | sed 's/.*-> //'"
	free := shell(look)
	free.Privileged, free.Capabilities, free.MaskedPaths, free.ReadOnlyPaths = true, []string{"ALL"}, nil, nil
	for _, p := range []*api.Process{shell(look), free} {
		said, _ := s.finish(t, p)
		if !strings.Contains(said, "eth0") || !strings.Contains(said, "net:[") {
			t.Errorf("it sees\n%s", said)
		}
		for _, hidden := range []string{"eth1", "fe80", fmt.Sprintf(":%04X", boot.ControlPort)} {
			if strings.Contains(said, hidden) {
				t.Errorf("it sees %s\n%s", hidden, said)
			}
		}
	}
}

// TestBackdoor calls the one function of VMware's backdoor that QEMU has, for the registers' sake.
func TestBackdoor(t *testing.T) {
	of := built(t)
	root := t.TempDir()
	run(t, "..", "sh", "-c", "CGO_ENABLED=0 go test -c -o "+filepath.Join(root, "init")+" ./guestinfo")
	of.initramfs = filepath.Join(t.TempDir(), "initramfs")
	run(t, root, "sh", "-c", "find . | cpio -o -H newc --quiet >"+of.initramfs)
	m := bootMachine(t, of, options{vsphere: true, arguments: "TETHER_QEMU_BACKDOOR=1 -- -test.v -test.run=TestVersionOfQEMU"})
	await(t, "the end of the test", bootDeadline, func() bool {
		content, _ := os.ReadFile(m.path("log"))
		return strings.Contains(string(content), "--- PASS: TestVersionOfQEMU") || strings.Contains(string(content), "FAIL")
	})
	if content, _ := os.ReadFile(m.path("log")); !strings.Contains(string(content), "--- PASS: TestVersionOfQEMU") {
		t.Errorf("it has said\n%s", content)
	}
}

// qmp gives QEMU a command.
func (m *machine) qmp(command string) {
	m.t.Helper()
	script := `{"execute":"qmp_capabilities"}` + "\n" + `{"execute":"` + command + `"}` + "\n"
	connection := dialQMP(m.t, m.path("qmp"))
	defer connection.Close()
	if _, err := connection.Write([]byte(script)); err != nil {
		m.t.Fatal(err)
	}
	decoder := json.NewDecoder(connection)
	for range 3 { // the greeting and two answers, if no event comes between
		var answer map[string]any
		if err := decoder.Decode(&answer); err != nil || answer["error"] != nil {
			m.t.Fatalf("QEMU's %s: %v, %v", command, answer, err)
		}
	}
}

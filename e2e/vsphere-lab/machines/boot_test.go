package machines

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/machines/testboot"
)

// The tether of today's bootstrap ISO has no configuration here; it says so and turns its machine off.
func TestBootstrapISO(t *testing.T) {
	b := newBench(t, testboot.BootstrapISO(t))
	started := time.Now()
	b.powerOn(t.Context(), "vm-1", "host-1")
	b.far.accept()
	b.awaitExit(GuestOff)
	t.Logf("off after %s", time.Since(started).Round(time.Millisecond))
	if !strings.Contains(b.console(), "tether: fatal") {
		t.Errorf("the tether has said nothing on the console: %q", b.console())
	}
	if _, on := b.fleet.Host("vm-1"); on {
		t.Error("it is still on")
	}
}

func TestGuest(t *testing.T) {
	b := newBench(t, testboot.GuestISO(t))
	b.powerOn(t.Context(), "vm-1", "host-1")
	b.await("start", 1, func(e Event) bool { return e.Kind == Started && e.ID == "vm-1" && e.Host == "host-1" })
	boot := b.awaitInfo("guestinfo.test.boot", 1)
	if greeting := b.awaitInfo("guestinfo.test.greeting", 1); greeting != `hello, "guest"` {
		t.Errorf("the guest was given %q", greeting)
	}
	wanted := "0:0:0=6000c290000000000000000000000000,16384,image--0 0:2:0=6000c292000000000000000000000002,32768,scratch2"
	if disks := b.awaitInfo("guestinfo.test.disks", 1); disks != wanted {
		t.Errorf("the guest's disks are\n%s, not\n%s", disks, wanted)
	}
	checkWritten(t, b)
	echoes(t, dialGuest(t), "hello")
	line := b.far.accept()
	if answer := line.ask("ping"); answer != boot+" ping" {
		t.Errorf("the guest answers %q", answer)
	}
	line = redial(t, b, line, boot)
	resets(t, b, line)
	if err := b.fleet.ShutdownGuest(t.Context(), "vm-1"); err != nil {
		t.Error(err)
	}
	if err := b.fleet.PowerOn(t.Context(), "vm-1", "host-1", Hardware{}); !errors.Is(err, ErrPoweredOn) {
		t.Errorf("a second power-on gives %v", err)
	}
	if err := b.fleet.PowerOff(t.Context(), "vm-1"); err != nil {
		t.Fatal(err)
	}
	b.awaitExit(PoweredOff)
	b.counts()
	if err := b.fleet.PowerOff(t.Context(), "vm-1"); !errors.Is(err, ErrPoweredOff) {
		t.Errorf("a second power-off gives %v", err)
	}
}

// checkWritten looks at what the guest wrote to its disks.
func checkWritten(t *testing.T, b *bench) {
	t.Helper()
	for name, wanted := range map[string]string{"images/base-flat.vmdk": strings.Repeat("\x00", 8), "web/scratch-flat.vmdk": "WRITTEN!"} {
		content, err := os.ReadFile(b.path(name))
		if err != nil || string(content[4096:4104]) != wanted {
			t.Errorf("%s has %q where it should have %q (%v)", name, content[4096:4104], wanted, err)
		}
	}
}

func dialGuest(t *testing.T) net.Conn {
	t.Helper()
	var connection net.Conn
	eventually(t, "the guest's listener", func() bool {
		var err error
		connection, err = net.DialTimeout("tcp", guestAddress+":7", bootDeadline)
		return err == nil
	})
	t.Cleanup(func() { connection.Close() })
	return connection
}

func echoes(t *testing.T, connection net.Conn, text string) {
	t.Helper()
	_ = connection.SetDeadline(time.Now().Add(bootDeadline))
	answer := make([]byte, len(text))
	if _, err := connection.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Read(answer); err != nil || string(answer) != text {
		t.Fatalf("the guest echoes %q: %v", answer, err)
	}
}

// redial cuts the network serial port's connection and gives the next.
func redial(t *testing.T, b *bench, line *session, boot string) *session {
	t.Helper()
	line.Close()
	line = b.far.accept()
	if answer := line.ask("again"); answer != boot+" again" {
		t.Errorf("after a redial the guest answers %q", answer)
	}
	return line
}

// resets resets the machine from outside and from inside; the QEMU stays.
func resets(t *testing.T, b *bench, line *session) {
	t.Helper()
	before, _ := b.fleet.Process("vm-1")
	if err := b.fleet.Reset(t.Context(), "vm-1"); err != nil {
		t.Fatal(err)
	}
	b.awaitInfo("guestinfo.test.boot", 2)
	for _, event := range b.seen() {
		if event.Kind == Rebooted {
			t.Error("a reset by the host is told as one by the guest")
		}
	}
	line.say("reboot")
	b.await("reboot", 1, func(e Event) bool { return e.Kind == Rebooted })
	b.awaitInfo("guestinfo.test.boot", 3)
	if after, _ := b.fleet.Process("vm-1"); after != before {
		t.Error("a reset has made another QEMU")
	}
	b.awaitCount(5)
	if boots := b.counts(); len(boots) != 3 {
		t.Errorf("%d boots have counted on the console, not 3", len(boots))
	}
}

func TestGuestPowersOff(t *testing.T) {
	b := newBench(t, testboot.GuestISO(t))
	b.powerOn(t.Context(), "vm-1", "host-1")
	b.awaitInfo("guestinfo.test.boot", 1)
	b.far.accept().say("poweroff")
	b.awaitExit(GuestOff)
	all := b.seen()
	if last := all[len(all)-2]; last.Key != "guestinfo.test.last" {
		t.Errorf("before its exit it told %+v", last)
	}
}

func TestKilledFromOutside(t *testing.T) {
	b := newBench(t, testboot.GuestISO(t))
	b.powerOn(t.Context(), "vm-1", "host-1")
	b.awaitInfo("guestinfo.test.boot", 1)
	eventually(t, "the console", func() bool { return strings.Contains(b.console(), "\n") })
	first := b.console()
	pid, _ := b.fleet.Process("vm-1")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if event := b.awaitExit(Killed); event.Detail != "signal: killed" {
		t.Errorf("its detail is %q", event.Detail)
	}
	b.powerOn(t.Context(), "vm-1", "host-2")
	b.awaitInfo("guestinfo.test.boot", 2)
	if !strings.HasPrefix(b.console(), first) {
		t.Errorf("the console of the first run, %q, is gone", first)
	}
}

func TestHostFailure(t *testing.T) {
	b := newBench(t, testboot.GuestISO(t))
	// The second machine shares the first disk and has a place of its own for the rest.
	b.powerOn(t.Context(), "vm-1", "host-1")
	hardware, err := FromConfig(b.config, b.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.fleet.PowerOn(t.Context(), "vm-2", "host-2", hardware); !errors.Is(err, ErrLocked) {
		t.Errorf("a disk that another machine writes gives %v", err)
	}
	hardware.Controllers[0].Disks = hardware.Controllers[0].Disks[:1]
	hardware.Serials[0].File = ""
	if err := b.fleet.PowerOn(t.Context(), "vm-2", "host-2", hardware); err != nil {
		t.Fatal(err)
	}
	if err := b.fleet.FailHost(t.Context(), "host-1"); err != nil {
		t.Fatal(err)
	}
	if event := b.awaitExit(HostFailed); event.ID != "vm-1" {
		t.Errorf("the host of %s did not fail", event.ID)
	}
	if host, on := b.fleet.Host("vm-2"); !on || host != "host-2" {
		t.Error("a machine of another host went with it")
	}
}

// orphanFolder makes the test binary a lab that is killed in TestNoStrayQEMU.
const orphanFolder = "BERTH_LAB_ORPHAN"

func orphan(folder string) {
	fleet, err := New(Options{Folder: folder})
	if err == nil {
		err = fleet.PowerOn(context.Background(), "vm-1", "host-1", Hardware{Name: "orphan", CPUs: 1, MemoryMebibytes: 16, Boot: "c"})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	pid, _ := fleet.Process("vm-1")
	fmt.Println(pid)
	select {}
}

func TestNoStrayQEMU(t *testing.T) {
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("no qemu-system-x86_64")
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), orphanFolder+"="+t.TempDir())
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(output, &pid); err != nil {
		t.Fatal(err)
	}
	process := filepath.Join("/proc", fmt.Sprint(pid), "cmdline")
	if content, err := os.ReadFile(process); err != nil || !strings.Contains(string(content), "orphan") {
		t.Fatalf("no QEMU runs: %q, %v", content, err)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	eventually(t, "the end of QEMU", func() bool {
		content, _ := os.ReadFile(process)
		return len(content) == 0
	})
}

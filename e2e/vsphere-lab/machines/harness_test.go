package machines

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/machines/testboot"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	bootDeadline = 90 * time.Second
	guestAddress = "10.231.7.2"
	guestMAC     = "00:50:56:00:00:01"
	portGroup    = "VM Network, first"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(orphanFolder); folder != "" {
		orphan(folder)
		return
	}
	testboot.Main(m)
}

// bench is a fleet with a datastore, a machine's configuration and the far end of its network serial port.
type bench struct {
	datastore
	fleet  *Fleet
	config *types.VirtualMachineConfigInfo
	far    *farEnd

	mu     sync.Mutex
	events []Event
}

func newBench(t *testing.T, iso string) *bench {
	t.Helper()
	b := &bench{datastore: newDatastore(t), far: newFarEnd(t)}
	networks, err := NewNetworks(t.Name(), map[string]netip.Prefix{portGroup: netip.MustParsePrefix("10.231.7.1/24")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := t.TempDir()
	b.fleet, err = New(Options{Folder: run, Networks: networks, Observe: b.observe})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.fleet.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, path := range []string{filepath.Join(run, "vm-1/qemu.log"), b.path("web/console.log")} {
				content, _ := os.ReadFile(path)
				t.Logf("%s:\n%s", filepath.Base(path), content[max(0, len(content)-1000):])
			}
			t.Logf("events: %+v", b.seen())
		}
	})
	if err := os.Link(iso, b.path("boot.iso")); err != nil {
		content, err := os.ReadFile(iso)
		if err != nil {
			t.Fatal(err)
		}
		b.write("boot.iso", string(content))
	}
	b.write("web/web.vmx", "")
	b.config = config(cdrom("[datastore1] boot.iso"),
		flatDisk(0, b.disk("images/base", "image--0", 8), types.VirtualDiskModeIndependent_nonpersistent),
		flatDisk(2, b.disk("web/scratch", "scratch2", 16), types.VirtualDiskModePersistent),
		vmxnet3(guestMAC, portGroup),
		fileSerial(0, "[datastore1] web/console.log"), networkSerial(1, "tcp://"+b.far.address()))
	b.config.ExtraConfig = options("disk.EnableUUID", "TRUE", "answer.msg.serial.file.open", "Append",
		"guestinfo.test.address", guestAddress+"/24", "guestinfo.test.greeting", `hello, "guest"`)
	return b
}

func (b *bench) observe(event Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, event)
}

func (b *bench) seen() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

func (b *bench) powerOn(ctx context.Context, id, host string) {
	b.t.Helper()
	hardware, err := FromConfig(b.config, b.lookup)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.fleet.PowerOn(ctx, id, host, hardware); err != nil {
		b.t.Fatal(err)
	}
}

// await waits for the count-th event that matches.
func (b *bench) await(what string, count int, match func(Event) bool) Event {
	b.t.Helper()
	var found Event
	eventually(b.t, what, func() bool {
		n := 0
		for _, event := range b.seen() {
			if match(event) {
				if n++; n == count {
					found = event
					return true
				}
			}
		}
		return false
	})
	return found
}

func (b *bench) awaitExit(reason Reason) Event {
	b.t.Helper()
	found := b.await("exit", 1, func(e Event) bool { return e.Kind == Exited })
	if found.Reason != reason {
		b.t.Fatalf("exited because of %q (%s), not %q", found.Reason, found.Detail, reason)
	}
	return found
}

func (b *bench) awaitInfo(key string, count int) string {
	b.t.Helper()
	return b.await(key, count, func(e Event) bool { return e.Kind == GuestInfo && e.Key == key }).Value
}

func (b *bench) console() string {
	content, _ := os.ReadFile(b.path("web/console.log"))
	return strings.ReplaceAll(string(content), "\r", "")
}

// counts gives the boots that counted on the console, in order, and fails when one missed a number or repeated one.
func (b *bench) counts() []string {
	b.t.Helper()
	var boots []string
	next := 0
	for line := range strings.Lines(b.console()) {
		var boot string
		var n int
		// The kernel's last words may come in the middle of a line.
		if !strings.HasSuffix(line, "\n") || !strings.HasPrefix(line, "count ") || strings.Contains(line, "] reboot: ") {
			continue
		}
		if _, err := fmt.Sscanf(line, "count %s %d\n", &boot, &n); err != nil {
			b.t.Fatalf("a broken line on the console: %q", line)
		}
		if len(boots) == 0 || boots[len(boots)-1] != boot {
			boots, next = append(boots, boot), 0
		}
		if n != next {
			b.t.Fatalf("the console has %d where %d is due", n, next)
		}
		next++
	}
	return boots
}

func (b *bench) awaitCount(more int) {
	b.t.Helper()
	wanted := strings.Count(b.console(), "count ") + more
	eventually(b.t, "counting", func() bool { return strings.Count(b.console(), "count ") >= wanted })
}

// farEnd accepts what network serial ports dial.
type farEnd struct {
	t           *testing.T
	listener    net.Listener
	connections chan net.Conn
}

func newFarEnd(t *testing.T) *farEnd {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &farEnd{t: t, listener: listener, connections: make(chan net.Conn, 64)}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			f.connections <- connection
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return f
}

func (f *farEnd) address() string { return f.listener.Addr().String() }

// accept waits for the next connection.
func (f *farEnd) accept() *session {
	f.t.Helper()
	select {
	case connection := <-f.connections:
		f.t.Cleanup(func() { connection.Close() })
		return &session{f.t, connection, bufio.NewReader(connection)}
	case <-time.After(bootDeadline):
		f.t.Fatal("nobody has dialled")
		return nil
	}
}

// session is a connection of the network serial port.
type session struct {
	t *testing.T
	net.Conn
	lines *bufio.Reader
}

func (s *session) say(word string) {
	s.t.Helper()
	if _, err := s.Write([]byte(word + "\n")); err != nil {
		s.t.Fatal(err)
	}
}

// ask says a word and gives the guest's answer to it.
func (s *session) ask(word string) string {
	s.t.Helper()
	s.say(word)
	_ = s.SetReadDeadline(time.Now().Add(bootDeadline))
	line, err := s.lines.ReadString('\n')
	if err != nil {
		s.t.Fatalf("no answer to %s: %v", word, err)
	}
	return strings.TrimSpace(line)
}

func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(bootDeadline)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %s", what, bootDeadline)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func context30(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

package lab

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/hypervisor"
	"dev.berth/e2e/vsphere-lab/machines/testboot"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	bootPatience = 90 * time.Second
	guestAddress = "10.231.9.2"
)

func TestMain(m *testing.M) { testboot.Main(m) }

// booting is a lab that boots its VMs, and the far end of their network serial ports.
type booting struct {
	*client
	far net.Listener
}

func startBooting(t *testing.T) *booting { return startBootingFrom(t, testboot.GuestISO(t)) }

func startBootingFrom(t *testing.T, iso string) *booting {
	t.Helper()
	b := &booting{client: startWith(t, Options{Behavior: licensed, Boot: &hypervisor.Options{
		Folder: t.TempDir(), Addresses: map[string]netip.Prefix{"DC0_DVPG0": netip.MustParsePrefix("10.231.9.1/24")},
	}})}
	b.begin(iso)
	return b
}

// begin makes a lab ready for VMs that boot an image.
func (b *booting) begin(iso string) {
	b.Helper()
	b.patience = bootPatience
	b.upload("boot.iso", iso)
	var err error
	if b.far, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { b.far.Close() })
}

func (c *client) upload(name, file string) {
	c.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		c.Fatal(err)
	}
	c.put(name, content)
}

func (c *client) put(name string, content []byte) {
	c.Helper()
	if status, text := c.send(http.MethodPut, "/folder/"+name+"?dcPath=DC0&dsName=LocalDS_0", content); status != http.StatusCreated {
		c.Fatalf("PUT answers %d, %s", status, text)
	}
}

// containerVM makes a VM as Berth does: CD-ROM, a disk, a NIC, and serial ports to a file and to the network.
func (b *booting) containerVM(name string, more ...string) string {
	b.Helper()
	portGroup := b.get(b.find("/DC0/network/DC0_DVPG0"), "config").(object)
	add := func(device object) object {
		change := object{"_typeName": "VirtualDeviceConfigSpec", "operation": "add", "device": device}
		if device["_typeName"] == "VirtualDisk" {
			change["fileOperation"] = "create"
		}
		return change
	}
	extra := options(append([]string{"disk.EnableUUID=TRUE", "answer.msg.serial.file.open=Append"}, more...)...)
	return b.create(name, object{"memoryMB": 192, "extraConfig": extra, "deviceChange": []object{
		add(object{"_typeName": "VirtualCdrom", "key": -1, "controllerKey": 200, "unitNumber": 0, "backing": object{
			"_typeName": "VirtualCdromIsoBackingInfo", "fileName": "[LocalDS_0] boot.iso"}}),
		add(object{"_typeName": "ParaVirtualSCSIController", "key": -2, "busNumber": 0, "sharedBus": "noSharing"}),
		add(object{"_typeName": "VirtualDisk", "key": -3, "controllerKey": -2, "unitNumber": 0, "capacityInKB": 8192, "backing": object{
			"_typeName": "VirtualDiskFlatVer2BackingInfo", "fileName": "[LocalDS_0]", "diskMode": "persistent", "thinProvisioned": true}}),
		add(object{"_typeName": "VirtualVmxnet3", "key": -4, "backing": object{
			"_typeName": "VirtualEthernetCardDistributedVirtualPortBackingInfo", "port": object{"_typeName": "DistributedVirtualSwitchPortConnection",
				"portgroupKey": portGroup["key"], "switchUuid": b.get(b.find("/DC0/network/DVS0"), "uuid")}}}),
		add(object{"_typeName": "VirtualSerialPort", "key": -5, "controllerKey": 400, "unitNumber": 0, "yieldOnPoll": true, "backing": object{
			"_typeName": "VirtualSerialPortFileBackingInfo", "fileName": "[LocalDS_0] " + name + "/console.log"}}),
		add(object{"_typeName": "VirtualSerialPort", "key": -6, "controllerKey": 400, "unitNumber": 1, "yieldOnPoll": true, "backing": object{
			"_typeName": "VirtualSerialPortURIBackingInfo", "serviceURI": "tcp://" + b.far.Addr().String(), "direction": "client"}}),
	}})
}

// options gives values of extraConfig, each written KEY=VALUE.
func options(pairs ...string) []object {
	var all []object
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		all = append(all, object{"_typeName": "OptionValue", "key": key, "value": object{"_typeName": "string", "_value": value}})
	}
	return all
}

// info gives a value of extraConfig, empty when it is not there.
func (c *client) info(vm, key string) string {
	c.Helper()
	for _, option := range c.get(vm, "config").(object)["extraConfig"].([]any) {
		if o := option.(object); o["key"] == key {
			return fmt.Sprint(o["value"].(object)["_value"])
		}
	}
	return ""
}

// booted waits for a boot other than one before, and gives its mark.
func (b *booting) booted(vm, before string) string {
	b.Helper()
	var mark string
	b.until(vm+" has booted", func() bool {
		mark = b.info(vm, "guestinfo.test.boot")
		return mark != "" && mark != before
	})
	return mark
}

// line is a connection of a network serial port.
type line struct {
	net.Conn
	reader *bufio.Reader
}

func (b *booting) accept() *line {
	b.Helper()
	_ = b.far.(*net.TCPListener).SetDeadline(time.Now().Add(bootPatience))
	connection, err := b.far.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(bootPatience))
	return &line{connection, bufio.NewReader(connection)}
}

// answers demands the guest's answer to a word, with the mark of its boot.
func (l *line) answers(b *booting, word, mark string) {
	b.Helper()
	fmt.Fprintln(l, word)
	if answer, err := l.reader.ReadString('\n'); strings.TrimSpace(answer) != mark+" "+word {
		b.Fatalf("the guest answers %q (%v), not %s %s", answer, err, mark, word)
	}
}

func (b *booting) echoes(connection net.Conn) {
	b.Helper()
	answer := make([]byte, 5)
	_ = connection.SetDeadline(time.Now().Add(bootPatience))
	if _, err := connection.Write([]byte("hello")); err != nil {
		b.Fatal(err)
	}
	if _, err := connection.Read(answer); err != nil || string(answer) != "hello" {
		b.Fatalf("the guest echoes %q: %v", answer, err)
	}
}

func (b *booting) other(host string) string {
	b.Helper()
	for i := range 3 {
		if found := b.find(fmt.Sprintf("/DC0/host/DC0_C0/DC0_C0_H%d", i)); found != host {
			return found
		}
	}
	b.Fatal("there is no other host")
	return ""
}

// happened tells whether an event of a type is there for a VM.
func (c *client) happened(vm, kind string) bool {
	c.Helper()
	events := c.call("EventManager/EventManager", "QueryEvents", object{"filter": object{"_typeName": "EventFilterSpec", "entity": object{
		"_typeName": "EventFilterSpecByEntity", "entity": reference(vm), "recursion": "self"}}}).([]any)
	return slices.ContainsFunc(events, func(event any) bool { return event.(object)["_typeName"] == kind })
}

func TestPoweredOnVMsBoot(t *testing.T) {
	b := startBooting(t)
	vm := b.containerVM("web", "guestinfo.test.address="+guestAddress+"/24", "guestinfo.test.greeting=hello")
	b.powerOn(vm)
	mark := b.booted(vm, "")
	if greeting, disks := b.info(vm, "guestinfo.test.greeting"), b.info(vm, "guestinfo.test.disks"); greeting != "hello" || !strings.Contains(disks, ",16384,") {
		t.Errorf("the guest was given %q and has the disks %q", greeting, disks)
	}
	if ip := b.get(vm, "guest").(object)["ipAddress"]; ip != guestAddress {
		t.Errorf("its address is %v", ip)
	}
	var network net.Conn
	b.until("the guest listens", func() bool {
		var err error
		network, err = net.DialTimeout("tcp", guestAddress+":7", bootPatience)
		return err == nil
	})
	defer network.Close()
	b.echoes(network)
	serial := b.accept()
	serial.answers(b, "ping", mark)
	if status, text := b.send(http.MethodGet, "/folder/web/console.log?dcPath=DC0&dsName=LocalDS_0", nil); status != http.StatusOK || !strings.Contains(string(text), "testguest: up") {
		t.Errorf("the log on the datastore is %d, %.200q", status, text)
	}
	b.refusals(vm)
	serial = b.migrates(vm, network, mark)
	b.done(vm, "ResetVM_Task", nil)
	mark = b.booted(vm, mark)
	serial.answers(b, "again", mark)
	fmt.Fprintln(serial, "poweroff")
	b.until("the guest has turned it off", func() bool { return b.power(vm) == "poweredOff" })
	// As on ESXi, what came while it was on goes with it.
	if b.info(vm, "guestinfo.test.boot") != "" || b.info(vm, "guestinfo.test.address") == "" || b.get(vm, "guest").(object)["ipAddress"] != nil {
		t.Errorf("it has left %v", b.get(vm, "config").(object)["extraConfig"])
	}
	if !b.happened(vm, "VmPoweredOffEvent") || !b.happened(vm, "VmMigratedEvent") || !b.happened(vm, "VmResettingEvent") {
		t.Error("there is no event of its end, its move or its reset")
	}
}

// refusals are those of a VM that is on.
func (b *booting) refusals(vm string) {
	b.Helper()
	if _, fault := b.task(vm, "PowerOnVM_Task", nil); fault != "InvalidPowerState" {
		b.Errorf("a second power-on gives %q", fault)
	}
	if _, fault := b.try(vm, "ShutdownGuest", nil); fault["_typeName"] != "ToolsUnavailable" {
		b.Errorf("the shutdown of a guest without tools gives %v", fault)
	}
	added := object{"_typeName": "VirtualMachineConfigSpec", "deviceChange": []object{{"_typeName": "VirtualDeviceConfigSpec", "operation": "add",
		"device": object{"_typeName": "ParaVirtualSCSIController", "key": -1, "busNumber": 1, "sharedBus": "noSharing"}}}}
	if _, fault := b.task(vm, "ReconfigVM_Task", object{"spec": added}); fault != "NotSupported" {
		b.Errorf("a device that is plugged into a running VM gives %q", fault)
	}
	if _, fault := b.task(vm, "Destroy_Task", nil); fault != "InvalidPowerState" {
		b.Errorf("the deletion of a running VM gives %q", fault)
	}
}

// migrates moves the VM live with an open connection, and gives the new connection of its serial port.
func (b *booting) migrates(vm string, network net.Conn, mark string) *line {
	b.Helper()
	to := b.other(b.host(vm))
	before, _ := b.lab.hypervisor.Process(moref(vm))
	b.done(vm, "MigrateVM_Task", object{"host": reference(to), "priority": "defaultPriority"})
	after, on := b.lab.hypervisor.Process(moref(vm))
	if b.host(vm) != to || !on || before == after {
		b.Errorf("it is on %s, in the process %d after %d", b.host(vm), after, before)
	}
	b.echoes(network)
	serial := b.accept()
	serial.answers(b, "moved", mark)
	return serial
}

func TestBootedVMsDieAndAreRestarted(t *testing.T) {
	b := startBooting(t)
	vm := b.containerVM("db")
	b.powerOn(vm)
	mark := b.booted(vm, "")
	pid, _ := b.lab.hypervisor.Process(moref(vm))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.until("it is off", func() bool { return b.power(vm) == "poweredOff" })
	b.powerOn(vm)
	mark = b.booted(vm, mark)
	b.disappears(vm, mark)
	b.powerOn(vm)
	mark = b.booted(vm, mark)
	host := b.host(vm)
	if err := b.lab.FailHost(b.get(host, "name").(string)); err != nil {
		t.Fatal(err)
	}
	b.until("HA has restarted it", func() bool { return b.power(vm) == "poweredOn" && b.host(vm) != host })
	mark = b.booted(vm, mark)
	b.suspends(vm, mark)
	b.done(vm, "PowerOffVM_Task", nil)
	if _, on := b.lab.hypervisor.Process(moref(vm)); on || b.power(vm) != "poweredOff" {
		t.Error("it is still on")
	}
	if _, fault := b.task(vm, "PowerOffVM_Task", nil); fault != "InvalidPowerState" {
		t.Errorf("a second power-off gives %q", fault)
	}
	b.done(vm, "Destroy_Task", nil)
}

// disappears takes the VM's host out of the vCenter's sight, where the VM runs on, and then ends.
func (b *booting) disappears(vm, mark string) {
	b.Helper()
	host := b.host(vm)
	b.done(host, "DisconnectHost_Task", nil)
	b.done(host, "ReconnectHost_Task", nil)
	if b.info(vm, "guestinfo.test.boot") != mark || b.power(vm) != "poweredOn" {
		b.Error("a host that was disconnected for a while has ended its VM")
	}
	b.done(host, "DisconnectHost_Task", nil)
	if _, fault := b.task(vm, "ResetVM_Task", nil); fault != "HostNotConnected" {
		b.Errorf("the reset of a VM out of sight gives %q", fault)
	}
	pid, _ := b.lab.hypervisor.Process(moref(vm))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		b.Fatal(err)
	}
	b.until("it has ended", func() bool {
		_, on := b.lab.hypervisor.Process(moref(vm))
		return !on
	})
	if b.power(vm) != "poweredOn" {
		b.Error("the vCenter knows what happened out of its sight")
	}
	b.done(host, "ReconnectHost_Task", nil)
	b.until("it is seen to be off", func() bool { return b.power(vm) == "poweredOff" })
}

func (b *booting) suspends(vm, mark string) {
	b.Helper()
	b.done(vm, "SuspendVM_Task", nil)
	if b.power(vm) != "suspended" {
		b.Errorf("it is %s", b.power(vm))
	}
	b.done(vm, "PowerOnVM_Task", nil)
	for {
		serial := b.accept()
		fmt.Fprintln(serial, "resumed")
		if answer, err := serial.reader.ReadString('\n'); err == nil { // earlier connections have ended
			if strings.TrimSpace(answer) != mark+" resumed" {
				b.Errorf("after its suspension the guest answers %q", answer)
			}
			return
		}
	}
}

func TestWhatCannotBootStaysOff(t *testing.T) {
	b := startBooting(t)
	vm := b.containerVM("asks", "answer.msg.serial.file.open=")
	folder := b.get(b.find("/DC0/datastore/LocalDS_0"), "summary").(object)["url"].(string)
	if err := os.WriteFile(folder+"/asks/console.log", []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, fault := b.task(vm, "PowerOnVM_Task", nil); fault != "GenericVmConfigFault" {
		t.Errorf("a file of a serial port that is there already gives %q", fault)
	}
	if b.power(vm) != "poweredOff" {
		t.Errorf("it is %s", b.power(vm))
	}
	if err := os.Remove(folder + "/asks/console.log"); err != nil {
		t.Fatal(err)
	}
	_, id, _ := strings.Cut(vm, "/")
	status, text := b.send(http.MethodPost, "/sdk", fmt.Appendf(nil, `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>`+
		`<PowerOnVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">%s</_this></PowerOnVM_Task></Body></Envelope>`, id))
	if status != http.StatusOK || !strings.Contains(string(text), "<PowerOnVM_TaskResponse ") {
		t.Errorf("over SOAP the power-on answers %d, %s", status, text)
	}
	b.until("it is on", func() bool { return b.power(vm) == "poweredOn" })
	b.done(vm, "PowerOffVM_Task", nil)
}

func moref(target string) types.ManagedObjectReference {
	kind, value, _ := strings.Cut(target, "/")
	return types.ManagedObjectReference{Type: kind, Value: value}
}

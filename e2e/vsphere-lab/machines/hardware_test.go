package machines

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/vmware/govmomi/vim25/types"
)

// whole is a machine with one of each device.
func whole(d datastore) *types.VirtualMachineConfigInfo {
	d.write("web/web.vmx", "")
	c := config(cdrom(d.write("boot.iso", "iso")),
		networkSerial(1, "tcp://192.0.2.1:2377"), fileSerial(0, "[datastore1] web/log"),
		flatDisk(1, d.disk("images/base", "", 1), types.VirtualDiskModeIndependent_nonpersistent),
		flatDisk(0, d.disk("web/a,b", "", 2), types.VirtualDiskModePersistent),
		vmxnet3("00:50:56:AA:00:01", "VM Network"))
	c.ExtraConfig = options("guestInfo.berth.config", `{"a":"ü"}`, "guestinfo.", "x", "disk.enableUUID", "true",
		"answer.msg.serial.file.open", "Replace", "other", "y")
	return c
}

func TestFromConfig(t *testing.T) {
	d := newDatastore(t)
	got, err := FromConfig(whole(d), d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	wanted := Hardware{
		Name: "web-0", CPUs: 1, MemoryMebibytes: 192, Boot: "cdn",
		CDROMs: []CDROM{{Key: 3000, ISO: d.path("boot.iso")}},
		Controllers: []Controller{{Disks: []Disk{
			{
				Key: 2001, Unit: 1, Path: "[datastore1] images/base.vmdk", File: d.path("images/base-flat.vmdk"), Size: 1 << 20,
				Nonpersistent: true, Serial: "6000c291000000000000000000000001",
			},
			{
				Key: 2000, Path: "[datastore1] web/a,b.vmdk", File: d.path("web/a,b-flat.vmdk"), Size: 2 << 20,
				Serial: "6000c290000000000000000000000000",
			},
		}}},
		NICs: []NIC{{Key: 4000, Model: "vmxnet3", MAC: "00:50:56:aa:00:01", Network: "VM Network", Connected: true}},
		Serials: []Serial{
			{Key: 9000, File: d.path("web/log")},
			{Key: 9001, Unit: 1, Remote: &Remote{Network: "tcp", Address: "192.0.2.1:2377"}},
		},
		SerialFiles: Replace,
		GuestInfo:   map[string]string{"guestinfo.berth.config": `{"a":"ü"}`},
	}
	if !reflect.DeepEqual(got, wanted) {
		t.Errorf("got\n%+v, not\n%+v", got, wanted)
	}
}

func TestDisconnectedDevices(t *testing.T) {
	d := newDatastore(t)
	c := whole(d)
	for _, device := range c.Hardware.Device {
		if v := device.GetVirtualDevice(); v.Key >= 3000 {
			v.Connectable = &types.VirtualDeviceConnectInfo{}
		}
	}
	h, err := FromConfig(c, d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if h.CDROMs[0].ISO != "" || h.NICs[0].Connected || h.Serials[0].File != "" || h.Serials[1].Remote != nil {
		t.Errorf("something is connected: %+v", h)
	}
}

func TestBootOrder(t *testing.T) {
	d := newDatastore(t)
	c := whole(d)
	c.BootOptions = &types.VirtualMachineBootOptions{BootOrder: []types.BaseVirtualMachineBootOptionsBootableDevice{
		&types.VirtualMachineBootOptionsBootableCdromDevice{}, &types.VirtualMachineBootOptionsBootableDiskDevice{},
		&types.VirtualMachineBootOptionsBootableDiskDevice{},
	}}
	h, err := FromConfig(c, d.lookup)
	if err != nil || h.Boot != "dc" {
		t.Errorf("it boots from %q: %v", h.Boot, err)
	}
}

func TestFromConfigRefuses(t *testing.T) {
	change := func(key int32, to func(types.BaseVirtualDevice)) func(*types.VirtualMachineConfigInfo) {
		return func(c *types.VirtualMachineConfigInfo) {
			for _, device := range c.Hardware.Device {
				if device.GetVirtualDevice().Key == key {
					to(device)
				}
			}
		}
	}
	add := func(device types.BaseVirtualDevice) func(*types.VirtualMachineConfigInfo) {
		return func(c *types.VirtualMachineConfigInfo) { c.Hardware.Device = append(c.Hardware.Device, device) }
	}
	for wanted, spoil := range map[string]func(*types.VirtualMachineConfigInfo){
		"its firmware is efi": func(c *types.VirtualMachineConfigInfo) { c.Firmware = "efi" },
		"0 processors":        func(c *types.VirtualMachineConfigInfo) { c.Hardware.NumCPU = 0 },
		"0 MB of memory":      func(c *types.VirtualMachineConfigInfo) { c.Hardware.MemoryMB = 0 },
		`answer.msg.serial.file.open is "maybe"`: func(c *types.VirtualMachineConfigInfo) {
			c.ExtraConfig = options("answer.msg.serial.file.open", "maybe")
		},
		"[datastore1] none.iso: file does not exist":                add(cdrom("[datastore1] none.iso")),
		"[datastore2] a.iso: no such datastore":                     add(cdrom("[datastore2] a.iso")),
		"/etc/passwd: not a datastore path":                         add(cdrom("/etc/passwd")),
		"[datastore1] ../../etc/passwd: file does not exist":        add(cdrom("[datastore1] ../../etc/passwd")),
		"device 2005 (*types.VirtualDisk): [datastore1] none.vmdk:": add(flatDisk(5, "[datastore1] none.vmdk", "")),
		"its mode is append":                                        add(flatDisk(5, "[datastore1] none.vmdk", "append")),
		"its controller 1000 is neither IDE nor SATA": change(3000, func(v types.BaseVirtualDevice) {
			v.GetVirtualDevice().ControllerKey = 1000
		}),
		"device 3000 (*types.VirtualCdrom): it has no unit number": change(3000, func(v types.BaseVirtualDevice) {
			v.GetVirtualDevice().UnitNumber = nil
		}),
		"its controller 200 is not a paravirtual SCSI controller": change(2000, func(v types.BaseVirtualDevice) {
			v.GetVirtualDevice().ControllerKey = 200
		}),
		"flat disks": change(2000, func(v types.BaseVirtualDevice) {
			v.GetVirtualDevice().Backing = &types.VirtualDiskSeSparseBackingInfo{}
		}),
		"paravirtual SCSI controllers only": add(&types.VirtualLsiLogicController{}),
		"no MAC address":                    add(vmxnet3("", "VM Network")),
		"names no port group":               add(vmxnet3("00:50:56:00:00:02", "")),
		"VMXNET3, E1000": add(&types.VirtualSriovEthernetCard{
			VirtualEthernetCard: vmxnet3("00:50:56:00:00:02", "VM Network").VirtualEthernetCard,
		}),
		"standard and distributed port groups":       change(4000, func(v types.BaseVirtualDevice) { v.GetVirtualDevice().Backing = nil }),
		"four serial ports":                          add(fileSerial(4, "[datastore1] web/log")),
		"[datastore1] none/log: file does not exist": add(fileSerial(2, "[datastore1] none/log")),
		"files and network URIs": change(9000, func(v types.BaseVirtualDevice) {
			v.GetVirtualDevice().Backing = &types.VirtualSerialPortPipeBackingInfo{}
		}),
		"no such device": add(&types.VirtualTPM{}),
	} {
		d := newDatastore(t)
		c := whole(d)
		spoil(c)
		if _, err := FromConfig(c, d.lookup); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("wanted an error with %q, got %v", wanted, err)
		}
	}
	if _, err := FromConfig(nil, nil); err == nil {
		t.Error("no configuration is taken for one")
	}
}

func TestMissingFile(t *testing.T) {
	d := newDatastore(t)
	_, err := FromConfig(config(cdrom("[datastore1] none.iso")), d.lookup)
	var missing *FileError
	if !errors.As(err, &missing) || missing.Path != "[datastore1] none.iso" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing ISO is %#v", err)
	}
}

func TestSerialFileAnswers(t *testing.T) {
	d := newDatastore(t)
	for _, test := range []struct {
		answer          SerialFiles
		exists, refused bool
		wanted          string
	}{
		{Ask, false, false, ""}, {Ask, true, true, "before"}, {Append, true, false, "before"}, {Replace, true, false, ""}, {Replace, false, false, ""},
	} {
		os.Remove(d.path("log"))
		if test.exists {
			d.write("log", "before")
		}
		h := Hardware{SerialFiles: test.answer}
		err := h.openSerialFile(d.path("log"))
		content, _ := os.ReadFile(d.path("log"))
		if (err != nil) != test.refused || string(content) != test.wanted {
			t.Errorf("%+v: %v, and the file has %q", test, err, content)
		}
		if err != nil && !strings.Contains(err.Error(), "answer.msg.serial.file.open") {
			t.Errorf("the error does not say what helps: %v", err)
		}
	}
}

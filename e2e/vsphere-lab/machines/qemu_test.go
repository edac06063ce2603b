package machines

import (
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi/vim25/types"
)

func TestArguments(t *testing.T) {
	d := newDatastore(t)
	c := whole(d)
	c.Name = "a, b"
	c.Hardware.Device = append(c.Hardware.Device, &types.VirtualAHCIController{VirtualSATAController: types.VirtualSATAController{
		VirtualController: controller(15000, 0),
	}}, &types.VirtualCdrom{VirtualDevice: place(16000, 15000, 3, &types.VirtualCdromRemoteAtapiBackingInfo{})})
	h, err := FromConfig(c, d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	got := h.arguments(placement{folder: "/run", monitor: 3, guest: 4, lines: map[int32]int{1: 5}, taps: map[int32]int{4000: 6}})
	text := strings.ReplaceAll(strings.Join(got, "\n"), d.folder, "/ds")
	for _, wanted := range []string{
		"-smp\n1\n-m\n192M", "-boot\norder=cdn,menu=off", "-name\nguest=a,, b",
		"-chardev\nsocket,id=monitor,fd=3\n-mon\nchardev=monitor,mode=control",
		"-fw_cfg\nname=opt/dev.berth/guestinfo,file=/run/guestinfo.json",
		"-chardev\nsocket,id=guest,fd=4\n-device\nvirtserialport,bus=door.0,chardev=guest,name=dev.berth.guestinfo",
		"-chardev\nfile,id=serial0,path=/ds/web/log,append=on\n-device\nisa-serial,index=0,chardev=serial0",
		"-chardev\nsocket,id=serial1,fd=5\n-device\nisa-serial,index=1,chardev=serial1",
		"-device\npvscsi,id=scsi0\n-blockdev\n" +
			`{"cache":{"no-flush":true},"discard":"unmap","driver":"raw","file":{"discard":"unmap","driver":"file","filename":"/ds/images/base-flat.vmdk","locking":"on"},` +
			`"node-name":"disk2001-base","read-only":true,"size":1048576}` + "\n-blockdev\n" +
			`{"backing":"disk2001-base","cache":{"no-flush":true},"driver":"qcow2","file":{"driver":"file","filename":"/run/disk-2001.qcow2","locking":"on"},"node-name":"disk2001"}` +
			"\n-device\nscsi-hd,bus=scsi0.0,scsi-id=1,lun=0,drive=disk2001,serial=6000c291000000000000000000000001",
		`"filename":"/ds/web/a,b-flat.vmdk"`,
		"-device\nscsi-hd,bus=scsi0.0,scsi-id=0,lun=0,drive=disk2000,serial=6000c290000000000000000000000000",
		`{"driver":"raw","file":{"driver":"file","filename":"/ds/boot.iso","read-only":true},"node-name":"cd3000","read-only":true}` +
			"\n-device\nide-cd,bus=ide.0,unit=0,drive=cd3000",
		"-device\nahci,id=sata0\n-device\nide-cd,bus=sata0.3,unit=0",
		"-netdev\ntap,id=net4000,fd=6\n-device\nvmxnet3,netdev=net4000,mac=00:50:56:aa:00:01,romfile=",
	} {
		if !strings.Contains(text+"\n", wanted+"\n") && !strings.Contains(text, wanted) {
			t.Errorf("the arguments lack\n%s\nin\n%s", wanted, text)
		}
	}
	if strings.Contains(text, "ü") {
		t.Error("a value of guestinfo is in the arguments, which everybody can read")
	}
}

// Source and destination of a migration must be the same machine to the guest.
func TestIncomingDiffersInNothingElse(t *testing.T) {
	d := newDatastore(t)
	h, err := FromConfig(whole(d), d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	plugged := placement{folder: "/run", monitor: 3, guest: 4, lines: map[int32]int{1: 5}}
	incoming := plugged
	incoming.incoming = true
	if got := h.arguments(incoming); !slices.Equal(got, append(h.arguments(plugged), "-incoming", "defer")) {
		t.Errorf("got %q", got)
	}
}

func TestSharedDiskAndPortWithoutBacking(t *testing.T) {
	h := Hardware{
		Controllers: []Controller{{Bus: 1, Disks: []Disk{{Shared: true}}}}, Serials: []Serial{{Unit: 2}},
		NICs: []NIC{{Key: 4001, Model: "e1000", MAC: "00:50:56:00:00:01"}},
	}
	text := strings.Join(h.arguments(placement{}), "\n")
	for _, wanted := range []string{
		"scsi-hd,bus=scsi1.0,scsi-id=0,lun=0,drive=disk0,share-rw=on", "null,id=serial2\n-device\nisa-serial,index=2,chardev=serial2",
		"hubport,id=net4001,hubid=4001",
	} {
		if !strings.Contains(text, wanted) {
			t.Errorf("the arguments lack %q in %q", wanted, text)
		}
	}
}

func TestBridgeNames(t *testing.T) {
	first, err := NewNetworks("one", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := NewNetworks("two", nil, map[string]string{"Control": "control0"})
	if name := second.Bridge("Control"); name != "control0" {
		t.Errorf("the bridge that was to be control0 is %q", name)
	}
	names := map[string]bool{}
	for _, network := range []string{"VM Network", "VM Network 2", "dvportgroup-11"} {
		for _, n := range []*Networks{first, second} {
			name := n.Bridge(network)
			if len(name) != 15 || names[name] || name != n.Bridge(network) {
				t.Errorf("the bridge of %s is %q", network, name)
			}
			names[name] = true
		}
	}
}

package lab

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/machines/testboot"
)

const (
	imageUUID = "6000c290-0000-0000-0000-00000000000a"
	stateKey  = "guestinfo.berth.state"
)

// putImage uploads an image disk: a squashfs as the extent of a flat VMDK.
func (b *booting) putImage(folder string) string {
	b.Helper()
	root := b.TempDir()
	if err := os.WriteFile(filepath.Join(root, "hello"), []byte("from the image\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	squashfs := filepath.Join(b.TempDir(), "image")
	if output, err := exec.Command("mksquashfs", root, squashfs, "-quiet", "-no-progress").CombinedOutput(); err != nil {
		b.Fatalf("mksquashfs: %v, %s", err, output)
	}
	content, err := os.ReadFile(squashfs)
	if err != nil {
		b.Fatal(err)
	}
	const sector = 512
	content = append(content, make([]byte, (sector-len(content)%sector)%sector)...)
	b.call("FileManager/FileManager", "MakeDirectory", object{"name": "[LocalDS_0] " + folder, "datacenter": reference(b.find("/DC0"))})
	b.put(folder+"/image-flat.vmdk", content)
	b.put(folder+"/image.vmdk", fmt.Appendf(nil, "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"vmfs\"\n"+
		"RW %d VMFS \"image-flat.vmdk\"\nddb.adapterType = \"pvscsi\"\nddb.uuid = \"%s\"\n", len(content)/sector, imageUUID))
	return "[LocalDS_0] " + folder + "/image.vmdk"
}

// configure gives a VM that is off an image disk and the tether's configuration.
func (b *booting) configure(vm, image string) {
	b.Helper()
	var controller, nic object
	for _, device := range b.get(vm, "config").(object)["hardware"].(object)["device"].([]any) {
		switch d := device.(object); d["_typeName"] {
		case "ParaVirtualSCSIController":
			controller = d
		case "VirtualVmxnet3":
			nic = d
		}
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.server.Certificate().Raw}) // any that is one
	config, err := json.Marshal(object{
		"schema": 1, "id": "pod-1", "hostname": "pod", "identity": object{"authority": string(authority)},
		"interfaces": []object{{"mac": nic["macAddress"], "addresses": []string{guestAddress + "/24"}, "gateway": "10.231.9.1"}},
		"disks":      []object{{"serial": imageUUID, "role": "image"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.done(vm, "ReconfigVM_Task", object{"spec": object{"_typeName": "VirtualMachineConfigSpec",
		"extraConfig": options("guestinfo.berth./config="+string(config), stateKey+"=-"),
		"deviceChange": []object{{"_typeName": "VirtualDeviceConfigSpec", "operation": "add", "device": object{
			"_typeName": "VirtualDisk", "key": -1, "controllerKey": controller["key"], "unitNumber": 1, "capacityInKB": 0, "backing": object{
				"_typeName": "VirtualDiskFlatVer2BackingInfo", "fileName": image, "diskMode": "independent_nonpersistent"}}}},
	}})
}

type tetherState struct{ Phase, BootID, Message string }

// awaitReady waits for the tether of a boot other than one before.
func (b *booting) awaitReady(vm, before string) tetherState {
	b.Helper()
	var state tetherState
	b.until("the tether is READY", func() bool {
		if json.Unmarshal([]byte(b.info(vm, stateKey)), &state) == nil && state.Phase == "EXITED" {
			b.Fatalf("the tether cannot go on: %s", state.Message)
		}
		return state.Phase == "READY" && state.BootID != before
	})
	return state
}

// The frames of the tether's link.
const helloFrame, ackFrame, startFrame, readyFrame = 1, 2, 3, 4

func frame(kind byte, nonce []byte) []byte {
	b := slices.Concat([]byte("BERTH-LINK-01\r\n\x00"), []byte{kind, 0, 0, 0}, nonce)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return append(b, 0, 0, 0, 0)
}

// handshakes begins a session over the network serial port.
func (b *booting) handshakes(l *line) {
	b.Helper()
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	for _, step := range []struct{ say, hear byte }{{helloFrame, ackFrame}, {startFrame, readyFrame}} {
		if _, err := l.Write(frame(step.say, nonce)); err != nil {
			b.Fatal(err)
		}
		var heard []byte
		for want := frame(step.hear, nonce); !bytes.Contains(heard, want); {
			next, err := l.reader.ReadByte()
			if err != nil {
				b.Fatalf("after the frame %d comes %x: %v", step.say, heard, err)
			}
			heard = append(heard, next)
		}
	}
}

// TestContainerVMs boots the image that containerVMs have, as the vSphere backend does.
func TestContainerVMs(t *testing.T) {
	b := startBootingFrom(t, testboot.BootstrapISO(t))
	vm := b.containerVM("pod")
	b.configure(vm, b.putImage("images"))
	began := time.Now()
	b.powerOn(vm)
	on := time.Since(began)
	first := b.awaitReady(vm, "")
	t.Logf("powered on after %s, READY after %s", on.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if ip := b.get(vm, "guest").(object)["ipAddress"]; ip != guestAddress {
		t.Errorf("its address is %v", ip)
	}
	b.handshakes(b.accept())
	b.until("its certificate is told", func() bool { return len(b.info(vm, "guestinfo.berth.certificate")) == 64 })
	host := b.host(vm)
	b.done(vm, "MigrateVM_Task", object{"host": reference(b.other(host)), "priority": "defaultPriority"})
	b.handshakes(b.accept())
	if again := b.awaitReady(vm, ""); again.BootID != first.BootID {
		t.Error("the migration has booted it anew")
	}
	if err := b.lab.FailHost(b.get(b.host(vm), "name").(string)); err != nil {
		t.Fatal(err)
	}
	second := b.awaitReady(vm, first.BootID)
	b.handshakes(b.accept())
	b.done(vm, "PowerOffVM_Task", nil)
	// What was made with the VM stays as its guest left it, and what the guest made goes.
	if !strings.Contains(b.info(vm, stateKey), second.BootID) || b.info(vm, "guestinfo.berth.certificate") != "" {
		t.Errorf("it leaves %v", b.get(vm, "config").(object)["extraConfig"])
	}
}

// A VM without the tether's configuration says why it ends.
func TestContainerVMWithoutConfiguration(t *testing.T) {
	b := startBootingFrom(t, testboot.BootstrapISO(t))
	vm := b.containerVM("bare", stateKey+"=-")
	b.powerOn(vm)
	b.until("it is off", func() bool { return b.power(vm) == "poweredOff" })
	if state := b.info(vm, stateKey); !strings.Contains(state, "there is no boot configuration") {
		t.Errorf("its state is %s", state)
	}
}

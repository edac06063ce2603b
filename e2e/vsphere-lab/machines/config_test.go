package machines

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vmware/govmomi/vim25/types"
)

// datastore is a folder with files, known as "datastore1".
type datastore struct {
	t      testing.TB
	folder string
}

func newDatastore(t testing.TB) datastore { return datastore{t, t.TempDir()} }

func (d datastore) lookup(name string) (string, error) {
	if name != "datastore1" {
		return "", errors.New("no such datastore")
	}
	return d.folder, nil
}

func (d datastore) path(name string) string { return filepath.Join(d.folder, name) }

func (d datastore) write(name, content string) string {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(d.path(name), []byte(content), 0o644); err != nil {
		d.t.Fatal(err)
	}
	return "[datastore1] " + name
}

// disk makes a flat VMDK that begins with a text, and gives its datastore path.
func (d datastore) disk(name, content string, mebibytes int64) string {
	d.t.Helper()
	d.write(name+"-flat.vmdk", content)
	if err := os.Truncate(d.path(name+"-flat.vmdk"), mebibytes<<20); err != nil {
		d.t.Fatal(err)
	}
	return d.write(name+".vmdk", fmt.Sprintf("# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=fffffffe\nparentCID=ffffffff\n"+
		"createType=\"vmfs\"\n\n# Extent description\nRW %d VMFS \"%s-flat.vmdk\"\n\n# The Disk Data Base\n#DDB\nddb.adapterType = \"lsilogic\"\n",
		mebibytes<<11, filepath.Base(name)))
}

// config begins a machine's configuration with the controllers that every machine has.
func config(devices ...types.BaseVirtualDevice) *types.VirtualMachineConfigInfo {
	controllers := []types.BaseVirtualDevice{
		&types.VirtualIDEController{VirtualController: controller(200, 0)},
		&types.VirtualSIOController{VirtualController: controller(400, 0)},
		&types.VirtualMachineVideoCard{VirtualDevice: types.VirtualDevice{Key: 500}},
		&types.ParaVirtualSCSIController{VirtualSCSIController: types.VirtualSCSIController{VirtualController: controller(1000, 0)}},
	}
	return &types.VirtualMachineConfigInfo{
		Name: "web-0", Firmware: "bios",
		Hardware: types.VirtualHardware{NumCPU: 1, MemoryMB: 192, Device: append(controllers, devices...)},
	}
}

func controller(key, bus int32) types.VirtualController {
	return types.VirtualController{VirtualDevice: types.VirtualDevice{Key: key}, BusNumber: bus}
}

func place(key, controller, unit int32, backing types.BaseVirtualDeviceBackingInfo) types.VirtualDevice {
	return types.VirtualDevice{Key: key, ControllerKey: controller, UnitNumber: &unit, Backing: backing}
}

func file(path string) types.VirtualDeviceFileBackingInfo {
	return types.VirtualDeviceFileBackingInfo{FileName: path}
}

func cdrom(iso string) *types.VirtualCdrom {
	return &types.VirtualCdrom{VirtualDevice: place(3000, 200, 0, &types.VirtualCdromIsoBackingInfo{VirtualDeviceFileBackingInfo: file(iso)})}
}

func flatDisk(unit int32, path string, mode types.VirtualDiskMode) *types.VirtualDisk {
	return &types.VirtualDisk{VirtualDevice: place(2000+unit, 1000, unit, &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: file(path), DiskMode: string(mode), Uuid: fmt.Sprintf("6000C29%d-0000-0000-0000-00000000000%d", unit, unit),
	})}
}

func vmxnet3(mac, network string) *types.VirtualVmxnet3 {
	return &types.VirtualVmxnet3{VirtualVmxnet: types.VirtualVmxnet{VirtualEthernetCard: types.VirtualEthernetCard{
		VirtualDevice: place(4000, 100, 7, &types.VirtualEthernetCardNetworkBackingInfo{
			VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: network},
		}),
		MacAddress: mac,
	}}}
}

func fileSerial(unit int32, path string) *types.VirtualSerialPort {
	return &types.VirtualSerialPort{VirtualDevice: place(9000+unit, 400, unit,
		&types.VirtualSerialPortFileBackingInfo{VirtualDeviceFileBackingInfo: file(path)})}
}

func networkSerial(unit int32, uri string) *types.VirtualSerialPort {
	return &types.VirtualSerialPort{VirtualDevice: place(9000+unit, 400, unit, &types.VirtualSerialPortURIBackingInfo{
		VirtualDeviceURIBackingInfo: types.VirtualDeviceURIBackingInfo{ServiceURI: uri, Direction: "client"},
	})}
}

func options(pairs ...string) []types.BaseOptionValue {
	var all []types.BaseOptionValue
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, &types.OptionValue{Key: pairs[i], Value: pairs[i+1]})
	}
	return all
}

package behavior

import (
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// What every VM has from the start: the keys of its built-in controllers.
var builtIn = map[int32]bool{100: true, 200: true, 201: true, 300: true, 400: true, 500: true, 600: true, 700: true}

func (b *Behavior) checkDevices(ctx *simulator.Context, where place, spec *types.VirtualMachineConfigSpec) fault {
	present := map[int32]bool{}
	if where.vm != nil {
		for _, device := range where.vm.Config.Hardware.Device {
			present[device.GetVirtualDevice().Key] = true
		}
	} else {
		for key := range builtIn {
			present[key] = true
		}
	}
	added := map[int32]bool{}
	for _, change := range spec.DeviceChange {
		if c := change.GetVirtualDeviceConfigSpec(); c.Operation == types.VirtualDeviceConfigSpecOperationAdd && c.Device != nil {
			added[c.Device.GetVirtualDevice().Key] = true
		}
	}
	for i, change := range spec.DeviceChange {
		c := change.GetVirtualDeviceConfigSpec()
		invalid := types.InvalidDeviceSpec{DeviceIndex: int32(i)}
		if c.Device == nil {
			return &invalid
		}
		device := c.Device.GetVirtualDevice()
		switch c.Operation {
		case types.VirtualDeviceConfigSpecOperationEdit, types.VirtualDeviceConfigSpecOperationRemove:
			if !present[device.Key] {
				return &invalid
			}
		case types.VirtualDeviceConfigSpecOperationAdd:
			if device.ControllerKey != 0 && !present[device.ControllerKey] && !added[device.ControllerKey] {
				return &types.InvalidController{InvalidDeviceSpec: invalid, ControllerKey: device.ControllerKey}
			}
		}
		if c.Operation != types.VirtualDeviceConfigSpecOperationRemove {
			if fault := b.checkBacking(ctx, where, c, invalid); fault != nil {
				return fault
			}
		}
	}
	return nil
}

func (b *Behavior) checkBacking(ctx *simulator.Context, where place, change *types.VirtualDeviceConfigSpec, invalid types.InvalidDeviceSpec) fault {
	wrong := &types.InvalidDeviceBacking{InvalidDeviceSpec: invalid}
	switch backing := change.Device.GetVirtualDevice().Backing.(type) {
	case *types.VirtualEthernetCardNetworkBackingInfo:
		if !networkExists(ctx, where.datacenter, backing) {
			return wrong
		}
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		group, ok := ctx.Map.Get(ref{Type: "DistributedVirtualPortgroup", Value: backing.Port.PortgroupKey}).(*simulator.DistributedVirtualPortgroup)
		if !ok {
			return wrong
		}
		dvs, ok := ctx.Map.Get(*group.Config.DistributedVirtualSwitch).(*simulator.DistributedVirtualSwitch)
		if !ok || dvs.Uuid != backing.Port.SwitchUuid {
			return wrong
		}
	case *types.VirtualDiskFlatVer2BackingInfo:
		return checkDisk(ctx, where, change.FileOperation, backing)
	case types.BaseVirtualDeviceFileBackingInfo: // ISO images and the files of serial ports
		name := backing.GetVirtualDeviceFileBackingInfo().FileName
		if name != "" {
			_, _, fault := filePath(ctx, where.datacenter, name)
			return fault
		}
	}
	return nil
}

func networkExists(ctx *simulator.Context, datacenter *simulator.Datacenter, backing *types.VirtualEthernetCardNetworkBackingInfo) bool {
	for _, reference := range locked(ctx, datacenter, func() []ref { return append([]ref(nil), datacenter.Network...) }) {
		if network, ok := ctx.Map.Get(reference).(*mo.Network); ok && network.Name == backing.DeviceName {
			return backing.Network == nil || *backing.Network == reference
		}
	}
	return false
}

// checkDisk demands that a disk exists, unless it is to be made.
func checkDisk(ctx *simulator.Context, where place, operation types.VirtualDeviceConfigSpecFileOperation, backing *types.VirtualDiskFlatVer2BackingInfo) fault {
	if backing.FileName == "" || strings.HasSuffix(strings.TrimSpace(backing.FileName), "]") {
		return nil // vCenter names the file
	}
	path, _, fault := filePath(ctx, where.datacenter, backing.FileName)
	if fault != nil {
		return fault
	}
	_, err := os.Stat(path)
	switch {
	case operation == "" && err != nil:
		return &types.FileNotFound{FileFault: types.FileFault{File: backing.FileName}}
	case operation == types.VirtualDeviceConfigSpecFileOperationCreate && err == nil:
		return &types.FileAlreadyExists{FileFault: types.FileFault{File: backing.FileName}}
	}
	return nil
}

// checkStart finds what keeps a VM from being powered on: missing files, disks that another one has, and licences.
func (b *Behavior) checkStart(ctx *simulator.Context, vm *simulator.VirtualMachine) fault {
	datacenter, running := datacenterOf(ctx, vm), b.running()
	devices := locked(ctx, vm, func() []types.BaseVirtualDevice { return slices.Clone(vm.Config.Hardware.Device) })
	for _, device := range devices {
		d := device.GetVirtualDevice()
		connected := d.Connectable == nil || d.Connectable.StartConnected
		switch backing := d.Backing.(type) {
		case *types.VirtualSerialPortURIBackingInfo:
			if connected && !b.options.SerialLicence {
				return &types.RestrictedVersion{}
			}
		case *types.VirtualCdromIsoBackingInfo:
			if connected {
				if fault := exists(ctx, datacenter, backing.FileName); fault != nil {
					return fault
				}
			}
		case *types.VirtualDiskFlatVer2BackingInfo:
			if fault := exists(ctx, datacenter, backing.FileName); fault != nil {
				return fault
			}
			if fault := b.lockable(vm.Self, backing, running); fault != nil {
				return fault
			}
		}
	}
	return nil
}

func exists(ctx *simulator.Context, datacenter *simulator.Datacenter, name string) fault {
	path, _, fault := filePath(ctx, datacenter, name)
	if fault != nil {
		return fault
	}
	if _, err := os.Stat(path); err != nil {
		return &types.FileNotFound{FileFault: types.FileFault{File: name}}
	}
	return nil
}

// shareable disks are opened for reading alone, or said to be written by several.
func shareable(backing *types.VirtualDiskFlatVer2BackingInfo) bool {
	return backing.Sharing == string(types.VirtualDiskSharingSharingMultiWriter) ||
		backing.DiskMode == string(types.VirtualDiskModeIndependent_nonpersistent) || backing.DiskMode == string(types.VirtualDiskModeNonpersistent)
}

func (b *Behavior) lockable(vm ref, wanted *types.VirtualDiskFlatVer2BackingInfo, running iter.Seq2[ref, entry]) fault {
	for other, e := range running {
		for _, disk := range e.disks {
			if other != vm && disk.file == wanted.FileName && !(disk.shared && shareable(wanted)) {
				return &types.FileLocked{FileFault: types.FileFault{File: wanted.FileName}}
			}
		}
	}
	return nil
}

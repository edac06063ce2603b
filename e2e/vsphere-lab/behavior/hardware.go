package behavior

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vmdk"
)

// addresses of NICs; the simulator makes them of three bytes of the VM's UUID, which collide.
type addresses struct {
	last int
	used map[string]ref
}

func (a *addresses) free(vm ref) {
	for mac, owner := range a.used {
		if owner == vm {
			delete(a.used, mac)
		}
	}
}

// next is of vCenter's own range.
func (a *addresses) next() string {
	for {
		a.last++
		mac := fmt.Sprintf("00:50:56:%02x:%02x:%02x", 0x80+a.last>>16&0x3f, a.last>>8&0xff, a.last&0xff)
		if _, taken := a.used[mac]; !taken {
			return mac
		}
	}
}

// finish gives new NICs addresses of their own and new disks their size, while the VM is with its creator alone.
func (b *Behavior) finish(ctx *simulator.Context, vm *mo.VirtualMachine) {
	if vm.Config == nil || vm.Parent == nil {
		return
	}
	parent, _ := ctx.Map.Get(*vm.Parent).(mo.Entity)
	datacenter := datacenterOf(ctx, parent)
	for _, device := range vm.Config.Hardware.Device {
		if nic, ok := device.(types.BaseVirtualEthernetCard); ok {
			b.address(vm.Self, nic.GetVirtualEthernetCard())
		}
		backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if ok && backing.Parent == nil && datacenter != nil {
			if path, _, fault := filePath(ctx, datacenter, backing.FileName); fault == nil {
				if own := grow(path); own != "" {
					backing.Uuid = own
				}
			}
		}
	}
}

func (b *Behavior) address(vm ref, nic *types.VirtualEthernetCard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	manual := nic.AddressType == string(types.VirtualEthernetCardMacTypeManual)
	if nic.MacAddress != "" && (manual || b.addresses.used[nic.MacAddress] == vm) {
		b.addresses.used[nic.MacAddress] = vm
		return
	}
	nic.MacAddress = b.addresses.next()
	nic.AddressType = string(types.VirtualEthernetCardMacTypeAssigned)
	b.addresses.used[nic.MacAddress] = vm
}

// grow gives the extent of a disk, which the simulator leaves empty, the size that the descriptor says, and gives the UUID that is in there, if
// there is one: the disk has it wherever it is attached.
func grow(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	descriptor, err := vmdk.ParseDescriptor(file)
	if err != nil {
		return ""
	}
	for _, extent := range descriptor.Extent {
		name := filepath.Join(filepath.Dir(path), filepath.Base(extent.Info))
		size := extent.Size * vmdk.SectorSize
		if info, err := os.Stat(name); err == nil && info.Size() < size {
			_ = os.Truncate(name, size)
		}
	}
	own, err := uuid.Parse(strings.NewReplacer(" ", "", "-", "").Replace(descriptor.DDB["uuid"]))
	if err != nil {
		return ""
	}
	return own.String()
}

// createDisk makes a disk with its size.
func (b *Behavior) createDisk(call *dispatch.Call, body *types.CreateVirtualDisk_Task) soap.HasFault {
	manager, ok := call.Context.Map.Get(call.This).(simulator.VirtualDiskManagerInterface)
	if !ok {
		return notFound(call.This)
	}
	datacenter, refusal := datacenterOr(call, body.Datacenter)
	if refusal != nil {
		return refusal
	}
	return dispatch.RunTask(call, call.This, func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		path, _, fault := filePath(ctx, datacenter, body.Name)
		if fault != nil {
			return nil, fault
		}
		made, ok := manager.CreateVirtualDiskTask(ctx, body).(*methods.CreateVirtualDisk_TaskBody)
		if !ok || made.Res == nil {
			return nil, &types.SystemError{Reason: "the simulator made no disk"}
		}
		if _, fault := await(ctx, made.Res.Returnval); fault != nil {
			return nil, fault
		}
		grow(path)
		return body.Name, nil
	})
}

// datacenterOr finds the datacenter of a file: the one named, or the only one.
func datacenterOr(call *dispatch.Call, named *ref) (*simulator.Datacenter, soap.HasFault) {
	datacenters := call.Context.Map.All("Datacenter")
	if named == nil && len(datacenters) != 1 {
		return nil, dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "datacenter"}, "There are several datacenters: one must be named.")
	}
	datacenter, ok := datacenters[0].(*simulator.Datacenter)
	if named != nil {
		datacenter, ok = call.Context.Map.Get(*named).(*simulator.Datacenter)
	}
	if !ok {
		return nil, notFound(*named)
	}
	return datacenter, nil
}

var (
	uuidFormat = regexp.MustCompile(`^([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}-([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}$`)
	uuidLine   = regexp.MustCompile(`(?m)^ddb\.uuid *=.*\n?`)
)

// setUUID writes a disk's identity into its descriptor.
func setUUID(call *dispatch.Call, body *types.SetVirtualDiskUuid) soap.HasFault {
	if !uuidFormat.MatchString(body.Uuid) {
		return dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "uuid"}, "%q is no UUID of a disk.", body.Uuid)
	}
	datacenter, refusal := datacenterOr(call, body.Datacenter)
	if refusal != nil {
		return refusal
	}
	path, _, fault := filePath(call.Context, datacenter, body.Name)
	if fault != nil {
		return dispatch.Refuse(fault, "%s", messageOf(fault))
	}
	descriptor, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(descriptor, []byte("# Disk DescriptorFile")) {
		return dispatch.Refuse(&types.FileNotFound{FileFault: types.FileFault{File: body.Name}}, "%s is no disk.", body.Name)
	}
	descriptor = append(bytes.TrimRight(uuidLine.ReplaceAll(descriptor, nil), "\n"), fmt.Sprintf("\nddb.uuid = %q\n", body.Uuid)...)
	if err := os.WriteFile(path, descriptor, 0o600); err != nil {
		return dispatch.Refuse(&types.CannotAccessFile{FileFault: types.FileFault{File: body.Name}}, "%s", err)
	}
	return &methods.SetVirtualDiskUuidBody{Res: &types.SetVirtualDiskUuidResponse{}}
}

// await waits for a task of the simulator's.
func await(ctx *simulator.Context, reference ref) (types.AnyType, fault) {
	task, ok := ctx.Map.Get(reference).(*simulator.Task)
	if !ok {
		return nil, &types.SystemError{Reason: "no such task"}
	}
	task.Wait()
	info := locked(&simulator.Context{Map: ctx.Map}, task, func() types.TaskInfo { return task.Info })
	if info.Error != nil {
		return nil, info.Error.Fault
	}
	return info.Result, nil
}

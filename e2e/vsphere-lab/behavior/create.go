package behavior

import (
	"fmt"
	"strings"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const longestName = 80

// place is where a VM is, or is to be.
type place struct {
	datacenter *simulator.Datacenter
	folder     *ref
	vm         *simulator.VirtualMachine // nil before it is created
}

func (b *Behavior) createVM(call *dispatch.Call, body *types.CreateVM_Task, next dispatch.Handler) soap.HasFault {
	ctx := call.Context
	folder, ok := ctx.Map.Get(call.This).(*simulator.Folder)
	if !ok {
		return notFound(call.This)
	}
	pool, ok := ctx.Map.Get(body.Pool).(mo.Entity)
	if _, isPool := poolOf(ctx, body.Pool); !ok || !isPool {
		return notFound(body.Pool)
	}
	if body.Host != nil {
		if _, ok := ctx.Map.Get(*body.Host).(*simulator.HostSystem); !ok {
			return notFound(*body.Host)
		}
	}
	where := place{datacenter: datacenterOf(ctx, folder), folder: &call.This}
	if where.datacenter == nil || datacenterOf(ctx, pool) != where.datacenter {
		return dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "pool"}, "The folder and the pool are not of one datacenter.")
	}
	if fault := b.checkNew(ctx, where, &body.Config); fault != nil {
		return dispatch.FailedTask(call, fault)
	}
	host, fault := b.chooseHost(ctx, request{pool: body.Pool, host: body.Host, datastores: datastoresOf(&body.Config)})
	if fault != nil {
		return dispatch.FailedTask(call, fault)
	}
	body.Host = &host
	return next(call)
}

func (b *Behavior) checkNew(ctx *simulator.Context, where place, spec *types.VirtualMachineConfigSpec) fault {
	if spec.Name == "" {
		return &types.InvalidVmConfig{Property: "configSpec.name"}
	}
	if spec.Files == nil || spec.Files.VmPathName == "" {
		return &types.InvalidVmConfig{Property: "configSpec.files.vmPathName"}
	}
	return b.checkSpec(ctx, where, spec)
}

// checkSpec finds what a real vCenter refuses in a configuration, and what the simulator would crash on.
func (b *Behavior) checkSpec(ctx *simulator.Context, where place, spec *types.VirtualMachineConfigSpec) fault {
	if spec.Name != "" && (where.vm == nil || spec.Name != where.vm.Name) {
		if fault := b.checkName(ctx, *where.folder, spec.Name); fault != nil {
			return fault
		}
	}
	if spec.Files != nil && spec.Files.VmPathName != "" {
		if _, _, fault := filePath(ctx, where.datacenter, spec.Files.VmPathName); fault != nil {
			return fault
		}
	}
	return b.checkDevices(ctx, where, spec)
}

func (b *Behavior) checkName(ctx *simulator.Context, folder ref, name string) fault {
	if len([]rune(name)) > longestName || name == "" {
		return &types.InvalidName{Name: name, Entity: &folder}
	}
	parent, ok := ctx.Map.Get(folder).(*simulator.Folder)
	if !ok {
		return nil
	}
	children := locked(ctx, parent, func() []ref { return append([]ref(nil), parent.ChildEntity...) })
	for _, child := range children {
		entity, ok := ctx.Map.Get(child).(mo.Entity)
		if ok && strings.EqualFold(entity.Entity().Name, name) {
			return &types.DuplicateName{Name: name, Object: child}
		}
	}
	return nil
}

// filePath finds the file of a datastore path, like "[LocalDS_0] a/b.vmdk", and its datastore.
func filePath(ctx *simulator.Context, datacenter *simulator.Datacenter, text string) (string, *simulator.Datastore, fault) {
	var path object.DatastorePath
	if !path.FromString(text) {
		return "", nil, &types.InvalidDatastorePath{InvalidDatastore: types.InvalidDatastore{}, DatastorePath: text}
	}
	for _, reference := range locked(ctx, datacenter, func() []ref { return append([]ref(nil), datacenter.Datastore...) }) {
		datastore, ok := ctx.Map.Get(reference).(*simulator.Datastore)
		if ok && datastore.Name == path.Datastore {
			return datastore.Summary.Url + "/" + path.Path, datastore, nil
		}
	}
	return "", nil, &types.InvalidDatastorePath{
		InvalidDatastore: types.InvalidDatastore{Name: path.Datastore}, DatastorePath: text,
	}
}

// datastoresOf names the datastores that a new VM needs.
func datastoresOf(spec *types.VirtualMachineConfigSpec) []string {
	var names []string
	add := func(text string) {
		var path object.DatastorePath
		if path.FromString(text) {
			names = append(names, path.Datastore)
		}
	}
	if spec.Files != nil {
		add(spec.Files.VmPathName)
	}
	for _, change := range spec.DeviceChange {
		if backing, ok := change.GetVirtualDeviceConfigSpec().Device.GetVirtualDevice().Backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
			add(backing.GetVirtualDeviceFileBackingInfo().FileName)
		}
	}
	return names
}

// messageOf says a fault in words.
func messageOf(fault fault) string {
	switch f := fault.(type) {
	case *types.DuplicateName:
		return fmt.Sprintf("The name '%s' already exists.", f.Name)
	case *types.InvalidName:
		return fmt.Sprintf("The name '%s' is invalid: it is empty or has more than %d characters.", f.Name, longestName)
	}
	return fmt.Sprintf("%T", fault)
}

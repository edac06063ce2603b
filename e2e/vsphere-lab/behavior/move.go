package behavior

import (
	"slices"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

func (b *Behavior) migrateVM(call *dispatch.Call, body *types.MigrateVM_Task) soap.HasFault {
	return b.move(call, body.Host, body.Pool)
}

// relocateVM moves a VM to another host or pool. The simulator's own leaves lists behind on which it crashes later.
func (b *Behavior) relocateVM(call *dispatch.Call, body *types.RelocateVM_Task) soap.HasFault {
	vm, ok := call.Context.Map.Get(call.This).(*simulator.VirtualMachine)
	if !ok {
		return notFound(call.This)
	}
	spec := body.Spec
	same := spec.Datastore == nil || locked(call.Context, vm, func() bool { return len(vm.Datastore) == 1 && vm.Datastore[0] == *spec.Datastore })
	if !same || spec.Folder != nil || len(spec.Disk) > 0 || len(spec.DeviceChange) > 0 {
		return dispatch.Refuse(&types.NotSupported{}, "the lab moves VMs between hosts and pools alone")
	}
	return b.move(call, spec.Host, spec.Pool)
}

func (b *Behavior) move(call *dispatch.Call, host, pool *ref) soap.HasFault {
	ctx := call.Context
	vm, ok := ctx.Map.Get(call.This).(*simulator.VirtualMachine)
	if !ok {
		return notFound(call.This)
	}
	if host != nil {
		if _, ok := ctx.Map.Get(*host).(*simulator.HostSystem); !ok {
			return notFound(*host)
		}
	}
	if pool != nil {
		if _, ok := poolOf(ctx, *pool); !ok {
			return notFound(*pool)
		}
	}
	return dispatch.RunTask(call, vm.Self, func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		wanted := requestOf(ctx, vm)
		if pool != nil {
			wanted.pool = *pool
		}
		before := locked(ctx, vm, func() *ref { return vm.Runtime.Host })
		wanted.host = host
		if host == nil {
			wanted.host = before
		}
		wanted.memory = 0 // it is there already, or DRS overcommits
		chosen, fault := b.chooseHost(ctx, wanted)
		if fault != nil {
			return nil, fault
		}
		if fault := b.migrate(ctx, vm, chosen); fault != nil {
			return nil, fault
		}
		if pool != nil {
			b.changePool(ctx, vm, *pool)
		}
		return nil, nil
	})
}

// migrate takes a VM to another host, live when it runs.
func (b *Behavior) migrate(ctx *simulator.Context, vm *simulator.VirtualMachine, host ref) fault {
	var before *ref
	var running bool
	var name string
	ctx.WithLock(vm, func() {
		before, name = vm.Runtime.Host, vm.Name
		running = vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	})
	if before != nil && *before == host {
		return nil
	}
	if running && b.Machines != nil {
		if err := b.Machines.Migrate(vm.Self, host); err != nil {
			return &types.MigrationFault{VimFault: types.VimFault{MethodFault: types.MethodFault{
				FaultCause: &types.LocalizedMethodFault{Fault: &types.SystemError{Reason: err.Error()}, LocalizedMessage: err.Error()},
			}}}
		}
	}
	b.place(ctx, vm, host)
	event := &types.VmMigratedEvent{VmEvent: eventOf(vm.Self, name, host)}
	event.Host = hostArgument(ctx, &host)
	if before != nil {
		event.SourceHost = *hostArgument(ctx, before)
	}
	event.SourceDatacenter = &types.DatacenterEventArgument{}
	if datacenter := datacenterOf(ctx, vm); datacenter != nil {
		event.SourceDatacenter.Name, event.SourceDatacenter.Datacenter = datacenter.Name, datacenter.Self
		event.Datacenter = event.SourceDatacenter
	}
	event.SourceDatastore = &types.DatastoreEventArgument{}
	if stores := locked(ctx, vm, func() []ref { return slices.Clone(vm.Datastore) }); len(stores) > 0 {
		if datastore, ok := ctx.Map.Get(stores[0]).(*simulator.Datastore); ok {
			event.SourceDatastore.Name, event.SourceDatastore.Datastore = datastore.Name, datastore.Self
		}
	}
	event.Ds = event.SourceDatastore
	Post(ctx, event)
	return nil
}

func hostArgument(ctx *simulator.Context, reference *ref) *types.HostEventArgument {
	argument := &types.HostEventArgument{Host: *reference}
	if host, ok := ctx.Map.Get(*reference).(*simulator.HostSystem); ok {
		argument.Name = host.Name
	}
	return argument
}

func (b *Behavior) changePool(ctx *simulator.Context, vm *simulator.VirtualMachine, pool ref) {
	before := locked(ctx, vm, func() *ref { return vm.ResourcePool })
	if before != nil && *before == pool {
		return
	}
	if before != nil {
		if old, ok := poolOf(ctx, *before); ok {
			ctx.Map.RemoveReference(ctx, old, &old.Vm, vm.Self)
			b.touch(*before)
		}
	}
	if new, ok := poolOf(ctx, pool); ok {
		ctx.Map.AddReference(ctx, new, &new.Vm, vm.Self)
		b.touch(pool)
	}
	ctx.WithLock(vm, func() { ctx.Update(vm, []types.PropertyChange{{Name: "resourcePool", Val: pool}}) })
	b.poolsChanged()
}

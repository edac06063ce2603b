// Package behavior adds to the simulator what a real vCenter does and refuses: it places VMs by pools, rules and groups,
// admits them by the pools' resources, restarts and evacuates them when hosts go, and checks every reference first.
package behavior

import (
	"sync"
	"sync/atomic"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type (
	ref   = types.ManagedObjectReference
	fault = types.BaseMethodFault
)

// Options choose what a vCenter may or may not have.
type Options struct {
	// SerialLicence is the one for serial ports over the network.
	SerialLicence bool
}

// Machines are what powered-on VMs run in; without them, a VM is only a flag.
type Machines interface {
	// Migrate moves a running VM live.
	Migrate(vm, host ref) error
	// FailHost ends all that runs on a host, and lets nothing run there until it has recovered. The VMs are off when it returns.
	FailHost(host ref)
	RecoverHost(host ref)
}

// Behavior is the layer, and the observer of the registry that goes with it.
type Behavior struct {
	options    Options
	dispatcher func() *dispatch.Dispatcher
	touch      func(ref)

	// admission is decided one by one; refresh keeps the pools' figures from going back.
	admission, refresh sync.Mutex
	refreshing         atomic.Bool

	mu sync.Mutex
	// starting VMs have been admitted to a host, and are not yet powered on.
	starting map[ref]ref
	index    map[ref]entry
	addresses
	// Machines are set before the first call.
	Machines Machines
}

// New makes the layer. The dispatcher is asked for when it is needed, as it is made after its layers.
func New(options Options, dispatcher func() *dispatch.Dispatcher, touch func(ref)) *Behavior {
	return &Behavior{
		options: options, dispatcher: dispatcher, touch: touch, starting: map[ref]ref{}, index: map[ref]entry{},
		addresses: addresses{used: map[string]ref{}},
	}
}

// Layer answers or refuses what the simulator would not, and passes everything else on.
func (b *Behavior) Layer(call *dispatch.Call, next dispatch.Handler) soap.HasFault {
	ctx := call.Context
	switch body := call.Body.(type) {
	case *types.CreateVM_Task:
		return b.createVM(call, body, next)
	case *types.ReconfigVM_Task:
		if vm, ok := ctx.Map.Get(call.This).(*simulator.VirtualMachine); ok {
			return failOr(call, next, b.checkSpec(ctx, place{datacenter: datacenterOf(ctx, vm), folder: vm.Parent, vm: vm}, &body.Spec))
		}
	case *types.PowerOnVM_Task:
		if vm, ok := ctx.Map.Get(call.This).(*simulator.VirtualMachine); ok {
			return failOr(call, next, b.admit(ctx, vm, body.Host))
		}
	case *types.PowerOnMultiVM_Task:
		return b.powerOnMany(call, body)
	case *types.MigrateVM_Task:
		return b.migrateVM(call, body)
	case *types.RelocateVM_Task:
		return b.relocateVM(call, body)
	case *types.EnterMaintenanceMode_Task:
		return b.enterMaintenance(call)
	case *types.ExitMaintenanceMode_Task:
		return b.exitMaintenance(call)
	case *types.DisconnectHost_Task:
		return b.setConnection(call, types.HostSystemConnectionStateDisconnected)
	case *types.ReconnectHost_Task:
		return b.setConnection(call, types.HostSystemConnectionStateConnected)
	case *types.DestroyCollector:
		return destroyCollector(call, next)
	case *types.CreateResourcePool:
		return b.createPool(call, body, next)
	case *types.UpdateConfig:
		return b.updatePool(call, body, next)
	case *types.CreateVirtualDisk_Task:
		return createDisk(call, body)
	case *types.ExtendVirtualDisk_Task:
		return b.extendDisk(call, body)
	case *types.CopyVirtualDisk_Task:
		return copyDisk(call, body, next)
	case *types.SetVirtualDiskUuid:
		return setUUID(call, body)
	case *types.QueryAssignedLicenses:
		return b.licences(next(call))
	case *types.CreateFolder:
		if fault := b.checkName(ctx, call.This, body.Name); fault != nil {
			return dispatch.Refuse(fault, "%s", messageOf(fault))
		}
	}
	return next(call)
}

// failOr passes a call on, or answers it with a task that fails.
func failOr(call *dispatch.Call, next dispatch.Handler, fault fault) soap.HasFault {
	if fault != nil {
		return dispatch.FailedTask(call, fault)
	}
	return next(call)
}

func notFound(ref ref) soap.HasFault {
	return dispatch.Refuse(&types.ManagedObjectNotFound{Obj: ref},
		"The object '%s:%s' has already been deleted or has not been completely created", ref.Type, ref.Value)
}

// PutObject is for the registry.
func (b *Behavior) PutObject(*simulator.Context, mo.Reference) {}

// UpdateObject finishes new hardware before anyone sees it, and follows power.
func (b *Behavior) UpdateObject(ctx *simulator.Context, object mo.Reference, changes []types.PropertyChange) {
	if task, ok := object.(*mo.Task); ok && task.Info.State == types.TaskInfoStateError && task.Info.Entity != nil {
		b.mu.Lock()
		delete(b.starting, *task.Info.Entity) // it may be that it was to be started
		b.mu.Unlock()
		b.taskFailed(ctx, task)
	}
	vm, ok := object.(*mo.VirtualMachine)
	if !ok {
		return
	}
	for _, change := range changes {
		if change.Name == "name" || change.Name == "config.hardware.device" {
			b.finish(ctx, vm)
			break
		}
	}
	b.note(vm.Self, describeVM(vm))
	for _, change := range changes {
		if change.Name == "runtime.powerState" {
			b.mu.Lock()
			delete(b.starting, vm.Self)
			b.mu.Unlock()
			b.poolsChanged()
		}
	}
}

// RemoveObject frees what a VM had.
func (b *Behavior) RemoveObject(_ *simulator.Context, gone ref) {
	if gone.Type == "VirtualMachine" {
		b.mu.Lock()
		delete(b.starting, gone)
		delete(b.index, gone)
		b.addresses.free(gone)
		b.mu.Unlock()
		b.poolsChanged()
	}
}

func datacenterOf(ctx *simulator.Context, entity mo.Entity) *simulator.Datacenter {
	for entity != nil {
		if dc, ok := entity.(*simulator.Datacenter); ok {
			return dc
		}
		parent := entity.Entity().Parent
		if parent == nil {
			return nil
		}
		entity, _ = ctx.Map.Get(*parent).(mo.Entity)
	}
	return nil
}

// locked gives what f reads of an object under its lock.
func locked[T any](ctx *simulator.Context, object mo.Reference, f func() T) T {
	var result T
	ctx.WithLock(object, func() { result = f() })
	return result
}

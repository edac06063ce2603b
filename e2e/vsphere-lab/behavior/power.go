package behavior

import (
	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// admit lets a VM be powered on: its files are there, its pool has the resources, and DRS finds it a host.
func (b *Behavior) admit(ctx *simulator.Context, vm *simulator.VirtualMachine, demanded *ref) fault {
	b.admission.Lock()
	defer b.admission.Unlock()
	state := locked(ctx, vm, func() types.VirtualMachineRuntimeInfo { return vm.Runtime })
	if state.PowerState == types.VirtualMachinePowerStatePoweredOn {
		return &types.InvalidPowerState{RequestedState: types.VirtualMachinePowerStatePoweredOn, ExistingState: state.PowerState}
	}
	b.mu.Lock()
	_, starting := b.starting[vm.Self]
	b.mu.Unlock()
	if starting && b.Machines != nil {
		return &types.TaskInProgress{}
	}
	fault := b.checkStart(ctx, vm)
	if fault == nil {
		fault = b.admitToPool(ctx, vm)
	}
	if fault != nil {
		return fault
	}
	wanted := requestOf(ctx, vm)
	_, config := hostsOf(ctx, wanted.pool)
	wanted.host = demanded
	if demanded == nil && (config == nil || config.DrsConfig.Enabled == nil || !*config.DrsConfig.Enabled) {
		wanted.host = state.Host
	}
	host, fault := b.chooseHost(ctx, wanted)
	if fault != nil {
		return fault
	}
	b.mu.Lock()
	b.starting[vm.Self] = host
	b.mu.Unlock()
	b.place(ctx, vm, host)
	return nil
}

// NotStarted tells that a VM that was admitted did not start.
func (b *Behavior) NotStarted(vm ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.starting, vm)
}

// place notes that a VM is on a host.
func (b *Behavior) place(ctx *simulator.Context, vm *simulator.VirtualMachine, host ref) {
	before := locked(ctx, vm, func() *ref { return vm.Runtime.Host })
	if before != nil && *before == host {
		return
	}
	ctx.WithLock(vm, func() {
		ctx.Update(vm, []types.PropertyChange{{Name: "runtime.host", Val: host}, {Name: "summary.runtime.host", Val: host}})
	})
	if before != nil {
		if old, ok := ctx.Map.Get(*before).(*simulator.HostSystem); ok {
			ctx.Map.RemoveReference(ctx, old, &old.Vm, vm.Self)
			b.touch(old.Self)
		}
	}
	if new, ok := ctx.Map.Get(host).(*simulator.HostSystem); ok {
		ctx.Map.AddReference(ctx, new, &new.Vm, vm.Self)
		b.touch(new.Self)
	}
}

// powerOnMany powers VMs on as DRS does: each is placed by the rules with regard to those before it.
func (b *Behavior) powerOnMany(call *dispatch.Call, body *types.PowerOnMultiVM_Task) soap.HasFault {
	datacenter, ok := call.Context.Map.Get(call.This).(*simulator.Datacenter)
	if !ok {
		return notFound(call.This)
	}
	for _, reference := range body.Vm {
		if _, ok := call.Context.Map.Get(reference).(*simulator.VirtualMachine); !ok {
			return notFound(reference)
		}
	}
	return dispatch.RunTask(call, datacenter.Self, func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		result := types.ClusterPowerOnVmResult{}
		for _, reference := range body.Vm {
			single := *ctx // locks are held by a Context: each VM's task needs its own
			vm, ok := ctx.Map.Get(reference).(*simulator.VirtualMachine)
			if !ok {
				continue
			}
			if fault := b.admit(&single, vm, nil); fault != nil {
				result.NotAttempted = append(result.NotAttempted, types.ClusterNotAttemptedVmInfo{
					Vm: reference, Fault: types.LocalizedMethodFault{Fault: fault, LocalizedMessage: messageOf(fault)},
				})
				continue
			}
			attempt := types.ClusterAttemptedVmInfo{Vm: reference}
			response := b.dispatcher().Internal(&single, reference, "PowerOnVM_Task", &types.PowerOnVM_Task{This: reference})
			attempt.Task = dispatch.TaskOf(response)
			result.Attempted = append(result.Attempted, attempt)
		}
		return result, nil
	})
}

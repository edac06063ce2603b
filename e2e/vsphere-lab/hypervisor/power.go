package hypervisor

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"dev.berth/e2e/vsphere-lab/behavior"
	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/machines"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Layer answers the power operations, and refuses what a running VM cannot have here.
func (h *Hypervisor) Layer(call *dispatch.Call, next dispatch.Handler) soap.HasFault {
	vm, ok := call.Context.Map.Get(call.This).(*simulator.VirtualMachine)
	if !ok {
		return next(call)
	}
	switch body := call.Body.(type) {
	case *types.PowerOnVM_Task:
		return h.task(call, "powerOn", func(ctx *simulator.Context) fault { return h.powerOn(ctx, vm) })
	case *types.PowerOffVM_Task:
		return h.task(call, "powerOff", func(ctx *simulator.Context) fault {
			return h.operate(ctx, vm, types.VirtualMachinePowerStatePoweredOff, nil, h.fleet.PowerOff)
		})
	case *types.SuspendVM_Task:
		return h.task(call, "suspend", func(ctx *simulator.Context) fault {
			return h.operate(ctx, vm, types.VirtualMachinePowerStateSuspended, nil, h.fleet.Suspend)
		})
	case *types.ResetVM_Task:
		return h.task(call, "reset", func(ctx *simulator.Context) fault {
			return h.operate(ctx, vm, "", &types.VmResettingEvent{VmEvent: behavior.VMEvent(ctx, vm)}, h.fleet.Reset)
		})
	case *types.ShutdownGuest:
		if fault := h.shutdownGuest(call.Context, vm); fault != nil {
			return dispatch.Refuse(fault, "Cannot complete operation because VMware Tools is not running in this virtual machine.")
		}
		return &methods.ShutdownGuestBody{Res: &types.ShutdownGuestResponse{}}
	case *types.RebootGuest, *types.StandbyGuest:
		return dispatch.Refuse(&types.ToolsUnavailable{}, "Cannot complete operation because VMware Tools is not running in this virtual machine.")
	case *types.ReconfigVM_Task:
		return h.reconfigure(call, vm, body, next)
	}
	return next(call)
}

func (h *Hypervisor) task(call *dispatch.Call, name string, work func(*simulator.Context) fault) soap.HasFault {
	return dispatch.RunTaskNamed(call, name, call.This, func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		return nil, work(ctx)
	})
}

func state(ctx *simulator.Context, vm *simulator.VirtualMachine) (power types.VirtualMachinePowerState, host ref) {
	ctx.WithLock(vm, func() {
		power = vm.Runtime.PowerState
		if vm.Runtime.Host != nil {
			host = *vm.Runtime.Host
		}
	})
	return power, host
}

func (h *Hypervisor) powerOn(ctx *simulator.Context, vm *simulator.VirtualMachine) fault {
	fault := h.start(ctx, vm)
	if fault != nil {
		h.notStarted(vm.Self)
	}
	return fault
}

func (h *Hypervisor) start(ctx *simulator.Context, vm *simulator.VirtualMachine) fault {
	power, host := state(ctx, vm)
	if power == types.VirtualMachinePowerStatePoweredOn {
		return invalid(types.VirtualMachinePowerStatePoweredOn, power)
	}
	stores := datastores(ctx)
	var hardware machines.Hardware
	var err error
	var template bool
	ctx.WithLock(vm, func() {
		hardware, err = machines.FromConfig(vm.Config, stores)
		template = vm.Config.Template
	})
	if template {
		return &types.InvalidState{}
	}
	limited, cancel := context.WithTimeout(context.Background(), powerDeadline)
	defer cancel()
	if err == nil {
		err = h.fleet.PowerOn(limited, vm.Self.Value, host.Value, hardware)
	}
	if err != nil {
		return faultOf(err, types.VirtualMachinePowerStatePoweredOn, power)
	}
	if h.isDown(host) {
		_ = h.fleet.FailHost(limited, host.Value)
		return &types.HostNotConnected{}
	}
	_ = h.fleet.Settle(limited)
	return nil
}

// datastores gives the folders of all datastores by name. Their names are told apart in one vCenter.
func datastores(ctx *simulator.Context) machines.Datastores {
	folders := map[string]string{}
	for _, entity := range ctx.Map.All("Datastore") {
		if datastore, ok := entity.(*simulator.Datastore); ok {
			folders[datastore.Name] = datastore.Summary.Url
		}
	}
	return func(name string) (string, error) {
		if folder, ok := folders[name]; ok {
			return folder, nil
		}
		return "", fs.ErrNotExist
	}
}

// operate does to a VM that is on what leads to a state, or with none to the same again.
func (h *Hypervisor) operate(ctx *simulator.Context, vm *simulator.VirtualMachine, to types.VirtualMachinePowerState, event types.BaseEvent,
	do func(context.Context, string) error) fault {
	power, host := state(ctx, vm)
	if connection(ctx, host) != types.HostSystemConnectionStateConnected {
		return &types.HostNotConnected{}
	}
	off := power == types.VirtualMachinePowerStatePoweredOff
	suspended := power == types.VirtualMachinePowerStateSuspended && to != types.VirtualMachinePowerStatePoweredOff
	if off || suspended {
		if to == "" {
			to = types.VirtualMachinePowerStatePoweredOn
		}
		return invalid(to, power)
	}
	if event != nil {
		behavior.Post(ctx, event)
	}
	limited, cancel := context.WithTimeout(context.Background(), powerDeadline)
	defer cancel()
	if err := do(limited, vm.Self.Value); err != nil {
		return faultOf(err, to, types.VirtualMachinePowerStatePoweredOff)
	}
	_ = h.fleet.Settle(limited)
	return nil
}

func invalid(wanted, present types.VirtualMachinePowerState) fault {
	return &types.InvalidPowerState{RequestedState: wanted, ExistingState: present}
}

// faultOf says why a machine did not do what it was to.
func faultOf(err error, wanted, present types.VirtualMachinePowerState) fault {
	var file *machines.FileError
	switch {
	case errors.As(err, &file) && errors.Is(err, fs.ErrNotExist):
		return &types.FileNotFound{FileFault: types.FileFault{File: file.Path}}
	case errors.Is(err, machines.ErrLocked):
		return &types.FileLocked{}
	case errors.Is(err, machines.ErrPoweredOn):
		return invalid(wanted, types.VirtualMachinePowerStatePoweredOn)
	case errors.Is(err, machines.ErrPoweredOff):
		return invalid(wanted, present)
	}
	return &types.GenericVmConfigFault{Reason: err.Error()}
}

// shutdownGuest presses the power button of a guest that has tools.
func (h *Hypervisor) shutdownGuest(ctx *simulator.Context, vm *simulator.VirtualMachine) fault {
	var tools string
	ctx.WithLock(vm, func() { tools = vm.Guest.ToolsRunningStatus })
	if power, _ := state(ctx, vm); power != types.VirtualMachinePowerStatePoweredOn {
		return invalid(types.VirtualMachinePowerStatePoweredOn, power)
	}
	if tools != string(types.VirtualMachineToolsRunningStatusGuestToolsRunning) {
		return &types.ToolsUnavailable{}
	}
	return h.operate(ctx, vm, "", &types.VmGuestShutdownEvent{VmEvent: behavior.VMEvent(ctx, vm)}, h.fleet.ShutdownGuest)
}

// reconfigure lets a running VM have no other devices. The guestinfo that it is given does not outlive its power-off.
func (h *Hypervisor) reconfigure(call *dispatch.Call, vm *simulator.VirtualMachine, body *types.ReconfigVM_Task, next dispatch.Handler) soap.HasFault {
	if power, _ := state(call.Context, vm); power == types.VirtualMachinePowerStatePoweredOff {
		return next(call)
	}
	if len(body.Spec.DeviceChange) > 0 {
		return dispatch.FailedTask(call, &types.NotSupported{})
	}
	h.mu.Lock()
	for _, option := range body.Spec.ExtraConfig {
		delete(h.kept[vm.Self], strings.ToLower(option.GetOptionValue().Key))
	}
	h.mu.Unlock()
	return next(call)
}

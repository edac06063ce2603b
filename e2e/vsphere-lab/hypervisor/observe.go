package hypervisor

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"dev.berth/e2e/vsphere-lab/behavior"
	"dev.berth/e2e/vsphere-lab/machines"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	guestInfoPrefix = "guestinfo."
	// addressKey is where vCenter takes the address of a guest without tools from, and toolsKey what those say when they begin.
	addressKey = "guestinfo.ip"
	toolsKey   = "guestinfo.vmtools.versionnumber"
)

// observe is told of every event of a machine, one after another. What happens on a disconnected host is published when that is back.
func (h *Hypervisor) observe(event machines.Event) {
	ctx := h.dispatcher().System()
	host := ref{Type: "HostSystem", Value: event.Host}
	h.publishing.Lock()
	defer h.publishing.Unlock()
	if connection(ctx, host) == types.HostSystemConnectionStateDisconnected {
		h.held[host] = append(h.held[host], event)
		return
	}
	h.publish(ctx, event)
}

// release publishes what has happened on a host meanwhile.
func (h *Hypervisor) release(host ref) {
	ctx := h.dispatcher().System()
	h.publishing.Lock()
	defer h.publishing.Unlock()
	events := h.held[host]
	delete(h.held, host)
	for _, event := range events {
		h.publish(ctx, event)
	}
}

func connection(ctx *simulator.Context, reference ref) types.HostSystemConnectionState {
	host, ok := ctx.Map.Get(reference).(*simulator.HostSystem)
	if !ok {
		return ""
	}
	var state types.HostSystemConnectionState
	ctx.WithLock(host, func() { state = host.Runtime.ConnectionState })
	return state
}

func (h *Hypervisor) publish(ctx *simulator.Context, event machines.Event) {
	vm, ok := ctx.Map.Get(ref{Type: "VirtualMachine", Value: event.ID}).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	switch event.Kind {
	case machines.Started:
		h.started(ctx, vm)
	case machines.Exited:
		h.exited(ctx, vm, event)
	case machines.Rebooted:
		behavior.Post(ctx, &types.VmGuestRebootEvent{VmEvent: behavior.VMEvent(ctx, vm)})
		set(ctx, vm, boot(time.Now())...)
	case machines.GuestInfo:
		Tell(ctx, vm, event.Key, event.Value)
	case machines.Migrated: // whoever had it moved publishes that
	}
}

func set(ctx *simulator.Context, vm *simulator.VirtualMachine, changes ...types.PropertyChange) {
	ctx.WithLock(vm, func() { ctx.Update(vm, changes) })
}

func boot(at any) []types.PropertyChange {
	return []types.PropertyChange{{Name: "runtime.bootTime", Val: at}, {Name: "summary.runtime.bootTime", Val: at}}
}

func power(state types.VirtualMachinePowerState) []types.PropertyChange {
	return []types.PropertyChange{{Name: "runtime.powerState", Val: state}, {Name: "summary.runtime.powerState", Val: state}}
}

func (h *Hypervisor) started(ctx *simulator.Context, vm *simulator.VirtualMachine) {
	event := behavior.VMEvent(ctx, vm)
	behavior.Post(ctx, &types.VmStartingEvent{VmEvent: event})
	ctx.WithLock(vm, func() {
		if vm.Runtime.PowerState != types.VirtualMachinePowerStateSuspended {
			h.keep(vm)
		}
		changes := append(power(types.VirtualMachinePowerStatePoweredOn), boot(time.Now())...)
		ctx.Update(vm, append(changes, types.PropertyChange{Name: "config.hardware.device", Val: plugged(vm.Config.Hardware.Device, true)}))
	})
	behavior.Post(ctx, &types.VmPoweredOnEvent{VmEvent: event})
}

// keep remembers the guestinfo that a power-off leaves: what was there before the power-on.
func (h *Hypervisor) keep(vm *simulator.VirtualMachine) {
	keys := map[string]bool{}
	for _, option := range vm.Config.ExtraConfig {
		keys[strings.ToLower(option.GetOptionValue().Key)] = true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept[vm.Self] = keys
}

func (h *Hypervisor) exited(ctx *simulator.Context, vm *simulator.VirtualMachine, event machines.Event) {
	state := types.VirtualMachinePowerStatePoweredOff
	if event.Reason == machines.SuspendedOff {
		state = types.VirtualMachinePowerStateSuspended
	}
	posted := behavior.VMEvent(ctx, vm)
	ctx.WithLock(vm, func() {
		changes := append(power(state), boot(nil)...)
		changes = append(changes, gone()...)
		changes = append(changes, types.PropertyChange{Name: "config.hardware.device", Val: plugged(vm.Config.Hardware.Device, false)})
		if state == types.VirtualMachinePowerStatePoweredOff {
			changes = append(changes, types.PropertyChange{Name: "config.extraConfig", Val: h.persistent(vm)})
		}
		ctx.Update(vm, changes)
	})
	switch event.Reason {
	case machines.SuspendedOff:
		behavior.Post(ctx, &types.VmSuspendedEvent{VmEvent: posted})
	case machines.PoweredOff:
		behavior.Post(ctx, &types.VmStoppingEvent{VmEvent: posted})
		behavior.Post(ctx, &types.VmPoweredOffEvent{VmEvent: posted})
	case machines.GuestOff, machines.Killed:
		behavior.Post(ctx, &types.VmPoweredOffEvent{VmEvent: posted})
	case machines.HostFailed: // vCenter hears nothing of it but that the host is gone
	}
}

// gone says that nothing is known of the guest any more.
func gone() []types.PropertyChange {
	return append(tools(types.VirtualMachineToolsStatusToolsNotRunning, types.VirtualMachineToolsRunningStatusGuestToolsNotRunning), address("")...)
}

func tools(status types.VirtualMachineToolsStatus, running types.VirtualMachineToolsRunningStatus) []types.PropertyChange {
	return []types.PropertyChange{
		{Name: "guest.toolsStatus", Val: status}, {Name: "guest.toolsRunningStatus", Val: string(running)},
		{Name: "summary.guest.toolsStatus", Val: status}, {Name: "summary.guest.toolsRunningStatus", Val: string(running)},
	}
}

func address(ip string) []types.PropertyChange {
	return []types.PropertyChange{{Name: "guest.ipAddress", Val: ip}, {Name: "summary.guest.ipAddress", Val: ip}}
}

// persistent gives extraConfig without the guestinfo that came while the VM was on.
func (h *Hypervisor) persistent(vm *simulator.VirtualMachine) []types.BaseOptionValue {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.kept[vm.Self]
	delete(h.kept, vm.Self)
	return slices.DeleteFunc(slices.Clone(vm.Config.ExtraConfig), func(option types.BaseOptionValue) bool {
		key := strings.ToLower(option.GetOptionValue().Key)
		return strings.HasPrefix(key, guestInfoPrefix) && !kept[key]
	})
}

// Tell publishes what a guest has told in its guestinfo; an empty value removes the key.
func Tell(ctx *simulator.Context, vm *simulator.VirtualMachine, key, value string) {
	ctx.WithLock(vm, func() {
		is := func(option types.BaseOptionValue) bool { return strings.EqualFold(option.GetOptionValue().Key, key) }
		all := slices.Clone(vm.Config.ExtraConfig)
		switch i := slices.IndexFunc(all, is); {
		case value == "":
			all = slices.DeleteFunc(all, is)
		case i >= 0:
			all[i] = &types.OptionValue{Key: all[i].GetOptionValue().Key, Value: value}
		default:
			all = append(all, &types.OptionValue{Key: key, Value: value})
		}
		changes := []types.PropertyChange{{Name: "config.extraConfig", Val: all}}
		switch {
		case strings.EqualFold(key, addressKey):
			changes = append(changes, address(value)...)
		case strings.EqualFold(key, toolsKey) && value != "":
			changes = append(changes, tools(types.VirtualMachineToolsStatusToolsOk, types.VirtualMachineToolsRunningStatusGuestToolsRunning)...)
		}
		ctx.Update(vm, changes)
	})
}

// plugged gives devices anew, as connected as they begin or not at all.
func plugged(devices []types.BaseVirtualDevice, on bool) []types.BaseVirtualDevice {
	all := make([]types.BaseVirtualDevice, len(devices))
	for i, device := range devices {
		copied := reflect.New(reflect.TypeOf(device).Elem())
		copied.Elem().Set(reflect.ValueOf(device).Elem())
		all[i], _ = copied.Interface().(types.BaseVirtualDevice)
		d := all[i].GetVirtualDevice()
		if d.Connectable != nil {
			connectable := *d.Connectable
			connectable.Connected = on && connectable.StartConnected
			d.Connectable = &connectable
		}
	}
	return all
}

package behavior

import (
	"fmt"
	"slices"
	"time"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// vmsOn gives the VMs of a host.
func vmsOn(ctx *simulator.Context, host *simulator.HostSystem) []*simulator.VirtualMachine {
	var vms []*simulator.VirtualMachine
	for _, reference := range locked(ctx, host, func() []ref { return slices.Clone(host.Vm) }) {
		if vm, ok := ctx.Map.Get(reference).(*simulator.VirtualMachine); ok {
			vms = append(vms, vm)
		}
	}
	return vms
}

func isOn(ctx *simulator.Context, vm *simulator.VirtualMachine) bool {
	return locked(ctx, vm, func() bool { return vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn })
}

func set(ctx *simulator.Context, object mo.Reference, changes ...types.PropertyChange) {
	ctx.WithLock(object, func() { ctx.Update(object, changes) })
}

// enterMaintenance evacuates a host; it fails when a running VM has nowhere to go.
func (b *Behavior) enterMaintenance(call *dispatch.Call) soap.HasFault {
	host, ok := call.Context.Map.Get(call.This).(*simulator.HostSystem)
	if !ok {
		return notFound(call.This)
	}
	return b.hostTask(call, host, func(ctx *simulator.Context) fault {
		if locked(ctx, host, func() bool { return host.Runtime.InMaintenanceMode }) {
			return &types.InvalidState{}
		}
		for _, vm := range vmsOn(ctx, host) {
			if !isOn(ctx, vm) {
				continue
			}
			wanted := requestOf(ctx, vm)
			wanted.avoid = host.Self
			target, fault := b.chooseHost(ctx, wanted)
			if fault == nil {
				fault = b.migrate(ctx, vm, target)
			}
			if fault != nil {
				return fault
			}
		}
		set(ctx, host, types.PropertyChange{Name: "runtime.inMaintenanceMode", Val: true})
		Post(ctx, &types.EnteredMaintenanceModeEvent{HostEvent: hostEvent(ctx, host, "Host "+host.Name+" has entered maintenance mode")})
		return nil
	})
}

func (b *Behavior) exitMaintenance(call *dispatch.Call) soap.HasFault {
	host, ok := call.Context.Map.Get(call.This).(*simulator.HostSystem)
	if !ok {
		return notFound(call.This)
	}
	return b.hostTask(call, host, func(ctx *simulator.Context) fault {
		if !locked(ctx, host, func() bool { return host.Runtime.InMaintenanceMode }) {
			return &types.InvalidState{}
		}
		set(ctx, host, types.PropertyChange{Name: "runtime.inMaintenanceMode", Val: false})
		Post(ctx, &types.ExitMaintenanceModeEvent{HostEvent: hostEvent(ctx, host, "Host "+host.Name+" has exited maintenance mode")})
		return nil
	})
}

// hostTask runs work on a Context that is not the caller's, for VMs' locks are taken and given back one by one.
func (b *Behavior) hostTask(call *dispatch.Call, host *simulator.HostSystem, work func(*simulator.Context) fault) soap.HasFault {
	return dispatch.RunTask(call, host.Self, func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		return nil, work(ctx)
	})
}

// setConnection loses or regains sight of a host; what runs on it runs on.
func (b *Behavior) setConnection(call *dispatch.Call, state types.HostSystemConnectionState) soap.HasFault {
	host, ok := call.Context.Map.Get(call.This).(*simulator.HostSystem)
	if !ok {
		return notFound(call.This)
	}
	return b.hostTask(call, host, func(ctx *simulator.Context) fault {
		if locked(ctx, host, func() bool { return host.Runtime.ConnectionState == state }) {
			return &types.InvalidState{}
		}
		b.connection(ctx, host, state)
		if state == types.HostSystemConnectionStateConnected {
			Post(ctx, &types.HostConnectedEvent{HostEvent: hostEvent(ctx, host, "Connected to "+host.Name)})
		} else {
			Post(ctx, &types.HostDisconnectedEvent{HostEvent: hostEvent(ctx, host, "Disconnected from "+host.Name), Reason: "user"})
		}
		return nil
	})
}

func (b *Behavior) connection(ctx *simulator.Context, host *simulator.HostSystem, state types.HostSystemConnectionState) {
	set(ctx, host, types.PropertyChange{Name: "runtime.connectionState", Val: state})
	seen := types.VirtualMachineConnectionStateConnected
	if state != types.HostSystemConnectionStateConnected {
		seen = types.VirtualMachineConnectionStateDisconnected
	}
	for _, vm := range vmsOn(ctx, host) {
		set(ctx, vm, types.PropertyChange{Name: "runtime.connectionState", Val: seen}, types.PropertyChange{Name: "summary.runtime.connectionState", Val: seen})
	}
}

func hostNamed(ctx *simulator.Context, name string) (*simulator.HostSystem, error) {
	for _, entity := range ctx.Map.All("HostSystem") {
		if host, ok := entity.(*simulator.HostSystem); ok && (host.Name == name || host.Self.Value == name) {
			return host, nil
		}
	}
	return nil, fmt.Errorf("there is no host %q", name)
}

// FailHost makes a host die. Where the cluster has HA, its running VMs are restarted on other hosts; elsewhere they are off
// when the host is back.
func (b *Behavior) FailHost(ctx *simulator.Context, name string) error {
	host, err := hostNamed(ctx, name)
	if err != nil {
		return err
	}
	var running []*simulator.VirtualMachine
	for _, vm := range vmsOn(ctx, host) {
		if isOn(ctx, vm) {
			running = append(running, vm)
		}
	}
	b.connection(ctx, host, types.HostSystemConnectionStateNotResponding)
	if b.Machines != nil {
		b.Machines.FailHost(host.Self)
	}
	for _, vm := range running {
		if isOn(ctx, vm) {
			b.off(ctx, vm)
		}
	}
	Post(ctx, &types.HostConnectionLostEvent{HostEvent: hostEvent(ctx, host, "Host "+name+" is not responding")})
	for _, vm := range running {
		b.restart(vm)
	}
	return nil
}

func (b *Behavior) off(ctx *simulator.Context, vm *simulator.VirtualMachine) {
	off := types.VirtualMachinePowerStatePoweredOff
	set(ctx, vm, types.PropertyChange{Name: "runtime.powerState", Val: off}, types.PropertyChange{Name: "summary.runtime.powerState", Val: off})
}

// restart is HA's, one VM at a time.
func (b *Behavior) restart(vm *simulator.VirtualMachine) {
	ctx := b.dispatcher().System()
	wanted := requestOf(ctx, vm)
	_, config := hostsOf(ctx, wanted.pool)
	if config == nil || config.DasConfig.Enabled == nil || !*config.DasConfig.Enabled {
		return
	}
	connected := types.VirtualMachineConnectionStateConnected
	if fault := b.admit(ctx, vm, nil); fault != nil {
		Post(ctx, &types.VmFailoverFailed{
			VmEvent: eventOf(vm.Self, vm.Name, ref{}), Reason: &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: messageOf(fault)},
		})
		return
	}
	set(ctx, vm, types.PropertyChange{Name: "runtime.connectionState", Val: connected}, types.PropertyChange{Name: "summary.runtime.connectionState", Val: connected},
		types.PropertyChange{Name: "runtime.bootTime", Val: time.Now()})
	// The task goes on with its Context, which holds locks for whoever has it: it gets one of its own.
	b.dispatcher().Internal(b.dispatcher().System(), vm.Self, "PowerOnVM_Task", &types.PowerOnVM_Task{This: vm.Self})
	host := locked(ctx, vm, func() ref { return *vm.Runtime.Host })
	event := eventOf(vm.Self, vm.Name, host).Event
	event.Host = hostArgument(ctx, &host)
	event.FullFormattedMessage = "vSphere HA restarted virtual machine " + vm.Name
	Post(ctx, &types.EventEx{
		Event: event, EventTypeId: "com.vmware.vc.ha.VmRestartedByHAEvent", Severity: string(types.EventEventSeverityWarning),
		ObjectId: vm.Self.Value, ObjectType: "VirtualMachine", ObjectName: vm.Name,
	})
}

// RecoverHost brings a dead host back, empty.
func (b *Behavior) RecoverHost(ctx *simulator.Context, name string) error {
	host, err := hostNamed(ctx, name)
	if err != nil {
		return err
	}
	if b.Machines != nil {
		b.Machines.RecoverHost(host.Self)
	}
	b.connection(ctx, host, types.HostSystemConnectionStateConnected)
	Post(ctx, &types.HostConnectedEvent{HostEvent: hostEvent(ctx, host, "Connected to "+host.Name)})
	return nil
}

func eventOf(vm ref, name string, host ref) types.VmEvent {
	event := types.VmEvent{Event: types.Event{
		Vm: &types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: name}, Vm: vm},
	}}
	if host.Value != "" {
		event.Host = &types.HostEventArgument{Host: host}
	}
	return event
}

// VMEvent begins an event about a VM as it is now.
func VMEvent(ctx *simulator.Context, vm *simulator.VirtualMachine) types.VmEvent {
	var name string
	var host *ref
	ctx.WithLock(vm, func() { name, host = vm.Name, vm.Runtime.Host })
	event := eventOf(vm.Self, name, ref{})
	if host != nil {
		event.Host = hostArgument(ctx, host)
	}
	event.Datacenter = &types.DatacenterEventArgument{}
	if datacenter := datacenterOf(ctx, vm); datacenter != nil {
		event.Datacenter.Name, event.Datacenter.Datacenter = datacenter.Name, datacenter.Self
	}
	return event
}

// Post publishes an event.
func Post(ctx *simulator.Context, event types.BaseEvent) {
	manager := ctx.Map.EventManager()
	ctx.WithLock(manager, func() { manager.PostEvent(ctx, &types.PostEvent{EventToPost: event}) })
}

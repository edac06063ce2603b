package behavior

import (
	"strings"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// hostEvent is the part that all events of a host share.
func hostEvent(ctx *simulator.Context, host *simulator.HostSystem, message string) types.HostEvent {
	return types.HostEvent{Event: types.Event{
		Host: hostArgument(ctx, &host.Self), FullFormattedMessage: message,
	}}
}

// taskFailed posts what vCenter does beside the task's own end.
func (b *Behavior) taskFailed(ctx *simulator.Context, task *mo.Task) {
	entity := *task.Info.Entity
	entity.Value = strings.TrimSuffix(entity.Value, dispatch.InTask)
	vm, ok := ctx.Map.Get(entity).(*simulator.VirtualMachine)
	if !ok {
		return
	}
	kind, method, _ := strings.Cut(task.Info.DescriptionId, ".")
	reason := task.Info.Error
	if kind != "VirtualMachine" || reason == nil {
		return
	}
	own := *ctx // what is locked now stays so until this returns
	go func() {
		if event := failureOf(&own, vm, method, *reason); event != nil {
			Post(&own, event)
		}
	}()
}

func failureOf(ctx *simulator.Context, vm *simulator.VirtualMachine, method string, reason types.LocalizedMethodFault) types.BaseEvent {
	event := VMEvent(ctx, vm)
	is := func(name string) bool { return strings.HasPrefix(method, name) }
	switch {
	case is("powerOn"):
		return &types.VmFailedToPowerOnEvent{VmEvent: event, Reason: reason}
	case is("powerOff"):
		return &types.VmFailedToPowerOffEvent{VmEvent: event, Reason: reason}
	case is("reset"):
		return &types.VmFailedToResetEvent{VmEvent: event, Reason: reason}
	case is("suspend"):
		return &types.VmFailedToSuspendEvent{VmEvent: event, Reason: reason}
	case is("migrate"), is("relocate"):
		failed := &types.VmFailedMigrateEvent{VmEvent: event, Reason: reason}
		if event.Host != nil { // where it stays: the task does not tell where it was to go
			failed.DestHost = *event.Host
		}
		return failed
	}
	return nil
}

// destroyCollector holds off the events that go to it meanwhile.
func destroyCollector(call *dispatch.Call, next dispatch.Handler) (answer soap.HasFault) {
	call.Context.WithLock(call.Context.Map.EventManager(), func() { answer = next(call) })
	return answer
}

package dispatch

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type refusal struct{ fault *soap.Fault }

func (r *refusal) Fault() *soap.Fault { return r.fault }

// Refuse answers a call with a fault and the message that a person reads.
func Refuse(fault types.BaseMethodFault, format string, arguments ...any) soap.HasFault {
	return &refusal{simulator.Fault(fmt.Sprintf(format, arguments...), fault)}
}

// Interrupted answers a call by HTTP alone: with a status, or with 0 by breaking the connection.
type Interrupted struct{ Status, RetryAfter int }

// Fault is for layers that look at the answer on its way out.
func (i *Interrupted) Fault() *soap.Fault {
	return simulator.Fault("interrupted", &types.HostCommunication{})
}

// Answer writes the status or breaks the connection.
func (i Interrupted) Answer(w http.ResponseWriter) {
	if i.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	if i.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(i.RetryAfter))
	}
	http.Error(w, "by a rule of the test", i.Status)
}

// TaskAnswer is the response of a method with a task.
type TaskAnswer struct {
	Res    *TaskResponse
	method string
}

// TaskResponse holds the reference of the task.
type TaskResponse struct {
	Returnval types.ManagedObjectReference `xml:"returnval"`
}

// Fault is nil.
func (a *TaskAnswer) Fault() *soap.Fault { return nil }

// Element is the name of the response in SOAP.
func (a *TaskAnswer) Element() string { return a.method + "Response" }

// TaskOf gives the task of an answer of PowerOnVM_Task, nil when the call was refused.
func TaskOf(response soap.HasFault) *types.ManagedObjectReference {
	switch answer := response.(type) {
	case *TaskAnswer:
		return &answer.Res.Returnval
	case *methods.PowerOnVM_TaskBody:
		if answer.Res != nil {
			return &answer.Res.Returnval
		}
	}
	return nil
}

// InTask ends the entity's identifier of a task that runs in the background, until that is told otherwise.
const InTask = " in a task"

// RunTask answers a method with a task that does the work in the background. The simulator keeps its entity locked while
// such a task runs; work that looks at other objects too would deadlock, so these tasks hold a lock of their own.
func RunTask(call *Call, entity types.ManagedObjectReference, work func(*simulator.Context) (types.AnyType, types.BaseMethodFault)) soap.HasFault {
	return RunTaskNamed(call, taskName(call.Method), entity, work)
}

// RunTaskNamed is RunTask with another name of the task, such as powerOn of PowerOnVM_Task.
func RunTaskNamed(call *Call, name string, entity types.ManagedObjectReference,
	work func(*simulator.Context) (types.AnyType, types.BaseMethodFault)) soap.HasFault {
	ctx := *call.Context
	own := types.ManagedObjectReference{Type: entity.Type, Value: entity.Value + InTask}
	task := simulator.CreateTask(own, name, func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		return work(&ctx)
	})
	task.Info.DescriptionId = entity.Type + "." + strings.TrimSuffix(name, "Task")
	reference := task.Run(&ctx)
	ctx.Map.AtomicUpdate(call.Context, task, []types.PropertyChange{
		{Name: "info.entity", Val: entity}, {Name: "info.entityName", Val: entityName(call.Context, entity)},
	})
	return &TaskAnswer{Res: &TaskResponse{Returnval: reference}, method: call.Method}
}

func entityName(ctx *simulator.Context, reference types.ManagedObjectReference) string {
	name := reference.Value
	if entity, ok := ctx.Map.Get(reference).(mo.Entity); ok {
		ctx.WithLock(entity, func() { name = entity.Entity().Name })
	}
	return name
}

func taskName(method string) string {
	return string(method[0]|0x20) + method[1:len(method)-len("_Task")] + "Task"
}

// FailedTask answers a method with a task that fails.
func FailedTask(call *Call, fault types.BaseMethodFault) soap.HasFault {
	return RunTask(call, call.This, func(*simulator.Context) (types.AnyType, types.BaseMethodFault) { return nil, fault })
}

package lab

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type observer interface {
	PutObject(*simulator.Context, mo.Reference)
	UpdateObject(*simulator.Context, mo.Reference, []types.PropertyChange)
	RemoveObject(*simulator.Context, types.ManagedObjectReference)
}

// observers hear of the registry's changes in their order, which it does not keep among handlers of its own.
type observers []observer

// Reference is for the registry's list of handlers.
func (observers) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "Observers", Value: "lab"}
}

func (all observers) PutObject(ctx *simulator.Context, object mo.Reference) {
	for _, o := range all {
		o.PutObject(ctx, object)
	}
}

func (all observers) UpdateObject(ctx *simulator.Context, object mo.Reference, changes []types.PropertyChange) {
	for _, o := range all {
		o.UpdateObject(ctx, object, changes)
	}
}

func (all observers) RemoveObject(ctx *simulator.Context, gone types.ManagedObjectReference) {
	for _, o := range all {
		o.RemoveObject(ctx, gone)
	}
}

package behavior

import (
	"reflect"
	"time"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// A real vCenter takes seconds to tell of what a pool uses.
const poolDelay = 50 * time.Millisecond

// amounts of CPU in MHz and memory in MiB.
type amounts struct{ cpu, memory int64 }

func (a amounts) plus(b amounts) amounts { return amounts{a.cpu + b.cpu, a.memory + b.memory} }

// pool is a copy of what admission needs of one.
type pool struct {
	self, parent       ref
	reservation, limit amounts
	expandableCPU      bool
	expandableMemory   bool
	used               amounts // by powered-on VMs in it and by child pools
	forVMs             amounts
	usage              amounts // configured sizes of the powered-on VMs, as the usage of flags
}

func reservedBy(allocation *types.ResourceAllocationInfo) int64 {
	if allocation == nil || allocation.Reservation == nil {
		return 0
	}
	return *allocation.Reservation
}

func limitOf(allocation types.ResourceAllocationInfo) int64 {
	if allocation.Limit == nil {
		return -1
	}
	return *allocation.Limit
}

// pools gives all of them with what is used.
func (b *Behavior) pools(ctx *simulator.Context) map[ref]*pool {
	all := map[ref]*pool{}
	for _, kind := range []string{"ResourcePool", "VirtualApp"} {
		for _, entity := range ctx.Map.All(kind) {
			if found, ok := poolOf(ctx, entity.Reference()); ok {
				all[entity.Reference()] = locked(ctx, entity, func() *pool { return describe(found) })
			}
		}
	}
	for _, p := range all {
		if parent, ok := all[p.parent]; ok {
			parent.used = parent.used.plus(p.reservation)
		}
	}
	for _, e := range b.running() {
		if p := all[e.pool]; p != nil {
			p.used, p.forVMs = p.used.plus(e.reserved), p.forVMs.plus(e.reserved)
			p.usage.memory += e.memory
		}
	}
	return all
}

func describe(found *mo.ResourcePool) *pool {
	cpu, memory := found.Config.CpuAllocation, found.Config.MemoryAllocation
	p := &pool{
		self:             found.Self,
		reservation:      amounts{reservedBy(&cpu), reservedBy(&memory)},
		limit:            amounts{limitOf(cpu), limitOf(memory)},
		expandableCPU:    cpu.ExpandableReservation != nil && *cpu.ExpandableReservation,
		expandableMemory: memory.ExpandableReservation != nil && *memory.ExpandableReservation,
	}
	if found.Parent != nil {
		p.parent = *found.Parent
	}
	return p
}

// admitToPool lets a VM be powered on when its reservation is to be had of its pool, or of the pools above it.
func (b *Behavior) admitToPool(ctx *simulator.Context, vm *simulator.VirtualMachine) fault {
	e := b.noteNow(ctx, vm)
	return b.available(b.pools(ctx), e.pool, e.reserved)
}

func (b *Behavior) available(all map[ref]*pool, reference ref, wanted amounts) fault {
	cpu, memory := wanted.cpu, wanted.memory
	for p := all[reference]; p != nil; p = all[p.parent] {
		root := all[p.parent] == nil
		if root {
			return nil // the hosts' capacity is another matter
		}
		free := amounts{p.reservation.cpu - p.used.cpu, p.reservation.memory - p.used.memory}
		if cpu > 0 && (p.limit.cpu >= 0 && p.used.cpu+cpu > p.limit.cpu || !p.expandableCPU && cpu > free.cpu) {
			return &types.InsufficientCpuResourcesFault{Unreserved: max(free.cpu, 0), Requested: cpu}
		}
		if memory > 0 && (p.limit.memory >= 0 && p.used.memory+memory > p.limit.memory || !p.expandableMemory && memory > free.memory) {
			return &types.InsufficientMemoryResourcesFault{Unreserved: max(free.memory, 0) << 20, Requested: memory << 20}
		}
		cpu, memory = max(cpu-max(free.cpu, 0), 0), max(memory-max(free.memory, 0), 0)
		if cpu == 0 && memory == 0 {
			return nil
		}
	}
	return nil
}

// poolsChanged has the pools' figures made anew, soon and not for each of many changes.
func (b *Behavior) poolsChanged() {
	if b.refreshing.CompareAndSwap(false, true) {
		time.AfterFunc(poolDelay, func() {
			b.refreshing.Store(false)
			b.refreshPools()
		})
	}
}

// refreshPools tells everyone what pools have left.
func (b *Behavior) refreshPools() {
	b.refresh.Lock()
	defer b.refresh.Unlock()
	ctx := b.dispatcher().System()
	for reference, p := range b.pools(ctx) {
		found, ok := poolOf(ctx, reference)
		object := ctx.Map.Get(reference)
		if !ok || object == nil {
			continue
		}
		ctx.WithLock(object, func() {
			runtime := found.Runtime
			fill(&runtime.Cpu, p.reservation.cpu, p.used.cpu, p.forVMs.cpu, p.usage.cpu, p.limit.cpu)
			fill(&runtime.Memory, p.reservation.memory<<20, p.used.memory<<20, p.forVMs.memory<<20, p.usage.memory<<20, shifted(p.limit.memory))
			if !reflect.DeepEqual(runtime, found.Runtime) {
				ctx.Update(object, []types.PropertyChange{{Name: "runtime", Val: runtime}})
			}
		})
	}
}

func shifted(limit int64) int64 {
	if limit < 0 {
		return limit
	}
	return limit << 20
}

func fill(usage *types.ResourcePoolResourceUsage, reservation, used, forVMs, overall, limit int64) {
	usage.ReservationUsed, usage.ReservationUsedForVm = used, forVMs
	usage.UnreservedForPool, usage.UnreservedForVm = max(reservation-used, 0), max(reservation-used, 0)
	usage.OverallUsage = overall
	if limit >= 0 {
		usage.MaxUsage = limit
	}
}

func (b *Behavior) createPool(call *dispatch.Call, body *types.CreateResourcePool, next dispatch.Handler) soap.HasFault {
	if len([]rune(body.Name)) > longestName || body.Name == "" {
		fault := &types.InvalidName{Name: body.Name, Entity: &call.This}
		return dispatch.Refuse(fault, "%s", messageOf(fault))
	}
	wanted := amounts{reservedBy(&body.Spec.CpuAllocation), reservedBy(&body.Spec.MemoryAllocation)}
	if fault := b.available(b.pools(call.Context), call.This, wanted); fault != nil {
		return dispatch.Refuse(fault, "The pool has not the resources that are to be reserved.")
	}
	response := next(call)
	b.poolsChanged()
	return response
}

func (b *Behavior) updatePool(call *dispatch.Call, body *types.UpdateConfig, next dispatch.Handler) soap.HasFault {
	if body.Config != nil {
		all := b.pools(call.Context)
		if p := all[call.This]; p != nil {
			more := amounts{
				reservedBy(&body.Config.CpuAllocation) - p.reservation.cpu,
				reservedBy(&body.Config.MemoryAllocation) - p.reservation.memory,
			}
			if fault := b.available(all, p.parent, more); fault != nil {
				return dispatch.Refuse(fault, "The pool above has not the resources that are to be reserved.")
			}
		}
	}
	response := next(call)
	b.poolsChanged()
	return response
}

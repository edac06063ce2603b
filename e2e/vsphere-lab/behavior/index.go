package behavior

import (
	"iter"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// entry is what decisions about other VMs need to know of one. To ask each of thousands would take its lock.
type entry struct {
	on         bool
	host, pool ref
	memory     int64 // MiB
	reserved   amounts
	disks      []disk
}

type disk struct {
	file   string
	shared bool
}

// describeVM is called with the VM's lock held, or by its creator.
func describeVM(vm *mo.VirtualMachine) entry {
	var e entry
	if vm.Config == nil {
		return e
	}
	e.on = vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	e.memory = int64(vm.Config.Hardware.MemoryMB)
	e.reserved = amounts{reservedBy(vm.Config.CpuAllocation), reservedBy(vm.Config.MemoryAllocation)}
	if vm.Runtime.Host != nil {
		e.host = *vm.Runtime.Host
	}
	if vm.ResourcePool != nil {
		e.pool = *vm.ResourcePool
	}
	for _, device := range vm.Config.Hardware.Device {
		if backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
			e.disks = append(e.disks, disk{backing.FileName, shareable(backing)})
		}
	}
	return e
}

// note brings the index up to date.
func (b *Behavior) note(vm ref, e entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.index[vm] = e
}

func (b *Behavior) noteNow(ctx *simulator.Context, vm *simulator.VirtualMachine) entry {
	e := locked(ctx, vm, func() entry { return describeVM(&vm.VirtualMachine) })
	b.note(vm.Self, e)
	return e
}

// running gives the VMs that are on, or are just being started, as if they were on their chosen host. The index is locked meanwhile.
func (b *Behavior) running() iter.Seq2[ref, entry] {
	return func(yield func(ref, entry) bool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		for vm, e := range b.index {
			if host, ok := b.starting[vm]; ok {
				e.on, e.host = true, host
			}
			if e.on && !yield(vm, e) {
				return
			}
		}
	}
}

package behavior

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// addresses of NICs; the simulator makes them of three bytes of the VM's UUID, which collide.
type addresses struct {
	last int
	used map[string]ref
}

func (a *addresses) free(vm ref) {
	for mac, owner := range a.used {
		if owner == vm {
			delete(a.used, mac)
		}
	}
}

// next is of vCenter's own range.
func (a *addresses) next() string {
	for {
		a.last++
		mac := fmt.Sprintf("00:50:56:%02x:%02x:%02x", 0x80+a.last>>16&0x3f, a.last>>8&0xff, a.last&0xff)
		if _, taken := a.used[mac]; !taken {
			return mac
		}
	}
}

// finish gives new NICs addresses of their own and new disks their size, while the VM is with its creator alone.
func (b *Behavior) finish(ctx *simulator.Context, vm *mo.VirtualMachine) {
	if vm.Config == nil || vm.Parent == nil {
		return
	}
	parent, _ := ctx.Map.Get(*vm.Parent).(mo.Entity)
	datacenter := datacenterOf(ctx, parent)
	for _, device := range vm.Config.Hardware.Device {
		if nic, ok := device.(types.BaseVirtualEthernetCard); ok {
			b.address(vm.Self, nic.GetVirtualEthernetCard())
		}
		backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo)
		if ok && backing.Parent == nil && datacenter != nil {
			if path, _, fault := filePath(ctx, datacenter, backing.FileName); fault == nil {
				if own := grow(path); own != "" {
					backing.Uuid = own
				}
			}
		}
	}
}

func (b *Behavior) address(vm ref, nic *types.VirtualEthernetCard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	manual := nic.AddressType == string(types.VirtualEthernetCardMacTypeManual)
	if nic.MacAddress != "" && (manual || b.addresses.used[nic.MacAddress] == vm) {
		b.addresses.used[nic.MacAddress] = vm
		return
	}
	nic.MacAddress = b.addresses.next()
	nic.AddressType = string(types.VirtualEthernetCardMacTypeAssigned)
	b.addresses.used[nic.MacAddress] = vm
}

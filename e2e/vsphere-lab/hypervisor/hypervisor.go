// Package hypervisor runs the VMs of the lab's vCenter that are powered on in QEMU, and publishes in the inventory what happens to them.
package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/machines"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type (
	ref   = types.ManagedObjectReference
	fault = types.BaseMethodFault
)

const (
	// powerDeadline bounds what a power operation does, and moveDeadline a live migration.
	powerDeadline = time.Minute
	moveDeadline  = 2 * time.Minute
)

// Options choose how VMs are booted.
type Options struct {
	// Folder gets the logs of QEMU, a folder for each VM. What an earlier run has left there, and its bridges, is removed.
	Folder string
	// Addresses puts this machine on port groups, by their names, with these IPv4 addresses.
	Addresses map[string]netip.Prefix
	// Interfaces puts this machine on port groups, by their names, with interfaces that are called so. VMs on them do not reach each other.
	Interfaces map[string]string
}

// Hypervisor is the innermost layer of calls and an observer of the registry. It is a behavior.Machines.
type Hypervisor struct {
	fleet      *machines.Fleet
	dispatcher func() *dispatch.Dispatcher
	notStarted func(ref)

	// publishing keeps the events of a host that was out of sight in their order with those that follow.
	publishing sync.Mutex
	// held are the events of hosts that the vCenter does not see.
	held map[ref][]machines.Event

	mu sync.Mutex
	// failed are hosts that are down.
	failed map[ref]bool
	// kept are the keys of a running VM's guestinfo that its power-off leaves.
	kept map[ref]map[string]bool
}

// New makes a hypervisor for the inventory of a Context. The dispatcher is asked for when it is needed; notStarted is told of VMs that were
// admitted and did not start.
func New(ctx *simulator.Context, options Options, dispatcher func() *dispatch.Dispatcher, notStarted func(ref)) (*Hypervisor, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("to boot VMs needs root, for bridges and taps")
	}
	addresses, err := byNetwork(ctx, options.Addresses)
	if err != nil {
		return nil, err
	}
	interfaces, err := byNetwork(ctx, options.Interfaces)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(options.Folder)
	if err != nil {
		return nil, err
	}
	networks, err := machines.NewNetworks(folder, addresses, interfaces)
	if err != nil {
		return nil, err
	}
	if err := networks.Recover(filepath.Join(folder, "bridges")); err != nil {
		return nil, err
	}
	if err := networks.Join(); err != nil {
		return nil, errors.Join(err, networks.Close())
	}
	vms := filepath.Join(folder, "vms")
	if err := os.RemoveAll(vms); err != nil {
		return nil, errors.Join(err, networks.Close())
	}
	h := &Hypervisor{dispatcher: dispatcher, notStarted: notStarted, held: map[ref][]machines.Event{}, failed: map[ref]bool{}, kept: map[ref]map[string]bool{}}
	h.fleet, err = machines.New(machines.Options{Folder: vms, Networks: networks, Observe: h.observe})
	return h, err
}

// byNetwork makes what is named by port groups named by what the devices of VMs call them.
func byNetwork[T any](ctx *simulator.Context, given map[string]T) (map[string]T, error) {
	found := map[string]T{}
	for name, value := range given {
		switch group := networkNamed(ctx, name).(type) {
		case *simulator.DistributedVirtualPortgroup:
			found[group.Key] = value
		case *mo.Network:
			found[name] = value
		default:
			return nil, fmt.Errorf("there is no port group %q", name)
		}
	}
	return found, nil
}

func networkNamed(ctx *simulator.Context, name string) mo.Reference {
	for _, group := range ctx.Map.All("DistributedVirtualPortgroup") {
		if g, ok := group.(*simulator.DistributedVirtualPortgroup); ok && g.Name == name {
			return g
		}
	}
	for _, network := range ctx.Map.All("Network") {
		if n, ok := network.(*mo.Network); ok && n.Name == name {
			return n
		}
	}
	return nil
}

// Close ends all VMs and removes the bridges.
func (h *Hypervisor) Close() error { return h.fleet.Close() }

// Process gives the process of a running VM's QEMU.
func (h *Hypervisor) Process(vm ref) (int, bool) { return h.fleet.Process(vm.Value) }

// Migrate moves a running VM live.
func (h *Hypervisor) Migrate(vm, host ref) error {
	if h.isDown(host) {
		return errors.New("the host is down")
	}
	ctx, cancel := context.WithTimeout(context.Background(), moveDeadline)
	defer cancel()
	return h.fleet.Migrate(ctx, vm.Value, host.Value)
}

// FailHost ends all that runs on a host, and lets nothing run there until it has recovered.
func (h *Hypervisor) FailHost(host ref) {
	h.mu.Lock()
	h.failed[host] = true
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), powerDeadline)
	defer cancel()
	_ = h.fleet.FailHost(ctx, host.Value) // fails with the deadline alone, which a killed process does not reach
	_ = h.fleet.Settle(ctx)
}

// RecoverHost lets VMs run on a host again.
func (h *Hypervisor) RecoverHost(host ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.failed, host)
}

func (h *Hypervisor) isDown(host ref) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failed[host]
}

// PutObject is for the registry.
func (h *Hypervisor) PutObject(*simulator.Context, mo.Reference) {}

// UpdateObject hears of hosts that come back in sight.
func (h *Hypervisor) UpdateObject(_ *simulator.Context, object mo.Reference, changes []types.PropertyChange) {
	for _, change := range changes {
		if change.Name == "runtime.connectionState" && change.Val == types.HostSystemConnectionStateConnected {
			// The host's lock is held here.
			go h.release(object.Reference())
		}
	}
}

// RemoveObject drops what a suspended VM leaves.
func (h *Hypervisor) RemoveObject(_ *simulator.Context, gone ref) {
	if gone.Type != "VirtualMachine" {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), powerDeadline)
		defer cancel()
		_ = h.fleet.PowerOff(ctx, gone.Value)
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.kept, gone)
}

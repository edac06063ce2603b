package behavior

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// request is for a host.
type request struct {
	// vm is empty while the VM is only to be created: rules then say nothing yet.
	vm         ref
	pool       ref
	host       *ref // the one that the client demands
	avoid      ref
	datastores []string
	memory     int64 // MiB that it takes of a host
}

// poolOf finds a resource pool; vApps are pools too.
func poolOf(ctx *simulator.Context, reference ref) (*mo.ResourcePool, bool) {
	switch pool := ctx.Map.Get(reference).(type) {
	case *simulator.ResourcePool:
		return &pool.ResourcePool, true
	case *simulator.VirtualApp:
		return &pool.ResourcePool, true
	}
	return nil, false
}

// hostsOf gives the hosts of the pool's owner, and its rules and groups if it is a cluster.
func hostsOf(ctx *simulator.Context, reference ref) ([]ref, *types.ClusterConfigInfoEx) {
	pool, ok := poolOf(ctx, reference)
	if !ok {
		return nil, nil
	}
	switch owner := ctx.Map.Get(pool.Owner).(type) {
	case *simulator.ClusterComputeResource:
		var config *types.ClusterConfigInfoEx
		hosts := locked(ctx, owner, func() []ref {
			if c, ok := owner.ConfigurationEx.(*types.ClusterConfigInfoEx); ok {
				copied := *c
				copied.Rule = slices.Clone(c.Rule)
				copied.Group = slices.Clone(c.Group)
				config = &copied
			}
			return slices.Clone(owner.Host)
		})
		return hosts, config
	case *mo.ComputeResource:
		return slices.Clone(owner.Host), nil
	}
	return nil, nil
}

// chooseHost finds the host with the least memory in use among those that may take the VM.
func (b *Behavior) chooseHost(ctx *simulator.Context, r request) (ref, fault) {
	hosts, config := hostsOf(ctx, r.pool)
	if r.host != nil {
		if !slices.Contains(hosts, *r.host) {
			return ref{}, &types.InvalidArgument{InvalidProperty: "host"}
		}
		hosts = []ref{*r.host}
	}
	loads := b.loads(config != nil && len(config.Rule) > 0)
	// Who is on a host that is evacuated will follow.
	maps.DeleteFunc(loads.host, func(_, host ref) bool { return host == r.avoid })
	allowed, preferred := b.ruled(config, r.vm, loads)
	var candidates []candidate
	var tooSmall bool
	for _, reference := range hosts {
		host, ok := ctx.Map.Get(reference).(*simulator.HostSystem)
		if !ok || reference == r.avoid || !usable(ctx, host, r.datastores) || !allowed(reference) {
			continue
		}
		memory := locked(ctx, host, func() int64 { return host.Summary.Hardware.MemorySize >> 20 })
		if r.memory > 0 && loads.memory[reference]+r.memory > memory {
			tooSmall = true
			continue
		}
		candidates = append(candidates, candidate{reference, loads.memory[reference], loads.count[reference], preferred(reference)})
	}
	if len(candidates) == 0 {
		if tooSmall {
			return ref{}, &types.InsufficientMemoryResourcesFault{Requested: r.memory << 20}
		}
		return ref{}, &types.NoCompatibleHost{}
	}
	return slices.MinFunc(candidates, compare).host, nil
}

type candidate struct {
	host      ref
	memory    int64
	count     int
	preferred bool
}

func compare(a, b candidate) int {
	if a.preferred != b.preferred {
		if a.preferred {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.memory, b.memory), cmp.Compare(a.count, b.count), cmp.Compare(a.host.Value, b.host.Value))
}

func usable(ctx *simulator.Context, host *simulator.HostSystem, datastores []string) bool {
	var mounted []ref
	ready := locked(ctx, host, func() bool {
		mounted = slices.Clone(host.Datastore)
		return host.Runtime.ConnectionState == types.HostSystemConnectionStateConnected && !host.Runtime.InMaintenanceMode
	})
	if !ready {
		return false
	}
	for _, name := range datastores {
		if !slices.ContainsFunc(mounted, func(reference ref) bool {
			datastore, ok := ctx.Map.Get(reference).(*simulator.Datastore)
			return ok && datastore.Name == name
		}) {
			return false
		}
	}
	return true
}

// load is what runs where; of each VM only when that was asked for.
type load struct {
	host   map[ref]ref
	memory map[ref]int64
	count  map[ref]int
}

func (b *Behavior) loads(each bool) load {
	l := load{host: map[ref]ref{}, memory: map[ref]int64{}, count: map[ref]int{}}
	for vm, e := range b.running() {
		if each {
			l.host[vm] = e.host
		}
		l.memory[e.host] += e.memory
		l.count[e.host]++
	}
	return l
}

// ruled gives what the cluster's rules allow and prefer for a VM, by where the others run.
func (b *Behavior) ruled(config *types.ClusterConfigInfoEx, vm ref, running load) (allowed, preferred func(ref) bool) {
	var must, should []func(ref) bool
	if config != nil {
		for _, item := range config.Rule {
			rule := item.GetClusterRuleInfo()
			if rule.Enabled != nil && !*rule.Enabled {
				continue
			}
			check := ruleFor(config, item, vm, running)
			switch {
			case check == nil:
			case rule.Mandatory != nil && *rule.Mandatory || !isHostRule(item):
				must = append(must, check)
			default:
				should = append(should, check)
			}
		}
	}
	all := func(checks []func(ref) bool) func(ref) bool {
		return func(host ref) bool {
			return !slices.ContainsFunc(checks, func(check func(ref) bool) bool { return !check(host) })
		}
	}
	return all(must), all(should)
}

func isHostRule(rule types.BaseClusterRuleInfo) bool {
	_, ok := rule.(*types.ClusterVmHostRuleInfo)
	return ok
}

// ruleFor is nil when the rule does not concern the VM.
func ruleFor(config *types.ClusterConfigInfoEx, item types.BaseClusterRuleInfo, vm ref, running load) func(ref) bool {
	switch rule := item.(type) {
	case *types.ClusterAffinityRuleSpec:
		mates := hostsOfMates(rule.Vm, vm, running)
		if len(mates) == 0 {
			return nil
		}
		return func(host ref) bool { return slices.Contains(mates, host) }
	case *types.ClusterAntiAffinityRuleSpec:
		mates := hostsOfMates(rule.Vm, vm, running)
		return func(host ref) bool { return !slices.Contains(mates, host) }
	case *types.ClusterVmHostRuleInfo:
		if !slices.Contains(vmGroup(config, rule.VmGroupName), vm) {
			return nil
		}
		if rule.AntiAffineHostGroupName != "" {
			bad := hostGroup(config, rule.AntiAffineHostGroupName)
			return func(host ref) bool { return !slices.Contains(bad, host) }
		}
		good := hostGroup(config, rule.AffineHostGroupName)
		return func(host ref) bool { return slices.Contains(good, host) }
	}
	return nil
}

func hostsOfMates(vms []ref, vm ref, running load) []ref {
	if !slices.Contains(vms, vm) {
		return nil
	}
	var hosts []ref
	for _, mate := range vms {
		if host, ok := running.host[mate]; ok && mate != vm {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func vmGroup(config *types.ClusterConfigInfoEx, name string) []ref {
	for _, item := range config.Group {
		if group, ok := item.(*types.ClusterVmGroup); ok && group.Name == name {
			return group.Vm
		}
	}
	return nil
}

func hostGroup(config *types.ClusterConfigInfoEx, name string) []ref {
	for _, item := range config.Group {
		if group, ok := item.(*types.ClusterHostGroup); ok && group.Name == name {
			return group.Host
		}
	}
	return nil
}

// requestOf is for a VM that exists.
func requestOf(ctx *simulator.Context, vm *simulator.VirtualMachine) request {
	return locked(ctx, vm, func() request {
		r := request{vm: vm.Self, memory: int64(vm.Config.Hardware.MemoryMB)}
		if vm.ResourcePool != nil {
			r.pool = *vm.ResourcePool
		}
		var path object.DatastorePath
		if path.FromString(vm.Config.Files.VmPathName) {
			r.datastores = []string{path.Datastore}
		}
		return r
	})
}

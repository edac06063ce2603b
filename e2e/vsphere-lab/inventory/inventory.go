// Package inventory builds what the lab's vCenter manages when it starts.
package inventory

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// The vCenter that the lab plays.
const (
	version    = "8.0.3"
	apiVersion = "8.0.3.0"
	build      = "24022515"
)

// Shape says how many of everything there are.
type Shape struct {
	Datacenters, Clusters, Hosts, Datastores, PortGroups int
	// HostCores of HostMHz each and HostMemory in MiB are what every host has.
	HostCores, HostMHz, HostMemory int
	// SerialFirewall says that the hosts' firewalls let serial ports dial out, which they do not when they are new.
	SerialFirewall bool
}

// Build makes the inventory with its datastores' files under the directory. Names are the simulator's: DC0, DC0_C0,
// DC0_C0_H0, LocalDS_0, "VM Network" and DC0_DVPG0 on the switch DVS0.
func (s Shape) Build(directory string) (*simulator.Service, error) {
	if s.Datacenters < 1 || s.Clusters < 0 || s.Hosts < 1 || s.Datastores < 1 || s.PortGroups < 1 {
		return nil, errors.New("a lab has at least one datacenter, host, datastore and port group")
	}
	files := filepath.Join(directory, "datastores")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return nil, err
	}
	// The simulator has no other way to be told where its datastores are.
	before, set := os.LookupEnv("TMPDIR")
	if err := os.Setenv("TMPDIR", files); err != nil {
		return nil, err
	}
	defer func() {
		if set {
			_ = os.Setenv("TMPDIR", before)
		} else {
			_ = os.Unsetenv("TMPDIR")
		}
	}()
	model := simulator.VPX()
	model.Datacenter, model.Cluster, model.ClusterHost, model.Host = s.Datacenters, s.Clusters, s.Hosts, 0
	model.Datastore, model.Portgroup, model.Machine = s.Datastores, s.PortGroups, 0
	about := &model.ServiceContent.About
	about.Version, about.ApiVersion, about.Build = version, apiVersion, build
	about.FullName = fmt.Sprintf("VMware vCenter Server %s build-%s", version, build)
	if err := model.Create(); err != nil {
		return nil, fmt.Errorf("cannot build the inventory: %w", err)
	}
	service := model.Service
	s.equip(service.Context)
	// The simulator counts those of all sessions, also of those that have ended, where a vCenter has a limit for each.
	service.Context.Map.EventManager().MaxCollector = math.MaxInt32
	service.Listen = &url.URL{}
	service.RegisterSDK(service.Context.Map, service.Context.Map.Path+"/vimService")
	return service, nil
}

// equip gives hosts their size, and clusters HA beside the DRS that they have.
func (s Shape) equip(ctx *simulator.Context) {
	for _, entity := range ctx.Map.All("HostSystem") {
		host := entity.(*simulator.HostSystem)
		hardware := *host.Summary.Hardware
		hardware.NumCpuCores, hardware.NumCpuThreads = int16(s.HostCores), int16(s.HostCores)
		hardware.CpuMhz, hardware.MemorySize = int32(s.HostMHz), int64(s.HostMemory)<<20
		host.Summary.Hardware = &hardware
		if host.Hardware != nil {
			full := *host.Hardware
			full.CpuInfo.NumCpuCores, full.CpuInfo.NumCpuThreads = int16(s.HostCores), int16(s.HostCores)
			full.CpuInfo.Hz, full.MemorySize = int64(s.HostMHz)*1_000_000, hardware.MemorySize
			host.Hardware = &full
		}
		s.wall(ctx, host)
	}
	markUplinks(ctx)
	for _, entity := range ctx.Map.All("ClusterComputeResource") {
		cluster := entity.(*simulator.ClusterComputeResource)
		if config, ok := cluster.ConfigurationEx.(*types.ClusterConfigInfoEx); ok {
			config.DasConfig.Enabled = types.NewBool(true)
		}
		s.sum(ctx, cluster)
	}
}

// markUplinks says of the port groups of switches' uplinks what they are.
func markUplinks(ctx *simulator.Context) {
	for _, entity := range ctx.Map.All("DistributedVirtualPortgroup") {
		if group := entity.(*simulator.DistributedVirtualPortgroup); strings.Contains(group.Name, "-DVUplinks") {
			group.Config.Uplink = types.NewBool(true)
		}
	}
}

// wall gives a host a firewall of its own; the simulator's share their rules.
func (s Shape) wall(ctx *simulator.Context, host *simulator.HostSystem) {
	if host.ConfigManager.FirewallSystem == nil {
		return
	}
	system, ok := ctx.Map.Get(*host.ConfigManager.FirewallSystem).(*simulator.HostFirewallSystem)
	if !ok {
		return
	}
	own := *system.FirewallInfo
	own.Ruleset = slices.Clone(own.Ruleset)
	system.FirewallInfo = &own
	if s.SerialFirewall {
		simulator.EnableRuleset(&own, "remoteSerialPort")
	}
}

// sum makes a cluster's figures, and its root pool's, from its hosts'.
func (s Shape) sum(ctx *simulator.Context, cluster *simulator.ClusterComputeResource) {
	count := len(cluster.Host)
	summary := cluster.Summary.GetComputeResourceSummary()
	summary.NumCpuCores, summary.NumCpuThreads = int16(count*s.HostCores), int16(count*s.HostCores)
	summary.TotalCpu = int32(count * s.HostCores * s.HostMHz)
	summary.TotalMemory = int64(count*s.HostMemory) << 20
	summary.EffectiveCpu, summary.EffectiveMemory = summary.TotalCpu, int64(count*s.HostMemory)
	pool, ok := ctx.Map.Get(*cluster.ResourcePool).(*simulator.ResourcePool)
	if !ok {
		return
	}
	pool.Runtime.Cpu.MaxUsage, pool.Runtime.Memory.MaxUsage = int64(summary.TotalCpu), summary.TotalMemory
	pool.Config.CpuAllocation.Reservation = types.NewInt64(int64(summary.TotalCpu))
	pool.Config.MemoryAllocation.Reservation = types.NewInt64(summary.TotalMemory >> 20)
}

// Package inventory builds what the lab's vCenter manages when it starts.
package inventory

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/vmware/govmomi/simulator"
)

// Shape says how many of everything there are.
type Shape struct {
	Datacenters, Clusters, Hosts, Datastores, PortGroups int
	// HostCores of HostMHz each and HostMemory in MiB are what every host has.
	HostCores, HostMHz, HostMemory int
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
	if err := os.Setenv("TMPDIR", files); err != nil {
		return nil, err
	}
	model := simulator.VPX()
	model.Datacenter, model.Cluster, model.ClusterHost, model.Host = s.Datacenters, s.Clusters, s.Hosts, 0
	model.Datastore, model.Portgroup, model.Machine = s.Datastores, s.PortGroups, 0
	if err := model.Create(); err != nil {
		return nil, fmt.Errorf("cannot build the inventory: %w", err)
	}
	service := model.Service
	service.Listen = &url.URL{}
	service.RegisterSDK(service.Context.Map, service.Context.Map.Path+"/vimService")
	return service, nil
}

// Package collector is an incremental PropertyCollector: it reads again only what changed, where the simulator's own
// collects everything at every change.
//
// What may have changed is noted as the registry tells of it, and compared with what was last reported when a client asks:
// a note too many costs a read, and no update.
package collector

import (
	"strings"
	"sync"

	"dev.berth/e2e/vsphere-lab/props"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

type ref = types.ManagedObjectReference

// root is the collector that every session has from the start.
var root = ref{Type: "PropertyCollector", Value: "propertyCollector"}

// interest is what a filter wants to know of one object.
type interest struct {
	// paths are reported.
	paths []string
	// steps are followed to other objects.
	steps []string
}

type owned struct {
	session string
	ref     ref
}

// Service holds the collectors of all sessions.
type Service struct {
	registry *simulator.Registry

	mu         sync.Mutex
	collectors map[owned]*collector
	filters    map[owned]*filter
	index      map[ref]map[*filter]interest
	// unborn VMs are in the registry, but their creation has not ended: nobody sees them.
	unborn map[ref]bool
	pages  map[string]page
}

// New makes the service. It must hear of the registry's changes.
func New(registry *simulator.Registry) *Service {
	return &Service{
		registry:   registry,
		collectors: map[owned]*collector{},
		filters:    map[owned]*filter{},
		index:      map[ref]map[*filter]interest{},
		unborn:     map[ref]bool{},
		pages:      map[string]page{},
	}
}

// PutObject hears of new objects.
func (s *Service) PutObject(_ *simulator.Context, object mo.Reference) {
	if _, ok := object.(*simulator.VirtualMachine); ok {
		s.mu.Lock()
		s.unborn[object.Reference()] = true
		s.mu.Unlock()
	}
}

// UpdateObject hears of changes, while the object may be locked.
func (s *Service) UpdateObject(_ *simulator.Context, object mo.Reference, changes []types.PropertyChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := object.Reference()
	if s.unborn[changed] && names(changes, "name") {
		delete(s.unborn, changed) // the last thing that the simulator's creation of a VM does
		for _, f := range s.filters {
			f.note(func() { f.reselect = true })
		}
	}
	for f, wanted := range s.index[changed] {
		f.heard(changed, wanted, changes)
	}
	if changed.Type == "Task" && names(changes, "info.completeTime") {
		s.taskEnded(object)
	}
}

func names(changes []types.PropertyChange, name string) bool {
	for _, change := range changes {
		if change.Name == name {
			return true
		}
	}
	return false
}

// taskEnded notes what a task may have changed without a word: its entity, and the lists in the inventory around it. Those of folders,
// which may be long, are not compared after a task that leaves every VM where it is.
func (s *Service) taskEnded(object mo.Reference) {
	stays := false
	if task, ok := object.(*mo.Task); ok && task.Info.Entity != nil {
		s.touch(*task.Info.Entity)
		stays = leavesFolders(task.Info.DescriptionId)
	}
	for tracked := range s.index {
		if tracked.Type != "VirtualMachine" && tracked.Type != "Task" && !(stays && tracked.Type == "Folder") {
			s.touch(tracked)
		}
	}
}

func leavesFolders(task string) bool {
	kind, name, _ := strings.Cut(task, ".")
	switch kind {
	case "FileManager", "VirtualDiskManager", "HostDatastoreBrowser":
		return true
	}
	return name == "powerOn" || name == "powerOff" || name == "powerOnMultiVM"
}

// RemoveObject hears of objects that go.
func (s *Service) RemoveObject(_ *simulator.Context, gone ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unborn, gone)
	s.touch(gone)
}

// Touch notes that an object may have changed.
func (s *Service) Touch(changed ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touch(changed)
}

func (s *Service) touch(changed ref) {
	for f, wanted := range s.index[changed] {
		f.note(func() {
			f.dirty[changed] = true
			f.reselect = f.reselect || len(wanted.steps) > 0
		})
	}
}

func (f *filter) heard(changed ref, wanted interest, changes []types.PropertyChange) {
	for _, change := range changes {
		for _, path := range wanted.paths {
			if props.Overlap(path, change.Name) {
				f.note(func() { f.dirty[changed] = true })
			}
		}
		for _, path := range wanted.steps {
			if props.Overlap(path, change.Name) {
				f.note(func() { f.reselect = true })
			}
		}
	}
}

// watch replaces what a filter wants to know of an object; nothing wanted ends it.
func (s *Service) watch(f *filter, object ref, wanted interest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(wanted.paths) == 0 && len(wanted.steps) == 0 {
		delete(s.index[object], f)
		if len(s.index[object]) == 0 {
			delete(s.index, object)
		}
		return
	}
	if s.index[object] == nil {
		s.index[object] = map[*filter]interest{}
	}
	s.index[object][f] = wanted
}

func (s *Service) hidden(object ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unborn[object]
}

// EndSession forgets a session's collectors; who waits on one is told that it is not authenticated.
func (s *Service) EndSession(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, c := range s.collectors {
		if key.session == session {
			delete(s.collectors, key)
			c.closed = true
			c.wake()
		}
	}
	for key, f := range s.filters {
		if key.session == session {
			s.forget(key, f)
		}
	}
}

func (s *Service) forget(key owned, f *filter) {
	delete(s.filters, key)
	for object, filters := range s.index {
		delete(filters, f)
		if len(filters) == 0 {
			delete(s.index, object)
		}
	}
	f.collector.drop(f)
}

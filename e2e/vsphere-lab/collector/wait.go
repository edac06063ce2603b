package collector

import (
	"strconv"
	"sync"
	"time"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// A real vCenter sends no more than about this many objects at once, whatever the client would take.
const mostUpdates = 100

// collector is a session's PropertyCollector.
type collector struct {
	// mu is held by the one who waits.
	mu       sync.Mutex
	queue    []update
	version  int
	last     *types.UpdateSet
	lastFrom string

	// Guarded by the service.
	closed bool

	signal    chan struct{}
	cancelled chan struct{}

	filtersMu sync.Mutex
	filters   []*filter
}

type update struct {
	filter *filter
	object types.ObjectUpdate
}

func newCollector() *collector {
	return &collector{signal: make(chan struct{}, 1), cancelled: make(chan struct{}, 1)}
}

func (c *collector) wake() {
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

func (c *collector) add(f *filter) {
	c.filtersMu.Lock()
	defer c.filtersMu.Unlock()
	c.filters = append(c.filters, f)
	c.wake()
}

func (c *collector) drop(gone *filter) {
	c.filtersMu.Lock()
	defer c.filtersMu.Unlock()
	kept := c.filters[:0:0]
	for _, f := range c.filters {
		if f != gone {
			kept = append(kept, f)
		}
	}
	c.filters = kept
	c.wake()
}

func (c *collector) present() []*filter {
	c.filtersMu.Lock()
	defer c.filtersMu.Unlock()
	return append([]*filter(nil), c.filters...)
}

func (c *collector) cancel() {
	select {
	case c.cancelled <- struct{}{}:
	default:
	}
}

// wait answers WaitForUpdatesEx: nil and no fault when the time is over.
func (s *Service) wait(call *dispatch.Call, c *collector, version string, options types.WaitOptions) (*types.UpdateSet, soap.HasFault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.cancelled: // of nobody's waiting
	default:
	}
	switch {
	case version == "":
		c.restart()
	case version == strconv.Itoa(c.version):
	case c.last != nil && version == c.lastFrom:
		return c.last, nil // the answer was lost
	default:
		return nil, dispatch.Refuse(&types.InvalidCollectorVersion{}, "%q is not the version of the last update", version)
	}
	var timeout <-chan time.Time
	if options.MaxWaitSeconds != nil {
		timer := time.NewTimer(time.Duration(*options.MaxWaitSeconds) * time.Second)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		if set := c.next(s, version, options.MaxObjectUpdates); set != nil {
			return set, nil
		}
		if options.MaxWaitSeconds != nil && *options.MaxWaitSeconds <= 0 {
			return nil, nil
		}
		select {
		case <-c.signal:
			if s.ended(c) {
				return nil, dispatch.Refuse(&types.NotAuthenticated{NoPermission: types.NoPermission{Object: &call.This, PrivilegeId: "System.View"}},
					"The session is not authenticated.")
			}
		case <-c.cancelled:
			return nil, dispatch.Refuse(&types.RequestCanceled{}, "The task was canceled by a user.")
		case <-timeout:
			return nil, nil
		case <-call.Request.Done():
			return nil, dispatch.Refuse(&types.RequestCanceled{}, "The client has gone.")
		}
	}
}

func (s *Service) ended(c *collector) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.closed
}

func (c *collector) restart() {
	c.queue, c.last = nil, nil
	for _, f := range c.present() {
		f.restart()
	}
}

func (c *collector) next(s *Service, version string, most int32) *types.UpdateSet {
	for _, f := range c.present() {
		for _, object := range f.updates(s) {
			c.queue = append(c.queue, update{f, object})
		}
	}
	if len(c.queue) == 0 {
		return nil
	}
	count := mostUpdates
	if most > 0 && int(most) < count {
		count = int(most)
	}
	count = min(count, len(c.queue))
	c.version++
	set := &types.UpdateSet{Version: strconv.Itoa(c.version), FilterSet: group(c.queue[:count])}
	c.queue = c.queue[count:]
	set.Truncated = types.NewBool(len(c.queue) > 0)
	c.last, c.lastFrom = set, version
	return set
}

func group(updates []update) []types.PropertyFilterUpdate {
	var sets []types.PropertyFilterUpdate
	for _, u := range updates {
		if len(sets) == 0 || sets[len(sets)-1].Filter != u.filter.ref {
			sets = append(sets, types.PropertyFilterUpdate{Filter: u.filter.ref})
		}
		last := &sets[len(sets)-1]
		last.ObjectSet = append(last.ObjectSet, u.object)
	}
	return sets
}

func (s *Service) waitForUpdatesEx(call *dispatch.Call, c *collector, body *types.WaitForUpdatesEx) soap.HasFault {
	var options types.WaitOptions
	if body.Options != nil {
		options = *body.Options
	}
	set, fault := s.wait(call, c, body.Version, options)
	if fault != nil {
		return fault
	}
	return &methods.WaitForUpdatesExBody{Res: &types.WaitForUpdatesExResponse{Returnval: set}}
}

func (s *Service) waitForUpdates(call *dispatch.Call, c *collector, body *types.WaitForUpdates) soap.HasFault {
	set, fault := s.wait(call, c, body.Version, types.WaitOptions{})
	if fault != nil {
		return fault
	}
	return &methods.WaitForUpdatesBody{Res: &types.WaitForUpdatesResponse{Returnval: *set}}
}

func (s *Service) checkForUpdates(call *dispatch.Call, c *collector, body *types.CheckForUpdates) soap.HasFault {
	set, fault := s.wait(call, c, body.Version, types.WaitOptions{MaxWaitSeconds: types.NewInt32(0)})
	if fault != nil {
		return fault
	}
	return &methods.CheckForUpdatesBody{Res: &types.CheckForUpdatesResponse{Returnval: set}}
}

package collector

import (
	"fmt"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/props"
	"github.com/google/uuid"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Layer answers the methods of collectors and filters, and notes whatever other methods may have changed.
func (s *Service) Layer(call *dispatch.Call, next dispatch.Handler) soap.HasFault {
	switch call.This.Type {
	case "PropertyCollector":
		return s.answer(call)
	case "PropertyFilter":
		return s.answerFilter(call)
	}
	session := sessionOf(call)
	response := next(call)
	s.Touch(call.This)
	switch body := call.Body.(type) {
	case *types.Logout:
		s.EndSession(session)
	case *types.TerminateSession:
		for _, id := range body.SessionId {
			s.EndSession(id)
		}
	}
	return response
}

func sessionOf(call *dispatch.Call) string {
	if call.Context.Session == nil {
		return ""
	}
	return call.Context.Session.Key
}

func (s *Service) answer(call *dispatch.Call) soap.HasFault {
	switch body := call.Body.(type) { // without a collector
	case *types.RetrievePropertiesEx:
		return s.retrieveEx(call, body)
	case *types.RetrieveProperties:
		return s.retrieve(call, body)
	case *types.ContinueRetrievePropertiesEx:
		return s.continueRetrieve(body)
	case *types.CancelRetrievePropertiesEx:
		s.page(body.Token)
		return &methods.CancelRetrievePropertiesExBody{Res: &types.CancelRetrievePropertiesExResponse{}}
	}
	c := s.find(call)
	if c == nil {
		return dispatch.Refuse(&types.ManagedObjectNotFound{Obj: call.This}, "There is no collector %s", call.This.Value)
	}
	switch body := call.Body.(type) {
	case *types.CreateFilter:
		return s.createFilter(call, c, body)
	case *types.CreatePropertyCollector:
		made := ref{Type: "PropertyCollector", Value: fmt.Sprintf("session[%s]%s", sessionOf(call), uuid.NewString())}
		s.mu.Lock()
		s.collectors[owned{sessionOf(call), made}] = newCollector()
		s.mu.Unlock()
		return &methods.CreatePropertyCollectorBody{Res: &types.CreatePropertyCollectorResponse{Returnval: made}}
	case *types.DestroyPropertyCollector:
		return s.destroy(call, c)
	case *types.WaitForUpdatesEx:
		return s.waitForUpdatesEx(call, c, body)
	case *types.WaitForUpdates:
		return s.waitForUpdates(call, c, body)
	case *types.CheckForUpdates:
		return s.checkForUpdates(call, c, body)
	case *types.CancelWaitForUpdates:
		c.cancel()
		return &methods.CancelWaitForUpdatesBody{Res: &types.CancelWaitForUpdatesResponse{}}
	}
	return dispatch.Refuse(&types.MethodNotFound{Receiver: call.This, Method: call.Method}, "PropertyCollector has no method %s", call.Method)
}

func (s *Service) find(call *dispatch.Call) *collector {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := owned{sessionOf(call), call.This}
	if s.collectors[key] == nil && call.This == root && key.session != "" {
		s.collectors[key] = newCollector()
	}
	return s.collectors[key]
}

func (s *Service) createFilter(call *dispatch.Call, c *collector, body *types.CreateFilter) soap.HasFault {
	if fault := check(call.Context, body.Spec); fault != nil {
		return fault
	}
	f := &filter{
		ref:     ref{Type: "PropertyFilter", Value: fmt.Sprintf("session[%s]%s", sessionOf(call), uuid.NewString())},
		spec:    body.Spec,
		partial: body.PartialUpdates, collector: c, session: call.Context.Session,
		dirty: map[ref]bool{}, followed: map[ref]bool{},
	}
	f.restart()
	s.mu.Lock()
	s.filters[owned{sessionOf(call), f.ref}] = f
	s.mu.Unlock()
	c.add(f)
	return &methods.CreateFilterBody{Res: &types.CreateFilterResponse{Returnval: f.ref}}
}

// check refuses specifications with objects, types or properties that do not exist.
func check(ctx resolver, spec types.PropertyFilterSpec) soap.HasFault {
	for _, set := range spec.ObjectSet {
		if dispatch.Resolve(ctx, set.Obj) == nil {
			return dispatch.Refuse(&types.ManagedObjectNotFound{Obj: set.Obj},
				"The object '%s:%s' has already been deleted or has not been completely created", set.Obj.Type, set.Obj.Value)
		}
		if fault := checkTraversals(set.SelectSet); fault != nil {
			return fault
		}
	}
	for _, set := range spec.PropSet {
		t, ok := props.Type(set.Type)
		if !ok {
			return dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "propSet.type"}, "unknown managed object type %q", set.Type)
		}
		for _, path := range set.PathSet {
			if err := props.Check(t, path); err != nil {
				return dispatch.Refuse(&types.InvalidProperty{Name: path}, "%s", err)
			}
		}
	}
	return nil
}

func checkTraversals(set []types.BaseSelectionSpec) soap.HasFault {
	for _, item := range set {
		traversal, ok := item.(*types.TraversalSpec)
		if !ok {
			continue
		}
		t, ok := props.Type(traversal.Type)
		if !ok {
			return dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "selectSet.type"}, "unknown managed object type %q", traversal.Type)
		}
		if err := props.Check(t, traversal.Path); err != nil {
			return dispatch.Refuse(&types.InvalidProperty{Name: traversal.Path}, "%s", err)
		}
		if fault := checkTraversals(traversal.SelectSet); fault != nil {
			return fault
		}
	}
	return nil
}

func (s *Service) destroy(call *dispatch.Call, c *collector) soap.HasFault {
	if call.This == root {
		return dispatch.Refuse(&types.MethodNotFound{Receiver: call.This, Method: call.Method}, "the session's own collector stays")
	}
	c.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.collectors, owned{sessionOf(call), call.This})
	for _, f := range c.present() {
		s.forget(owned{sessionOf(call), f.ref}, f)
	}
	return &methods.DestroyPropertyCollectorBody{Res: &types.DestroyPropertyCollectorResponse{}}
}

func (s *Service) answerFilter(call *dispatch.Call) soap.HasFault {
	key := owned{sessionOf(call), call.This}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.filters[key]
	if f == nil {
		return dispatch.Refuse(&types.ManagedObjectNotFound{Obj: call.This}, "There is no filter %s", call.This.Value)
	}
	if _, ok := call.Body.(*types.DestroyPropertyFilter); !ok {
		return dispatch.Refuse(&types.MethodNotFound{Receiver: call.This, Method: call.Method}, "PropertyFilter has no method %s", call.Method)
	}
	s.forget(key, f)
	return &methods.DestroyPropertyFilterBody{Res: &types.DestroyPropertyFilterResponse{}}
}

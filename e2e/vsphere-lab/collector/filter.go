package collector

import (
	"reflect"
	"slices"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/props"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// filter is one set of objects and properties that a client follows.
type filter struct {
	ref       ref
	spec      types.PropertyFilterSpec
	partial   bool
	collector *collector
	session   *simulator.Session

	// Guarded by the service.
	dirty    map[ref]bool
	reselect bool

	// Guarded by the collector: what the client was told last.
	started  bool
	known    map[ref]map[string]any
	followed map[ref]bool
}

// note is called with the service's lock held.
func (f *filter) note(change func()) {
	change()
	f.collector.wake()
}

// restart makes the filter tell everything anew.
func (f *filter) restart() {
	f.started = false
	f.known = map[ref]map[string]any{}
}

func (f *filter) context(registry *simulator.Registry) *simulator.Context {
	return &simulator.Context{Map: registry, Session: f.session}
}

// updates gives what changed since it was last asked, and notes that as told.
func (f *filter) updates(s *Service) []types.ObjectUpdate {
	s.mu.Lock()
	dirty, reselect := f.dirty, f.reselect || !f.started
	f.dirty, f.reselect = map[ref]bool{}, false
	s.mu.Unlock()
	f.started = true
	ctx := f.context(s.registry)
	var updates []types.ObjectUpdate
	if reselect {
		updates = f.reselected(s, ctx)
	}
	for object := range dirty {
		if before, ok := f.known[object]; ok {
			updates = append(updates, f.compare(ctx, object, before)...)
		}
	}
	return updates
}

func (f *filter) reselected(s *Service, ctx *simulator.Context) []types.ObjectUpdate {
	chosen := choose(ctx, f.spec, s.hidden)
	followed := map[ref]bool{}
	var updates []types.ObjectUpdate
	for _, object := range chosen.order {
		s.watch(f, object, chosen.wanted[object])
		followed[object] = true
	}
	for _, object := range chosen.order {
		if _, known := f.known[object]; !known && chosen.selected[object] {
			if update, ok := f.enter(ctx, object, chosen.wanted[object].paths); ok {
				updates = append(updates, update)
			}
		}
	}
	for object := range f.known {
		if !chosen.selected[object] {
			delete(f.known, object)
			updates = append(updates, types.ObjectUpdate{Obj: object, Kind: types.ObjectUpdateKindLeave})
		}
	}
	for object := range f.followed {
		if !followed[object] {
			s.watch(f, object, interest{})
		}
	}
	f.followed = followed
	return updates
}

func (f *filter) enter(ctx *simulator.Context, object ref, paths []string) (types.ObjectUpdate, bool) {
	values, ok := read(ctx, object, paths)
	update := types.ObjectUpdate{Obj: object, Kind: types.ObjectUpdateKindEnter}
	if !ok {
		return update, false
	}
	f.known[object] = values
	for _, path := range paths {
		if value := values[path]; value != nil {
			update.ChangeSet = append(update.ChangeSet, assign(path, value))
		}
	}
	return update, true
}

func (f *filter) compare(ctx *simulator.Context, object ref, before map[string]any) []types.ObjectUpdate {
	paths := make([]string, 0, len(before))
	for path := range before {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	values, ok := read(ctx, object, paths)
	if !ok {
		delete(f.known, object)
		return []types.ObjectUpdate{{Obj: object, Kind: types.ObjectUpdateKindLeave}}
	}
	f.known[object] = values
	update := types.ObjectUpdate{Obj: object, Kind: types.ObjectUpdateKindModify}
	for _, path := range paths {
		for _, change := range props.Diff(path, before[path], values[path], f.partial) {
			update.ChangeSet = append(update.ChangeSet, assign(change.Path, change.Value))
		}
	}
	if len(update.ChangeSet) == 0 {
		return nil
	}
	return []types.ObjectUpdate{update}
}

func assign(path string, value any) types.PropertyChange {
	return types.PropertyChange{Name: path, Op: types.PropertyChangeOpAssign, Val: value}
}

// read gives an object's properties by their paths, nil for unset ones. It is false when the object is gone.
func read(ctx *simulator.Context, object ref, paths []string) (map[string]any, bool) {
	target := dispatch.Resolve(ctx, object)
	if target == nil {
		return nil, false
	}
	values := make(map[string]any, len(paths))
	ctx.WithLock(target, func() {
		for _, path := range paths {
			values[path], _ = props.Read(target, path)
		}
	})
	return values, true
}

// choice is the outcome of following a specification through the inventory.
type choice struct {
	order    []ref
	selected map[ref]bool
	wanted   map[ref]interest
}

func choose(ctx *simulator.Context, spec types.PropertyFilterSpec, hidden func(ref) bool) choice {
	w := &walk{
		choice: choice{selected: map[ref]bool{}, wanted: map[ref]interest{}},
		ctx:    ctx, spec: spec, hidden: hidden,
		named: map[string]*types.TraversalSpec{}, done: map[visit]bool{},
	}
	for _, set := range spec.ObjectSet {
		w.name(set.SelectSet)
	}
	for _, set := range spec.ObjectSet {
		w.visit(set.Obj, set.SelectSet, set.Skip)
	}
	return w.choice
}

type visit struct {
	object ref
	spec   *types.TraversalSpec
}

type walk struct {
	choice
	ctx    *simulator.Context
	spec   types.PropertyFilterSpec
	hidden func(ref) bool
	named  map[string]*types.TraversalSpec
	done   map[visit]bool
}

func (w *walk) name(set []types.BaseSelectionSpec) {
	for _, item := range set {
		if traversal, ok := item.(*types.TraversalSpec); ok {
			if traversal.Name != "" {
				w.named[traversal.Name] = traversal
			}
			w.name(traversal.SelectSet)
		}
	}
}

func (w *walk) visit(object ref, set []types.BaseSelectionSpec, skip *bool) {
	target := dispatch.Resolve(w.ctx, object)
	if target == nil || w.hidden(object) {
		return
	}
	value, ok := props.Object(target)
	if !ok {
		return
	}
	t := value.Type()
	if _, seen := w.wanted[object]; !seen {
		w.order = append(w.order, object)
		w.wanted[object] = interest{}
	}
	if skip == nil || !*skip {
		w.choose(object, t)
	}
	for _, item := range set {
		w.follow(object, target, t, item)
	}
}

func (w *walk) choose(object ref, t reflect.Type) {
	if w.selected[object] {
		return
	}
	wanted := w.wanted[object]
	matched := false
	for _, set := range w.spec.PropSet {
		if !props.Is(t, set.Type) {
			continue
		}
		matched = true
		paths := set.PathSet
		if set.All != nil && *set.All {
			paths = props.Names(t)
		}
		for _, path := range paths {
			if !slices.Contains(wanted.paths, path) {
				wanted.paths = append(wanted.paths, path)
			}
		}
	}
	if matched {
		w.selected[object] = true
		w.wanted[object] = wanted
	}
}

func (w *walk) follow(object ref, target mo.Reference, t reflect.Type, item types.BaseSelectionSpec) {
	traversal, ok := item.(*types.TraversalSpec)
	if !ok {
		traversal = w.named[item.GetSelectionSpec().Name]
	}
	if traversal == nil || !props.Is(t, traversal.Type) || w.done[visit{object, traversal}] {
		return
	}
	w.done[visit{object, traversal}] = true
	wanted := w.wanted[object]
	wanted.steps = append(wanted.steps, traversal.Path)
	w.wanted[object] = wanted
	var value any
	w.ctx.WithLock(target, func() { value, _ = props.Read(target, traversal.Path) })
	switch found := value.(type) {
	case types.ManagedObjectReference:
		w.visit(found, traversal.SelectSet, traversal.Skip)
	case types.ArrayOfManagedObjectReference:
		for _, next := range found.ManagedObjectReference {
			w.visit(next, traversal.SelectSet, traversal.Skip)
		}
	}
}

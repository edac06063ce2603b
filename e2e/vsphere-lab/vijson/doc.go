// Package vijson reads and writes VI/JSON, vCenter's JSON protocol, over govmomi's types by reflection. Reading is
// strict: what vCenter would not take, or would silently ignore, is an error that names the place and the reason.
package vijson

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

const (
	typeNameKey = "_typeName"
	valueKey    = "_value"
)

var (
	typeOfTime      = reflect.TypeFor[time.Time]()
	typeOfReference = reflect.TypeFor[types.ManagedObjectReference]()
	typeOfBinary    = reflect.TypeFor[[]byte]()

	lookup = types.TypeFunc()

	primitives = map[string]reflect.Type{
		"boolean":  reflect.TypeFor[bool](),
		"byte":     reflect.TypeFor[uint8](),
		"short":    reflect.TypeFor[int16](),
		"int":      reflect.TypeFor[int32](),
		"long":     reflect.TypeFor[int64](),
		"float":    reflect.TypeFor[float32](),
		"double":   reflect.TypeFor[float64](),
		"string":   reflect.TypeFor[string](),
		"binary":   typeOfBinary,
		"dateTime": typeOfTime,
	}
	primitiveNames = func() map[reflect.Type]string {
		names := make(map[reflect.Type]string, len(primitives))
		for name, t := range primitives {
			names[t] = name
		}
		return names
	}()
)

// Error says where in a message something is wrong: the path of properties from its root, and what.
type Error struct {
	Path   string
	Reason string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

func failf(path, format string, args ...any) error {
	return &Error{Path: path, Reason: fmt.Sprintf(format, args...)}
}

// field is one property of a data object.
type field struct {
	name     string
	index    []int
	optional bool
}

// shape is what a data object may hold, its base types' properties first.
type shape struct {
	fields []field
	byName map[string]int
}

var shapes sync.Map

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{byName: map[string]int{}}
	s.add(t, nil)
	for i, f := range s.fields {
		s.byName[f.name] = i
	}
	known, _ := shapes.LoadOrStore(t, s)
	return known.(*shape)
}

func (s *shape) add(t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int(nil), prefix...), i)
		tag := f.Tag.Get("json")
		if f.Anonymous && (tag == "" || tag == ",inline") {
			s.add(f.Type, index)
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !f.IsExported() || name == "-" || name == "" {
			continue
		}
		s.fields = append(s.fields, field{name: name, index: index, optional: strings.Contains(options, "omitempty")})
	}
}

// enumerated gives the values of an enum type, and false for any other type.
func enumerated(t reflect.Type) ([]string, bool) {
	if t.Kind() != reflect.String || t == primitives["string"] {
		return nil, false
	}
	m, ok := t.MethodByName("Values")
	if !ok {
		return nil, false
	}
	all := m.Func.Call([]reflect.Value{reflect.Zero(t)})[0]
	values := make([]string, all.Len())
	for i := range values {
		values[i] = all.Index(i).String()
	}
	return values, true
}

// TypeName is the name a type has on the wire.
func TypeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := primitiveNames[t]; ok {
		return name
	}
	return t.Name()
}

// ArrayOf boxes a slice as the ArrayOfX that an any-typed place demands. It returns false for slices that have no such type.
func ArrayOf(slice reflect.Value) (any, bool) {
	elem := slice.Type().Elem()
	name := TypeName(elem)
	if elem.Kind() == reflect.Interface {
		name = strings.TrimPrefix(name, "Base")
	}
	if elem.Kind() == reflect.Interface && elem.NumMethod() == 0 {
		name = "anyType"
	}
	t, ok := lookup("ArrayOf" + strings.ToUpper(name[:1]) + name[1:])
	if !ok {
		return nil, false
	}
	box := reflect.New(t)
	content := box.Elem().Field(0)
	if !slice.Type().ConvertibleTo(content.Type()) {
		return nil, false
	}
	content.Set(slice.Convert(content.Type()))
	return box.Elem().Interface(), true
}

// Package props reads the properties of managed objects by their paths.
package props

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"dev.berth/e2e/vsphere-lab/vijson"
	"github.com/vmware/govmomi/vim25/mo"
)

// Type finds a managed object type by its name.
func Type(name string) (reflect.Type, bool) {
	t, ok := managed[name]
	return t, ok
}

// Is tells whether a managed object type is, or extends, the one with the name.
func Is(t reflect.Type, name string) bool {
	if t.Name() == name || name == "ManagedObject" {
		return true
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Type.Kind() == reflect.Struct && Is(f.Type, name) {
			return true
		}
	}
	return false
}

// Object digs the structure of properties out of a simulator's object, which embeds it. It is false for objects without.
func Object(object mo.Reference) (reflect.Value, bool) {
	v := reflect.ValueOf(object)
	for {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			return v, false
		}
		if managed[v.Type().Name()] == v.Type() {
			return v, true
		}
		if v.NumField() == 0 {
			return v, false
		}
		v = v.Field(0)
	}
}

// Names gives the top-level properties of a type.
func Names(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names = append(names, Names(f.Type)...)
		} else if name := nameOf(f); name != "self" && name != "" {
			names = append(names, name)
		}
	}
	return names
}

func nameOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// step is one part of a path: a property, of which a key may choose one element.
type step struct{ name, key string }

var stepPattern = regexp.MustCompile(`^([A-Za-z0-9]+)(?:\["?([^"\]]+)"?\])?$`)

func parse(path string) ([]step, error) {
	var steps []step
	for _, part := range split(path) {
		match := stepPattern.FindStringSubmatch(part)
		if match == nil {
			return nil, fmt.Errorf("%q is not a property path", path)
		}
		steps = append(steps, step{match[1], match[2]})
	}
	return steps, nil
}

// split parts a path at its dots, but not at those within a key.
func split(path string) []string {
	var parts []string
	start, depth := 0, 0
	for i, c := range path {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == '.' && depth == 0:
			parts = append(parts, path[start:i])
			start = i + 1
		}
	}
	return append(parts, path[start:])
}

// Check tells whether a type has a property with the path. Below a property that has several types anything may be.
func Check(t reflect.Type, path string) error {
	steps, err := parse(path)
	if err != nil {
		return err
	}
	for _, s := range steps {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() == reflect.Interface {
			return nil
		}
		f, ok := fieldOf(t, s.name)
		if !ok {
			return fmt.Errorf("%s has no property %q", t.Name(), s.name)
		}
		t = f.Type
		if s.key != "" {
			if t.Kind() != reflect.Slice {
				return fmt.Errorf("property %q is no array", s.name)
			}
			t = t.Elem()
		}
	}
	return nil
}

// fieldOf prefers a type's own properties: some repeat one of the type that they extend, which then stays empty.
func fieldOf(t reflect.Type, name string) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	for i := range t.NumField() {
		if f := t.Field(i); !f.Anonymous && nameOf(f) == name {
			return f, true
		}
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			if inner, ok := fieldOf(f.Type, name); ok {
				inner.Index = append([]int{i}, inner.Index...)
				return inner, true
			}
		}
	}
	return reflect.StructField{}, false
}

// Read gives a copy of the property's value as an any-typed place wants it, arrays boxed as ArrayOfX. It is false when
// the property is unset. The caller holds the object's lock.
func Read(object mo.Reference, path string) (any, bool) {
	v, ok := Object(object)
	steps, err := parse(path)
	if !ok || err != nil {
		return nil, false
	}
	if path == "latestPage" { // history collectors keep theirs outside of their properties
		if page := reflect.ValueOf(object).MethodByName("GetLatestPage"); page.IsValid() {
			return box(page.Call(nil)[0], false)
		}
	}
	for _, s := range steps {
		if v, ok = descend(v, s); !ok {
			return nil, false
		}
	}
	return box(v, steps[len(steps)-1].key != "")
}

func descend(v reflect.Value, s step) (reflect.Value, bool) {
	v = plain(v)
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return v, false
	}
	f, ok := fieldOf(v.Type(), s.name)
	if !ok {
		return v, false
	}
	v = v.FieldByIndex(f.Index)
	if s.key == "" {
		return v, true
	}
	for i := range v.Len() {
		element := plain(v.Index(i))
		if element.Kind() != reflect.Struct {
			continue
		}
		if key, ok := fieldOf(element.Type(), "key"); ok && fmt.Sprint(element.FieldByIndex(key.Index).Interface()) == s.key {
			return element, true
		}
	}
	return v, false
}

func plain(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

func box(v reflect.Value, keyed bool) (any, bool) {
	v = plain(v)
	switch {
	case !v.IsValid():
		return nil, false
	case v.Kind() == reflect.String && v.Len() == 0 && !keyed, v.Kind() == reflect.Struct && v.IsZero():
		return nil, false
	case v.Type() == reflect.TypeFor[[]byte](), v.Kind() != reflect.Slice:
		return Copy(v).Interface(), true
	case v.IsNil():
		return nil, false
	}
	return vijson.ArrayOf(Copy(v))
}

// Copy makes a copy that shares nothing with the value.
func Copy(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(Copy(v.Elem()))
		return c
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		c := reflect.New(v.Type()).Elem()
		c.Set(Copy(v.Elem()))
		return c
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(Copy(v.Index(i)))
		}
		return c
	case reflect.Struct:
		return copyStruct(v)
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

func copyStruct(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	if v.Type() == reflect.TypeFor[time.Time]() {
		return c
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			c.Field(i).Set(Copy(v.Field(i)))
		}
	}
	return c
}

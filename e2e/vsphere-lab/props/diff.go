package props

import (
	"reflect"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// Change is a property that got another value; nil when it was unset.
type Change struct {
	Path  string
	Value any
}

// Diff says how a property changed between two results of Read, nil for unset. With nested, a change within a data object is
// told as that of the innermost properties.
func Diff(path string, before, after any, nested bool) []Change {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	old, now := reflect.ValueOf(before), reflect.ValueOf(after)
	if !nested || before == nil || after == nil || old.Type() != now.Type() || !composite(now.Type()) {
		return []Change{{path, after}}
	}
	return diffFields(path, old, now)
}

func composite(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && t != reflect.TypeFor[types.ManagedObjectReference]() &&
		!strings.HasPrefix(t.Name(), "ArrayOf")
}

func diffFields(path string, old, now reflect.Value) []Change {
	var changes []Change
	for i := range now.NumField() {
		f := now.Type().Field(i)
		if f.Anonymous {
			changes = append(changes, diffFields(path, old.Field(i), now.Field(i))...)
			continue
		}
		before, _ := box(old.Field(i), false)
		after, _ := box(now.Field(i), false)
		changes = append(changes, Diff(path+"."+nameOf(f), before, after, true)...)
	}
	return changes
}

// Overlap tells whether a change of one path is seen at the other: they are the same, or one is within the other.
func Overlap(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return strings.HasPrefix(b, a) && (len(a) == len(b) || b[len(a)] == '.' || b[len(a)] == '[')
}

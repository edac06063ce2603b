package shim

import (
	"reflect"
	"testing"
)

// fill gives every field of a value one that is not the default.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("text \x00é")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(-7)
	case reflect.Uint8:
		v.SetUint(200)
	case reflect.Uint16:
		v.SetUint(1<<16 - 1)
	case reflect.Uint32:
		v.SetUint(1<<32 - 1)
	default:
		v.SetUint(1<<64 - 1)
	}
}

func TestEveryFieldArrives(t *testing.T) {
	full := &Spec{}
	fill(reflect.ValueOf(full).Elem())
	for name, want := range map[string]*Spec{"full": full, "empty": {}, "empty root": {Root: &Root{}}} {
		got, err := DecodeSpec(want.Encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	failure := &Failure{Message: "no é", ExitCode: 127}
	if got, err := DecodeFailure(failure.Encode()); err != nil || *got != *failure {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestWhatIsCutShortIsRefused(t *testing.T) {
	full := &Spec{}
	fill(reflect.ValueOf(full).Elem())
	content := full.Encode()
	for size := range content {
		if _, err := DecodeSpec(content[:size]); err == nil {
			t.Fatalf("%d of %d bytes are enough", size, len(content))
		}
	}
	if _, err := DecodeSpec(append(content, 0)); err == nil {
		t.Error("what follows is taken")
	}
}

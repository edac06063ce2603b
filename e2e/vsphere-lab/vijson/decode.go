package vijson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// DecodeParameters reads the body of a method call into the request structure that target points to. The root needs no
// _typeName; an empty body stands for no parameters.
func DecodeParameters(data []byte, target any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		data = []byte("{}")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return failf("", "the body is not JSON: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return failf("", "there is something after the JSON object")
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return failf("", "the body must be a JSON object of the method's parameters")
	}
	delete(object, typeNameKey)
	return decodeFields(object, "", reflect.ValueOf(target).Elem())
}

func decode(value any, path string, target reflect.Value) error {
	if value == nil {
		return failf(path, "null is not a value: leave an unset property out")
	}
	t := target.Type()
	switch {
	case t == typeOfTime:
		return decodeTime(value, path, target)
	case t == typeOfReference:
		return decodeReference(value, path, target)
	case t == typeOfBinary:
		return decodeBinary(value, path, target)
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return decodeAny(value, path, target)
		}
		return decodePolymorphic(value, path, target)
	case reflect.Pointer:
		elem := reflect.New(t.Elem())
		if err := decode(value, path, elem.Elem()); err != nil {
			return err
		}
		target.Set(elem)
		return nil
	case reflect.Struct:
		return decodeDataObject(value, path, target)
	case reflect.Slice:
		return decodeArray(value, path, target)
	default:
		return decodeScalar(value, path, target)
	}
}

func decodeFields(object map[string]any, path string, target reflect.Value) error {
	s := shapeOf(target.Type())
	for _, name := range sortedKeys(object) {
		i, ok := s.byName[name]
		if !ok {
			return failf(path, "%s has no property %q%s", TypeName(target.Type()), name, s.similar(name))
		}
		if err := decode(object[name], join(path, name), target.FieldByIndex(s.fields[i].index)); err != nil {
			return err
		}
	}
	for _, f := range s.fields {
		if _, given := object[f.name]; given || f.optional {
			continue
		}
		if target.FieldByIndex(f.index).Kind() != reflect.Slice {
			return failf(path, "%s needs its property %q", TypeName(target.Type()), f.name)
		}
	}
	return nil
}

// similar names the property that differs in case alone, the commonest mistake.
func (s *shape) similar(name string) string {
	for _, f := range s.fields {
		if strings.EqualFold(f.name, name) {
			return " (it is called " + strconv.Quote(f.name) + ")"
		}
	}
	return ""
}

func asObject(value any, path, what string) (map[string]any, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, failf(path, "%s must be a JSON object, not %s", what, kindOf(value))
	}
	return object, nil
}

// discriminator takes the type's name out of an object.
func discriminator(object map[string]any, path string) (string, error) {
	raw, ok := object[typeNameKey]
	if !ok {
		return "", failf(path, "Invalid MoRef field: the data object has no %s and is read as a reference", typeNameKey)
	}
	name, ok := raw.(string)
	if !ok {
		return "", failf(path, "%s must be a string", typeNameKey)
	}
	return name, nil
}

func properties(object map[string]any) map[string]any {
	rest := make(map[string]any, len(object))
	for name, value := range object {
		if name != typeNameKey {
			rest[name] = value
		}
	}
	return rest
}

func decodeDataObject(value any, path string, target reflect.Value) error {
	object, err := asObject(value, path, TypeName(target.Type()))
	if err != nil {
		return err
	}
	name, err := discriminator(object, path)
	if err != nil {
		return err
	}
	if want := TypeName(target.Type()); name != want {
		return failf(path, "the type here is %s, not %s", want, name)
	}
	return decodeFields(properties(object), path, target)
}

func decodePolymorphic(value any, path string, target reflect.Value) error {
	base := strings.TrimPrefix(target.Type().Name(), "Base")
	object, err := asObject(value, path, base)
	if err != nil {
		return err
	}
	name, err := discriminator(object, path)
	if err != nil {
		return err
	}
	t, ok := lookup(name)
	if !ok || t.Kind() != reflect.Struct {
		return failf(path, "unknown type %q", name)
	}
	if !reflect.PointerTo(t).Implements(target.Type()) {
		return failf(path, "%s is not a %s", name, base)
	}
	elem := reflect.New(t)
	if err := decodeFields(properties(object), path, elem.Elem()); err != nil {
		return err
	}
	target.Set(elem)
	return nil
}

func decodeAny(value any, path string, target reflect.Value) error {
	object, ok := value.(map[string]any)
	if !ok {
		return failf(path, "the type here is any: %s must be boxed as {\"%s\":…,\"%s\":…}", kindOf(value), typeNameKey, valueKey)
	}
	name, err := discriminator(object, path)
	if err != nil {
		return err
	}
	if t, ok := primitives[name]; ok {
		return decodeBoxed(object, path, name, t, target)
	}
	t, ok := lookup(name)
	switch {
	case !ok || strings.HasPrefix(name, "Base"):
		return failf(path, "unknown type %q", name)
	case t.Kind() != reflect.Struct:
		return decodeBoxed(object, path, name, t, target)
	}
	elem := reflect.New(t).Elem()
	if t == typeOfReference {
		err = decodeReference(value, path, elem)
	} else {
		err = decodeFields(properties(object), path, elem)
	}
	if err == nil {
		target.Set(elem)
	}
	return err
}

func decodeBoxed(object map[string]any, path, name string, t reflect.Type, target reflect.Value) error {
	inner, ok := object[valueKey]
	if !ok {
		return failf(path, "the boxed %s has no %s", name, valueKey)
	}
	if len(object) != 2 {
		return failf(path, "the boxed %s has more than %s and %s", name, typeNameKey, valueKey)
	}
	elem := reflect.New(t).Elem()
	if err := decode(inner, join(path, valueKey), elem); err != nil {
		return err
	}
	target.Set(elem)
	return nil
}

func decodeArray(value any, path string, target reflect.Value) error {
	list, ok := value.([]any)
	if !ok {
		return failf(path, "must be a JSON array, not %s", kindOf(value))
	}
	slice := reflect.MakeSlice(target.Type(), len(list), len(list))
	for i, item := range list {
		if err := decode(item, path+"["+strconv.Itoa(i)+"]", slice.Index(i)); err != nil {
			return err
		}
	}
	target.Set(slice)
	return nil
}

func decodeReference(value any, path string, target reflect.Value) error {
	object, err := asObject(value, path, "ManagedObjectReference")
	if err != nil {
		return err
	}
	if name, ok := object[typeNameKey]; ok && name != "ManagedObjectReference" {
		return failf(path, "Invalid MoRef field: the type here is ManagedObjectReference, not %v", name)
	}
	for _, name := range sortedKeys(object) {
		switch name {
		case typeNameKey, "type", "value", "serverGuid":
			if _, ok := object[name].(string); !ok {
				return failf(join(path, name), "must be a string, not %s", kindOf(object[name]))
			}
		default:
			return failf(path, "Invalid MoRef field: ManagedObjectReference has no property %q", name)
		}
	}
	return decodeFields(properties(object), path, target)
}

func decodeTime(value any, path string, target reflect.Value) error {
	text, ok := value.(string)
	if !ok {
		return failf(path, "a dateTime must be a string, not %s", kindOf(value))
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return failf(path, "%q is not a date of RFC 3339", text)
	}
	if _, fraction, ok := strings.Cut(text, "."); ok && len(strings.TrimRight(fraction, "Z")) > 6 && strings.HasSuffix(text, "Z") {
		return failf(path, "%q is more exact than microseconds", text)
	}
	target.Set(reflect.ValueOf(at))
	return nil
}

func decodeBinary(value any, path string, target reflect.Value) error {
	text, ok := value.(string)
	if !ok {
		return failf(path, "a binary must be a string of base64, not %s", kindOf(value))
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return failf(path, "is not base64: %v", err)
	}
	target.SetBytes(data)
	return nil
}

func decodeScalar(value any, path string, target reflect.Value) error {
	name := TypeName(target.Type())
	switch target.Kind() {
	case reflect.String:
		text, ok := value.(string)
		if !ok {
			return failf(path, "a %s must be a string, not %s", name, kindOf(value))
		}
		if values, ok := enumerated(target.Type()); ok && !contains(values, text) {
			return failf(path, "%q is no value of the enum %s", text, name)
		}
		target.SetString(text)
		return nil
	case reflect.Bool:
		truth, ok := value.(bool)
		if !ok {
			return failf(path, "a boolean must be true or false, not %s", kindOf(value))
		}
		target.SetBool(truth)
		return nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return failf(path, "a %s must be a number, not %s", name, kindOf(value))
	}
	return decodeNumber(number.String(), path, name, target)
}

func decodeNumber(number, path, name string, target reflect.Value) error {
	if target.CanFloat() {
		f, err := strconv.ParseFloat(number, target.Type().Bits())
		if err != nil {
			return failf(path, "%s is no %s", number, name)
		}
		target.SetFloat(f)
		return nil
	}
	if target.CanUint() { // a vSphere byte is signed on the wire
		n, err := strconv.ParseInt(number, 10, 16)
		if err != nil || n < -128 || n > 255 {
			return failf(path, "%s is no %s", number, name)
		}
		target.SetUint(uint64(uint8(n)))
		return nil
	}
	n, err := strconv.ParseInt(number, 10, target.Type().Bits())
	if err != nil {
		return failf(path, "%s is no %s", number, name)
	}
	target.SetInt(n)
	return nil
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	default:
		return "a number"
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func contains(values []string, value string) bool {
	for _, v := range values {
		if v == value {
			return true
		}
	}
	return false
}

func sortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

package vijson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

const timeLayout = "2006-01-02T15:04:05.000000Z"

// Encode writes a value for a place whose type the reader knows: data objects carry their type's name, other values stand bare.
func Encode(value any) ([]byte, error) {
	var out bytes.Buffer
	err := encode(&out, reflect.ValueOf(value))
	return out.Bytes(), err
}

// EncodeFault writes a fault as the body of an HTTP 500: the fault's data object with its message beside its properties.
func EncodeFault(fault any, message string) ([]byte, error) {
	body, err := Encode(fault)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 || body[len(body)-1] != '}' {
		return nil, fmt.Errorf("%T is not a fault", fault)
	}
	text, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	body = append(body[:len(body)-1], `,"faultstring":`...)
	return append(append(body, text...), '}'), nil
}

func encode(out *bytes.Buffer, v reflect.Value) error {
	if !v.IsValid() {
		out.WriteString("null")
		return nil
	}
	switch v.Type() {
	case typeOfTime:
		return encodeText(out, v.Interface().(time.Time).UTC().Format(timeLayout))
	case typeOfBinary:
		return encodeText(out, base64.StdEncoding.EncodeToString(v.Bytes()))
	}
	switch v.Kind() {
	case reflect.Pointer:
		return encode(out, v.Elem())
	case reflect.Interface:
		if v.Type().NumMethod() == 0 {
			return encodeAny(out, v.Elem())
		}
		return encode(out, v.Elem())
	case reflect.Struct:
		return encodeDataObject(out, v)
	case reflect.Slice:
		return encodeArray(out, v)
	}
	return encodeScalar(out, v)
}

func encodeDataObject(out *bytes.Buffer, v reflect.Value) error {
	fmt.Fprintf(out, `{"%s":"%s"`, typeNameKey, v.Type().Name())
	for _, f := range shapeOf(v.Type()).fields {
		value := v.FieldByIndex(f.index)
		if f.optional && unset(value) || missing(value) {
			continue
		}
		fmt.Fprintf(out, `,"%s":`, f.name)
		if err := encode(out, value); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

// missing tells what has no form on the wire, even where the type asks for a value: a pointer or interface without one, and
// an enum that the simulator leaves empty.
func missing(v reflect.Value) bool {
	if v.Kind() == reflect.String && v.Len() == 0 && v.Type() != primitives["string"] {
		return true
	}
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil()
}

func unset(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.Kind() != reflect.Struct && v.IsZero()
}

func encodeArray(out *bytes.Buffer, v reflect.Value) error {
	out.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := encode(out, v.Index(i)); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	return nil
}

// encodeAny writes a value for a place of any type: boxed, unless its own form says its type.
func encodeAny(out *bytes.Buffer, v reflect.Value) error {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return fmt.Errorf("an any-typed value is nil")
	}
	if v.Kind() == reflect.Struct && v.Type() != typeOfTime {
		return encodeDataObject(out, v)
	}
	if v.Kind() == reflect.Slice && v.Type() != typeOfBinary {
		box, ok := ArrayOf(v)
		if !ok {
			return fmt.Errorf("there is no array type for %s", v.Type())
		}
		return encodeDataObject(out, reflect.ValueOf(box))
	}
	fmt.Fprintf(out, `{"%s":"%s","%s":`, typeNameKey, boxName(v.Type()), valueKey)
	if err := encode(out, v); err != nil {
		return err
	}
	out.WriteByte('}')
	return nil
}

func boxName(t reflect.Type) string {
	if t.Kind() == reflect.Int { // Go's int in the simulator's own options
		return "int"
	}
	return TypeName(t)
}

func encodeScalar(out *bytes.Buffer, v reflect.Value) error {
	switch {
	case v.Kind() == reflect.String:
		return encodeText(out, v.String())
	case v.Kind() == reflect.Bool:
		out.WriteString(strconv.FormatBool(v.Bool()))
	case v.Kind() == reflect.Uint8:
		out.WriteString(strconv.Itoa(int(int8(v.Uint()))))
	case v.CanInt():
		out.WriteString(strconv.FormatInt(v.Int(), 10))
	case v.CanUint():
		out.WriteString(strconv.FormatUint(v.Uint(), 10))
	case v.CanFloat() && !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0):
		out.WriteString(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
	default:
		return fmt.Errorf("%s has no form in VI/JSON", v.Type())
	}
	return nil
}

func encodeText(out *bytes.Buffer, text string) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the encoder's line feed
	return nil
}

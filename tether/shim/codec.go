package shim

import (
	"encoding/binary"
	"errors"
)

// codec writes values one after another, or reads them in the same order: both ends are the same program, and the tether starts no process
// without, so that it has to be quick rather than general.
type codec struct {
	content []byte
	reading bool
	failed  bool
}

var errCut = errors.New("what was passed to the shim is cut short")

func encode(fields func(*codec)) []byte {
	c := &codec{}
	fields(c)
	return c.content
}

func decode(content []byte, fields func(*codec)) error {
	c := &codec{content: content, reading: true}
	fields(c)
	if c.failed || len(c.content) > 0 {
		return errCut
	}
	return nil
}

func (c *codec) uint64(value *uint64) {
	if !c.reading {
		c.content = binary.AppendUvarint(c.content, *value)
		return
	}
	number, size := binary.Uvarint(c.content)
	if size <= 0 {
		c.failed, c.content = true, nil
		return
	}
	*value, c.content = number, c.content[size:]
}

// number writes or reads one of the smaller types.
func number[T int | uint | uint16 | uint32](c *codec, value *T) {
	wide := uint64(*value)
	c.uint64(&wide)
	*value = T(wide)
}

func (c *codec) bool(value *bool) {
	var bit uint64
	if *value {
		bit = 1
	}
	c.uint64(&bit)
	*value = bit == 1
}

func (c *codec) bytes(value *[]byte) {
	size := len(*value)
	number(c, &size)
	switch {
	case !c.reading:
		c.content = append(c.content, *value...)
	case size < 0 || size > len(c.content):
		c.failed, c.content = true, nil
	case size > 0:
		*value, c.content = c.content[:size:size], c.content[size:]
	}
}

func (c *codec) string(value *string) {
	content := []byte(*value)
	c.bytes(&content)
	*value = string(content)
}

// list writes or reads a list of values, of which each takes at least a byte.
func list[T any](c *codec, values *[]T, one func(*codec, *T)) {
	size := len(*values)
	number(c, &size)
	if c.reading {
		if size < 0 || size > len(c.content) {
			c.failed, c.content = true, nil
			return
		}
		if size > 0 {
			*values = make([]T, size)
		}
	}
	for i := range *values {
		one(c, &(*values)[i])
	}
}

// optional writes or reads a value that may be missing.
func optional[T any](c *codec, value **T, one func(*codec, *T)) {
	given := *value != nil
	c.bool(&given)
	if given && c.reading {
		*value = new(T)
	}
	if given {
		one(c, *value)
	}
}

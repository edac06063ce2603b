package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

var errWire = errors.New("the message is not of its schema")

// The wire types of protobuf.
const (
	varint = 0
	fixed8 = 1
	length = 2
	fixed4 = 5
)

// field is one field of a message as it is on the wire.
type field struct {
	number uint64
	kind   uint64
	value  uint64 // of a varint
	bytes  []byte // of a field with a length
}

// reader takes a message's fields one by one. After a failure there are no more.
type reader struct {
	rest []byte
	err  error
}

// fields reads a message; take is given every field, and leaves out what it does not know.
func fields(message []byte, take func(*reader, field)) error {
	r := &reader{rest: message}
	for len(r.rest) > 0 && r.err == nil {
		if f := r.next(); r.err == nil {
			take(r, f)
		}
	}
	return r.err
}

func (r *reader) next() field {
	tag := r.varint()
	f := field{number: tag >> 3, kind: tag & 7}
	switch f.kind {
	case varint:
		f.value = r.varint()
	case fixed8:
		r.bytes(8)
	case length:
		f.bytes = r.bytes(r.varint())
	case fixed4:
		r.bytes(4)
	default:
		r.err = errWire
	}
	if f.number == 0 {
		r.err = errWire
	}
	return f
}

func (r *reader) varint() uint64 {
	value, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.err = errWire
		return 0
	}
	r.rest = r.rest[size:]
	return value
}

func (r *reader) bytes(size uint64) []byte {
	if r.err != nil || size > uint64(len(r.rest)) {
		r.err = errWire
		return nil
	}
	taken := r.rest[:size:size]
	r.rest = r.rest[size:]
	return taken
}

// fail keeps the first failure.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) expect(f field, kind uint64) bool {
	if f.kind != kind {
		r.fail(fmt.Errorf("%w: field %d has the wire type %d", errWire, f.number, f.kind))
	}
	return f.kind == kind
}

func (r *reader) number(f field) uint64 {
	r.expect(f, varint)
	return f.value
}

func (r *reader) truth(f field) bool { return r.number(f) != 0 }

func (r *reader) optional(f field) *uint32 {
	value := uint32(r.number(f))
	return &value
}

func (r *reader) text(f field) string {
	if r.expect(f, length) && !utf8.Valid(f.bytes) {
		r.fail(fmt.Errorf("%w: field %d is not UTF-8", errWire, f.number))
	}
	return string(f.bytes)
}

// numbers adds a repeated number, of which there may be several in one field.
func (r *reader) numbers(to *[]uint32, f field) {
	if f.kind == varint {
		*to = append(*to, uint32(f.value))
		return
	}
	r.expect(f, length)
	packed := &reader{rest: f.bytes}
	for len(packed.rest) > 0 && packed.err == nil {
		*to = append(*to, uint32(packed.varint()))
	}
	if packed.err != nil {
		r.fail(packed.err)
	}
}

// message reads a message within.
func (r *reader) message(f field, take func(*reader, field)) {
	if r.expect(f, length) {
		if err := fields(f.bytes, take); err != nil {
			r.fail(err)
		}
	}
}

// timestamp reads a google.protobuf.Timestamp.
func (r *reader) timestamp(f field) time.Time {
	var seconds, nanoseconds int64
	r.message(f, func(r *reader, f field) {
		switch f.number {
		case 1:
			seconds = int64(r.number(f))
		case 2:
			nanoseconds = int64(r.number(f))
		}
	})
	return time.Unix(seconds, nanoseconds).UTC()
}

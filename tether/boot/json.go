package boot

import (
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads the little JSON that a VM is told at its boot. The package encoding/json looks at the types anew in every boot, which
// takes much longer than reading. After a failure everything reads as empty.
type jsonReader struct {
	rest   []byte
	failed bool
}

var errJSON = errors.New("not valid JSON of its schema")

// readJSON reads one value with nothing after it.
func readJSON(content []byte, value func(*jsonReader)) error {
	r := &jsonReader{rest: content}
	value(r)
	if r.peek() != 0 || r.failed {
		return errJSON
	}
	return nil
}

func (r *jsonReader) fail() { r.failed, r.rest = true, nil }

// peek gives the next byte that is not white space, 0 at the end.
func (r *jsonReader) peek() byte {
	for len(r.rest) > 0 {
		switch r.rest[0] {
		case ' ', '\t', '\n', '\r':
			r.rest = r.rest[1:]
		case 0:
			r.fail()
		default:
			return r.rest[0]
		}
	}
	return 0
}

// take takes the next byte if it is the wanted one.
func (r *jsonReader) take(wanted byte) bool {
	if r.peek() != wanted {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *jsonReader) expect(wanted byte) {
	if !r.take(wanted) {
		r.fail()
	}
}

func (r *jsonReader) word(word string) bool {
	if r.peek() == 0 || len(r.rest) < len(word) || string(r.rest[:len(word)]) != word {
		return false
	}
	r.rest = r.rest[len(word):]
	return true
}

// object calls member for each member, which must read its value. No object (null) has none.
func (r *jsonReader) object(member func(name string)) {
	r.group('{', '}', func() {
		if r.peek() != '"' {
			r.fail()
		}
		name := r.string()
		r.expect(':')
		member(name)
	})
}

// array calls element for each element, which must read it. No array (null) has none.
func (r *jsonReader) array(element func()) { r.group('[', ']', element) }

func (r *jsonReader) group(begin, end byte, one func()) {
	if r.word("null") {
		return
	}
	r.expect(begin)
	if r.take(end) {
		return
	}
	for one(); !r.failed && !r.take(end); one() {
		r.expect(',')
	}
}

// string reads a string; null is empty.
func (r *jsonReader) string() string {
	if r.word("null") {
		return ""
	}
	r.expect('"')
	var text []byte
	for !r.failed {
		plain := 0
		for plain < len(r.rest) && r.rest[plain] != '"' && r.rest[plain] != '\\' && r.rest[plain] >= ' ' {
			plain++
		}
		if plain == len(r.rest) || r.rest[plain] < ' ' {
			break
		}
		text = append(text, r.rest[:plain]...)
		end := r.rest[plain] == '"'
		r.rest = r.rest[plain+1:]
		if end && utf8.Valid(text) {
			return string(text)
		}
		if end {
			break
		}
		text = r.escape(text)
	}
	r.fail()
	return ""
}

// escape adds what follows a backslash.
func (r *jsonReader) escape(text []byte) []byte {
	if len(r.rest) == 0 {
		r.fail()
		return nil
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	switch c {
	case '"', '\\', '/':
		return append(text, c)
	case 'b':
		return append(text, '\b')
	case 'f':
		return append(text, '\f')
	case 'n':
		return append(text, '\n')
	case 'r':
		return append(text, '\r')
	case 't':
		return append(text, '\t')
	case 'u':
		return utf8.AppendRune(text, r.unit())
	}
	r.fail()
	return nil
}

// unit reads the digits of a character, and a second escape when it takes two.
func (r *jsonReader) unit() rune {
	first := r.hexadecimal()
	if !utf16.IsSurrogate(first) {
		return first
	}
	before := r.rest
	if len(r.rest) >= 2 && r.rest[0] == '\\' && r.rest[1] == 'u' {
		r.rest = r.rest[2:]
		if whole := utf16.DecodeRune(first, r.hexadecimal()); whole != utf8.RuneError {
			return whole
		}
		if !r.failed {
			r.rest = before
		}
	}
	return utf8.RuneError
}

func (r *jsonReader) hexadecimal() rune {
	if len(r.rest) < 4 || r.rest[0] == '+' || r.rest[0] == '-' {
		r.fail()
		return 0
	}
	number, err := strconv.ParseUint(string(r.rest[:4]), 16, 16)
	if err != nil {
		r.fail()
		return 0
	}
	r.rest = r.rest[4:]
	return rune(number)
}

// integer reads a whole number; null is 0.
func (r *jsonReader) integer() int {
	if r.word("null") {
		return 0
	}
	text := r.number()
	number, err := strconv.Atoi(text)
	if err != nil || text[0] == '+' {
		r.fail()
		return 0
	}
	return number
}

// number takes what looks like a number.
func (r *jsonReader) number() string {
	r.peek()
	size := 0
	for size < len(r.rest) && (r.rest[size] >= '0' && r.rest[size] <= '9' || r.rest[size] == '-' || r.rest[size] == '+' || r.rest[size] == '.' ||
		r.rest[size] == 'e' || r.rest[size] == 'E') {
		size++
	}
	text := string(r.rest[:size])
	r.rest = r.rest[size:]
	if size == 0 {
		r.fail()
	}
	return text
}

// boolean reads true or false; null is false.
func (r *jsonReader) boolean() bool {
	if r.word("true") {
		return true
	}
	if !r.word("false") && !r.word("null") {
		r.fail()
	}
	return false
}

// skip passes over a value of any kind.
func (r *jsonReader) skip() {
	switch r.peek() {
	case '{':
		r.object(func(string) { r.skip() })
	case '[':
		r.array(r.skip)
	case '"':
		_ = r.string()
	case 't', 'f', 'n':
		_ = r.boolean()
	default:
		_ = r.number()
	}
}

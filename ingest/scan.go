package ingest

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sluice-hq/sluice/event"
)

// scanner reads JSON (RFC 8259, strictly) from a body that is in memory whole.
// The first syntax fault sticks: what is read behind it is empty, and no
// method makes progress, so that callers look at err once at the end.
//
// encoding/json reads such events at a third of the speed, and cannot go on
// behind a field of the wrong type, which per-event errors need.
type scanner struct {
	b       []byte
	at      int
	depth   int
	err     error
	scratch []byte            // of unescaped strings
	names   map[string]string // strings that repeat are allocated once
}

// fail notes a fault of syntax at the present place.
func (s *scanner) fail(why, fix string) {
	if s.err != nil {
		return
	}
	before := s.b[:min(s.at, len(s.b))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	rest := s.b[len(before):]
	s.err = event.Invalids{{
		Path:  fmt.Sprintf("line %d, byte %d", line, column),
		Value: excerpt(rest), Why: why, Fix: fix,
	}}
	s.at = len(s.b)
}

const closeFix = "send whole JSON: an array of events, or one event a line"

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.b) {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take skips the byte c, which must be next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.at >= len(s.b) {
		s.fail("has no "+strconv.QuoteRune(rune(c))+" where one belongs", closeFix)
		return false
	}
	s.at++
	return true
}

// array reads an array; item reads each of its values.
func (s *scanner) array(item func()) {
	s.list('[', ']', item)
}

// object reads an object; member reads the value of each key. The key is valid
// until the value is read.
func (s *scanner) object(member func(key []byte)) {
	s.list('{', '}', func() {
		key := s.string()
		if s.take(':') {
			member(key)
		}
	})
}

func (s *scanner) list(open, shut byte, item func()) {
	if !s.take(open) {
		return
	}
	if s.depth++; s.depth > maxDepth {
		s.fail(fmt.Sprintf("is nested deeper than %d", maxDepth), "flatten the event")
	}
	defer func() { s.depth-- }()
	if s.peek() == shut {
		s.at++
		return
	}
	for s.err == nil {
		item()
		if s.peek() != ',' {
			s.take(shut)
			return
		}
		s.at++
	}
}

// skip reads a value of any type and returns its text.
func (s *scanner) skip() []byte {
	c := s.peek()
	from := s.at
	switch {
	case c == '{':
		s.object(func([]byte) { s.skip() })
	case c == '[':
		s.array(func() { s.skip() })
	case c == '"':
		s.string()
	case c == '-' || c >= '0' && c <= '9':
		s.number()
	default:
		s.word()
	}
	if s.err != nil {
		return nil
	}
	return s.b[from:s.at]
}

// word reads true, false or null and returns it.
func (s *scanner) word() string {
	s.peek()
	for _, w := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.b[s.at:], []byte(w)) {
			s.at += len(w)
			return w
		}
	}
	s.fail("is not a JSON value", closeFix)
	return ""
}

// number reads a number and returns its text.
func (s *scanner) number() []byte {
	s.peek()
	from := s.at
	s.accept('-')
	if !s.accept('0') && !s.digits() {
		s.fail("is not a number", "write numbers such as 12, -0.5 or 1e3")
	}
	if s.accept('.') && !s.digits() || (s.accept('e') || s.accept('E')) && !s.exponent() {
		s.fail("is a number that ends too soon", "write numbers such as 12, -0.5 or 1e3")
	}
	if s.err != nil {
		return nil
	}
	return s.b[from:s.at]
}

func (s *scanner) exponent() bool {
	_ = s.accept('+') || s.accept('-')
	return s.digits()
}

func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' {
		s.at++
	}
	return s.at > from
}

func (s *scanner) accept(c byte) bool {
	if s.at >= len(s.b) || s.b[s.at] != c {
		return false
	}
	s.at++
	return true
}

// string reads a string and returns its text, which is valid until the next
// string is read.
func (s *scanner) string() []byte {
	if !s.take('"') {
		return nil
	}
	from := s.at
	for s.at < len(s.b) {
		switch c := s.b[s.at]; {
		case c == '"':
			s.at++
			return s.valid(s.b[from : s.at-1])
		case c == '\\':
			return s.escaped(from)
		case c < ' ':
			s.fail("is a control character in a string", "escape it")
			return nil
		}
		s.at++
	}
	s.fail("ends within a string", closeFix)
	return nil
}

func (s *scanner) valid(text []byte) []byte {
	if !utf8.Valid(text) {
		s.fail("ends a string that is not UTF-8", "encode the body in UTF-8")
		return nil
	}
	return text
}

// escaped goes on with a string that has an escape at the present place.
func (s *scanner) escaped(from int) []byte {
	s.scratch = append(s.scratch[:0], s.b[from:s.at]...)
	for s.at < len(s.b) && s.err == nil {
		switch c := s.b[s.at]; {
		case c == '"':
			s.at++
			return s.valid(s.scratch)
		case c == '\\':
			s.at++
			s.scratch = utf8.AppendRune(s.scratch, s.escape())
		case c < ' ':
			s.fail("is a control character in a string", "escape it")
		default:
			s.at++
			s.scratch = append(s.scratch, c)
		}
	}
	s.fail("ends within a string", closeFix)
	return nil
}

func (s *scanner) escape() rune {
	if s.at >= len(s.b) {
		return utf8.RuneError
	}
	c := s.b[s.at]
	s.at++
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		return s.unicode()
	}
	s.fail("follows a \\ that escapes nothing", "write \\\\ for a backslash")
	return utf8.RuneError
}

// unicode reads the digits of \uXXXX, and the second half of a surrogate pair.
func (s *scanner) unicode() rune {
	r := s.hex()
	if !utf16.IsSurrogate(r) {
		return r
	}
	if s.accept('\\') && s.accept('u') {
		if pair := utf16.DecodeRune(r, s.hex()); pair != utf8.RuneError {
			return pair
		}
	}
	s.fail("follows half of a surrogate pair", "write both halves, or the character itself")
	return utf8.RuneError
}

func (s *scanner) hex() rune {
	if s.at+4 <= len(s.b) {
		if v, err := strconv.ParseUint(string(s.b[s.at:s.at+4]), 16, 16); err == nil {
			s.at += 4
			return rune(v)
		}
	}
	s.fail("are not four hexadecimal digits", "write \\u with four digits")
	return utf8.RuneError
}

// intern returns text as a string that is shared with equal ones before.
func (s *scanner) intern(text []byte) string {
	if have, ok := s.names[string(text)]; ok {
		return have
	}
	if s.names == nil {
		s.names = make(map[string]string, 32)
	}
	name := string(text)
	s.names[name] = name
	return name
}

// excerpt shortens text for a message to 64 bytes or less, in whole runes.
func excerpt(text []byte) string {
	if len(text) <= 64 {
		return string(bytes.ToValidUTF8(text, nil))
	}
	return string(bytes.ToValidUTF8(text[:61], nil)) + "…"
}

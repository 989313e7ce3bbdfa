package flags

import (
	"strconv"
	"strings"
)

// plainReader reads the requests that nearly all clients send, a context of flat
// values without escapes, at a fifth of the cost of encoding/json. Whatever it
// does not know it leaves to encoding/json, faults too, so that there is one
// place that says what is wrong.
type plainReader struct {
	rest string
	ok   bool // false: not a plain request
}

// plainContext returns the attributes of a plain request's context.
func plainContext(body []byte) (map[string]any, bool) {
	p := plainReader{rest: string(body), ok: true}
	p.take("{")
	if p.text() != "context" {
		return nil, false
	}
	p.take(":")
	attributes := p.object()
	p.take("}")
	p.blank()
	return attributes, p.ok && p.rest == ""
}

func (p *plainReader) object() map[string]any {
	p.take("{")
	m := make(map[string]any, 8)
	for p.ok && !p.next("}") {
		if len(m) > 0 {
			p.take(",")
		}
		key := p.text()
		p.take(":")
		m[key] = p.value()
	}
	return m
}

func (p *plainReader) value() any {
	p.blank()
	switch {
	case strings.HasPrefix(p.rest, `"`):
		return p.text()
	case p.next("true"):
		return true
	case p.next("false"):
		return false
	case p.next("null"):
		return nil
	}
	return p.number()
}

// blank passes over JSON's white space.
func (p *plainReader) blank() {
	for p.rest != "" && (p.rest[0] == ' ' || p.rest[0] == '\n' || p.rest[0] == '\t' || p.rest[0] == '\r') {
		p.rest = p.rest[1:]
	}
}

// next reports whether token follows, and passes over it.
func (p *plainReader) next(token string) bool {
	p.blank()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *plainReader) take(token string) { p.ok = p.next(token) && p.ok }

// text reads a string of printable ASCII without escapes.
func (p *plainReader) text() string {
	p.take(`"`)
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			s := p.rest[:i]
			p.rest = p.rest[i+1:]
			return s
		case c < ' ' || c > '~' || c == '\\':
			p.ok = false
			return ""
		}
	}
	p.ok = false
	return ""
}

// number reads a number without an exponent.
func (p *plainReader) number() float64 {
	s := strings.TrimPrefix(p.rest, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		p.ok = false
		return 0
	}
	size := len(p.rest) - len(s) + whole
	if strings.HasPrefix(s[whole:], ".") {
		part := digits(s[whole+1:])
		p.ok = p.ok && part > 0
		size += 1 + part
	}
	f, err := strconv.ParseFloat(p.rest[:size], 64)
	p.ok = p.ok && err == nil
	p.rest = p.rest[size:]
	return f
}

// digits counts the digits that s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

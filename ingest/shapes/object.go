package shapes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is one object of a body, member by member, which notes what is not as it
// should be. Members that nobody asks for may be anything.
type object struct {
	path    string          // of the object, with a point behind it unless it is empty
	whole   json.RawMessage // as it was sent
	members map[string]json.RawMessage
	faults  []Fault
}

// mostMembers bounds the members of an object: each takes many times the memory
// that it takes on the wire.
const mostMembers = 1000

// objectOf reads an object; one that cannot be read has a fault, and no members.
func objectOf(raw json.RawMessage, path string) (*object, bool) {
	o := &object{path: path, whole: raw}
	if path != "" {
		o.path += "."
	}
	err := between(raw, '{', func(d *json.Decoder) error {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if len(o.members) == mostMembers {
			return errors.New("too many members")
		}
		var member json.RawMessage
		if err := d.Decode(&member); err != nil {
			return err
		}
		if o.members == nil {
			o.members = map[string]json.RawMessage{}
		}
		o.members[name.(string)] = member // names of members are strings
		return nil
	})
	if err != nil {
		o.faults = []Fault{{path, excerpt(raw), fmt.Sprintf("is not an object of at most %d members", mostMembers), "see the sender's documentation"}}
		o.members = nil
	}
	return o, err == nil
}

func (o *object) fault(name, why, fix string) {
	o.faults = append(o.faults, Fault{o.path + name, excerpt(o.members[name]), why, fix})
}

// has reports whether there is a member, and that it is not null.
func (o *object) has(name string) bool {
	raw, ok := o.members[name]
	return ok && string(raw) != "null"
}

// text returns a member that is text, "" when there is none.
func (o *object) text(name string) (s string) {
	if o.has(name) && json.Unmarshal(o.members[name], &s) != nil {
		o.fault(name, "is not a string", "send a string")
	}
	return s
}

// must returns a member that is text and may not be missing.
func (o *object) must(name, fix string) string {
	before := len(o.faults)
	s := o.text(name)
	if s == "" && len(o.faults) == before {
		o.fault(name, "is missing or empty", fix)
	}
	return s
}

// scalar returns a member that is text, a number or a truth, as text.
func (o *object) scalar(name string) string {
	s, ok := textOf(o.members[name])
	if !ok && o.has(name) {
		o.fault(name, "is neither a string, a number, nor true or false", "send one of them")
	}
	return s
}

// truth returns a member that is true or false.
func (o *object) truth(name string) (b bool) {
	if o.has(name) && json.Unmarshal(o.members[name], &b) != nil {
		o.fault(name, "is neither true nor false", "send true or false")
	}
	return b
}

// number returns a member that is a number, also one in a string, which some
// libraries send; nil when there is none.
func (o *object) number(name string) *float64 {
	if !o.has(name) {
		return nil
	}
	text, _ := textOf(o.members[name])
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		o.fault(name, "is not a number", "send a number")
		return nil
	}
	return &n
}

// milliseconds are greater than seconds of any year that anybody will see.
const milliseconds = 1e11

// epoch returns a member that is a time as seconds or milliseconds since 1970,
// which senders of one shape do not agree about. It may not be missing: what has
// no time cannot be told from its repetition.
func (o *object) epoch(name string) time.Time {
	before := len(o.faults)
	n := o.number(name)
	switch {
	case n == nil && len(o.faults) == before:
		o.fault(name, "is missing", "send milliseconds since 1970")
	case n == nil:
	case *n < 0 || *n >= 1e15:
		o.fault(name, "is not a time", "send milliseconds since 1970")
	case *n > milliseconds:
		return time.UnixMilli(int64(*n)).UTC()
	default:
		return time.UnixMilli(int64(*n * 1000)).UTC()
	}
	return time.Time{}
}

// instant returns a member that is a time as RFC 3339 has it, months and days also
// with one digit; zero when there is none.
func (o *object) instant(name string) time.Time {
	text := o.text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse("2006-1-2T15:04:05Z07:00", text)
	if err != nil {
		o.fault(name, "is not a time", "send RFC 3339, such as 2026-11-21T09:00:00.250Z")
	}
	return at.UTC()
}

// object returns a member that is an object, an empty one when there is none. Its
// faults are its own.
func (o *object) object(name string) *object {
	if !o.has(name) {
		return &object{path: o.path + name + "."}
	}
	in, _ := objectOf(o.members[name], o.path+name)
	return in
}

// list returns the elements of a member that is a list.
func (o *object) list(name string) (list []json.RawMessage, err error) {
	if !o.has(name) {
		return nil, nil
	}
	list, err = listOf(o.members[name])
	if err != nil && !errors.Is(err, ErrMany) {
		o.fault(name, "is not a list", "send a list")
		err = nil
	}
	return list, err
}

// scalars adds the members that are scalars to m, those in others not, and returns
// m.
func (o *object) scalars(m map[string]string, others ...string) map[string]string {
	for name, raw := range o.members {
		if text, ok := textOf(raw); ok && !slices.Contains(others, name) {
			m = with(m, name, text)
		}
	}
	return m
}

// with returns m with a value, unless that is empty.
func with(m map[string]string, name, text string) map[string]string {
	if text == "" {
		return m
	}
	if m == nil {
		m = map[string]string{}
	}
	m[name] = text
	return m
}

// textOf returns a scalar as text: of a string what it says, else what is written.
func textOf(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case '{', '[', 'n':
		return "", false
	}
	return string(raw), true
}

// excerpt shortens what was sent for whoever has to find it.
func excerpt(raw []byte) string {
	const most = 64
	text, ok := textOf(raw)
	if !ok {
		text = string(raw)
	}
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return strings.ToValidUTF8(text, "�")
}

// errBody is what is wrong with a body as a whole.
type errBody int64

// Error implements error. What the decoder says repeats values, which are for
// nobody but their sender.
func (e errBody) Error() string { return fmt.Sprintf("its byte %d shows", int64(e)) }

// elements returns the elements of a list: of the member of that name, or, where
// there is no name, of the body, which may be a single element, too.
func elements(body []byte, name string) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(body)
	switch {
	case name != "":
		o, ok := objectOf(body, "")
		if !ok || !o.has(name) {
			return nil, fmt.Errorf("%s is missing", name)
		}
		body = o.members[name]
	case len(body) > 0 && body[0] == '{':
		if !json.Valid(body) {
			return nil, errBody(len(body))
		}
		return []json.RawMessage{body}, nil
	}
	return listOf(body)
}

// listOf returns the elements of a list, as many as there may be.
func listOf(raw []byte) (list []json.RawMessage, err error) {
	err = between(raw, '[', func(d *json.Decoder) error {
		if len(list) == MaxEvents {
			return ErrMany
		}
		var element json.RawMessage
		err := d.Decode(&element)
		list = append(list, element)
		return err
	})
	return list, err
}

// between reads what stands between open and its counterpart, and that nothing
// follows.
func between(raw []byte, open json.Delim, each func(*json.Decoder) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != open {
		return errBody(d.InputOffset())
	}
	for d.More() {
		if err := each(d); errors.Is(err, ErrMany) {
			return err
		} else if err != nil {
			return errBody(d.InputOffset())
		}
	}
	if _, err := d.Token(); err != nil {
		return errBody(d.InputOffset())
	}
	if _, err := d.Token(); err != io.EOF {
		return errBody(d.InputOffset())
	}
	return nil
}

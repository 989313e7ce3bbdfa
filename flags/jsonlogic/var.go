package jsonlogic

import (
	"maps"
	"math"
	"strconv"
	"strings"
)

// scope is something that vars look into: the data, or a member of a list.
type scope struct {
	top  *Data // nil: item
	item Value
}

// variable is a compiled var.
type variable struct {
	path     []string // without empty parts
	inner    bool     // "" and names that begin with a dot are never looked for outside
	fallback expr     // when there is nothing at the path
	name     *expr    // a name that is not known before; then path and fallback are not used
}

func (k *compiler) variable(path string, raw any, depth int) expr {
	v := &variable{fallback: constant(Value{})}
	list, isList := raw.([]any)
	switch {
	case isList && (len(list) == 1 || len(list) == 2):
		if name, ok := list[0].(string); ok {
			v.path = parts(name)
			if len(list) == 2 {
				v.fallback = k.expr(path+"[1]", list[1], depth+1)
			}
			break
		}
		fallthrough
	default:
		if !v.named(k, path, raw, depth) {
			return k.fault(path, raw, "is not a name", "write the attribute's name, or a list of name and default")
		}
	}
	return expr{eval: v.eval, variable: v}
}

// named compiles a name that is not a list of text and default. It reports
// whether there can be such a name.
func (v *variable) named(k *compiler, path string, raw any, depth int) bool {
	switch raw := raw.(type) {
	case string:
		v.path, v.inner = parts(raw), raw == "" || strings.HasPrefix(raw, ".")
		return true
	case float64:
		v.path = parts(strconv.FormatFloat(raw, 'f', -1, 64))
		return true
	case bool:
		return false
	}
	name := k.expr(path, raw, depth+1)
	v.name = &name
	if !name.constant || name.value.kind == Null || name.value.kind == List && name.value.Len() == 0 {
		return true
	}
	return name.value.kind == List && name.value.At(0).kind == Text
}

// parts splits a path at its dots; empty parts mean nothing.
func parts(name string) []string {
	var out []string
	for part := range strings.SplitSeq(name, ".") {
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}

// eval looks into the scopes outside first, as body says.
func (v *variable) eval(f *frame) (Value, error) {
	if len(f.outer) == 0 || v.inner {
		return v.in(f)
	}
	if found, err := v.outside(f); err != nil || found.kind != Null {
		return found, err
	}
	outer := f.outer
	f.outer = nil
	defer func() { f.outer = outer }()
	return v.in(f)
}

// outside looks into the scopes outside alone.
func (v *variable) outside(f *frame) (Value, error) {
	data, outer := f.data, f.outer
	defer func() { f.data, f.outer = data, outer }()
	f.outer = nil
	for _, s := range outer {
		if err := f.spend(1); err != nil {
			return Value{}, err
		}
		f.data = s
		if found, err := v.in(f); err != nil || found.kind != Null {
			return found, err
		}
	}
	return Value{}, nil
}

// in looks into the data.
func (v *variable) in(f *frame) (Value, error) {
	if v.name != nil {
		return v.dynamic(f)
	}
	fallback := v.fallback.value
	if !v.fallback.constant {
		var err error
		if fallback, err = v.fallback.eval(f); err != nil {
			return Value{}, err
		}
	}
	return f.at(v.path, fallback)
}

// dynamic reads a name that the rule computes.
func (v *variable) dynamic(f *frame) (Value, error) {
	name, err := v.name.eval(f)
	if err != nil {
		return Value{}, err
	}
	var fallback Value
	switch name.kind {
	case Null:
		if whole, err := f.at(nil, fallback); whole.kind != List && whole.kind != Object {
			return whole, err
		}
		return Value{}, nil
	case Number:
		text, _ := name.written()
		return f.at(parts(text), fallback)
	case List:
		if name.Len() == 0 {
			return f.at(nil, fallback)
		}
		if name.Len() == 2 {
			fallback = name.At(1)
		}
		name = name.At(0)
	}
	if name.kind != Text {
		return Value{}, refuse("var", name)
	}
	if err := f.spend(1 + len(name.text)/stride); err != nil {
		return Value{}, err
	}
	return f.at(parts(name.text), fallback)
}

// at is the scope's, and takes off what it costs to make one value of all the
// data.
func (f *frame) at(path []string, fallback Value) (Value, error) {
	if len(path) == 0 && f.data.top != nil {
		if err := f.spend(1 + len(f.data.top.Attributes)); err != nil {
			return Value{}, err
		}
	}
	return f.data.at(path, fallback), nil
}

// at returns what is at a path, or the fallback when that is nothing or null.
func (s scope) at(path []string, fallback Value) Value {
	v := s.item
	switch {
	case s.top != nil && len(path) > 0:
		v, path = s.top.head(path)
	case s.top != nil:
		v = s.whole()
	}
	for _, part := range path {
		v = v.under(part)
	}
	if v.kind == Null {
		return fallback
	}
	return v
}

// under returns the member of an object or list that a part of a path names.
func (v Value) under(part string) Value {
	switch v.kind {
	case Object:
		return ValueOf(v.held.(map[string]any)[part])
	case List:
		n, _ := strconv.ParseFloat(part, 64) // 0 for what is no number, as flagd reads it
		if n = math.Trunc(n); n >= 0 && n < float64(v.Len()) {
			return v.At(int(n))
		}
	}
	return Value{}
}

// head returns the value of the path's first parts, and the parts behind them.
func (d *Data) head(path []string) (Value, []string) {
	hidden := false
	for i := range d.Fields {
		f := &d.Fields[i]
		first, rest, dotted := strings.Cut(f.Name, ".")
		switch {
		case first != path[0]:
		case !dotted:
			return f.Value, path[1:]
		case len(path) > 1 && path[1] == rest:
			return f.Value, path[2:]
		default:
			hidden = true
		}
	}
	if hidden {
		return d.object(path[0]), path[1:]
	}
	return ValueOf(d.Attributes[path[0]]), path[1:]
}

// object makes one object of the fields whose names begin with it.
func (d *Data) object(first string) Value {
	m := map[string]any{}
	for _, f := range d.Fields {
		if head, rest, _ := strings.Cut(f.Name, "."); head == first {
			if v := f.Value.Any(); v != nil {
				m[rest] = v
			}
		}
	}
	return Value{kind: Object, held: m}
}

// whole returns everything that a scope holds.
func (s scope) whole() Value {
	if s.top == nil {
		return s.item
	}
	m := maps.Clone(s.top.Attributes)
	if m == nil {
		m = map[string]any{}
	}
	for _, f := range s.top.Fields {
		first, _, dotted := strings.Cut(f.Name, ".")
		switch v := f.Value.Any(); {
		case dotted:
			m[first] = s.top.object(first).held
		case v != nil:
			m[first] = v
		}
	}
	return Value{kind: Object, held: m}
}

// named returns the value of one name in a scope that is an object.
func (s scope) named(name string) (Value, bool) {
	if s.top == nil && s.item.kind != Object {
		return Value{}, false
	}
	if s.top != nil {
		for i := range s.top.Fields {
			if s.top.Fields[i].Name == name {
				return s.top.Fields[i].Value, true
			}
		}
	}
	return s.at(parts(name), Value{}), true
}

// Any returns the value as encoding/json would have made it.
func (v Value) Any() any {
	switch v.kind {
	case Bool:
		return v.number != 0
	case Number:
		return v.number
	case Text:
		return v.text
	case Object:
		return v.held
	case List:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = v.At(i).Any()
		}
		return out
	}
	return nil
}

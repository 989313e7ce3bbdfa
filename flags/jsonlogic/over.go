package jsonlogic

import (
	"errors"
	"slices"
)

// over compiles the operators that go over a list with a rule of their own.
func (k *compiler) over(path, op string, raw any, depth int) expr {
	list, ok := raw.([]any)
	least := 2
	if op == "reduce" {
		least = 3
	}
	if !ok || len(list) < least {
		return k.fault(path, nil, "has not enough operands: a list, a rule and, for reduce, a first value", "")
	}
	l := loop{op: op, subject: k.subject(path+"[0]", list[0], depth), body: k.expr(path+"[1]", list[1], depth+1)}
	if _, rule := list[1].(map[string]any); !rule && op != "filter" && op != "map" {
		return k.fault(path+"[1]", list[1], "is not a rule", "write an operator")
	}
	switch op {
	case "filter":
		return expr{eval: l.filter}
	case "map":
		return expr{eval: l.mapped}
	case "reduce":
		l.first = k.expr(path+"[2]", list[2], depth+1)
		return expr{eval: l.reduce}
	}
	return expr{eval: l.quantify}
}

// subject compiles the list that is gone over. One that is written out is
// taken as it stands: its members are values.
func (k *compiler) subject(path string, raw any, depth int) expr {
	if _, rule := raw.(map[string]any); rule {
		return k.expr(path, raw, depth+1)
	}
	if v := ValueOf(raw); v.kind == List {
		return constant(v)
	}
	return constant(Value{}) // anything else is no list to flagd
}

// loop is one such operator.
type loop struct {
	op      string
	subject expr
	body    expr
	first   expr // reduce: the value before the first member
}

// errBare is flagd's failure for {"all": [list, {"var": "x"}]}.
var errBare = errors.New("the condition is nothing but a var, and it is found: compare it with something")

// list evaluates the subject. An empty one and null are nothing to go over, and
// so is a scalar that flagd fills in for a var beforehand: see each.
func (l *loop) list(f *frame) (Value, error) {
	if x := l.subject.variable; x != nil && !x.inner && len(f.outer) > 0 {
		if v, err := x.outside(f); err != nil || v.kind == Bool || v.kind == Number || v.kind == Text {
			return Value{}, err
		}
	}
	v, err := l.subject.eval(f)
	quantifies := l.op == "all" || l.op == "some" || l.op == "none"
	if err != nil || v.kind == List || v.kind == Null || quantifies && !v.True() {
		return v, err
	}
	return v, refuse(l.op, v)
}

// each evaluates the body for every member. solved says what names are looked
// for in before the member: flagd fills in the vars that the data outside
// knows before it looks at the members.
func (l *loop) each(f *frame, v Value, solved func(member Value) []scope, visit func(member, is Value) (more bool, err error)) error {
	data, outer := f.data, f.outer
	defer func() { f.data, f.outer = data, outer }()
	if err := f.spend(v.Len()); err != nil {
		return err
	}
	for i := range v.Len() {
		member := v.At(i)
		f.data, f.outer = scope{item: member}, slices.Concat(outer, solved(member))
		is, err := l.evaluate(f)
		if err != nil {
			return err
		}
		if more, err := visit(member, is); !more || err != nil {
			return err
		}
	}
	return nil
}

// evaluate evaluates the body in the scope of one member.
func (l *loop) evaluate(f *frame) (Value, error) {
	if l.body.variable == nil || l.body.variable.inner || l.op == "filter" || l.op == "map" {
		return l.body.eval(f)
	}
	found, err := l.body.variable.outside(f)
	switch {
	case err != nil || found.kind == Object:
		return found, err
	case found.kind != Null:
		return Value{}, errBare
	}
	return l.body.eval(f)
}

func (l *loop) filter(f *frame) (Value, error) {
	v, err := l.list(f)
	if err != nil {
		return Value{}, err
	}
	out, here := []Value{}, []scope{f.data}
	err = l.each(f, v, func(Value) []scope { return here }, func(member, is Value) (bool, error) {
		if is.True() {
			out = append(out, member)
		}
		return true, nil
	})
	return listOf(out), err
}

func (l *loop) mapped(f *frame) (Value, error) {
	v, err := l.list(f)
	if err != nil {
		return Value{}, err
	}
	out := make([]Value, 0, v.Len())
	err = l.each(f, v, func(Value) []scope { return nil }, func(_, is Value) (bool, error) {
		out = append(out, is)
		return true, nil
	})
	return listOf(out), err
}

// quantify is all, some and none.
func (l *loop) quantify(f *frame) (Value, error) {
	v, err := l.list(f)
	if err != nil || v.Len() == 0 {
		return BoolOf(l.op == "none"), err
	}
	here, stop := f.data, l.op != "all" // the truth of a member that ends the search
	ended := false
	err = l.each(f, v, func(member Value) []scope {
		switch l.op {
		case "all":
			return []scope{{item: member}}
		case "some":
			return []scope{here, {item: member}}
		}
		return []scope{here}
	}, func(_, is Value) (bool, error) {
		ended = is.True() == stop
		return !ended, nil
	})
	return BoolOf(ended == (l.op == "some")), err
}

// reduce joins all members into one value of the first one's kind.
func (l *loop) reduce(f *frame) (Value, error) {
	total, err := l.first.eval(f)
	if err != nil {
		return Value{}, err
	}
	kind := total.kind
	if kind != Bool && kind != Number && kind != Text {
		return Value{}, refuse("reduce", total)
	}
	v, err := l.list(f)
	if err != nil {
		return Value{}, err
	}
	if v.kind == Null {
		return NumberOf(0), nil
	}
	data := f.data
	defer func() { f.data = data }()
	for i := range v.Len() {
		if err := f.spend(1); err != nil {
			return Value{}, err
		}
		member := v.At(i)
		if member.kind == Null {
			continue
		}
		f.data = scope{top: &Data{Fields: []Field{{"current", member}, {"accumulator", total}, {"valueType", TextOf(kind.name())}}}}
		next, err := l.evaluate(f)
		if err != nil {
			return Value{}, err
		}
		if total, err = next.as(kind); err != nil {
			return Value{}, err
		}
	}
	return total, nil
}

// name is what a reduce's body sees as valueType.
func (k Kind) name() string {
	switch k {
	case Bool:
		return "bool"
	case Number:
		return "number"
	}
	return "string"
}

// as turns the value into one of another kind.
func (v Value) as(kind Kind) (Value, error) {
	switch kind {
	case Bool:
		return BoolOf(v.True()), nil
	case Number:
		if n, ok := v.summand(); ok {
			return NumberOf(n), nil
		}
	case Text:
		if s, ok := v.written(); ok {
			return TextOf(s), nil
		}
	}
	return Value{}, refuse("reduce", v)
}

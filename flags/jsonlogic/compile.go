package jsonlogic

import (
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// expr is a compiled part of a rule.
type expr struct {
	eval     func(*frame) (Value, error)
	constant bool      // eval reads no data
	value    Value     // of a constant
	variable *variable // the expr is nothing but this var; else nil
}

func constant(v Value) expr {
	return expr{eval: func(*frame) (Value, error) { return v, nil }, constant: true, value: v}
}

// compiler gathers the faults of a rule while it compiles it.
type compiler struct {
	operators map[string]Operator
	faults    event.Invalids
}

func (k *compiler) fault(path string, value any, why, fix string) expr {
	k.faults.Add(path, value, why, fix)
	return constant(Value{})
}

// expr compiles a part. An object with one key is an operator; one with more,
// or none, is a value.
func (k *compiler) expr(path string, raw any, depth int) expr {
	switch raw := raw.(type) {
	case map[string]any:
		for op, args := range raw {
			if len(raw) == 1 {
				return k.operator(below(path, op), op, args, depth)
			}
		}
	case []any:
		return k.list(path, raw, depth)
	}
	return constant(ValueOf(raw))
}

func below(path, op string) string {
	if path == "" {
		return op
	}
	return path + "." + op
}

// list compiles a list of parts.
func (k *compiler) list(path string, raw []any, depth int) expr {
	members := k.exprs(path, raw, depth)
	fixed := make([]Value, len(members))
	for i, m := range members {
		if !m.constant {
			return expr{eval: func(f *frame) (Value, error) { return evaluateList(f, members) }}
		}
		fixed[i] = m.value
	}
	return constant(listOf(fixed))
}

func (k *compiler) exprs(path string, raw []any, depth int) []expr {
	if depth >= maxDepth {
		k.fault(path, nil, fmt.Sprintf("is nested deeper than %d", maxDepth), "write it flatter")
		return nil
	}
	out := make([]expr, len(raw))
	for i := range raw {
		out[i] = k.expr(fmt.Sprintf("%s[%d]", path, i), raw[i], depth+1)
	}
	return out
}

func evaluateList(f *frame, members []expr) (Value, error) {
	out := make([]Value, len(members))
	for i := range members {
		v, err := members[i].eval(f)
		if err != nil {
			return Value{}, err
		}
		out[i] = v
	}
	return listOf(out), f.spend(len(out))
}

// operator compiles one use of an operator.
func (k *compiler) operator(path, op string, raw any, depth int) expr {
	if depth >= maxDepth {
		return k.fault(path, nil, fmt.Sprintf("is nested deeper than %d", maxDepth), "write it flatter")
	}
	if custom, ok := k.operators[op]; ok {
		o := k.operands(path, raw, depth)
		return expr{eval: func(f *frame) (Value, error) { return o.call(f, custom) }}
	}
	switch op {
	case "var":
		return k.variable(path, raw, depth)
	case "and", "or", "if", "?:":
		return k.branches(path, op, raw, depth)
	case "filter", "map", "reduce", "all", "some", "none":
		return k.over(path, op, raw, depth)
	case "!", "!!":
		return k.negation(path, op, raw, depth)
	}
	if s, ok := shapeOf(op); ok {
		return k.eager(path, op, s, raw, depth)
	}
	return k.fault(path, nil, fmt.Sprintf("is not an operator: %q", op), "use an operator of JSONLogic or of flagd")
}

// operands are what an operator is given: a list of parts, or one part that is
// not written as a list but may give one.
type operands struct {
	list  []expr
	whole *expr
}

func (k *compiler) operands(path string, raw any, depth int) operands {
	if list, ok := raw.([]any); ok {
		return operands{list: k.exprs(path, list, depth)}
	}
	one := k.expr(path, raw, depth+1)
	return operands{whole: &one}
}

// push evaluates the operands onto the frame's stack. isList is false when
// there is one and it is no list. The caller takes them off: f.args = f.args[:base].
func (o operands) push(f *frame) (base int, isList bool, err error) {
	base = len(f.args)
	if o.whole != nil {
		v, err := o.whole.eval(f)
		if err != nil {
			return base, false, err
		}
		if v.kind != List {
			return base, false, f.push(v)
		}
		for i := range v.Len() {
			if err := f.push(v.At(i)); err != nil {
				return base, true, err
			}
		}
		return base, true, nil
	}
	for i := range o.list {
		v, err := o.list[i].eval(f)
		if err == nil {
			err = f.push(v)
		}
		if err != nil {
			return base, true, err
		}
	}
	return base, true, nil
}

func (o operands) call(f *frame, op Operator) (Value, error) {
	base, isList, err := o.push(f)
	defer func() { f.args = f.args[:base] }()
	if err != nil {
		return Value{}, err
	}
	return op(Call{Args: f.args[base:], List: isList, f: f})
}

package jsonlogic

import "fmt"

// shape says what an operator that evaluates all its operands asks of them,
// whatever their values.
type shape struct {
	apply func(f *frame, args []Value) (Value, error)
	least int  // operands; fewer are refused
	alone bool // one operand that is no list is taken as it is
}

// shapeOf returns what is asked of the operands of op, and whether there is
// such an operator.
func shapeOf(op string) (shape, bool) {
	switch op {
	case "==":
		return shape{apply: loosely(true)}, true
	case "!=":
		return shape{apply: loosely(false)}, true
	case "===":
		return shape{apply: strictly(true), alone: true}, true
	case "!==":
		return shape{apply: strictly(false), alone: true}, true
	case "<":
		return shape{apply: ordered(less)}, true
	case "<=":
		return shape{apply: ordered(lessOrEqual)}, true
	case ">":
		return shape{apply: ordered(func(a, b Value) bool { return less(b, a) })}, true
	case ">=":
		return shape{apply: ordered(func(a, b Value) bool { return lessOrEqual(b, a) })}, true
	case "in":
		return shape{apply: in, least: 1}, true
	case "merge":
		return shape{apply: merge, alone: true}, true
	case "missing":
		return shape{apply: missing, alone: true}, true
	case "missing_some":
		return shape{apply: missingSome, least: 2}, true
	case "cat":
		return shape{apply: cat, alone: true}, true
	case "substr":
		return shape{apply: substr, least: 2}, true
	}
	return arithmetic(op)
}

// arithmetic is shapeOf for the operators that make a number.
func arithmetic(op string) (shape, bool) {
	switch op {
	case "+":
		return shape{apply: sum, alone: true}, true
	case "-":
		return shape{apply: minus, least: 1}, true
	case "*":
		return shape{apply: product}, true
	case "/":
		return shape{apply: quotient, least: 1}, true
	case "%":
		return shape{apply: remainder, least: 2}, true
	case "max":
		return shape{apply: extreme("max", func(a, b float64) bool { return a > b })}, true
	case "min":
		return shape{apply: extreme("min", func(a, b float64) bool { return a < b })}, true
	}
	return shape{}, false
}

// eager compiles such an operator.
func (k *compiler) eager(path, op string, s shape, raw any, depth int) expr {
	o := k.operands(path, raw, depth)
	switch {
	case o.whole == nil && len(o.list) < s.least:
		return k.fault(path, nil, fmt.Sprintf("has not enough operands: %s takes at least %d", op, s.least), "")
	case o.whole != nil && o.whole.constant && !s.alone:
		return k.fault(path, raw, "is not a list", "write the operands of "+op+" as a list")
	}
	if e, ok := membership(op, o); ok {
		return e
	}
	return expr{eval: func(f *frame) (Value, error) { return o.apply(f, op, s) }}
}

func (o operands) apply(f *frame, op string, s shape) (v Value, err error) {
	base, isList, err := o.push(f)
	args := f.args[base:]
	switch {
	case err != nil:
	case !isList && !s.alone:
		err = refuse(op, args[0])
	case len(args) < s.least:
		err = fmt.Errorf("%s takes at least %d operands", op, s.least)
	default:
		v, err = s.apply(f, args)
	}
	f.args = f.args[:base]
	return v, err
}

// loosely is == and !=. A missing operand equals nothing.
func loosely(want bool) func(*frame, []Value) (Value, error) {
	return func(_ *frame, args []Value) (Value, error) {
		is := len(args) >= 2 && equal(args[0], args[1])
		return BoolOf(is == want), nil
	}
}

// strictly is === and !==: equal, and of one kind.
func strictly(want bool) func(*frame, []Value) (Value, error) {
	return func(_ *frame, args []Value) (Value, error) {
		is := len(args) >= 2 && args[0].kind == args[1].kind && equal(args[0], args[1])
		return BoolOf(is == want), nil
	}
}

func lessOrEqual(a, b Value) bool { return less(a, b) || equal(a, b) }

// ordered compares two operands, or holds the second between two others.
func ordered(holds func(a, b Value) bool) func(*frame, []Value) (Value, error) {
	return func(_ *frame, args []Value) (Value, error) {
		switch {
		case len(args) < 2:
			return BoolOf(false), nil
		case len(args) == 3:
			return BoolOf(holds(args[0], args[1]) && holds(args[1], args[2])), nil
		}
		return BoolOf(holds(args[0], args[1])), nil
	}
}

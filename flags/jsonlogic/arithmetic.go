package jsonlogic

import "math"

// fold joins all operands from the first on.
func fold(op string, args []Value, join func(a, b float64) float64) (Value, error) {
	out, ok := args[0].summand()
	if !ok {
		return Value{}, refuse(op, args[0])
	}
	for _, v := range args[1:] {
		n, ok := v.summand()
		if !ok {
			return Value{}, refuse(op, v)
		}
		out = join(out, n)
	}
	return NumberOf(out), nil
}

func sum(_ *frame, args []Value) (Value, error) {
	if len(args) == 0 {
		return NumberOf(0), nil
	}
	return fold("+", args, func(a, b float64) float64 { return a + b })
}

func minus(_ *frame, args []Value) (Value, error) {
	if len(args) == 1 {
		n, ok := args[0].summand()
		if !ok {
			return Value{}, refuse("-", args[0])
		}
		return NumberOf(-1 * n), nil
	}
	return fold("-", args, func(a, b float64) float64 { return a - b })
}

func product(_ *frame, args []Value) (Value, error) {
	if len(args) == 0 {
		return NumberOf(1), nil
	}
	return fold("*", args, func(a, b float64) float64 { return a * b })
}

func quotient(_ *frame, args []Value) (Value, error) {
	return fold("/", args, func(a, b float64) float64 { return a / b })
}

func remainder(_ *frame, args []Value) (Value, error) {
	return fold("%", args[:2], math.Mod)
}

// extreme returns the operand that is before all others.
func extreme(op string, before func(a, b float64) bool) func(*frame, []Value) (Value, error) {
	return func(_ *frame, args []Value) (Value, error) {
		if len(args) == 0 {
			return Value{}, nil
		}
		return fold(op, args, func(a, b float64) float64 {
			if before(b, a) {
				return b
			}
			return a
		})
	}
}

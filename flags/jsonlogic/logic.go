package jsonlogic

// branches compiles the operators that evaluate only what they need.
func (k *compiler) branches(path, op string, raw any, depth int) expr {
	list, ok := raw.([]any)
	if !ok {
		return k.fault(path, raw, "is not a list", "write the operands of "+op+" as a list")
	}
	parts := k.exprs(path, list, depth)
	switch op {
	case "and":
		return expr{eval: func(f *frame) (Value, error) { return until(f, parts, false) }}
	case "or":
		return expr{eval: func(f *frame) (Value, error) { return until(f, parts, true) }}
	}
	return expr{eval: func(f *frame) (Value, error) { return choose(f, parts) }}
}

// until evaluates parts up to the first that is as true as stop, and returns
// its value, or the last one's.
func until(f *frame, parts []expr, stop bool) (last Value, err error) {
	for i := range parts {
		if err = f.spend(1); err != nil {
			return last, err
		}
		if last, err = parts[i].eval(f); err != nil || last.True() == stop {
			return last, err
		}
	}
	return last, nil
}

// choose is if: pairs of condition and answer, and perhaps one answer for the
// rest.
func choose(f *frame, parts []expr) (Value, error) {
	for i := 0; i+1 < len(parts); i += 2 {
		condition, err := parts[i].eval(f)
		if err == nil {
			err = f.spend(1)
		}
		if err != nil {
			return Value{}, err
		}
		if condition.True() {
			return parts[i+1].eval(f)
		}
	}
	if len(parts)%2 == 1 {
		return parts[len(parts)-1].eval(f)
	}
	return Value{}, nil
}

// negation compiles ! and !!. They look at the first operand; a list that the
// one operand gives counts as the operands.
func (k *compiler) negation(path, op string, raw any, depth int) expr {
	o, double := k.operands(path, raw, depth), op == "!!"
	return expr{eval: func(f *frame) (Value, error) {
		base, _, err := o.push(f)
		is := len(f.args) > base && f.args[base].True()
		f.args = f.args[:base]
		return BoolOf(is == double), err
	}}
}

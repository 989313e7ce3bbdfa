package jsonlogic

import "strings"

// in looks for a text in a text, or for anything in a list.
func in(f *frame, args []Value) (Value, error) {
	if len(args) == 1 {
		return BoolOf(false), nil
	}
	needle, hay := args[0], args[1]
	switch {
	case hay.kind == Text && needle.kind == Text:
		return BoolOf(strings.Contains(hay.text, needle.text)), nil
	case hay.kind == Text:
		return Value{}, refuse("in, before a text,", needle)
	}
	for i := range hay.Len() {
		is, err := is(needle, hay.At(i))
		if err == nil {
			err = f.spend(1)
		}
		if is || err != nil {
			return BoolOf(is), err
		}
	}
	return BoolOf(false), nil
}

// is reports whether the needle is a list's member, or in the range that the
// member is.
func is(needle, member Value) (bool, error) {
	if member.kind == List {
		return within(needle, member)
	}
	if needle.kind == Number {
		n, ok := member.summand()
		if !ok {
			return false, refuse("in, after a number,", member)
		}
		return n == needle.number, nil
	}
	if needle.kind == member.kind && (needle.kind == List || needle.kind == Object) {
		return false, refuse("in", needle)
	}
	return needle.kind == member.kind && equal(needle, member), nil
}

func within(v, bounds Value) (bool, error) {
	if bounds.Len() < 2 {
		return false, refuse("in, as a range,", bounds)
	}
	n, ok := v.summand()
	from, okFrom := bounds.At(0).summand()
	if !ok || !okFrom {
		return false, refuse("in, as a range,", bounds)
	}
	if n < from {
		return false, nil
	}
	to, ok := bounds.At(1).summand()
	if !ok {
		return false, refuse("in, as a range,", bounds)
	}
	return to >= n, nil
}

// few is the size up to which looking through a list beats a map.
const few = 8

// membership compiles in with a list of texts that is known before: what most
// rules ask.
func membership(op string, o operands) (expr, bool) {
	if op != "in" || len(o.list) != 2 || !o.list[1].constant || o.list[1].value.Len() <= few {
		return expr{}, false
	}
	needle, hay := o.list[0], o.list[1].value
	set := make(map[string]struct{}, hay.Len())
	for i := range hay.Len() {
		s, ok := hay.At(i).Text()
		if !ok {
			return expr{}, false
		}
		set[s] = struct{}{}
	}
	return expr{eval: func(f *frame) (Value, error) {
		v, err := needle.eval(f)
		if err == nil && v.kind == Text {
			_, ok := set[v.text]
			return BoolOf(ok), nil
		}
		if err != nil {
			return Value{}, err
		}
		return in(f, []Value{v, hay})
	}}, true
}

// merge makes one list of lists and single values.
func merge(f *frame, args []Value) (Value, error) {
	out := make([]Value, 0, len(args))
	for _, v := range args {
		if v.kind != List {
			out = append(out, v)
			continue
		}
		if err := f.spend(v.Len()); err != nil {
			return Value{}, err
		}
		for i := range v.Len() {
			out = append(out, v.At(i))
		}
	}
	return listOf(out), f.spend(len(args))
}

// missing returns the names under which the data has nothing.
func missing(f *frame, args []Value) (Value, error) {
	out := []Value{}
	for _, name := range args {
		found, err := found(f, name)
		if err != nil {
			return Value{}, err
		}
		if !found {
			out = append(out, name)
		}
	}
	return listOf(out), nil
}

// missingSome returns them unless enough others are there.
func missingSome(f *frame, args []Value) (Value, error) {
	need, ok := args[0].summand()
	if !ok || args[1].kind != List {
		return Value{}, refuse("missing_some", args[0])
	}
	names := make([]Value, args[1].Len())
	for i := range names {
		names[i] = args[1].At(i)
	}
	lacking, err := missing(f, names)
	if err != nil || len(names)-lacking.Len() >= int(need) {
		return listOf([]Value{}), err
	}
	return lacking, nil
}

func found(f *frame, name Value) (bool, error) {
	text, ok := name.written()
	if name.kind == Null {
		return false, nil
	}
	if !ok {
		return false, refuse("missing", name)
	}
	if err := f.spend(1 + len(text)/stride); err != nil {
		return false, err
	}
	v, err := f.at(parts(text), Value{})
	return v.kind != Null, err
}

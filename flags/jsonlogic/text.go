package jsonlogic

import (
	"fmt"
	"math"
	"strings"
)

// cat joins texts and numbers. White space at both ends goes when there are
// two or more, as flagd has it.
func cat(f *frame, args []Value) (Value, error) {
	if len(args) == 1 {
		s, ok := args[0].written()
		if !ok {
			return Value{}, refuse("cat", args[0])
		}
		return TextOf(s), nil
	}
	var b strings.Builder
	for _, v := range args {
		s, ok := v.written()
		if !ok {
			return Value{}, refuse("cat", v)
		}
		b.WriteString(s)
	}
	return TextOf(strings.TrimSpace(b.String())), f.spend(b.Len())
}

// substr cuts text by characters: from a place, counted from the end when it
// is negative, for a length, or up to a place before the end.
func substr(f *frame, args []Value) (Value, error) {
	s, ok := args[0].written()
	if !ok {
		return Value{}, refuse("substr", args[0])
	}
	from, err := whole(args[1])
	if err != nil {
		return Value{}, err
	}
	runes := []rune(s)
	if from < 0 {
		from += len(runes)
	}
	if from < 0 || from > len(runes) {
		return TextOf(s), f.spend(len(s)) // outside the text: all of it, as flagd has it
	}
	to := len(runes)
	if len(args) == 3 {
		if to, err = whole(args[2]); err != nil {
			return Value{}, err
		}
		if to < 0 {
			to += len(runes)
		} else {
			to = min(from+to, len(runes))
		}
	}
	if to < from {
		return Value{}, fmt.Errorf("substr cannot end at %d, before it begins at %d", to, from)
	}
	return TextOf(string(runes[from:to])), f.spend(len(s))
}

// whole returns the whole part of a number that counts characters.
func whole(v Value) (int, error) {
	n, ok := v.summand()
	if !ok {
		return 0, refuse("substr", v)
	}
	return int(math.Trunc(max(min(n, maxWork), -maxWork))), nil // no text is longer
}

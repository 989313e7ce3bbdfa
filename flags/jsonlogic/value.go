package jsonlogic

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Kind is what a value is.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	Text
	List
	Object
)

// String returns the kind with its article.
func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "text", "a list", "an object"}[k]
}

// Value is a JSON value. The zero Value is null. It is not an interface, so
// that reading attributes allocates nothing.
type Value struct {
	kind   Kind
	number float64 // of a number; of a boolean 0 or 1
	text   string
	held   any // of a list: []any, []string or []Value; of an object: map[string]any
}

// TextOf returns a text.
func TextOf(s string) Value { return Value{kind: Text, text: s} }

// NumberOf returns a number.
func NumberOf(n float64) Value { return Value{kind: Number, number: n} }

// BoolOf returns a boolean.
func BoolOf(b bool) Value {
	if b {
		return Value{kind: Bool, number: 1}
	}
	return Value{kind: Bool}
}

func listOf(members []Value) Value { return Value{kind: List, held: members} }

// ValueOf returns what encoding/json, a YAML decoder or a caller in Go puts
// into an interface; null for anything else.
func ValueOf(v any) Value {
	switch v := v.(type) {
	case string:
		return TextOf(v)
	case bool:
		return BoolOf(v)
	case []any, []string:
		return Value{kind: List, held: v}
	case map[string]any:
		return Value{kind: Object, held: v}
	}
	if n, ok := numberOf(v); ok {
		return NumberOf(n)
	}
	return Value{}
}

func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case int32:
		return float64(v), true
	case float32:
		return float64(v), true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	}
	return 0, false
}

// Kind returns what the value is.
func (v Value) Kind() Kind { return v.kind }

// Text returns a text, and false for any other kind.
func (v Value) Text() (string, bool) { return v.text, v.kind == Text }

// Number returns a number, and false for any other kind.
func (v Value) Number() (float64, bool) { return v.number, v.kind == Number }

// Bool returns a boolean; ok is false for any other kind.
func (v Value) Bool() (is, ok bool) { return v.number != 0, v.kind == Bool }

// Len returns how many members a list has, 0 for any other kind.
func (v Value) Len() int {
	switch held := v.held.(type) {
	case []any:
		return len(held)
	case []string:
		return len(held)
	case []Value:
		return len(held)
	}
	return 0
}

// At returns a list's member; i must be below Len.
func (v Value) At(i int) Value {
	switch held := v.held.(type) {
	case []any:
		return ValueOf(held[i])
	case []string:
		return TextOf(held[i])
	case []Value:
		return held[i]
	}
	return Value{} // unreachable unless i is not below Len
}

// finite reports whether JSON can write the value.
func (v Value) finite() bool {
	for i := range v.Len() {
		if !v.At(i).finite() {
			return false
		}
	}
	return v.kind != Number || !math.IsNaN(v.number) && !math.IsInf(v.number, 0)
}

// True reports whether a condition holds that gives this value: not for null,
// false, 0, and empty texts, lists and objects.
func (v Value) True() bool {
	switch v.kind {
	case Bool, Number:
		return v.number != 0
	case Text:
		return v.text != ""
	case List:
		return v.Len() > 0
	case Object:
		return len(v.held.(map[string]any)) > 0
	}
	return false
}

// written returns the value as cat writes it, and false for kinds it cannot.
func (v Value) written() (string, bool) {
	switch v.kind {
	case Null:
		return "", true
	case Text:
		return v.text, true
	case Number:
		return strconv.FormatFloat(v.number, 'f', -1, 64), true
	}
	return "", false
}

// Written returns the text that cat makes of the value alone, and false for
// booleans, lists and objects, which it cannot join.
func (v Value) Written() (string, bool) { return v.written() }

// summand returns the value as arithmetic reads it, and false for kinds it
// cannot. Text that is no number is 0.
func (v Value) summand() (float64, bool) {
	switch v.kind {
	case Number:
		return v.number, true
	case Text:
		n, _ := strconv.ParseFloat(v.text, 64) // 0 for what is no number, infinite for what is too large
		return n, true
	}
	return 0, false
}

// compared returns the value as comparisons between kinds read it (ECMA-262,
// ToNumber, but for lists and objects, which are no number).
func (v Value) compared() float64 {
	switch v.kind {
	case Null:
		return 0
	case Bool, Number:
		return v.number
	case Text:
		return parsed(v.text)
	}
	return math.NaN()
}

func parsed(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	switch {
	case strings.TrimSpace(s) == "":
		return 0
	case err != nil && !math.IsInf(n, 0): // too large is infinite, and no fault
		return math.NaN()
	}
	return n
}

// equal is ==.
func equal(a, b Value) bool {
	switch {
	case a.kind == Null || b.kind == Null:
		return a.kind == b.kind
	case a.kind == Text && b.kind == Text:
		return a.text == b.text
	}
	return a.compared() == b.compared()
}

// less is <.
func less(a, b Value) bool {
	if a.kind == Text && b.kind == Text {
		return a.text < b.text
	}
	return a.compared() < b.compared()
}

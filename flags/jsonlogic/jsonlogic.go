// Package jsonlogic compiles and evaluates JSONLogic rules
// (https://jsonlogic.com). It holds the operators of the language; others are
// passed in. It never reads a clock, runs no data as a rule, and ends: depth is
// bounded when a rule is compiled, work when it is evaluated.
//
//	rule, err := jsonlogic.Compile([]byte(`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`), nil)
//	v, err := rule.Evaluate(&jsonlogic.Data{Attributes: map[string]any{"plan": "pro"}})
//	v.Text() // "on", true
//
// Where implementations of the language differ, this one answers what flagd's
// does (github.com/diegoholiveira/jsonlogic v3.9): the rules that people bring
// along were tried against that. What that means beside json-logic-js:
//
//   - null equals null alone, where JavaScript's == also takes undefined and
//     a missing operand; a list or object equals nothing, not even itself
//   - + - * / % max min refuse booleans and null, and read text that is no
//     number as 0; < <= > >= read null as 0
//   - cat cuts white space at both ends when it joins two or more; booleans and
//     lists cannot be joined
//   - in with a number reads the list's texts as numbers; a list inside the
//     list is a range [from, to]
//   - an empty object is false
//   - var reads an index that is no number as 0, and null as missing
//   - inside filter, some and none a name is looked for in the data outside
//     first; a condition of all and some that is nothing but a var which is
//     found is an error
//
// It differs from flagd's on purpose in this: what an operand is refused for
// whatever the data is refused when the rule is compiled, not when it is
// reached; a value out of the data or the rule is never itself run as a rule;
// and an evaluation stops when it has done too much.
package jsonlogic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/sluice-hq/sluice/event"
)

// maxDepth is how deep operators and lists may nest.
const maxDepth = 64

// maxWork is how many operands, list members and bytes of new text one
// evaluation may go through. It stops rules that multiply, not rules that are
// long.
const maxWork = 1 << 20

// ErrWork says that an evaluation was stopped because it did too much.
var ErrWork = errors.New("the rule does too much work for this data")

var errInfinite = errors.New("the result is a number that JSON cannot write")

// Operator is an operator beside those of the language. Its operands are
// evaluated before it is called.
type Operator func(c Call) (Value, error)

// Call is what an operator is called with. It must not be kept.
type Call struct {
	Args []Value // its operands
	List bool    // they were a list; false: the one operand stood alone
	f    *frame
}

// Lookup returns what a var of that one name gives where the operator stands,
// and false when it stands in something without names.
func (c Call) Lookup(name string) (Value, bool) { return c.f.data.named(name) }

// Data is the object that a rule's vars look into.
type Data struct {
	Fields     []Field        // before Attributes
	Attributes map[string]any // what encoding/json makes of JSON
}

// Field is one value that the caller adds to the attributes. A name with dots
// hides the attribute that its first part names.
type Field struct {
	Name  string
	Value Value
}

// Rule is a compiled rule. Any number of goroutines may evaluate it.
type Rule struct {
	root   expr
	frames sync.Pool // of *frame: an evaluation allocates only what it makes
}

// Compile compiles a rule. Its error is event.Invalids with every fault and
// the path of each, such as if[0].==[1].
func Compile(rule []byte, operators map[string]Operator) (*Rule, error) {
	d := json.NewDecoder(bytes.NewReader(rule))
	var raw any
	if err := d.Decode(&raw); err != nil {
		return nil, event.Invalids{{Why: "is not JSON: " + err.Error()}}
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, event.Invalids{{Why: "is more than one JSON value"}}
	}
	k := compiler{operators: operators}
	r := &Rule{root: k.expr("", raw, 0)}
	r.frames.New = func() any { return new(frame) }
	if err := k.faults.Err(); err != nil {
		return nil, err
	}
	return r, nil
}

// Evaluate applies the rule. It fails where flagd fails: an operand of a kind
// that the operator cannot take.
func (r *Rule) Evaluate(d *Data) (Value, error) {
	f := r.frames.Get().(*frame)
	f.data, f.work = scope{top: d}, maxWork
	v, err := r.root.eval(f)
	f.data, f.outer, f.args = scope{}, f.outer[:0], f.args[:0]
	r.frames.Put(f)
	if err == nil && !v.finite() {
		return Value{}, errInfinite
	}
	return v, err
}

// frame is what one evaluation holds.
type frame struct {
	data  scope   // what vars look into
	outer []scope // looked into before data: see body
	args  []Value // a stack of operands
	work  int     // left
}

// spend takes n off the work that is left.
func (f *frame) spend(n int) error {
	if f.work -= n; f.work < 0 {
		return ErrWork
	}
	return nil
}

// stride is how many bytes of text are looked through in about the time that
// an operand takes.
const stride = 64

// push puts an operand onto the stack, and takes off what it may cost to look
// at it.
func (f *frame) push(v Value) error {
	f.args = append(f.args, v)
	return f.spend(1 + len(v.text)/stride)
}

// refuse says that an operator cannot take a value.
func refuse(op string, v Value) error {
	return fmt.Errorf("%s cannot take %s", op, v.kind)
}

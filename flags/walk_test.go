package flags

import (
	"fmt"
	"testing"
)

// TestWalkRemembers asks more attributes twice than a walk remembers: each
// answer must be that of its own attribute, remembered or not, in every order
// of the three ways to join them.
func TestWalkRemembers(t *testing.T) {
	const attributes = slots + 4
	var c Condition
	for i := range attributes {
		name := fmt.Sprintf("a%d", i)
		is := Condition{Attribute: name, Op: Eq, Value: name}
		c.All = append(c.All, Condition{Any: []Condition{{Attribute: name, Op: Ne, Value: name}, {None: []Condition{{None: []Condition{is}}}}}})
	}
	n, faults := c.compile(nil)
	if faults.Err() != nil {
		t.Fatal(faults.Err())
	}
	if n.slot != slots {
		t.Fatalf("%d slots are used of %d", n.slot, slots)
	}
	for lacking := range attributes {
		in := Context{Attributes: map[string]any{}}
		for i := range attributes {
			name := fmt.Sprintf("a%d", i)
			in.Attributes[name] = name
		}
		if !n.met(&in) {
			t.Fatal("all attributes are what they are asked to be, and the condition is not met")
		}
		delete(in.Attributes, fmt.Sprintf("a%d", lacking))
		if n.met(&in) {
			t.Errorf("without a%d the condition is met", lacking)
		}
	}
}

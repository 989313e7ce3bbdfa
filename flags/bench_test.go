package flags

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
)

// oneRule is the case of the budget: one rule that does not match, and an
// allocation with two arms.
func oneRule(t testing.TB) (*Set, *Context) {
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", allocate(canary(Whole-1)))
	return h.state.Compile(production, nil), &Context{TargetingKey: "u-1", Attributes: map[string]any{"ring": "public", "workspace": "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e"}}
}

var sink Result

func BenchmarkEvaluate(b *testing.B) {
	set, c := oneRule(b)
	if r := set.Evaluate("checkout.express", c); !r.Enrolled {
		b.Fatalf("the unit is not enrolled: %+v", r)
	}
	b.ReportAllocs()
	for b.Loop() {
		sink = set.Evaluate("checkout.express", c)
	}
}

func BenchmarkEvaluateFiftyRules(b *testing.B) {
	h, f := newHouse(b), checkout()
	f.Environments[production] = Environment{Enabled: true, Rules: manyRules(50)}
	h.define(f)
	c := &Context{Attributes: map[string]any{"ring": "public", "workspace": "w-17", "country": "DE"}}
	measure(b, h.state.Compile(production, nil), c)
}

// BenchmarkEvaluateNestedConditions asks a rule whose ten conditions stand in
// each other, over five attributes, and of which the innermost decides.
func BenchmarkEvaluateNestedConditions(b *testing.B) {
	h, f := newHouse(b), checkout()
	when := Condition{Attribute: "ring", Op: Eq, Value: "beta"}
	for i := range 9 {
		step := Condition{Attribute: []string{"country", "plan", "app", "device"}[i%4], Op: Ne, Value: fmt.Sprintf("x%d", i)}
		if i%3 == 2 {
			step.Op = Eq
			when = Condition{Any: []Condition{step, when}}
		} else {
			when = Condition{All: []Condition{step, when}}
		}
	}
	f.Environments[production] = Environment{Enabled: true, Rules: []Rule{{Name: "deep", When: &when, Serve: "on"}}}
	h.define(f)
	measure(b, h.state.Compile(production, nil), &Context{Attributes: map[string]any{
		"ring": "public", "workspace": "w-17", "country": "DE", "plan": "team", "app": "2.4.0", "device": "phone",
	}})
}

// BenchmarkEvaluateManyAttributes is the same with an attribute of its own for
// each condition and three that are asked again: what looking up costs.
func BenchmarkEvaluateManyAttributes(b *testing.B) {
	h, f := newHouse(b), checkout()
	when := Condition{Attribute: "ring", Op: Eq, Value: "beta"}
	c := &Context{Attributes: map[string]any{"ring": "public", "workspace": "w-17", "country": "DE"}}
	for i := range 9 {
		step := Condition{Attribute: fmt.Sprintf("a%d", i), Op: Ne, Value: "x"}
		if when = (Condition{All: []Condition{step, when}}); i%3 == 2 {
			when = Condition{Any: []Condition{{Attribute: "country", Op: Eq, Value: "FR"}, when}}
		}
		c.Attributes[step.Attribute] = "y"
	}
	f.Environments[production] = Environment{Enabled: true, Rules: []Rule{{Name: "deep", When: &when, Serve: "on"}}}
	h.define(f)
	measure(b, h.state.Compile(production, nil), c)
}

// measure evaluates checkout for contexts in turn.
func measure(b *testing.B, set *Set, contexts ...*Context) {
	b.Helper()
	allocations := testing.AllocsPerRun(100, func() { sink = set.Evaluate("checkout.express", contexts[0]) })
	if allocations != 0 {
		b.Fatalf("Evaluate makes %v allocations, want 0", allocations)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		sink = set.Evaluate("checkout.express", contexts[i%len(contexts)])
	}
}

// BenchmarkEvaluateLargeSegment asks a segment of a million units for another
// unit each time, of which half are members: the memory it lies in is never in
// the cache.
func BenchmarkEvaluateLargeSegment(b *testing.B) {
	ids := make([]string, MaxUnits)
	for i := range ids {
		ids[i] = fmt.Sprintf("workspace-%08d", i*7919)
	}
	var contexts []*Context
	for i := range 1024 {
		id := ids[i*967]
		if i%2 == 1 {
			id = fmt.Sprintf("stranger-%08d", i)
		}
		contexts = append(contexts, inWorkspace(id))
	}
	doc, lists := large(b, ids...)
	units := lists[doc.Included.Bulk.SHA256]
	h := newHouse(b)
	h.segment(doc)
	h.define(forSegment("fellows"))
	set := h.state.Compile(production, lists)
	if r := set.Evaluate("checkout.express", contexts[0]); r.Rule != "members" {
		b.Fatalf("a member is none: %+v", r)
	}
	measure(b, set, contexts...)
	b.ReportMetric(float64(len(units.text)+8*len(units.slots))/MaxUnits, "B/unit")
}

func manyRules(n int) []Rule {
	rules := make([]Rule, n)
	for i := range rules {
		rules[i] = Rule{Name: fmt.Sprintf("r%d", i), Serve: "on", When: &Condition{All: []Condition{
			{Attribute: "country", Op: In, Values: []any{"DE", "FR"}}, {Attribute: "ring", Op: Eq, Value: fmt.Sprintf("ring-%d", i)},
		}}}
	}
	return rules
}

func BenchmarkOFREP(b *testing.B) {
	set, c := oneRule(b)
	buffer := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		_, buffer = set.AppendOFREP(buffer[:0], "checkout.express", c)
	}
}

func BenchmarkOFREPBulkOfHundred(b *testing.B) {
	h := newHouse(b)
	for i := range 100 {
		f := checkout()
		f.Key = fmt.Sprintf("flag-%d", i)
		a := canary(Whole)
		a.Salt = f.Key
		h.define(f)
		h.do(f.Key, allocate(a))
	}
	set, c := h.state.Compile(production, nil), &Context{TargetingKey: "u-1", Attributes: map[string]any{"ring": "public", "workspace": "w-17"}}
	b.ReportAllocs()
	for b.Loop() {
		set.OFREPBulk(c)
	}
}

func BenchmarkParseContext(b *testing.B) {
	body := []byte(`{"context":{"targetingKey":"u-1","workspace":"w-17","ring":"public","country":"DE"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, f := ParseContext(body); f != nil {
			b.Fatal(f)
		}
	}
}

func BenchmarkCompileThousandFlags(b *testing.B) {
	list := make([]Recorded, 1000)
	for i := range list {
		f := checkout()
		f.Key = fmt.Sprintf("flag-%d", i)
		list[i] = Recorded{Flag: f, Revision: uint64(i + 1)}
	}
	b.ReportAllocs()
	for b.Loop() {
		NewSet(rulesetOf(list...), nil)
	}
}

func TestEvaluateAllocatesNothing(t *testing.T) {
	set, c := oneRule(t)
	if n := testing.AllocsPerRun(100, func() { sink = set.Evaluate("checkout.express", c) }); n != 0 {
		t.Errorf("Evaluate makes %v allocations, want 0", n)
	}
	buffer := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { _, buffer = set.AppendOFREP(buffer[:0], "checkout.express", c) }); n != 0 {
		t.Errorf("AppendOFREP makes %v allocations, want 0", n)
	}
	if !json.Valid(buffer) {
		t.Errorf("not JSON: %s", buffer)
	}
}

// BenchmarkMemoryOfTenThousandFlags reports what a compiled set holds for each
// flag, and what the state behind it does.
func BenchmarkMemoryOfTenThousandFlags(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		empty := inUse()
		h := newHouse(b)
		for i := range n {
			f := checkout()
			f.Key = fmt.Sprintf("flag-%d", i)
			h.define(f)
		}
		state := inUse()
		set := h.state.Compile(production, nil)
		b.ReportMetric(float64(inUse()-state)/n, "B/flag-in-set")
		b.ReportMetric(float64(state-empty)/n, "B/flag-in-state")
		runtime.KeepAlive(set)
		runtime.KeepAlive(h)
	}
}

// inUse returns the bytes that live objects hold.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

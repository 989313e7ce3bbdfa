package flags

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
)

// armsAt returns the arm of each of the first n units that is enrolled.
func armsAt(h *house, coverage, n int) map[int]string {
	h.t.Helper()
	h.do("checkout.express", allocate(canary(coverage)))
	set, out := h.state.Compile(production, nil), map[int]string{}
	for i := range n {
		r := set.Evaluate("checkout.express", &Context{Attributes: map[string]any{"workspace": fmt.Sprintf("w-%d", i)}})
		if r.Enrolled {
			out[i] = r.Variant
		}
	}
	return out
}

// Ten thousand units at 2 %, 20 %, 100 % and 20 % again.
func TestCoverageNeverMovesAUnit(t *testing.T) {
	const units = 10000
	h := newHouse(t)
	h.define(checkout())
	two, twenty, whole, again := armsAt(h, 2000, units), armsAt(h, 20000, units), armsAt(h, Whole, units), armsAt(h, 20000, units)
	if diff := cmp.Diff(twenty, again); diff != "" {
		t.Errorf("the cohort at 20 %% is not the same: first -, again +\n%s", diff)
	}
	for _, pair := range [][2]map[int]string{{two, twenty}, {twenty, whole}} {
		for unit, arm := range pair[0] {
			if pair[1][unit] != arm {
				t.Errorf("unit %d went from %s to %q", unit, arm, pair[1][unit])
			}
		}
	}
	for share, got := range map[float64]map[int]string{0.02: two, 0.2: twenty, 1: whole} {
		near(t, "enrolled", len(got), units, share)
		treated := 0
		for _, arm := range got {
			if arm == "on" {
				treated++
			}
		}
		near(t, "treated of enrolled", treated, len(got), 0.5)
	}
}

// near allows four standard deviations of a binomial share.
func near(t *testing.T, what string, got, of int, share float64) {
	t.Helper()
	want, allowed := share*float64(of), 4*math.Sqrt(share*(1-share)*float64(of))
	if math.Abs(float64(got)-want) > allowed {
		t.Errorf("%s: %d of %d, want %.0f ± %.0f", what, got, of, want, allowed)
	}
}

func TestAnyRaiseKeepsArms(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	rapid.Check(t, func(t *rapid.T) {
		a := canary(rapid.IntRange(0, Whole).Draw(t, "coverage"))
		a.Salt = rapid.StringMatching(`[a-z.#0-9]{1,12}`).Draw(t, "salt")
		first := rapid.IntRange(1, Whole-1).Draw(t, "weight")
		a.Arms = []Arm{{"on", first}, {"off", Whole - first}}
		b := *a
		b.Coverage = rapid.IntRange(a.Coverage, Whole).Draw(t, "raised")
		c := &Context{Attributes: map[string]any{"workspace": rapid.StringN(1, 20, -1).Draw(t, "unit")}}
		before, after := allocated(a).Evaluate("checkout.express", c), allocated(&b).Evaluate("checkout.express", c)
		if before.Enrolled && (!after.Enrolled || after.Variant != before.Variant) {
			t.Fatalf("at %d: %+v\nat %d: %+v", a.Coverage, before, b.Coverage, after)
		}
	})
}

// allocated compiles checkout with an allocation and no rules.
func allocated(a *Allocation) *Set {
	f := checkout()
	f.Environments[production] = Environment{Enabled: true, Allocation: a}
	return NewSet(rulesetOf(Recorded{Flag: f, Revision: 1}), nil)
}

// The enrolment and arm of a unit, and the arms of two rollouts, are
// independent of each other.
func TestHashesAreIndependent(t *testing.T) {
	const units = 20000
	first, both := 0, 0
	for i := range units {
		id := fmt.Sprintf("u-%d", i)
		if Bucket("k"+armSalt+id) < Whole/2 {
			first++
			if Bucket("k#2"+armSalt+id) < Whole/2 {
				both++
			}
		}
	}
	near(t, "treated again", both, first, 0.5)
}

func genFlagKey(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "checkout.express"}).Draw(t, "key")
}

func genCondition(t *rapid.T, depth int) *Condition {
	var list []Condition
	branch := rapid.IntRange(0, 5).Draw(t, "branch")
	if branch < 3 && depth > 0 {
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			list = append(list, *genCondition(t, depth-1))
		}
	}
	switch {
	case list != nil && branch == 0:
		return &Condition{All: list}
	case list != nil && branch == 1:
		return &Condition{Any: list}
	case list != nil:
		return &Condition{None: list}
	}
	c := Condition{Attribute: rapid.SampledFrom([]string{"ring", "age", TargetingKey}).Draw(t, "attribute")}
	switch c.Op = rapid.SampledFrom([]Operator{Eq, Ne, In, NotIn, Lt, StartsWith, IsSet, IsNotSet}).Draw(t, "op"); c.Op {
	case Eq, Ne:
		c.Value = rapid.SampledFrom([]any{"beta", "u-1", 30.0, true}).Draw(t, "value")
	case In, NotIn:
		c.Values = []any{"beta", "u-2", 30.0}
	case Lt:
		c.Value = 30.0
	case StartsWith:
		c.Values = []any{"be", "u-"}
	}
	return &c
}

func genRule(t *rapid.T, name string) Rule {
	r := Rule{Name: name}
	if rapid.IntRange(0, 9).Draw(t, "when") > 0 {
		r.When = genCondition(t, 2)
	}
	if rapid.Bool().Draw(t, "split") {
		r.Split = []Arm{{"on", 30000}, {"off", 70000}}
	} else {
		r.Serve = rapid.SampledFrom([]string{"on", "off"}).Draw(t, "serve")
	}
	return r
}

func genAllocation(t *rapid.T, key string) *Allocation {
	a := canary(rapid.SampledFrom([]int{0, 2000, 50000, Whole}).Draw(t, "coverage"))
	a.Rollout, a.Salt = "production/"+key+"/1", key
	a.Epoch = rapid.IntRange(1, 2).Draw(t, "epoch")
	if rapid.Bool().Draw(t, "uneven") {
		a.Arms = []Arm{{"on", 90000}, {"off", 10000}}
	}
	if rapid.Bool().Draw(t, "audience") {
		a.Audience = genCondition(t, 1)
	}
	return a
}

func genFlag(t *rapid.T, key string) Flag {
	f := checkout()
	f.Key = key
	e := Environment{Enabled: rapid.IntRange(0, 4).Draw(t, "enabled") > 0}
	if other := genFlagKey(t); other != key && rapid.Bool().Draw(t, "needs") {
		e.Prerequisites = []Prerequisite{{other, rapid.SampledFrom([]string{"on", "off"}).Draw(t, "needed")}}
	}
	if rapid.Bool().Draw(t, "target") {
		e.Targets = []Target{{"on", []string{"w-1"}}, {"off", []string{"w-2"}}}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "rules") {
		e.Rules = append(e.Rules, genRule(t, fmt.Sprintf("r%d", i)))
	}
	f.Environments[production] = e
	return f
}

func genContext(t *rapid.T) *Context {
	c := &Context{Attributes: map[string]any{}, TargetingKey: rapid.SampledFrom([]string{"", "u-1", "u-2"}).Draw(t, "targetingKey")}
	for name, values := range map[string][]any{
		"ring": {nil, "beta", "public", []any{"beta", 30.0}, []any{}}, "age": {nil, 20.0, 30.0, "30"}, "workspace": {nil, "", "w-1", "w-2", "w-3", 5.0},
	} {
		if v := rapid.SampledFrom(values).Draw(t, name); v != nil {
			c.Attributes[name] = v
		}
	}
	return c
}

// genMembers is a condition that names segments, alone or among others.
func genMembers(t *rapid.T) *Condition {
	c := asks(rapid.SliceOfN(rapid.SampledFrom([]string{"fellows", "guests"}), 1, 2).Draw(t, "segments")...)
	if rapid.Bool().Draw(t, "not") {
		c.Op = NotInSegment
	}
	switch rapid.IntRange(0, 3).Draw(t, "within") {
	case 0:
		return &Condition{All: []Condition{*genCondition(t, 1), *c}}
	case 1:
		return &Condition{None: []Condition{*c, *genCondition(t, 1)}}
	}
	return c
}

func genSegment(t *rapid.T, key string, revision uint64) RecordedSegment {
	ids := rapid.SliceOf(rapid.SampledFrom([]string{"w-1", "w-2", "w-3", "u-1", "u-2"}))
	doc := Segment{
		Key: key, Unit: rapid.SampledFrom([]string{"workspace", DefaultUnit}).Draw(t, "kind"),
		Included: ListOf(ids.Draw(t, "included")...), Excluded: ListOf(ids.Draw(t, "excluded")...),
	}
	if rapid.Bool().Draw(t, "conditional") {
		doc.When = genCondition(t, 1)
	}
	return RecordedSegment{Segment: doc.normal(), Stamp: Stamp{Revision: revision}}
}

// genHouse draws everything that an environment can hold.
func genHouse(t *rapid.T) refHouse {
	h := refHouse{flags: map[string]Recorded{}, segments: []RecordedSegment{genSegment(t, "fellows", 1), genSegment(t, "fellows", 2), genSegment(t, "guests", 3)}}
	for i := range rapid.IntRange(0, 2).Draw(t, "inherited") {
		r := InheritedRule{Tags: []string{"payments"}, Name: fmt.Sprintf("i%d", i), Serve: rapid.SampledFrom([]string{"on", "off"}).Draw(t, "serve")}
		if rapid.Bool().Draw(t, "members") {
			r.When = genMembers(t)
		} else {
			r.When = genCondition(t, 1)
		}
		h.rules = append(h.rules, r)
	}
	for _, key := range []string{"a", "b", "checkout.express"} {
		h.flags[key] = genRecorded(t, key)
	}
	return h
}

func genRecorded(t *rapid.T, key string) Recorded {
	r := Recorded{Flag: genFlag(t, key), Revision: 1, Answer: "on", Archived: rapid.IntRange(0, 9).Draw(t, "archived") == 0}
	if rapid.Bool().Draw(t, "tagged") {
		r.Tags = []string{"other", "payments"}
	}
	e := r.Environments[production]
	for i := range e.Rules {
		if rapid.Bool().Draw(t, "members") {
			e.Rules[i].When = genMembers(t)
		}
	}
	if rapid.Bool().Draw(t, "served") {
		e.Served = []Rule{genRule(t, "served")}
	}
	if rapid.Bool().Draw(t, "allocated") {
		e.Allocation = genAllocation(t, key)
	}
	if a := e.Allocation; a != nil && rapid.Bool().Draw(t, "pinned") {
		a.Audience, a.Segments = genMembers(t), map[string]uint64{"fellows": rapid.Uint64Range(1, 2).Draw(t, "pin"), "guests": 3}
	}
	if a := e.Allocation; a != nil && rapid.Bool().Draw(t, "sliced") {
		a.Slice = &Slice{Salt: "production/layer", From: 20000, To: 80000}
	}
	if rapid.IntRange(0, 9).Draw(t, "forced") == 0 {
		e.Forced = &Forced{}
	}
	r.Environments[production] = e
	return r
}

// ruleset returns what the house is compiled from, after a way through JSON:
// nothing else may be needed.
func (h refHouse) ruleset(t *rapid.T) Ruleset {
	r, out := Ruleset{Environment: production, Segments: h.segments, Rules: h.rules}, Ruleset{}
	for _, f := range h.flags {
		r.Flags = append(r.Flags, f)
	}
	if err := json.Unmarshal([]byte(asJSON(t, r)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEvaluateIsTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := genHouse(t)
		set := NewSet(h.ruleset(t), nil)
		for range 20 {
			key, c := genFlagKey(t), genContext(t)
			got := set.Evaluate(key, c)
			variant, step, enrolled := h.evaluate(key, c, 0)
			if got.Variant != variant || got.Step != step || got.Enrolled != enrolled || string(got.Value) != fmt.Sprint(variant == "on") {
				t.Fatalf("%s for %+v: got %+v, want %s at %s, enrolled %v", key, c, got, variant, step, enrolled)
			}
			checkExplanation(t, set.Explain(key, c), got)
		}
	})
}

// checkExplanation checks that an explanation is about the result: the last
// look decided, no earlier one did, and each bucket is that of its text.
func checkExplanation(t *rapid.T, x Explanation, r Result) {
	if diff := cmp.Diff(r, x.Result); diff != "" {
		t.Fatalf("explained another result: %s", diff)
	}
	for i, look := range x.Looks {
		if look.Decided != (i == len(x.Looks)-1) || look.Why == "" {
			t.Fatalf("look %d of %+v", i, x.Looks)
		}
	}
	if last := x.Looks[len(x.Looks)-1]; last.Step != r.Step && r.Unenrolled != NoUnit {
		t.Fatalf("decided at %s, the result at %s", last.Step, r.Step)
	}
	for _, b := range x.Buckets {
		if b.Bucket != Bucket(b.Text) {
			t.Fatalf("%+v", b)
		}
	}
}

func genChange(t *rapid.T, key string) Change {
	if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
		return genEdit(t, key)
	}
	c := Change{Op: rapid.SampledFrom([]Op{Define, Define, Enable, Disable, Force, Unforce, Allocate, Allocate, Deallocate, Serve, Unserve, Expire, Archive, Restore}).Draw(t, "op")}
	c.Environment = rapid.SampledFrom([]string{production, production, production, "moon"}).Draw(t, "environment")
	switch c.Op {
	case Define:
		f := genFlag(t, key)
		c.Flag = &f
	case Allocate:
		c.Allocation = genAllocation(t, key)
	case Serve:
		r := genRule(t, rapid.SampledFrom([]string{"r0", "beta", "full"}).Draw(t, "name"))
		c.Rule = &r
	case Unserve, Expire:
		c.Name = rapid.SampledFrom([]string{"r0", "beta"}).Draw(t, "name")
	case Force:
		c.Reason = "breach"
	case Archive:
		c.Reason = rapid.SampledFrom([]string{"", "over"}).Draw(t, "reason")
	}
	return c
}

// genCommanded gives a command in one of the ways there are: now, at a time, or
// as a request; or does something about what waits.
func genCommanded(t *rapid.T, h *house, c Command) (event.Event, event.Expect, error) {
	way := rapid.IntRange(0, 15).Draw(t, "way")
	schedules, requests := h.state.Schedules(c.Key), h.state.Requests(c.Key)
	switch {
	case way == 1:
		return h.state.Schedule(c, c.At.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "in"))*time.Minute))
	case way == 2:
		return h.state.Propose(c)
	case way == 3:
		if due := h.state.Due(c.At); len(due) > 0 {
			e, expect, err := h.state.Handle(due[0])
			if err != nil {
				e, expect, err = h.state.Lapse(due[0], err)
			}
			return e, expect, err
		}
	case way == 4 && len(schedules) > 0:
		return h.state.Cancel(c, rapid.SampledFrom(schedules).Draw(t, "schedule").ID)
	case way > 4 && way < 9 && len(requests) > 0:
		id := rapid.SampledFrom(requests).Draw(t, "request").ID
		c.Actor = rapid.SampledFrom([]string{"person:ana", "person:ben"}).Draw(t, "who")
		return answerRequest(h.state, way, c, id)
	}
	return h.state.Handle(c)
}

func answerRequest(s *State, way int, c Command, id event.ID) (event.Event, event.Expect, error) {
	switch way {
	case 5:
		return s.Withdraw(c, id)
	case 6:
		return s.Reject(c, id)
	case 7:
		return s.Enact(c, id)
	}
	return s.Approve(c, id, asApprover)
}

// Whatever is commanded: an event that Handle makes is one that Apply takes,
// the flag is valid afterwards, and folding the log from zero gives the state
// that the running process has.
func TestCommandsFoldToTheSameState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h, carried := newHouse(t), 0
		for range rapid.IntRange(1, 40).Draw(rt, "commands") {
			if rapid.IntRange(0, 3).Draw(rt, "shared") == 0 {
				if err := genShared(rt, h); err != nil {
					mustBeRefusal(rt, err)
					continue
				}
				carried++
				continue
			}
			key := genFlagKey(rt)
			c := h.command(key, genChange(rt, key))
			if rapid.IntRange(0, 3).Draw(rt, "second") == 0 {
				c.Changes = append(c.Changes, genChange(rt, key))
			}
			if _, err := h.put(genCommanded(rt, h, c)); err != nil {
				mustBeRefusal(rt, err)
				continue
			}
			carried++
			r, ok := h.state.Flag(key)
			if err := r.Validate(); ok && err != nil {
				rt.Fatalf("after %+v the flag is invalid: %v", c.Changes, err)
			}
		}
		again := NewState()
		p := event.NewProjection(again)
		if err := p.Catch(context.Background(), h.log); err != nil {
			rt.Fatal(err)
		}
		if got, want := asJSON(rt, again.State()), asJSON(rt, h.state.State()); got != want {
			rt.Fatalf("from zero:\n%s\nrunning:\n%s", got, want)
		}
		if last, _ := h.log.Last(context.Background()); last != uint64(carried) {
			rt.Fatalf("%d events of %d commands", last, carried)
		}
	})
}

// genShared gives a command for what flags share.
func genShared(t *rapid.T, h *house) error {
	switch rapid.IntRange(0, 2).Draw(t, "of") {
	case 0:
		return second(h.trySegment("fellows", genSegmentChange(t)))
	case 1:
		doc := &EnvironmentDoc{Key: production, Order: rapid.IntRange(0, 1).Draw(t, "order")}
		if rapid.Bool().Draw(t, "rule") {
			doc.Rules = []InheritedRule{{Tags: []string{"payments"}, Name: "i", When: genMembers(t), Serve: "on"}}
		}
		if rapid.Bool().Draw(t, "gone") {
			doc = nil
		}
		return second(h.tryEnvironment(production, doc))
	}
	doc := &Policy{Key: "p", Flags: Demands{MaxPrerequisiteDepth: rapid.IntRange(0, 3).Draw(t, "depth")}}
	if rapid.Bool().Draw(t, "gone") {
		doc = nil
	}
	return second(h.tryPolicy("p", doc))
}

func genSegmentChange(t *rapid.T) SegmentChange {
	c := SegmentChange{Op: rapid.SampledFrom([]SegmentOp{SegmentDefine, SegmentDefine, SegmentAdd, SegmentRemove, SegmentDelete}).Draw(t, "op")}
	switch c.Op {
	case SegmentDefine:
		doc := genSegment(t, "fellows", 0).Segment
		c.Segment = &doc
	case SegmentAdd, SegmentRemove:
		c.List = rapid.SampledFrom([]ListName{IncludedList, ExcludedList}).Draw(t, "list")
		c.Units = rapid.SliceOfN(rapid.SampledFrom([]string{"w-1", "w-2", "w-3"}), 1, 2).Draw(t, "units")
	}
	return c
}

func mustBeRefusal(t *rapid.T, err error) {
	var faults event.Invalids
	known := slices.ContainsFunc([]error{ErrUnknown, ErrUnchanged, ErrEnded, ErrApproval, ErrRefused, event.ErrConflict}, func(is error) bool { return errors.Is(err, is) })
	if !errors.As(err, &faults) && !known {
		t.Fatalf("refused with %v", err)
	}
}

func asJSON(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

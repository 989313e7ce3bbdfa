package flags

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// member reports whether a context is in a segment, asked by a flag.
func (h *house) member(c *Context) bool {
	return h.state.Compile(production, nil).Evaluate("checkout.express", c).Step == AtRule
}

func inWorkspace(id string, more ...any) *Context {
	c := &Context{TargetingKey: "u-1", Attributes: map[string]any{"workspace": id}}
	for i := 0; i+1 < len(more); i += 2 {
		c.Attributes[more[i].(string)] = more[i+1]
	}
	return c
}

// Excluded wins over included, and that over the condition.
func TestSegmentMembership(t *testing.T) {
	h := newHouse(t)
	doc := fellows("w-1", "w-2")
	doc.Excluded, doc.When = ListOf("w-2", "w-3"), &Condition{Attribute: "plan", Op: Eq, Value: "pro"}
	h.segment(doc)
	h.define(forSegment("fellows"))
	for name, c := range map[string]struct {
		context *Context
		want    bool
	}{
		"included":               {inWorkspace("w-1"), true},
		"included and excluded":  {inWorkspace("w-2", "plan", "pro"), false},
		"excluded and condition": {inWorkspace("w-3", "plan", "pro"), false},
		"condition":              {inWorkspace("w-4", "plan", "pro"), true},
		"neither":                {inWorkspace("w-4", "plan", "free"), false},
		"another kind of unit":   {&Context{TargetingKey: "w-1"}, false},
		"no unit, but condition": {&Context{Attributes: map[string]any{"plan": "pro"}}, true},
		"a number":               {&Context{Attributes: map[string]any{"workspace": 5.0}}, false},
	} {
		if got := h.member(c.context); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// A segment without a unit is of users.
func TestSegmentOfUsers(t *testing.T) {
	h := newHouse(t)
	h.segment(Segment{Key: "fellows", Included: ListOf("u-1")})
	f := forSegment("fellows")
	f.Environments[production].Rules[0].When = &Condition{None: []Condition{{Op: NotInSegment, Value: "fellows"}}}
	h.define(f)
	if !h.member(inWorkspace("w-1")) || h.member(&Context{TargetingKey: "u-2"}) || h.member(&Context{}) {
		t.Error("not the listed user alone is a member")
	}
}

func TestSegmentRefusals(t *testing.T) {
	h := newHouse(t)
	h.segment(fellows("w-1"))
	h.define(forSegment("fellows"))
	h.environment(EnvironmentDoc{Key: "staging", Rules: []InheritedRule{{Tags: []string{"payments"}, Name: "inside", When: asks("fellows"), Serve: "on"}}})
	defined := func(change func(*Segment)) []SegmentChange {
		doc := fellows("w-1")
		change(&doc)
		return []SegmentChange{{Op: SegmentDefine, Segment: &doc}}
	}
	many := make([]string, inlineUnits)
	for i := range many {
		many[i] = fmt.Sprintf("w-%d", i+10)
	}
	for name, c := range map[string]struct {
		changes []SegmentChange
		want    string
	}{
		"no change":        {nil, "changes: is missing"},
		"no op":            {[]SegmentChange{{}}, "changes[0].op: is missing"},
		"unknown op":       {[]SegmentChange{{Op: "melt"}}, "changes[0].op: is not a change of a segment"},
		"no document":      {[]SegmentChange{{Op: SegmentDefine}}, "segment: is missing"},
		"another key":      {defined(func(s *Segment) { s.Key = "others" }), "key: is not the segment that is being defined, fellows"},
		"key":              {defined(func(s *Segment) { s.Key = "a b" }), "key: is not the segment that is being defined, fellows\nkey: has the character ' '; letters, digits, '-', '_' and '.' are allowed"},
		"tag":              {defined(func(s *Segment) { s.Tags = []string{"a", ""} }), "tags[1]: is empty"},
		"unit":             {defined(func(s *Segment) { s.Unit = "work space" }), "unit: has the character ' '; letters, digits, '-', '_' and '.' are allowed"},
		"operator":         {defined(func(s *Segment) { s.When = &Condition{Attribute: "a", Op: "near", Value: 1} }), "when.op: is not an operator"},
		"not RE2":          {defined(func(s *Segment) { s.When = &Condition{Attribute: "a", Op: Regex, Value: "(?=x)"} }), "when.value: is not a regular expression: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
		"segment within":   {defined(func(s *Segment) { s.When = &Condition{All: []Condition{*asks("others")}} }), "when.all[0].values[0]: is a segment within a segment"},
		"empty id":         {defined(func(s *Segment) { s.Included = ListOf("") }), "included.units[0]: is empty"},
		"which list":       {[]SegmentChange{{Op: SegmentAdd, Units: []string{"w-2"}}}, "changes[0].list: is missing"},
		"another list":     {[]SegmentChange{{Op: SegmentAdd, List: "others", Units: []string{"w-2"}}}, "changes[0].list: is not a list of a segment"},
		"no units":         {[]SegmentChange{{Op: SegmentRemove, List: ExcludedList}}, "changes[0].units: is missing"},
		"bad unit":         {[]SegmentChange{{Op: SegmentAdd, List: IncludedList, Units: []string{"a\n"}}}, "changes[0].units[0]: has a control character"},
		"many units":       {[]SegmentChange{{Op: SegmentAdd, List: IncludedList, Units: many}}, "changes[0].units: makes more than 1000 changes to a list"},
		"delete when used": {[]SegmentChange{{Op: SegmentDelete}}, "changes[0].op: is refused: it is used by rule inside of environment staging, rule members of flag checkout.express in production"},
	} {
		_, err := h.trySegment("fellows", c.changes...)
		wantRefusal(t, name, err, c.want)
	}
	_, _, err := h.state.HandleSegment(SegmentCommand{Order: Order{Expect: event.Any}, Key: "new", Changes: defined(func(s *Segment) { s.Key = "new" })})
	wantRefusal(t, "nobody", err, "actor: is missing")
}

// Conditions name segments that exist, wherever they stand.
func TestConditionsNameSegmentsThatExist(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	f := forSegment("fellows")
	f.Environments[production].Rules[0].When = &Condition{Any: []Condition{*asks("fellows"), {Op: NotInSegment, Value: "others"}}}
	_, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	const rule = "environments.production.rules[0].when"
	wantRefusal(t, "a rule", err, rule+".any[0].values[0]: is not a segment", rule+".any[1].value: is not a segment")
	_, err = h.try(h.command(f.Key, serve(Rule{Name: "beta", When: asks("fellows"), Serve: "on"})))
	wantRefusal(t, "a served audience", err, "changes[0].rule.when.values[0]: is not a segment")
	_, err = h.try(h.command(f.Key, after(func(a *Allocation) { a.Audience = asks("fellows") })))
	wantRefusal(t, "an allocation", err, "changes[0].allocation.audience.values[0]: is not a segment")
	_, err = h.tryEnvironment(production, &EnvironmentDoc{Key: production, Rules: []InheritedRule{{Tags: []string{"a"}, Name: "r", When: asks("fellows"), Serve: "on"}}})
	wantRefusal(t, "an inherited rule", err, "rules[0].when.values[0]: is not a segment")
}

func TestSegmentThatIsDeleted(t *testing.T) {
	h := newHouse(t)
	h.segment(fellows("w-1"))
	h.define(forSegment("fellows"))
	h.do("checkout.express", Change{Op: Archive, Reason: "over"})
	h.granted(h.trySegment("fellows", SegmentChange{Op: SegmentDelete}))
	if _, ok := h.state.Segment("fellows"); ok || len(h.state.Segments()) > 0 {
		t.Error("it is still there")
	}
	_, err := h.try(h.command("checkout.express", Change{Op: Restore}))
	wantRefusal(t, "restore", err, "changes[0].environments.production.rules[0].when.values[0]: is not a segment")
	h.segment(Segment{Key: "fellows", Unit: "workspace"})
	if doc, _ := h.state.Segment("fellows"); doc.Included.Len() != 0 {
		t.Errorf("the units of the deleted one are back: %+v", doc)
	}
	h.do("checkout.express", Change{Op: Restore})
}

// A document that does not speak of a list leaves it as it is.
func TestSegmentDocumentWithoutLists(t *testing.T) {
	h := newHouse(t)
	h.segment(fellows("w-1"))
	doc := Segment{Key: "fellows", Unit: "workspace", Description: "of the guild"}
	h.segment(doc)
	if got, _ := h.state.Segment("fellows"); got.Included.Len() != 1 || got.Description != "of the guild" {
		t.Errorf("got %+v", got)
	}
	doc.Included = UnitList{Units: []string{}}
	h.segment(doc)
	if got, _ := h.state.Segment("fellows"); got.Included.Len() != 0 {
		t.Errorf("an empty list leaves %+v", got.Included)
	}
}

// An allocation keeps the segment as it was when its epoch began.
func TestAllocationPinsItsSegments(t *testing.T) {
	h := newHouse(t)
	pinned := h.segment(fellows("w-1"))
	f := checkout()
	f.Environments[production] = Environment{Enabled: true}
	h.define(f)
	audience := func(coverage, epoch int) Change {
		return after(func(a *Allocation) { a.Audience, a.Coverage, a.Epoch = asks("fellows"), coverage, epoch })
	}
	h.do(f.Key, audience(1000, 1))
	changed := h.granted(h.trySegment("fellows", SegmentChange{Op: SegmentAdd, List: IncludedList, Units: []string{"w-2"}},
		SegmentChange{Op: SegmentRemove, List: IncludedList, Units: []string{"w-1"}}))
	h.do(f.Key, audience(Whole, 1))
	enrolled := func(id string) bool {
		return h.state.Compile(production, nil).Evaluate(f.Key, inWorkspace(id)).Enrolled
	}
	if !enrolled("w-1") || enrolled("w-2") {
		t.Error("a changed segment has reached the epoch that had begun")
	}
	if uses := h.state.Uses("fellows"); !cmp.Equal(uses, []Use{{Environment: production, Flag: f.Key, Rollout: "production/checkout.express/1", Revision: pinned}}) {
		t.Errorf("got %+v", uses)
	}
	_, err := h.trySegment("fellows", SegmentChange{Op: SegmentDelete})
	wantRefusal(t, "delete", err, "changes[0].op: is refused: it is used by rollout production/checkout.express/1")
	_, err = h.try(h.command(f.Key, after(func(a *Allocation) {
		a.Audience, a.Coverage, a.Segments = asks("fellows"), Whole, map[string]uint64{"fellows": changed}
	})))
	wantRefusal(t, "within the epoch", err, "changes[0].allocation.segments: has changed within epoch 1")
	_, err = h.try(h.command(f.Key, after(func(a *Allocation) { a.Epoch, a.Segments = 2, map[string]uint64{"fellows": changed} })))
	wantRefusal(t, "not asked for", err, "changes[0].allocation.segments.fellows: is not asked for by the audience")
	h.do(f.Key, audience(Whole, 2))
	if enrolled("w-1") || !enrolled("w-2") {
		t.Error("the next epoch has not taken the segment as it is")
	}
}

// A rule that serves what a rollout compares lets nobody in by way of its
// segment.
func TestSegmentThatWidensAComparison(t *testing.T) {
	h := newHouse(t)
	h.segment(fellows("w-1"))
	h.define(forSegment("fellows"))
	h.do("checkout.express", allocate(canary(2000)))
	_, err := h.trySegment("fellows", SegmentChange{Op: SegmentAdd, List: IncludedList, Units: []string{"w-2"}})
	wantRefusal(t, "while it compares", err, "key: decides who gets what production/checkout.express/1 compares")
	doc := fellows("w-1")
	doc.Description = "nobody else"
	h.segment(doc)
	h.do("checkout.express", in(Deallocate))
	h.granted(h.trySegment("fellows", SegmentChange{Op: SegmentAdd, List: IncludedList, Units: []string{"w-2"}}))
}

// large is a segment whose list is packed, with the lists to compile it with.
func large(t testing.TB, ids ...string) (Segment, Lists) {
	packed := Pack(ids)
	doc := fellows()
	doc.Included = PackedList(event.Blob{SHA256: event.Sum(packed), Size: int64(len(packed))}, packed)
	return doc, Lists{doc.Included.Bulk.SHA256: unitSet(t, ids...)}
}

// Without its list nothing may be said of a segment's members: not that they
// are none either.
func TestSegmentWithoutItsList(t *testing.T) {
	h := newHouse(t)
	doc, lists := large(t, "w-1", "w-2")
	h.segment(doc)
	f := forSegment("fellows")
	f.Environments[production] = Environment{Enabled: true, Rules: []Rule{
		{Name: "in", When: asks("fellows"), Serve: "on"}, {Name: "out", When: &Condition{Op: NotInSegment, Value: "fellows"}, Serve: "on"},
	}}
	h.define(f)
	if diff := cmp.Diff([]UnitBulk{*doc.Included.Bulk}, h.state.Lists()); diff != "" {
		t.Errorf("the lists to load: %s", diff)
	}
	without := h.state.Compile(production, nil)
	if r := without.Evaluate(f.Key, inWorkspace("w-1")); r.Step != AtList || r.Error != General || r.Variant != "" {
		t.Errorf("without the list: %+v", r)
	}
	if status, body := without.OFREP(f.Key, inWorkspace("w-1")); status != 503 || !strings.Contains(string(body), "is not there yet") || without.Whole() {
		t.Errorf("without the list: %d %s", status, body)
	}
	if x := without.Explain(f.Key, inWorkspace("w-1")); !strings.Contains(x.Looks[0].Why, "is not there yet") {
		t.Errorf("explained without the list: %+v", x)
	}
	with := h.state.Recompile(without, lists)
	for id, rule := range map[string]string{"w-1": "in", "w-3": "out"} {
		if r := with.Evaluate(f.Key, inWorkspace(id)); r.Rule != rule {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if !with.Whole() {
		t.Error("with the list something is missing")
	}
}

// A list that cannot be loaded keeps the flags that ask for it as they were,
// and no others; nobody waits for a list to roll back.
func TestChangesWithoutAList(t *testing.T) {
	h := newHouse(t)
	doc, lists := large(t, "w-1")
	h.segment(doc)
	other := checkout()
	other.Key = "other"
	h.define(forSegment("fellows"), other)
	was := h.state.Compile(production, lists)

	next, _ := large(t, "w-2")
	h.segment(next)
	h.do("other", Change{Op: Disable, Environment: production})
	now := h.state.Recompile(was, lists)
	if r := now.Evaluate(forSegment("fellows").Key, inWorkspace("w-1")); r.Variant != "on" || !now.Whole() {
		t.Errorf("the flag that asks for the list: %+v", r)
	}
	if r := now.Evaluate("other", inWorkspace("w-1")); r.Step != AtDisabled {
		t.Errorf("the other flag: %+v", r)
	}
	h.do(forSegment("fellows").Key, Change{Op: Force, Environment: production, Reason: "breach"})
	if r := h.state.Recompile(now, lists).Evaluate(forSegment("fellows").Key, inWorkspace("w-1")); r.Step != AtForced || r.Variant != "off" {
		t.Errorf("rolled back without the list: %+v", r)
	}
}

func TestExplainTellsOfSegments(t *testing.T) {
	h := newHouse(t)
	doc := fellows("w-1")
	doc.Excluded = ListOf("w-2")
	revision := h.segment(doc)
	h.define(forSegment("fellows"))
	why := func(c *Context) string {
		x := h.state.Compile(production, nil).Explain("checkout.express", c)
		m := x.Looks[0].Condition.Segments[0]
		if m.Revision != revision || m.Segment != "fellows" || m.Member != x.Looks[0].Decided {
			t.Errorf("got %+v", m)
		}
		return m.Why
	}
	for want, c := range map[string]*Context{
		`workspace "w-1" is included`: inWorkspace("w-1"), `workspace "w-2" is excluded`: inWorkspace("w-2"),
		`workspace "w-3" is not listed, and the segment has no condition`: inWorkspace("w-3"),
		`the context has no workspace that could be listed`:               {TargetingKey: "w-1"},
	} {
		if got := why(c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	doc.When = &Condition{Attribute: "plan", Op: Eq, Value: "pro"}
	revision = h.segment(doc)
	if got := why(inWorkspace("w-3", "plan", "pro")); !strings.HasPrefix(got, "the condition of the segment is met") {
		t.Error(got)
	}
}

// A segment is no way around the policy of the flags that ask for it: its
// members are changed by somebody who could agree to that.
func TestMembersOfAGuardedFlag(t *testing.T) {
	add := []SegmentChange{{Op: SegmentAdd, List: IncludedList, Units: []string{"w-2"}}}
	for name, f := range map[string]func(*house) Flag{
		"its own rule": func(*house) Flag { return forSegment("fellows") },
		"an inherited one": func(h *house) Flag {
			h.environment(EnvironmentDoc{Key: production, Rules: []InheritedRule{{Tags: []string{"payments"}, Name: "inside", When: asks("fellows"), Serve: "on"}}})
			return tagged("payments")
		},
	} {
		h := newHouse(t)
		h.segment(fellows("w-1"))
		h.define(f(h))
		h.demand(Policy{Key: "four-eyes", Match: Match{Environments: []string{production}}, Flags: Demands{Approvals: &Approvals{Count: 1}}})
		_, err := h.trySegment("fellows", add...)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "1 approval (approver, production)") {
			t.Errorf("%s: got %v", name, err)
		}
		doc := fellows("w-1")
		doc.Description = "the same members"
		h.segment(doc)
		h.segment(Segment{Key: "strangers", Included: ListOf("w-2")})
		may := func(n Need) bool { return n == Need{Environment: production, Count: 1, Role: approver} }
		h.granted(h.record(h.state.HandleSegment(SegmentCommand{Order: h.order(), Key: "fellows", Changes: add, May: may})))
		_, err = h.record(h.state.HandleSegment(SegmentCommand{Order: h.order(), Key: "fellows", May: func(Need) bool { return false }, Changes: []SegmentChange{{Op: SegmentRemove, List: IncludedList, Units: []string{"w-1"}}}}))
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%s: who may not agree: %v", name, err)
		}
	}
}

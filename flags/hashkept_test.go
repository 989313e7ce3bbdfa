package flags

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// A flag that runs keeps the hash of its splits and portions, whichever way the
// definition is written. One that is disabled, and a rule of another name, may
// have another.
func TestHashOfARunningFlagIsKept(t *testing.T) {
	at := "environments.production.rules"
	for name, c := range map[string]struct {
		change func(e *Environment)
		want   []string // paths of faults
	}{
		"another salt": {func(e *Environment) {
			e.Rules[1].Hash = &HashInput{Version: LaunchDarkly, Salt: "k.t.", By: TargetingKey}
		}, []string{at + "[1].hash"}},
		"another arithmetic": {func(e *Environment) { e.Rules[1].Hash = &HashInput{Version: FeatBit, Salt: "k.s.", By: TargetingKey} }, []string{at + "[1].hash"}},
		"ours":               {func(e *Environment) { e.Rules[1].Hash = nil }, []string{at + "[1].hash"}},
		"another portion": {func(e *Environment) {
			e.Rules[0].When.Hash = &HashInput{Version: Unleash, Salt: "h:", By: TargetingKey}
		}, []string{at + "[0].when"}},
		"a larger portion":     {func(e *Environment) { e.Rules[0].When.Values = []any{0, 50_000} }, nil},
		"other weights":        {func(e *Environment) { e.Rules[1].Split = []Arm{{"on", 70_000}, {"off", 30_000}} }, nil},
		"everybody":            {func(e *Environment) { e.Rules[0].When = nil }, nil},
		"a rule of other name": {func(e *Environment) { e.Rules[1].Name, e.Rules[1].Hash = "new", nil }, nil},
		"the rule is gone":     {func(e *Environment) { e.Rules = e.Rules[:1] }, nil},
	} {
		h := newHouse(t)
		h.define(portioned(0, 25_000))
		f := portioned(0, 25_000)
		e := f.Environments[production]
		c.change(&e)
		f.Environments[production] = e
		_, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
		if diff := cmp.Diff(c.want, pathsOf(err)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
		if c.want == nil {
			continue
		}
		h.do(f.Key, in(Disable))
		e.Enabled = false
		f.Environments[production] = e
		if _, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f})); err != nil {
			t.Errorf("%s: a disabled flag is refused: %v", name, err)
		}
	}
}

func TestHashIsKeptByEditsAndSegments(t *testing.T) {
	h := newHouse(t)
	h.define(portioned(0, 25_000))
	rule := portioned(0, 25_000).Environments[production].Rules[1]
	hash := *rule.Hash
	rule.Hash, rule.Split = nil, []Arm{{"on", 60_000}, {"off", 40_000}}
	h.do("checkout.express", in(ChangeRule, func(c *Change) { c.Name, c.Rule = "rest", &rule }))
	f, _ := h.state.Flag("checkout.express")
	if got := f.Environments[production].Rules[1]; *got.Hash != hash || got.Split[0].Weight != 60_000 {
		t.Errorf("a rule that says nothing of its hash becomes %+v", got)
	}
	renamed := rule
	renamed.Name = "others"
	h.do("checkout.express", in(ChangeRule, func(c *Change) { c.Name, c.Rule = "rest", &renamed }))
	f, _ = h.state.Flag("checkout.express")
	if got := f.Environments[production].Rules[1]; got.Name != "others" || got.Hash == nil || *got.Hash != hash {
		t.Errorf("a rule that gets another name becomes %+v", got)
	}
	h.do("checkout.express", in(ChangeRule, func(c *Change) { c.Name, c.Rule = "others", &rule }))
	rule.Hash = &HashInput{By: "account"}
	_, err := h.try(h.command("checkout.express", in(ChangeRule, func(c *Change) { c.Name, c.Rule = "rest", &rule })))
	if diff := cmp.Diff([]string{"environments.production.rules[1].hash"}, pathsOf(err)); diff != "" {
		t.Errorf("an edit: want -, got +\n%s", diff)
	}
	doc := Segment{Key: "tenth", When: &Condition{Op: InBucket, Hash: &HashInput{Version: Flagsmith, Salt: "1,", By: TargetingKey}, Values: []any{0, 10_000}}}
	h.segment(doc)
	other := doc
	other.When = &Condition{Op: InBucket, Hash: &HashInput{Version: Flagsmith, Salt: "2,", By: TargetingKey}, Values: []any{0, 10_000}}
	_, err = h.trySegment("tenth", SegmentChange{Op: SegmentDefine, Segment: &other})
	if diff := cmp.Diff([]string{"when"}, pathsOf(err)); diff != "" {
		t.Errorf("a segment: want -, got +\n%s", diff)
	}
}

// pathsOf returns the paths of the faults.
func pathsOf(err error) []string {
	var faults event.Invalids
	errors.As(err, &faults)
	var out []string
	for _, f := range faults {
		out = append(out, f.Path)
	}
	return out
}

func TestFaultsOfHashes(t *testing.T) {
	hash := func(change func(*HashInput)) *HashInput {
		h := &HashInput{Version: Unleash, Salt: "g:", By: TargetingKey}
		change(h)
		return h
	}
	for name, c := range map[string]struct {
		rule Rule
		want []string
	}{
		"unknown arithmetic": {Rule{Split: Even("on", "off"), Hash: hash(func(h *HashInput) { h.Version = "md6" })}, []string{"hash.version: is not an arithmetic of this version"}},
		"joined":             {Rule{Split: Even("on", "off"), Hash: hash(func(h *HashInput) { h.Joined = true })}, []string{"hash.joined: has no meaning for unleash"}},
		"of":                 {Rule{Split: Even("on", "off"), Hash: hash(func(h *HashInput) { h.Of = 100 })}, []string{"hash.of: is not what weights of unleash-variants add up to"}},
		"hash of a test":     {Rule{Serve: "on", When: &Condition{Attribute: "a", Op: Eq, Value: 1, Hash: hash(func(*HashInput) {})}}, []string{"when.hash: has no meaning for eq"}},
		"no hash":            {Rule{Serve: "on", When: &Condition{Op: InBucket, Values: []any{0, 1}}}, []string{"when.hash: is missing"}},
		"no range":           {Rule{Serve: "on", When: &Condition{Op: InBucket, Hash: hash(func(*HashInput) {}), Values: []any{0, Whole + 1}}}, []string{"when.values: is not a range of places"}},
		"backwards":          {Rule{Serve: "on", When: &Condition{Op: InBucket, Hash: hash(func(*HashInput) {}), Values: []any{2, 1}}}, []string{"when.values: is not a range of places"}},
		"one place":          {Rule{Serve: "on", When: &Condition{Op: InBucket, Hash: hash(func(*HashInput) {}), Value: 5}}, []string{"when.values: is not a range of places"}},
		"an attribute":       {Rule{Serve: "on", When: &Condition{Op: InBucket, Attribute: "a", Hash: hash(func(*HashInput) {}), Values: []any{0, 1}}}, []string{"when.attribute: has no meaning for bucket: hash.by says what is hashed"}},
		"letters":            {Rule{Serve: "on", When: &Condition{Op: InBucket, IgnoreCase: true, Hash: hash(func(*HashInput) {}), Values: []any{0, 1}}}, []string{"when.ignoreCase: has no meaning for bucket"}},
	} {
		c.rule.Name = "r"
		got := faultsOf(func(f *Flag) { f.Environments[production] = Environment{Rules: []Rule{c.rule}} })
		for i := range got {
			got[i] = got[i][len("environments.production.rules[0]."):]
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
}

// A copy brings the hash of the rules along. Where the other environment runs a
// rule of that name with another hash it is refused, as every way of writing is.
func TestHashIsKeptByCopies(t *testing.T) {
	const staging = "staging"
	copied := func(h *house) error {
		_, err := h.try(h.command("checkout.express", Change{Op: Copy, From: production, Environment: staging}))
		return err
	}
	beside := func(enabled bool) Flag {
		f := portioned(0, 25_000)
		e := f.Environments[production]
		e.Rules = slices.Clone(e.Rules)
		e.Rules[1].Hash = &HashInput{Version: FeatBit, Salt: "s", By: TargetingKey}
		e.Enabled = enabled
		f.Environments = map[string]Environment{production: f.Environments[production], staging: e}
		return f
	}
	h := newHouse(t)
	h.define(beside(true))
	if diff := cmp.Diff([]string{"environments.staging.rules[1].hash"}, pathsOf(copied(h))); diff != "" {
		t.Errorf("into one that runs: want -, got +\n%s", diff)
	}
	h = newHouse(t)
	h.define(beside(false))
	h.do("checkout.express", Change{Op: Copy, From: production, Environment: staging})
	f, _ := h.state.Flag("checkout.express")
	if got, want := f.Environments[staging].Rules[1].Hash, f.Environments[production].Rules[1].Hash; got == nil || *got != *want {
		t.Errorf("a copy has the hash %v, want %v", got, want)
	}
}

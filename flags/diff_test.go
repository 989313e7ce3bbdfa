package flags

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sentences returns how the definition that change leaves differs from the
// whole flag.
func sentences(change func(*Flag, *Environment)) []string {
	a, b := wholeFlag(), wholeFlag()
	e := b.Environments[production]
	change(&b, &e)
	if _, ok := b.Environments[production]; ok {
		b.Environments[production] = e
	}
	var out []string
	for _, d := range Diff(a, b) {
		out = append(out, d.Path+" | "+d.Text)
	}
	return out
}

func TestDiffInSentences(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Flag, *Environment)
		want   []string
	}{
		"nothing": {func(*Flag, *Environment) {}, nil},
		"head":    {func(f *Flag, _ *Environment) { f.Owner, f.Description = "web team", "" }, []string{`description | description is unset (was "One-tap payment")`, `owner | owner is now "web team" (was payments)`}},
		"default": {func(f *Flag, _ *Environment) { f.Default = "on" }, []string{`default | default is now on (was off)`}},
		"tags":    {func(f *Flag, _ *Environment) { f.Tags = []string{"web"} }, []string{`tags | tag payments removed`, `tags | tag web added`}},
		"variants": {func(f *Flag, _ *Environment) {
			f.Variants = Variants{"on": json.RawMessage(`1`), "blue": json.RawMessage(`true`)}
		}, []string{`variants.blue | variant blue added: true`, `variants.off | variant off removed (was false)`, `variants.on | variant on is now 1 (was true)`}},
		"dates":   {func(f *Flag, _ *Environment) { f.Dates = &Dates{Off: "2027-03-01"} }, []string{`dates.off | dates: off is now 2027-03-01 (was 2027-02-01)`, `dates.on | dates: on is unset (was 2026-12-01)`}},
		"cleanup": {func(f *Flag, _ *Environment) { c := *f.Cleanup; c.EndState = Remove; f.Cleanup = &c }, []string{`cleanup.endState | cleanup: endState is now remove (was promote)`}},
		"environments": {func(f *Flag, _ *Environment) { f.Environments = map[string]Environment{"staging": {Enabled: true}} }, []string{
			`environments.production | production: removed`, `environments.staging | staging: added`, `environments.staging.enabled | staging: enabled`}},
		"disabled":      {func(_ *Flag, e *Environment) { e.Enabled = false }, []string{`environments.production.enabled | production: disabled`}},
		"prerequisites": {func(_ *Flag, e *Environment) { e.Prerequisites = []Prerequisite{{"b", "on"}} }, []string{`environments.production.prerequisites.b | production: now needs flag b to answer on`, `environments.production.prerequisites.checkout.enabled | production: no longer needs flag checkout.enabled (to answer on)`}},
		"prerequisite":  {func(_ *Flag, e *Environment) { e.Prerequisites = []Prerequisite{{"checkout.enabled", "off"}} }, []string{`environments.production.prerequisites.checkout.enabled | production: now needs flag checkout.enabled to answer off (was on)`}},
		"targets": {func(_ *Flag, e *Environment) {
			e.Targets = []Target{{"off", []string{"w-17"}}, {"on", []string{"a", "b"}}, {"on", []string{"c", "d", "e", "f", "g"}}}
		}, []string{
			`environments.production.targets.off | production: unit w-17 is now targeted with off`,
			`environments.production.targets.on | production: unit w-17 is no longer targeted with on`,
			`environments.production.targets.on | production: units a, b, c, d, e and 2 more are now targeted with on`}},
		"rule": {func(_ *Flag, e *Environment) { e.Rules[0].Serve, e.Rules[0].When, e.Rules[0].Until = "off", nil, "" }, []string{
			`environments.production.rules.staff.serve | production: rule staff now serves off (was on)`,
			`environments.production.rules.staff.when | production: rule staff now applies to everybody (was when all of (any of (ring in [internal BETA]), none of (version semver_lt 2.0.0, age lt 18)))`,
			`environments.production.rules.staff.until | production: rule staff until is unset (was 2027-01-01)`}},
		"split": {func(_ *Flag, e *Environment) { e.Rules[1].Split = []Arm{{"on", 33333}, {"off", 66667}} }, []string{
			`environments.production.rules.half.serve | production: rule half now splits 33.333% on, 66.667% off (was 50% on, 50% off)`}},
		"rules": {func(_ *Flag, e *Environment) {
			e.Rules = []Rule{e.Rules[1], {Name: "beta", Serve: "on", Until: "2027-01-01"}}
		}, []string{
			`environments.production.rules.staff | production: rule staff removed (it serves on when all of (any of (ring in [internal BETA]), none of (version semver_lt 2.0.0, age lt 18)) until 2027-01-01)`,
			`environments.production.rules.beta | production: rule beta added in place 2: it serves on to everybody until 2027-01-01`}},
		"order":  {func(_ *Flag, e *Environment) { e.Rules = []Rule{e.Rules[1], e.Rules[0]} }, []string{`environments.production.rules.half | production: rule half moved to place 1 (was 2)`}},
		"served": {func(_ *Flag, e *Environment) { e.Served = []Rule{{Name: "beta", Serve: "on"}} }, []string{`environments.production.served.beta | production: served audience beta added in place 1: it serves on to everybody`}},
		"allocation": {func(_ *Flag, e *Environment) { e.Allocation = canary(2000) }, []string{
			`environments.production.allocation | production: rollout production/checkout.express/1 splits units, stage canary: 2% enrolled, 50% on, 50% off`}},
		"forced": {func(_ *Flag, e *Environment) { e.Forced = &Forced{Reason: "slow"} }, []string{`environments.production.forced | production: forced to the safe variant: slow`}},
	} {
		if diff := cmp.Diff(c.want, sentences(c.change)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
}

// What a rollout does between two revisions.
func TestDiffOfARollout(t *testing.T) {
	a, b := checkout(), checkout()
	first, second := canary(2000), canary(20000)
	second.Stage, second.Epoch, second.Arms = "ramp", 2, Even("on")
	a.Environments[production] = Environment{Allocation: first, Forced: &Forced{Reason: "slow"}}
	b.Environments[production] = Environment{Allocation: second}
	var got []string
	for _, d := range append(Diff(a, b), Diff(b, checkout())...) {
		got = append(got, d.String())
	}
	want := []string{
		"production: rollout production/checkout.express/1 now enrols 20% (was 2%)",
		"production: rollout production/checkout.express/1 now splits 100% on (was 50% on, 50% off)",
		"production: rollout production/checkout.express/1: epoch is now 2 (was 1)",
		"production: rollout production/checkout.express/1: stage is now ramp (was canary)",
		"production: no longer forced to the safe variant",
		"production: enabled",
		"production: rule staff added in place 1: it serves on when ring in [internal beta]",
		"production: rollout production/checkout.express/1 no longer splits units",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

// Whatever differs is told, and nothing else.
func TestDiffTellsEveryDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genFlag(t, "a"), genFlag(t, "a")
		if rapid.Bool().Draw(t, "again") {
			b = a
		}
		if got := Diff(a, b); (len(got) == 0) != same(a, b) {
			t.Fatalf("%v between\n%s\n%s", got, asJSON(t, a), asJSON(t, b))
		}
	})
}

// The moves that are told turn one order into the other, and are the fewest:
// compared with trying every set of names that could stay.
func TestMovesAreTheFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6).Draw(t, "rules")
		a := make([]Rule, n)
		for i := range a {
			a[i].Name = string(rune('a' + i))
		}
		b := rapid.Permutation(a).Draw(t, "order")
		stay := 0
		for set := range 1 << n {
			last, size, rising := -1, 0, true
			for _, r := range b {
				if i := named(a, r.Name); set&(1<<i) != 0 {
					rising = rising && i > last
					last, size = i, size+1
				}
			}
			if rising {
				stay = max(stay, size)
			}
		}
		if got := moved(a, b); len(got) != n-stay {
			t.Fatalf("%v moves, %d could stay of %v", got, stay, b)
		}
	})
}

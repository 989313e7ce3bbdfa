package flags

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
)

// enabler is the flag that the whole one needs.
func enabler() Flag {
	f := checkout()
	f.Key, f.Purpose, f.Cleanup = "checkout.enabled", KillSwitch, nil
	return f
}

func edited(t *testing.T) *house {
	h := newHouse(t)
	other := enabler()
	other.Key = "payments.enabled"
	h.define(enabler(), other, wholeFlag())
	return h
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// Every change of a definition, with the sentence that tells what it did.
func TestEdits(t *testing.T) {
	beta := Rule{Name: "beta", Serve: "on"}
	for name, c := range map[string]struct {
		changes []Change
		want    string
	}{
		"description":  {[]Change{{Op: SetDescription, Description: "Pay at once"}}, `description is now "Pay at once" (was "One-tap payment")`},
		"owner":        {[]Change{{Op: SetOwner, Owner: "web"}}, `owner is now web (was payments)`},
		"purpose":      {[]Change{{Op: SetPurpose, Purpose: Experiment}}, `purpose is now experiment (was release)`},
		"unit":         {[]Change{{Op: SetUnit, Unit: "user"}}, `unit is now user (was workspace)`},
		"default":      {[]Change{{Op: SetDefault, Variant: "on"}}, `default is now on (was off)`},
		"safe":         {[]Change{{Op: SetSafe, Variant: "on"}}, `safe is now on (was off)`},
		"no dates":     {[]Change{{Op: SetDates}}, "dates: off is unset (was 2027-02-01)\ndates: on is unset (was 2026-12-01)"},
		"dates":        {[]Change{{Op: SetDates, Dates: &Dates{On: "2026-12-01", Off: "2027-03-01"}}}, "dates: off is now 2027-03-01 (was 2027-02-01)"},
		"cleanup":      {[]Change{{Op: SetCleanup, Cleanup: &Cleanup{EndState: Keep, Why: "no", Review: "2027-03-01", Ticket: "https://tickets.example/1"}}}, "cleanup: due is unset (was 30d)\ncleanup: endState is now keep (was promote)"},
		"tag":          {[]Change{{Op: AddTag, Tag: "web"}, {Op: RemoveTag, Tag: "payments"}}, "tag payments removed\ntag web added"},
		"variants":     {[]Change{{Op: AddVariant, Variant: "more", Value: raw(" true ")}, {Op: ChangeVariant, Variant: "off", Value: raw("true")}, {Op: AddVariant, Variant: "less", Value: raw("false")}, {Op: RemoveVariant, Variant: "less"}}, "variant more added: true\nvariant off is now true (was false)"},
		"environment":  {[]Change{{Op: AddEnvironment, Environment: "staging"}, {Op: Enable, Environment: "staging"}}, "staging: added\nstaging: enabled"},
		"environments": {[]Change{{Op: RemoveEnvironment, Environment: production}}, "production: removed"},
		"copy": {[]Change{{Op: Copy, Environment: "staging", From: production}}, "staging: added\nstaging: enabled\nstaging: now needs flag checkout.enabled to answer on\nstaging: unit w-17 is now targeted with on\n" +
			"staging: rule staff added in place 1: it serves on when all of (any of (ring in [internal BETA]), none of (version semver_lt 2.0.0, age lt 18)) until 2027-01-01\n" +
			"staging: rule half added in place 2: it splits 50% on, 50% off to everybody"},
		"units":       {[]Change{in(AddUnits, func(c *Change) { c.Variant, c.Units = "on", []string{"w-1"} }), in(AddUnits, func(c *Change) { c.Variant, c.Units = "off", []string{"w-2"} }), in(RemoveUnits, func(c *Change) { c.Variant, c.Units = "on", []string{"w-17"} })}, "production: unit w-2 is now targeted with off\nproduction: unit w-17 is no longer targeted with on\nproduction: unit w-1 is now targeted with on"},
		"no units":    {[]Change{in(RemoveUnits, func(c *Change) { c.Variant, c.Units = "on", []string{"w-17"} })}, "production: unit w-17 is no longer targeted with on"},
		"last rule":   {[]Change{in(AddRule, func(c *Change) { c.Rule = &beta })}, "production: rule beta added in place 3: it serves on to everybody"},
		"first rule":  {[]Change{in(AddRule, func(c *Change) { c.Rule, c.Place = &beta, 1 })}, "production: rule beta added in place 1: it serves on to everybody"},
		"change rule": {[]Change{in(ChangeRule, func(c *Change) { c.Name, c.Rule = "half", &Rule{Serve: "on"} })}, "production: rule half now serves on (was 50% on, 50% off)"},
		"rename rule": {[]Change{in(ChangeRule, func(c *Change) { c.Name, c.Rule = "half", &beta })}, "production: rule half removed (it splits 50% on, 50% off to everybody)\nproduction: rule beta added in place 2: it serves on to everybody"},
		"remove rule": {[]Change{in(RemoveRule, func(c *Change) { c.Name = "half" })}, "production: rule half removed (it splits 50% on, 50% off to everybody)"},
		"move rule":   {[]Change{in(MoveRule, func(c *Change) { c.Name, c.Place = "half", 1 })}, "production: rule half moved to place 1 (was 2)"},
		"move last":   {[]Change{in(MoveRule, func(c *Change) { c.Name = "staff" })}, "production: rule half moved to place 1 (was 2)"},
		"prerequisite": {[]Change{in(AddPrerequisite, func(c *Change) { c.Prerequisite = &Prerequisite{"payments.enabled", "on"} }), in(RemovePrerequisite, func(c *Change) { c.Name = "checkout.enabled" })},
			"production: no longer needs flag checkout.enabled (to answer on)\nproduction: now needs flag payments.enabled to answer on"},
	} {
		h := edited(t)
		before, _ := h.state.Flag("checkout.express")
		if _, err := h.try(h.command("checkout.express", c.changes...)); err != nil {
			t.Errorf("%s: refused: %v", name, err)
			continue
		}
		after, _ := h.state.Flag("checkout.express")
		if diff := cmp.Diff(c.want, texts(Diff(before.Flag, after.Flag))); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
		if !same(before.Environments, wholeFlag().Environments) {
			t.Errorf("%s: what was handed out before has changed", name)
		}
	}
}

func texts(list []Difference) string {
	lines := make([]string, len(list))
	for i, d := range list {
		lines[i] = d.Text
	}
	return strings.Join(lines, "\n")
}

func TestRefusedEdits(t *testing.T) {
	rule := func(r Rule) func(*Change) { return func(c *Change) { c.Rule = &r } }
	units := func(variant string, ids ...string) func(*Change) {
		return func(c *Change) { c.Variant, c.Units = variant, ids }
	}
	name := func(name string, place int) func(*Change) { return func(c *Change) { c.Name, c.Place = name, place } }
	for title, c := range map[string]struct {
		change Change
		want   string
	}{
		"no owner":              {Change{Op: SetOwner}, `owner: is missing`},
		"no purpose":            {Change{Op: SetPurpose, Purpose: "fun"}, `purpose: is not a purpose`},
		"no unit":               {Change{Op: SetUnit}, `changes[0].unit: is empty`},
		"no default":            {Change{Op: SetDefault}, `changes[0].variant: is missing`},
		"safe is no variant":    {Change{Op: SetSafe, Variant: "blue"}, `changes[0].variant: is not a variant`},
		"dates":                 {Change{Op: SetDates, Dates: &Dates{On: "soon"}}, `dates.on: is not a date`},
		"no cleanup":            {Change{Op: SetCleanup}, `cleanup: is missing: a release flag says how it ends before it starts`},
		"tag again":             {Change{Op: AddTag, Tag: "payments"}, `changes[0].tag: is a tag of the flag already`},
		"bad tag":               {Change{Op: AddTag, Tag: "a b"}, `tags[1]: has the character ' '; letters, digits, '-', '_' and '.' are allowed`},
		"no such tag":           {Change{Op: RemoveTag, Tag: "web"}, `changes[0].tag: is not a tag of the flag`},
		"variant again":         {Change{Op: AddVariant, Variant: "on", Value: raw("true")}, `changes[0].variant: is a variant already`},
		"variant without name":  {Change{Op: AddVariant, Value: raw("true")}, `changes[0].variant: is empty`},
		"variant of other type": {Change{Op: AddVariant, Variant: "blue", Value: raw(`"blue"`)}, `changes[0].value: is of type string, and the flag of type boolean`},
		"no value":              {Change{Op: ChangeVariant, Variant: "on"}, `changes[0].value: is not a value a flag can have`},
		"variant that serves":   {Change{Op: RemoveVariant, Variant: "off"}, "safe: is not a variant\ndefault: is not a variant\nenvironments.production.rules[1].split[1].variant: is not a variant"},
		"environment again":     {Change{Op: AddEnvironment, Environment: production}, `changes[0].environment: is an environment of the flag already`},
		"environment unnamed":   {Change{Op: AddEnvironment}, `changes[0].environment: is empty`},
		"remove no environment": {Change{Op: RemoveEnvironment, Environment: "moon"}, `changes[0].environment: is not an environment of the flag`},
		"copy from nowhere":     {Change{Op: Copy, Environment: "staging", From: "moon"}, `changes[0].from: is not an environment of the flag`},
		"copy to nowhere":       {Change{Op: Copy, From: production}, `changes[0].environment: is empty`},
		"copy to itself":        {Change{Op: Copy, Environment: production, From: production}, `changes[0].from: is the environment itself`},
		"nowhere":               {Change{Op: AddRule, Environment: "moon"}, `changes[0].environment: is not an environment of the flag`},
		"no units":              {in(AddUnits, units("on")), `changes[0].units: is missing`},
		"empty unit":            {in(AddUnits, units("on", "")), `changes[0].units[0]: is empty`},
		"targeted already":      {in(AddUnits, units("on", "w-17")), `changes[0].units[0]: is targeted with on already`},
		"targeted twice":        {in(AddUnits, units("off", "a", "a")), `changes[0].units[1]: is targeted with off already`},
		"targeted otherwise":    {in(AddUnits, units("off", "w-17")), `changes[0].units[0]: is targeted with on already`},
		"target no variant":     {in(AddUnits, units("blue", "a")), `changes[0].variant: is not a variant`},
		"not targeted":          {in(RemoveUnits, units("on", "w-18")), `changes[0].units[0]: is not targeted with on`},
		"no rule":               {in(AddRule), `changes[0].rule: is missing`},
		"rule again":            {in(AddRule, rule(Rule{Name: "staff", Serve: "on"})), `changes[0].rule.name: is the name of a rule already`},
		"rule serves nothing":   {in(AddRule, rule(Rule{Name: "beta", Serve: "blue"})), "changes[0].rule.serve: is not a variant"},
		"rule that is over":     {in(AddRule, rule(Rule{Name: "beta", Serve: "on", Until: "2026-11-01"})), `environments.production.rules[2].until: has passed`},
		"place":                 {in(AddRule, rule(Rule{Name: "beta", Serve: "on"}), name("", 4)), `changes[0].place: is not a place between 1 and 3`},
		"change no rule":        {in(ChangeRule, rule(Rule{Name: "beta", Serve: "on"}), name("beta", 0)), `changes[0].name: is not a rule of production`},
		"change to nothing":     {in(ChangeRule, name("half", 0)), `changes[0].rule: is missing`},
		"change to another":     {in(ChangeRule, rule(Rule{Name: "staff", Serve: "on"}), name("half", 0)), `changes[0].rule.name: is the name of another rule`},
		"remove no rule":        {in(RemoveRule), `changes[0].name: is missing`},
		"move nowhere":          {in(MoveRule, name("half", -1)), `changes[0].place: is not a place between 1 and 2`},
		"no prerequisite":       {in(AddPrerequisite), `changes[0].prerequisite: is missing`},
		"prerequisite again":    {in(AddPrerequisite, func(c *Change) { c.Prerequisite = &Prerequisite{"checkout.enabled", "off"} }), `changes[0].prerequisite.flag: is a prerequisite already`},
		"prerequisite unknown":  {in(AddPrerequisite, func(c *Change) { c.Prerequisite = &Prerequisite{"moon", "off"} }), `environments.production.prerequisites[1].flag: is not a flag`},
		"not a prerequisite":    {in(RemovePrerequisite, name("moon", 0)), `changes[0].name: is not a prerequisite in production`},
	} {
		h := edited(t)
		_, err := h.try(h.command("checkout.express", c.change))
		if diff := cmp.Diff(c.want, refusal(err)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", title, diff)
		}
	}
}

// What a rollout stands on is as safe from an edit as from a definition.
func TestEditsAreHeldToARollout(t *testing.T) {
	for title, c := range map[string]struct {
		change Change
		want   string
	}{
		"widen by rule":    {in(AddRule, func(c *Change) { c.Rule = &Rule{Name: "more", Serve: "on"} }), `environments.production.rules[1]: gives more units what rollout production/checkout.express/1 compares`},
		"widen by targets": {in(AddUnits, func(c *Change) { c.Variant, c.Units = "on", []string{"w-1"} }), `environments.production.targets[0]: gives more units what rollout production/checkout.express/1 compares`},
		"widen by default": {Change{Op: SetDefault, Variant: "on"}, `default: gives more units what rollout production/checkout.express/1 compares`},
		"take an arm":      {Change{Op: ChangeVariant, Variant: "on", Value: raw("false")}, `variants.on: has another value, and is an arm of rollout production/checkout.express/1`},
		"unit":             {Change{Op: SetUnit, Unit: "user"}, "environments.production.allocation.unit: is not the flag's unit\nunit: is not the unit of production/checkout.express/1"},
		"environment":      {Change{Op: RemoveEnvironment, Environment: production}, `environments.production: is missing, and a rollout holds it`},
		"audience's name":  {in(AddRule, func(c *Change) { c.Rule = &Rule{Name: "beta", Serve: "off"} }), "environments.production.served[0].name: is the name of a rule\nenvironments.production.rules[1].name: is the name of an audience that a rollout serves"},
		"narrower is fine": {in(RemoveRule, func(c *Change) { c.Name = "staff" }), ""},
	} {
		h := newHouse(t)
		h.define(checkout())
		h.do("checkout.express", allocate(canary(2000)), serve(Rule{Name: "beta", Serve: "on"}))
		_, err := h.try(h.command("checkout.express", c.change))
		if diff := cmp.Diff(c.want, refusal(err)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", title, diff)
		}
	}
}

// A copy leaves what rollouts left where it is.
func TestCopyKeepsWhatRolloutsOwn(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", Change{Op: AddEnvironment, Environment: "staging"})
	h.do("checkout.express", allocate(canary(2000)), force("slow"))
	h.do("checkout.express", Change{Op: Copy, Environment: "staging", From: production})
	h.do("checkout.express", in(RemoveRule, func(c *Change) { c.Name = "staff" }))
	h.do("checkout.express", Change{Op: Copy, Environment: production, From: "staging"})
	f, _ := h.state.Flag("checkout.express")
	there, back := f.Environments["staging"], f.Environments[production]
	if there.Allocation != nil || there.Forced != nil || len(there.Rules) != 1 {
		t.Errorf("staging has %+v", there)
	}
	if back.Allocation == nil || back.Forced == nil || len(back.Rules) != 1 {
		t.Errorf("production has %+v", back)
	}
}

// A rule whose time has come, and that nobody has taken out yet, keeps nobody
// from changing something else.
func TestARuleThatIsOverKeepsNobodyFromEditing(t *testing.T) {
	h := newHouse(t)
	f := checkout()
	f.Environments[production].Rules[0].Until = "2026-11-03"
	h.define(f)
	c := h.command("checkout.express", Change{Op: SetOwner, Owner: "web"})
	c.At = noon.AddDate(0, 1, 0)
	if _, err := h.try(c); err != nil {
		t.Error(err)
	}
}

func genEdit(t *rapid.T, key string) Change {
	c := Change{Environment: production}
	c.Op = rapid.SampledFrom([]Op{SetOwner, SetDefault, SetSafe, SetDates, AddTag, RemoveTag, AddVariant, ChangeVariant, RemoveVariant,
		AddEnvironment, RemoveEnvironment, Copy, AddUnits, RemoveUnits, AddRule, ChangeRule, RemoveRule, MoveRule, AddPrerequisite, RemovePrerequisite}).Draw(t, "edit")
	c.Variant = rapid.SampledFrom([]string{"on", "off", "more"}).Draw(t, "variant")
	c.Tag, c.Owner = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tag"), rapid.SampledFrom([]string{"", "web"}).Draw(t, "owner")
	c.Value = rapid.SampledFrom([]json.RawMessage{raw("true"), raw("false"), raw("1")}).Draw(t, "value")
	c.Units = rapid.SampledFrom([][]string{{"w-1"}, {"w-2", "w-3"}, nil}).Draw(t, "units")
	c.Name = rapid.SampledFrom([]string{"r0", "r1", "beta", "a", "b"}).Draw(t, "name")
	c.Place = rapid.IntRange(0, 3).Draw(t, "place")
	rule := genRule(t, rapid.SampledFrom([]string{"r0", "beta", "full"}).Draw(t, "rule"))
	c.Rule, c.Prerequisite = &rule, &Prerequisite{genFlagKey(t), c.Variant}
	switch c.Op {
	case AddEnvironment, RemoveEnvironment, Copy:
		c.Environment, c.From = "staging", production
	case SetDates:
		c.Dates = &Dates{On: Date(fmt.Sprintf("2027-01-0%d", rapid.IntRange(0, 3).Draw(t, "day")))}
	}
	return c
}

// An edit is accepted exactly when the definition that it leaves is, and leaves
// the same.
func TestAnEditIsADefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t)
		for _, key := range []string{"a", "b"} {
			f := checkout()
			f.Key = key
			h.define(f)
		}
		if rapid.Bool().Draw(rt, "under way") {
			h.do("a", allocate(genAllocation(rt, "a")))
		}
		for range rapid.IntRange(1, 10).Draw(rt, "edits") {
			change := genEdit(rt, "a")
			before := h.state.next("a", noon)
			work := before.clone()
			if err := work.change(change, noon); err != nil {
				rt.Fatal(err)
			}
			whole := work.Flag
			_, faults := h.state.checkDefine(before, Change{Op: Define, Flag: &whole}, noon)
			_, err := h.try(h.command("a", change))
			if err == nil && len(faults) > 0 {
				rt.Fatalf("%+v was accepted, and its definition is refused: %v", change, faults)
			}
			if after, _ := h.state.Flag("a"); err == nil && !same(after.Flag, work.Flag) {
				rt.Fatalf("%+v left %s\nwant %s", change, asJSON(rt, after.Flag), asJSON(rt, work.Flag))
			}
		}
	})
}

// everyEdit is a list of changes with every edit in it, for the flag of the
// story.
func everyEdit() []Change {
	named := func(name string) func(*Change) { return func(c *Change) { c.Name = name } }
	return []Change{
		{Op: SetDescription, Description: "Pay at once"}, {Op: SetOwner, Owner: "web"}, {Op: SetPurpose, Purpose: Experiment}, {Op: SetUnit, Unit: "user"},
		{Op: AddTag, Tag: "web"}, {Op: RemoveTag, Tag: "payments"}, {Op: AddVariant, Variant: "less", Value: raw("false")},
		{Op: AddVariant, Variant: "more", Value: raw("false")}, {Op: ChangeVariant, Variant: "more", Value: raw("true")}, {Op: SetDefault, Variant: "more"}, {Op: SetSafe, Variant: "less"},
		{Op: SetDates, Dates: &Dates{On: "2026-12-01"}}, {Op: SetCleanup, Cleanup: &Cleanup{Due: event.Duration(24 * time.Hour), EndState: Remove}},
		in(AddUnits, func(c *Change) { c.Variant, c.Units = "more", []string{"w-1", "w-2"} }), in(RemoveUnits, func(c *Change) { c.Variant, c.Units = "more", []string{"w-1"} }),
		in(AddRule, func(c *Change) { c.Rule, c.Place = &Rule{Name: "beta", Serve: "on"}, 1 }), in(ChangeRule, func(c *Change) { c.Name, c.Rule = "beta", &Rule{Name: "gamma", Serve: "more"} }),
		in(MoveRule, named("gamma")), in(AddRule, func(c *Change) { c.Rule = &Rule{Name: "last", Serve: "off"} }), in(RemoveRule, named("last")),
		in(RemovePrerequisite, named("checkout.enabled")), in(AddPrerequisite, func(c *Change) { c.Prerequisite = &Prerequisite{"checkout.enabled", "off"} }),
		{Op: Copy, Environment: "staging", From: production}, {Op: AddEnvironment, Environment: "test"}, {Op: RemoveEnvironment, Environment: "test"}, {Op: AddVariant, Variant: "none", Value: raw("false")}, {Op: RemoveVariant, Variant: "none"},
	}
}

func TestEveryEditIsInTheRecordedStory(t *testing.T) {
	there := map[Op]bool{}
	for _, c := range everyEdit() {
		there[c.Op] = true
	}
	for _, op := range Ops() {
		if _, ok := editOf(Op(op)); ok && !there[Op(op)] {
			t.Errorf("%s is not recorded", op)
		}
	}
}

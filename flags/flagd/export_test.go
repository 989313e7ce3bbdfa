package flagd

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flagWith returns a flag that does this in production.
func flagWith(e flags.Environment) flags.Recorded {
	e.Enabled = true
	return flags.Recorded{Revision: 3, Flag: flags.Flag{
		Key: "new", Type: flags.Boolean, Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")}, Default: "off", Safe: "off",
		Environments: map[string]flags.Environment{"production": e},
	}}
}

// exportOne exports flags, and returns the definition of the first.
func exportOne(list ...flags.Recorded) (Definition, event.Invalids) {
	doc, left := Export(flags.Ruleset{Environment: "production", Revision: 9, Flags: list}, nil)
	return doc.Flags[list[0].Key], left
}

func TestExportOfFixedAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*flags.Recorded)
		want   string // state, default
	}{
		"archived": {func(f *flags.Recorded) { f.Archived, f.Answer = true, "on" }, `"ENABLED" "on"`},
		"disabled": {func(f *flags.Recorded) { f.Default, f.Environments["production"] = "on", flags.Environment{} }, `"ENABLED" "off"`},
		"forced": {func(f *flags.Recorded) {
			f.Environments["production"] = flags.Environment{Enabled: true, Forced: &flags.Forced{}}
		}, `"ENABLED" "off"`},
		"not there":    {func(f *flags.Recorded) { f.Environments = nil }, `"ENABLED" "off"`},
		"code default": {func(f *flags.Recorded) { f.CodeDefault, f.Default = true, "" }, `"ENABLED" null`},
		"safe unset":   {func(f *flags.Recorded) { f.CodeDefault, f.Safe, f.Environments = true, "", nil }, `"DISABLED" null`},
	} {
		f := flagWith(flags.Environment{})
		c.change(&f)
		d, left := exportOne(f)
		if got := fmt.Sprintf("%s %s", jsonOf(t, d.State), jsonOf(t, d.DefaultVariant)); got != c.want || d.Targeting != nil || len(left) > 0 {
			t.Errorf("%s: got %s, %v, %v; want %s", name, got, d.Targeting, left, c.want)
		}
	}
}

func TestExportOfMetadata(t *testing.T) {
	f := flagWith(flags.Environment{})
	f.Metadata = map[string]any{"team": "a"}
	doc, _ := Export(flags.Ruleset{Environment: "production", Revision: 9, Flags: []flags.Recorded{f}}, nil)
	if got := string(jsonOf(t, doc.Flags["new"].Metadata)); got != `{"team":"a","unit":"user","version":"3"}` {
		t.Errorf("flag: %s", got)
	}
	if got := string(jsonOf(t, doc.Metadata)); got != `{"flagSetId":"production","version":"9"}` {
		t.Errorf("document: %s", got)
	}
}

// What everybody gets is a default, and one arm is no split: flagd's schema
// takes neither a bare variant nor a single arm.
func TestExportForEverybody(t *testing.T) {
	f := flagWith(flags.Environment{Rules: []flags.Rule{{Name: "all", Serve: "on"}}})
	if d, left := exportOne(f); d.Targeting != nil || *d.DefaultVariant != "on" || len(left) > 0 {
		t.Errorf("a rule for everybody: %s, %v", d.lines(), left)
	}
	f = flagWith(flags.Environment{Rules: []flags.Rule{{Name: "one", Split: flags.Even("on"), Hash: &flags.HashInput{By: "plan"}}}})
	if d, _ := exportOne(f); string(jsonOf(t, d.Targeting)) != `{"if":[{"starts_with":[{"var":"plan"},""]},"on",null]}` {
		t.Errorf("one arm: %s", jsonOf(t, d.Targeting))
	}
}

func TestWholeVersion(t *testing.T) {
	for version, want := range map[string]string{"v1": "1.0.0", "1.2": "1.2.0", "V1.2.3-rc.1+build.7": "1.2.3-rc.1", "1.2.3+a-b": "1.2.3", "1.0.0-a-b": "1.0.0-a-b"} {
		if got := wholeVersion(version); got != want {
			t.Errorf("%s: got %s, want %s", version, got, want)
		}
	}
}

// The form of a document, for people who read it.
func TestExportIsReadable(t *testing.T) {
	d, left := exportOne(flagWith(flags.Environment{
		Targets: []flags.Target{{Variant: "on", Units: []string{"u-1"}}},
		Rules:   []flags.Rule{{Name: "pro", When: &flags.Condition{Attribute: "plan", Op: flags.Eq, Value: "pro"}, Serve: "on"}},
	}))
	want := `{"if":[` +
		`{"and":[{"starts_with":[{"var":["user",{"var":"targetingKey"}]},""]},{"in":[{"var":["user",{"var":"targetingKey"}]},["u-1"]]}]},"on",` +
		`{"some":[{"merge":[{"var":"plan"}]},{"===":[{"var":""},"pro"]}]},"on",null]}`
	if diff := cmp.Diff(want, string(jsonOf(t, d.Targeting))); diff != "" || len(left) > 0 {
		t.Errorf("%v; want -, got +\n%s", left, diff)
	}
}

func when(op flags.Operator, values ...any) flags.Environment {
	return flags.Environment{Rules: []flags.Rule{{Name: "r", Serve: "on", When: &flags.Condition{Attribute: "a", Op: op, Values: values}}}}
}

func TestExportRefuses(t *testing.T) {
	needy := flags.Environment{Prerequisites: []flags.Prerequisite{{Flag: "other", Variant: "on"}}}
	many := make([]string, MaxInlined+1)
	for i := range many {
		many[i] = fmt.Sprint("u", i)
	}
	change := func(e flags.Environment, f func(*flags.Recorded)) flags.Recorded {
		r := flagWith(e)
		f(&r)
		return r
	}
	other := func(e flags.Environment) flags.Recorded {
		return change(e, func(f *flags.Recorded) { f.Key = "other" })
	}
	split := func(h flags.HashInput) flags.Environment {
		return flags.Environment{Rules: []flags.Rule{{Name: "r", Split: flags.Even("on"), Hash: &h}}}
	}
	segments := &flags.Condition{Op: flags.InSegment, Values: []any{"s"}}
	for name, c := range map[string]struct {
		flags []flags.Recorded
		want  string // below flags.new.environments.production
	}{
		"regex":               {[]flags.Recorded{flagWith(when(flags.Regex, "a"))}, "rules[0].when.op: cannot be exported: flagd has no such operator"},
		"not_regex":           {[]flags.Recorded{flagWith(when(flags.NotRegex, "a"))}, "rules[0].when.op: cannot be exported: flagd has no such operator"},
		"cidr":                {[]flags.Recorded{flagWith(when(flags.CIDR, "10.0.0.0/8"))}, "rules[0].when.op: cannot be exported: flagd has no such operator"},
		"before":              {[]flags.Recorded{flagWith(when(flags.Before, "2027-01-01"))}, "rules[0].when.op: cannot be exported: flagd has no such operator"},
		"after":               {[]flags.Recorded{flagWith(when(flags.After, "2027-01-01"))}, "rules[0].when.op: cannot be exported: flagd has no such operator"},
		"bad value":           {[]flags.Recorded{flagWith(when(flags.Lt, "x"))}, "rules[0].when.values[0]: is not a number"},
		"ignoreCase":          {[]flags.Recorded{change(when(flags.Eq, "x"), func(f *flags.Recorded) { f.Environments["production"].Rules[0].When.IgnoreCase = true })}, "rules[0].when.ignoreCase: cannot be exported: flagd compares letters as they are"},
		"path":                {[]flags.Recorded{change(when(flags.Eq, "x"), func(f *flags.Recorded) { f.Environments["production"].Rules[0].When.Attribute = "a.b" })}, "rules[0].when.attribute: has dots: flagd takes them for a path, and never for a part of the name"},
		"flagd's own":         {[]flags.Recorded{change(when(flags.Eq, "x"), func(f *flags.Recorded) { f.Environments["production"].Rules[0].When.Attribute = "$flagd" })}, "rules[0].when.attribute: is where flagd puts what it adds to every context"},
		"hash by flagd's own": {[]flags.Recorded{flagWith(split(flags.HashInput{By: "$flagd"}))}, "rules[0].hash.by: is where flagd puts what it adds to every context"},
		"nested": {[]flags.Recorded{flagWith(flags.Environment{Rules: []flags.Rule{{Name: "r", Serve: "on", When: &flags.Condition{Any: []flags.Condition{{All: []flags.Condition{{Attribute: "a", Op: flags.Regex, Value: "x"}}}}}}}})},
			"rules[0].when.any[0].all[0].op: cannot be exported: flagd has no such operator"},
		"unit with dots": {[]flags.Recorded{change(flags.Environment{Rules: []flags.Rule{{Name: "r", Split: flags.Even("on")}}}, func(f *flags.Recorded) { f.Unit = "a.b" })},
			"rules[0].split: is a unit that flagd cannot read: a name with dots is a path there, and targetingKey no attribute here"},
		"too many targets": {[]flags.Recorded{flagWith(flags.Environment{Targets: []flags.Target{{Variant: "on", Units: many}}})}, "targets[0].units: brings more than 10000 unit ids into the document"},
		"no segment":       {[]flags.Recorded{flagWith(flags.Environment{Rules: []flags.Rule{{Name: "r", Serve: "on", When: segments}}})}, "rules[0].when: names a segment that there is not"},
		"served":           {[]flags.Recorded{flagWith(flags.Environment{Served: when(flags.Regex, "a").Rules})}, "served[0].when.op: cannot be exported: flagd has no such operator"},
		"audience":         {[]flags.Recorded{flagWith(flags.Environment{Allocation: &flags.Allocation{Salt: "s", Audience: when(flags.Regex, "a").Rules[0].When, Arms: flags.Even("on")}})}, "allocation.audience.op: cannot be exported: flagd has no such operator"},
		"salt":             {[]flags.Recorded{flagWith(flags.Environment{Allocation: &flags.Allocation{Salt: " s", Arms: flags.Even("on")}})}, "allocation.salt: begins with white space, which flagd cuts off"},
		"hash by path":     {[]flags.Recorded{flagWith(split(flags.HashInput{By: "a.b"}))}, "rules[0].hash.by: has dots: flagd takes them for a path, and never for a part of the name"},
		"hash salt":        {[]flags.Recorded{flagWith(split(flags.HashInput{By: "a", Salt: " s"}))}, "rules[0].hash.salt: begins with white space, which flagd cuts off"},
		"targeting":        {[]flags.Recorded{flagWith(flags.Environment{Targeting: flags.Logic(`{"nope":1}`)})}, "targeting: cannot be evaluated, here or there"},
		"prerequisite":     {[]flags.Recorded{flagWith(needy), other(when(flags.Regex, "a"))}, "prerequisites[0].rules[0].when.op: cannot be exported: flagd has no such operator"},
		"prerequisite's targeting": {[]flags.Recorded{flagWith(needy), other(flags.Environment{Targeting: flags.Logic(`"on"`)})},
			"prerequisites[0].flag: cannot be exported: the other flag has imported targeting, which means something else within this one"},
		"prerequisite, safe unset": {[]flags.Recorded{change(needy, func(f *flags.Recorded) { f.CodeDefault, f.Safe = true, "" }), other(flags.Environment{})},
			"prerequisites[0]: cannot be exported: when it is unmet the code decides, and flagd would give the default"},
	} {
		_, left := exportOne(c.flags...)
		left = slices.DeleteFunc(left, func(i event.Invalid) bool { return strings.HasPrefix(i.Path, "flags.other.") })
		if diff := cmp.Diff("flags.new.environments.production."+c.want, refusal(left)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
}

// A rollback reaches flagd whatever the flag's rules are.
func TestExportOfForcedFlagsIsNeverRefused(t *testing.T) {
	e := when(flags.Regex, "a")
	e.Prerequisites, e.Forced = []flags.Prerequisite{{Flag: "nowhere", Variant: "on"}}, &flags.Forced{Reason: "rollback"}
	if d, left := exportOne(flagWith(e)); len(left) > 0 || *d.DefaultVariant != "off" || d.Targeting != nil {
		t.Errorf("%s, %v", d.lines(), left)
	}
}

// Where prerequisites fan out, writing each of them out would have no end.
func TestExportBoundsPrerequisites(t *testing.T) {
	var list []flags.Recorded
	const wide, deep = 8, 8
	for level := range deep {
		for i := range wide {
			e := flags.Environment{Rules: []flags.Rule{{Name: "some", When: &flags.Condition{Attribute: "x", Op: flags.Eq, Value: "y"}, Serve: "on"}}}
			for j := range wide {
				e.Prerequisites = append(e.Prerequisites, flags.Prerequisite{Flag: fmt.Sprintf("f%d-%d", level+1, j), Variant: "on"})
			}
			if level == deep-1 {
				e.Prerequisites = nil
			}
			f := flagWith(e)
			f.Key = fmt.Sprintf("f%d-%d", level, i)
			list = append(list, f)
		}
	}
	_, left := exportOne(list...)
	want := "flags.f0-0.environments.production.prerequisites: brings more than 100 other flags into the document"
	left = slices.DeleteFunc(left, func(i event.Invalid) bool { return !strings.HasPrefix(i.Path, "flags.f0-0.") })
	if diff := cmp.Diff(want, refusal(left)); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if d, left := exportOne(list[len(list)-2*wide:]...); d.Targeting == nil || len(left) > 0 {
		t.Errorf("a flag with %d prerequisites: %v", wide, left)
	}
}

// A document never leaves a flag out without saying so.
func TestExportNamesWhatItLeavesOut(t *testing.T) {
	r := flags.Ruleset{Environment: "production"}
	for i := range 25 {
		f := flagWith(when(flags.Regex, "a"))
		f.Key = fmt.Sprintf("f%02d", i)
		r.Flags = append(r.Flags, f)
	}
	doc, left := Export(r, nil)
	want := "f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19 and 5 more"
	if got := doc.Metadata[notExported]; got != want || len(left) != 25 || len(doc.Flags) != 0 {
		t.Errorf("got %v, %d faults, %d flags", got, len(left), len(doc.Flags))
	}
}

// flagd has no other arithmetic than its own: a flag with another is left out,
// and named by the path of each. A range of ours is a fractional.
func TestExportOfHashes(t *testing.T) {
	portion := func(version flags.Foreign) flags.Rule {
		h := &flags.HashInput{Version: version, Salt: "s:", By: "account"}
		return flags.Rule{Name: "quarter", Serve: "on", When: &flags.Condition{Op: flags.InBucket, Hash: h, Values: []any{0, 25_000}}}
	}
	half := flags.Rule{Name: "half", Split: flags.Even("on", "off"), Hash: &flags.HashInput{Version: flags.LaunchDarkly, Salt: "k.s.", By: flags.TargetingKey}}
	_, left := exportOne(flagWith(flags.Environment{Rules: []flags.Rule{portion(flags.Unleash), half}}))
	var paths []string
	for _, f := range left {
		paths = append(paths, f.Path)
	}
	at := "flags.new.environments.production.rules"
	if diff := cmp.Diff([]string{at + "[0].when.hash.version", at + "[1].hash.version"}, paths); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	d, left := exportOne(flagWith(flags.Environment{Rules: []flags.Rule{portion("")}}))
	want := `{"if":[{"and":[{"starts_with":[{"var":"account"},""]},{"===":[{"fractional":[{"substr":[{"cat":["s:",{"var":"account"},"."]},0,-1]},["out",0],["in",25000],["out",75000]]},"in"]}]},"on",null]}`
	if got := string(jsonOf(t, d.Targeting)); got != want || len(left) > 0 {
		t.Errorf("got %s, %v; want %s", got, left, want)
	}
}

package peers

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

func desk(t *testing.T) *Desk {
	t.Helper()
	d, err := NewDesk(Options{Environment: "production", Owner: "growth"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWhatIsRefused(t *testing.T) {
	_, err := NewDesk(Options{})
	var faults event.Invalids
	if !errors.As(err, &faults) || faults[0].Path != "environment" {
		t.Errorf("no environment: %v", err)
	}
	for source, want := range map[string]string{
		`{"data":{"list":[{"a":1}`: "is not an export of Unleash: it breaks off after 24 bytes; get it again",
		``:                         "is not an export of Unleash: it breaks off after 0 bytes",
		`{"data":}`:                "it is no JSON at byte 9",
		`{"data":{"list":7}}`:      "data.list \"number\" is not what an export of Unleash has there",
		`[]`:                       "file \"array\" is not what an export of Unleash has there",
		`{"data":{"flags":[]}}`:    "data.list is missing: it is not an export of Unleash; see docs/import.md",
		`{"data":{"list":null}}`:   "data.list is missing",
		`{"data":null}`:            "data.list is missing",
		`{}`:                       "data.list is missing",
	} {
		var into struct {
			Data struct {
				List []any `json:"list"`
			} `json:"data"`
		}
		if err := Read([]byte(source), &into, "Unleash", "data.list"); !errors.As(err, &faults) || !strings.Contains(err.Error(), want) || faults[0].Fix == "" {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}

var hash = flags.HashInput{Version: flags.GrowthBook2, Salt: "s", By: "id"}

// rulesOf returns what ranges become, in JSON.
func rulesOf(t *testing.T, h flags.HashInput, ranges ...Range) []string {
	m := desk(t).Begin("f", "")
	m.Spread("r", Always, h, ranges)
	var out []string
	for _, r := range m.In.Rules {
		r.Hash = nil
		visit(r.When, func(c *flags.Condition) { c.Hash = nil })
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

func TestSpread(t *testing.T) {
	there := `{"all":[{"attribute":"id","op":"is_set"},{"none":[{"attribute":"id","op":"eq","value":""}]}]}`
	for name, c := range map[string]struct {
		ranges []Range
		want   []string
	}{
		"halves": {[]Range{{"a", 0, 50000}, {"b", 50000, 100000}},
			[]string{`{"name":"r","when":` + there + `,"split":[{"variant":"a","weight":50000},{"variant":"b","weight":50000}]}`}},
		"gaps": {[]Range{{"a", 0, 25000}, {"b", 50000, 75000}},
			[]string{`{"name":"r","when":{"any":[{"op":"bucket","values":[0,25000]},{"op":"bucket","values":[50000,75000]}]},"split":[{"variant":"a","weight":50000},{"variant":"b","weight":50000}]}`}},
		"one":     {[]Range{{"a", 0, 25000}}, []string{`{"name":"r","when":{"op":"bucket","values":[0,25000]},"serve":"a"}`}},
		"nothing": {[]Range{{"a", 0, 0}}, nil},
		"neighbours of one variant": {[]Range{{"a", 0, 20000}, {"a", 20000, 30000}},
			[]string{`{"name":"r","when":{"op":"bucket","values":[0,30000]},"serve":"a"}`}},
		"a variant twice": {[]Range{{"a", 0, 10000}, {"b", 10000, 20000}, {"a", 20000, 100000}},
			[]string{`{"name":"r","when":{"op":"bucket","values":[0,10000]},"serve":"a"}`, `{"name":"r-2","when":{"op":"bucket","values":[10000,20000]},"serve":"b"}`, `{"name":"r-3","when":{"op":"bucket","values":[20000,100000]},"serve":"a"}`}},
		"overlapping": {[]Range{{"a", 0, 60000}, {"b", 50000, 100000}},
			[]string{`{"name":"r","when":{"op":"bucket","values":[0,60000]},"serve":"a"}`, `{"name":"r-2","when":{"op":"bucket","values":[50000,100000]},"serve":"b"}`}},
	} {
		if diff := cmp.Diff(c.want, rulesOf(t, hash, c.ranges...)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
	anybody := rulesOf(t, flags.HashInput{Version: flags.LaunchDarkly, By: "id"}, Range{"a", 0, 50000}, Range{"b", 50000, 100000})
	if want := `{"name":"r","split":[{"variant":"a","weight":50000},{"variant":"b","weight":50000}]}`; anybody[0] != want { // who lacks the attribute has a place too
		t.Errorf("got %s, want %s", anybody[0], want)
	}
}

// A flag that needs one that is left out is left out, as is one that needs
// itself; what others need comes first.
func TestFlagsThatNeedOthers(t *testing.T) {
	d := desk(t)
	for key, needs := range map[string]string{"a": "c", "b": "", "c": "b", "x": "gone", "y": "x", "p": "q", "q": "p"} {
		m := d.Begin(key, key)
		m.Boolean()
		if needs != "" {
			m.In.Prerequisites = []flags.Prerequisite{{Flag: needs, Variant: "on"}}
		}
		m.Done()
	}
	b := d.Finish()
	var keys []string
	for _, f := range b.Flags {
		keys = append(keys, f.Key)
	}
	if diff := cmp.Diff([]string{"b", "c", "a"}, keys); diff != "" {
		t.Errorf("carried over: want -, got +\n%s", diff)
	}
	if diff := cmp.Diff([]string{"p", "q", "x", "y"}, b.LeftOut()); diff != "" {
		t.Errorf("left out: want -, got +\n%s", diff)
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		make func(*Desk, *Maker)
		want string
	}{
		"two types": {func(_ *Desk, m *Maker) { m.Variant(json.RawMessage(`"a"`)) }, "f: has values of several types"},
		"segment": {func(d *Desk, m *Maker) {
			d.Segment(flags.Segment{Key: "s"}, Never, errors.New("big"))
			m.Rule("r", Member("s"), flags.Rule{Serve: "on"})
		}, "asks for the segment s, which cannot be carried over: big"},
		"no expression": {func(_ *Desk, m *Maker) { m.Rule("r", Test("a", flags.Regex, "("), flags.Rule{Serve: "on"}) }, "is not a regular expression"},
	} {
		d := desk(t)
		m := d.Begin("f", "f")
		m.Boolean()
		c.make(d, m)
		m.Done()
		b := d.Finish()
		if len(b.Flags) != 0 || len(b.Notes) != 1 || !b.Notes[0].Left || !strings.Contains(b.Notes[0].Path+": "+b.Notes[0].Text, c.want) {
			t.Errorf("%s: got %+v", name, b)
		}
	}
}

func TestConditionsThatNeedNotBeWritten(t *testing.T) {
	a := Test("a", flags.IsSet)
	for name, c := range map[string]struct {
		cond Cond
		want string // "" for everybody, "-" for nobody
	}{
		"all of nothing":   {And(), ""},
		"any of nothing":   {Or(), "-"},
		"always and a":     {And(Always, a), "a is_set"},
		"never and a":      {And(Never, a), "-"},
		"always or a":      {Or(Always, a), ""},
		"not not a":        {Not(Not(a)), "a is_set"},
		"not any":          {Not(Or(a, a)), "none of (a is_set, a is_set)"},
		"and within and":   {And(And(a, a), a), "all of (a is_set, a is_set, a is_set)"},
		"one of some":      {OneOf("a", "5", "true", "05"), "a in [5 5 true true 05]"},
		"no range":         {Between(hash, 5, 5), "-"},
		"not a known part": {Not(Never), ""},
	} {
		is, some := c.cond.When()
		got := "-"
		if some {
			got = ""
		}
		if is != nil {
			got = is.String()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{"Beta users": "Beta-users", "..a..b.": "a.b", "日本": "unnamed", "": "unnamed", "a/b:c": "a-b-c"} {
		if got := Name(name); got != want || event.CheckKey(got) != "" {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestThousandths(t *testing.T) {
	for share, want := range map[float64]int{0: 0, 0.3: 30000, 0.29999: 29999, 1: flags.Whole} {
		if got, ok := Thousandths(share); !ok || got != want {
			t.Errorf("%v: got %d, %v", share, got, ok)
		}
	}
	if _, ok := Thousandths(1.0 / 3); ok {
		t.Error("a third is a whole number of thousandths")
	}
}

// Single units are targets where the flag is about them, and else those of a
// rule; of a unit that is listed twice the first counts.
func TestTargets(t *testing.T) {
	for unit, want := range map[string]string{
		"":          `{"enabled":true,"targets":[{"variant":"on","units":["a","b"]},{"variant":"off","units":["c"]}]}`,
		"workspace": `{"enabled":true,"rules":[{"name":"t1","when":{"attribute":"targetingKey","op":"in","values":["a","b","","a"]},"serve":"on"},{"name":"t2","when":{"attribute":"targetingKey","op":"in","values":["b","c"]},"serve":"off"}]}`,
	} {
		d := desk(t)
		d.Unit = unit
		m := d.Begin("f", "f")
		m.Boolean()
		m.Target("t1", flags.TargetingKey, "on", []string{"a", "b", "", "a"})
		m.Target("t2", flags.TargetingKey, "off", []string{"b", "c"})
		m.Target("t3", flags.TargetingKey, "off", nil)
		got, err := json.Marshal(m.In)
		if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
			t.Errorf("unit %q: %v (-want +got):\n%s", unit, err, diff)
		}
	}
}

// A key that the export has twice is carried over once, and said.
func TestKeysThatComeTwice(t *testing.T) {
	d := desk(t)
	for _, path := range []string{"features[0]", "features[1]"} {
		m := d.Begin("f", path)
		m.Boolean()
		m.Done()
	}
	b := d.Finish()
	want := []Note{{Flag: "f", Path: "features[1]", Text: "has the key of another flag of the export", Left: true}}
	if diff := cmp.Diff(want, b.Notes); diff != "" || len(b.Flags) != 1 {
		t.Errorf("%d flags (-want +got):\n%s", len(b.Flags), diff)
	}
}

// Segments come along with the flags that ask for them; of others it is said that
// they do not.
func TestSegmentsThatNoFlagAsksFor(t *testing.T) {
	d := desk(t)
	for _, key := range []string{"b", "asked", "a"} {
		d.Segment(flags.Segment{Key: key}, Always, nil)
	}
	m := d.Begin("f", "f")
	m.Boolean()
	m.Rule("r", Member("asked"), flags.Rule{Serve: "on"})
	m.Done()
	b := d.Finish()
	want := []Note{{Text: "no flag that is carried over asks for these segments, which are left out: a, b"}}
	if diff := cmp.Diff(want, b.Notes); diff != "" || len(b.Segments) != 1 || b.Segments[0].Key != "asked" {
		t.Errorf("%d segments (-want +got):\n%s", len(b.Segments), diff)
	}
}

// visit calls do for a condition and all within it.
func visit(c *flags.Condition, do func(*flags.Condition)) {
	if c == nil {
		return
	}
	do(c)
	for _, list := range [][]flags.Condition{c.All, c.Any, c.None} {
		for i := range list {
			visit(&list[i], do)
		}
	}
}

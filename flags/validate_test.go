package flags

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

func TestValidFlags(t *testing.T) {
	f := checkout()
	if err := f.Validate(); err != nil {
		t.Errorf("checkout is refused: %v", err)
	}
	f = checkout()
	f.Purpose, f.Cleanup, f.Default, f.Unit, f.Environments = KillSwitch, nil, "", "", nil
	if err := f.Validate(); err != nil {
		t.Errorf("the smallest flag is refused: %v", err)
	}
	for kind, value := range map[Type]string{Boolean: `true`, String: `""`, Number: `-1.5e3`, Object: `{"a":[1,{"b":null}]}`} {
		f.Type, f.Variants = kind, Variants{"off": json.RawMessage(value)}
		if err := f.Validate(); err != nil {
			t.Errorf("a %s is refused: %v", kind, err)
		}
	}
}

// faultsOf returns "path: why" for each fault of checkout after a change.
func faultsOf(change func(*Flag)) []string {
	f := checkout()
	change(&f)
	var out []string
	var faults event.Invalids
	if errors.As(f.Validate(), &faults) {
		for _, i := range faults {
			out = append(out, i.Path+": "+i.Why)
		}
	}
	return out
}

func TestFaultsOfFlags(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Flag)
		want   string // every fault, one a line
	}{
		"illegal key":         {func(f *Flag) { f.Key = "a b" }, `key: has the character ' '; letters, digits, '-', '_' and '.' are allowed`},
		"no key":              {func(f *Flag) { f.Key = "" }, `key: is empty`},
		"no purpose":          {func(f *Flag) { f.Purpose = "" }, `purpose: is missing`},
		"unknown purpose":     {func(f *Flag) { f.Purpose = "fun" }, `purpose: is not a purpose`},
		"unknown type":        {func(f *Flag) { f.Type = "float" }, "type: is not a type\nvariants.off: is of type boolean, and the flag of type float\nvariants.on: is of type boolean, and the flag of type float"},
		"no owner":            {func(f *Flag) { f.Owner = " " }, `owner: is missing`},
		"bad tag":             {func(f *Flag) { f.Tags = []string{"ok", ""} }, `tags[1]: is empty`},
		"bad unit":            {func(f *Flag) { f.Unit = "a:b" }, `unit: has the character ':'; letters, digits, '-', '_' and '.' are allowed`},
		"wrong value":         {func(f *Flag) { f.Variants["on"] = json.RawMessage(`"yes"`) }, `variants.on: is of type string, and the flag of type boolean`},
		"null value":          {func(f *Flag) { f.Variants["on"] = json.RawMessage(`null`) }, `variants.on: is not a value a flag can have`},
		"two values":          {func(f *Flag) { f.Variants["on"] = json.RawMessage(`true false`) }, `variants.on: is not a value a flag can have`},
		"no safe":             {func(f *Flag) { f.Safe = "" }, `safe: is missing`},
		"safe not a variant":  {func(f *Flag) { f.Safe = "of" }, `safe: is not a variant`},
		"default no variant":  {func(f *Flag) { f.Default = "x" }, `default: is not a variant`},
		"dates":               {func(f *Flag) { f.Dates = &Dates{On: "2027-02-01", Off: "2027-01-01"} }, `dates.off: is not after dates.on`},
		"bad date":            {func(f *Flag) { f.Dates = &Dates{On: "tomorrow"} }, `dates.on: is not a date`},
		"no cleanup":          {func(f *Flag) { f.Cleanup = nil }, `cleanup: is missing: a release flag says how it ends before it starts`},
		"no due":              {func(f *Flag) { f.Cleanup.Due = 0 }, `cleanup.due: is missing`},
		"bad end state":       {func(f *Flag) { f.Cleanup.EndState = "burn" }, `cleanup.endState: is not an end state`},
		"keep without why":    {func(f *Flag) { f.Cleanup.EndState = Keep }, `cleanup.why: is missing`},
		"keep without review": {func(f *Flag) { f.Cleanup.EndState, f.Cleanup.Why = Keep, "law" }, `cleanup.review: is missing`},
		"permission":          {func(f *Flag) { f.Purpose = Permission }, `cleanup.why: is missing`},
		"no variants": {func(f *Flag) { f.Variants = nil },
			"variants: is missing\nsafe: is not a variant\ndefault: is not a variant\nenvironments.production.rules[0].serve: is not a variant"},
		"metadata of every answer": {func(f *Flag) { f.Metadata = map[string]any{"version": "7", "": 1, "list": []any{}} },
			"metadata: has a name that is empty\nmetadata.list: is not a text, number or boolean\nmetadata.version: is said by every answer itself"},
		"environment with a dot": {func(f *Flag) { f.Environments = map[string]Environment{"eu.prod": {}} }, `environments.eu.prod: has a dot`},
		"environment name": {func(f *Flag) { f.Environments = map[string]Environment{"a b": {}} },
			`environments.a b: has the character ' '; letters, digits, '-', '_' and '.' are allowed`},
	} {
		if diff := cmp.Diff(c.want, strings.Join(faultsOf(c.change), "\n")); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
}

func TestFaultsOfEnvironments(t *testing.T) {
	rule := func(r Rule) Environment { return Environment{Rules: []Rule{r}} }
	for name, c := range map[string]struct {
		environment Environment
		want        string
	}{
		"nameless rule":     {rule(Rule{Serve: "on"}), `rules[0].name: is empty`},
		"missing variant":   {rule(Rule{Name: "r", Serve: "blue"}), `rules[0].serve: is not a variant`},
		"nothing to serve":  {rule(Rule{Name: "r"}), `rules[0].serve: is missing`},
		"serve and split":   {rule(Rule{Name: "r", Serve: "on", Split: Even("on", "off")}), `rules[0].split: is written beside serve`},
		"weights":           {rule(Rule{Name: "r", Split: []Arm{{"on", 50}, {"off", 50}}}), `rules[0].split: has weights that add up to 100`},
		"empty split":       {rule(Rule{Name: "r", Split: []Arm{}}), `rules[0].split: is missing`},
		"zero weight":       {rule(Rule{Name: "r", Split: []Arm{{"on", Whole}, {"off", 0}}}), `rules[0].split[1].weight: is not between 1 and 100000`},
		"same arm":          {rule(Rule{Name: "r", Split: Even("on", "on")}), `rules[0].split[1].variant: is an earlier arm`},
		"until":             {rule(Rule{Name: "r", Serve: "on", Until: "x"}), `rules[0].until: is not a date`},
		"two rules":         {Environment{Rules: []Rule{{Name: "r", Serve: "on"}, {Name: "r", Serve: "on"}}}, `rules[1].name: is the name of an earlier rule`},
		"served rule":       {Environment{Rules: []Rule{{Name: "r", Serve: "on"}}, Served: []Rule{{Name: "r", Serve: "on"}}}, `served[0].name: is the name of a rule`},
		"target variant":    {Environment{Targets: []Target{{Variant: "x", Units: []string{"a"}}}}, `targets[0].variant: is not a variant`},
		"target empty":      {Environment{Targets: []Target{{Variant: "on"}}}, `targets[0].units: is missing`},
		"target unit":       {Environment{Targets: []Target{{Variant: "on", Units: []string{""}}}}, `targets[0].units[0]: is empty`},
		"target twice":      {Environment{Targets: []Target{{Variant: "on", Units: []string{"a"}}, {Variant: "off", Units: []string{"a"}}}}, `targets[1].units[0]: is targeted twice`},
		"prerequisite self": {Environment{Prerequisites: []Prerequisite{{"checkout.express", "on"}}}, `prerequisites[0].flag: is the flag itself`},
		"prerequisite":      {Environment{Prerequisites: []Prerequisite{{"a b", ""}}}, "prerequisites[0].flag: has the character ' '; letters, digits, '-', '_' and '.' are allowed\nprerequisites[0].variant: is missing"},
		"twice":             {Environment{Prerequisites: []Prerequisite{{"a", "on"}, {"a", "off"}}}, `prerequisites[1].flag: is asked for twice`},
	} {
		got := strings.Join(faultsOf(func(f *Flag) { f.Environments[production] = c.environment }), "\n")
		want := "environments.production." + strings.ReplaceAll(c.want, "\n", "\nenvironments.production.")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
}

func TestFaultsOfConditions(t *testing.T) {
	for condition, want := range map[string]string{
		`{}`:           `: is not one condition`,
		`{"all":[]}`:   `.all: is empty`,
		`{"all":[{}]}`: `.all[0]: is not one condition`,
		`{"any":[{"attribute":"a","op":"eq","value":1}],"attribute":"a","op":"eq","value":1}`: `: is not one condition`,
		`{"attribute":"a","op":"equals","value":1}`:                                           `.op: is not an operator`,
		`{"attribute":"a","value":1}`:                                                         `.op: is not an operator`,
		`{"op":"eq","value":1}`:                                                               `.attribute: is missing`,
		`{"attribute":"a","op":"eq"}`:                                                         `.value: is not one: eq compares with exactly one, not 0`,
		`{"attribute":"a","op":"eq","values":[1,2]}`:                                          `.value: is not one: eq compares with exactly one, not 2`,
		`{"attribute":"a","op":"eq","value":1,"values":[1]}`:                                  `.values: is written beside value`,
		`{"attribute":"a","op":"eq","value":{}}`:                                              `.value: is not text, a number or a boolean`,
		`{"attribute":"a","op":"in","values":[1,null]}`:                                       `.values[1]: is not text, a number or a boolean`,
		`{"attribute":"a","op":"in"}`:                                                         `.values: is missing: in compares with at least one`,
		`{"attribute":"a","op":"eq","value":9007199254740994}`:                                `.value: is a number that cannot be compared exactly`,
		`{"attribute":"a","op":"in","values":["a",1],"ignoreCase":true}`:                      `.values[1]: is not text, which ignoreCase needs`,
		`{"attribute":"a","op":"lt","value":"3"}`:                                             `.value: is not a number`,
		`{"attribute":"a","op":"lt","value":3,"ignoreCase":true}`:                             `.ignoreCase: has no meaning for lt`,
		`{"attribute":"a","op":"contains","values":["a",3]}`:                                  `.values[1]: is not text`,
		`{"attribute":"a","op":"starts_with","value":""}`:                                     `.value: is not text`,
		`{"attribute":"a","op":"regex","value":"(?=x)"}`:                                      ".value: is not a regular expression: error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
		`{"attribute":"a","op":"regex","value":5}`:                                            `.value: is not text`,
		`{"attribute":"a","op":"semver_gt","value":1.2}`:                                      `.value: is not a version`,
		`{"attribute":"a","op":"before","value":"soon"}`:                                      `.value: is not a date`,
		`{"attribute":"a","op":"cidr","values":["10.0.0.0/8","10.0.0.1"]}`:                    `.values[1]: is not an address range`,
		`{"attribute":"a","op":"modulo","values":[10]}`:                                       `.values: has not two members: modulo takes a divisor and a remainder`,
		`{"attribute":"a","op":"modulo","values":[0,0]}`:                                      `.values[0]: is not a divisor and a remainder`,
		`{"attribute":"a","op":"modulo","values":[10,10]}`:                                    `.values[1]: is a remainder that never comes`,
		`{"attribute":"a","op":"is_set","value":true}`:                                        `.value: is not used by is_set`,
		`{"op":"segment","values":["beta","b c"]}`:                                            `.values[1]: names no segment: its key has the character ' '; letters, digits, '-', '_' and '.' are allowed`,
		`{"op":"segment","value":5}`:                                                          `.value: names no segment: its key is empty`,
		`{"op":"segment","attribute":"a","value":"beta"}`:                                     `.attribute: has no meaning for segment: it asks for the unit`,
		`{"op":"not_segment","ignoreCase":true,"value":"beta"}`:                               `.ignoreCase: has no meaning for not_segment`,
		`{"op":"segment"}`: `.values: is missing: segment compares with at least one`,
	} {
		var c Condition
		if err := json.Unmarshal([]byte(condition), &c); err != nil {
			t.Fatal(err)
		}
		got := faultsOf(func(f *Flag) {
			f.Environments[production] = Environment{Rules: []Rule{{Name: "r", When: &c, Serve: "on"}}}
		})
		if diff := cmp.Diff([]string{"environments.production.rules[0].when" + want}, got); diff != "" {
			t.Errorf("%s: want -, got +\n%s", condition, diff)
		}
		n, _ := c.compile(nil)
		if n.met(&Context{TargetingKey: "a", Attributes: map[string]any{"a": 1.0}}) {
			t.Errorf("%s is at fault and is met", condition)
		}
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	got := faultsOf(func(f *Flag) {
		f.Key, f.Owner, f.Safe = "", "", ""
		f.Environments[production].Rules[0].When.Op = "within"
	})
	want := []string{"key: is empty", "owner: is missing", "safe: is missing", "environments.production.rules[0].when.op: is not an operator"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

func TestDates(t *testing.T) {
	for d, want := range map[Date]time.Time{
		"2027-01-31":                time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		"2027-01-31T09:00:00+02:00": time.Date(2027, 1, 31, 7, 0, 0, 0, time.UTC),
	} {
		if got, ok := d.Time(); !ok || !got.Equal(want) {
			t.Errorf("%s is read as %v", d, got)
		}
	}
}

func TestVariantsFromYAML(t *testing.T) {
	var v Variants
	err := v.UnmarshalYAML(func(into any) error {
		*into.(*map[string]any) = map[string]any{"a": true, "b": map[string]any{"n": uint64(1)}}
		return nil
	})
	if diff := cmp.Diff(Variants{"a": json.RawMessage(`true`), "b": json.RawMessage(`{"n":1}`)}, v); err != nil || diff != "" {
		t.Errorf("error %v, want -, got +\n%s", err, diff)
	}
	broken := errors.New("broken")
	if err := v.UnmarshalYAML(func(any) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want the decoder's error", err)
	}
}

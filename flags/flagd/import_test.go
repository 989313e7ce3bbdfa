package flagd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// document wraps one definition.
func document(definition, rest string) []byte {
	return []byte(`{"flags":{"new":{` + definition + `}}` + rest + `}`)
}

const plain = `"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"`

func importOne(t *testing.T, source []byte, o Options) (flags.Flag, Report) {
	t.Helper()
	o.Environment = "production"
	list, report, err := Import(source, o)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d flags, %v", len(list), err)
	}
	return list[0], report
}

func TestImportMarksWhatIsUnset(t *testing.T) {
	f, report := importOne(t, document(plain, ""), Options{})
	want := flags.Flag{
		Key: "new", Purpose: flags.Operational, Owner: Unset, Type: flags.Boolean, Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")},
		Default: "off", CodeDefault: true, Tags: []string{"imported", "unset-owner", "unset-purpose", "unset-cleanup", "unset-safe"},
		Environments: map[string]flags.Environment{"production": {Enabled: true}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	var texts []string
	for _, w := range report.Warnings {
		texts = append(texts, w.Path+" "+w.Text)
	}
	if got := strings.Join(texts, ", "); got != "flags.new owner is unset, flags.new purpose is unset, flags.new cleanup is unset, flags.new safe is unset" {
		t.Errorf("warnings: %s", got)
	}
}

func TestImportTakesWhatIsSaid(t *testing.T) {
	o := Options{Owner: "web", Purpose: flags.Release, Safe: "off", Cleanup: &flags.Cleanup{Due: 1, EndState: flags.Promote}, Unit: "account"}
	f, report := importOne(t, document(plain, ""), o)
	if f.Owner != "web" || f.Purpose != flags.Release || f.Safe != "off" || f.CodeDefault || f.Unit != "account" || len(f.Tags) != 1 || len(report.Warnings) > 0 {
		t.Errorf("got %+v, %v", f, report)
	}
	f, _ = importOne(t, document(plain+`,"metadata":{"owner":"growth"}`, ""), Options{Safe: "none"})
	if f.Owner != "growth" || f.Safe != "" || !f.CodeDefault {
		t.Errorf("got %+v", f)
	}
}

func TestImportMergesMetadata(t *testing.T) {
	f, report := importOne(t, document(plain+`,"metadata":{"team":"a","version":"7"}`, `,"metadata":{"team":"b","tier":1,"flagSetId":"x"}`), Options{})
	if diff := cmp.Diff(`{"team":"a","tier":1}`, string(jsonOf(t, f.Metadata))); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if got := report.Warnings[0]; got != (Warning{"flags.new.metadata.version", "is left out: every answer says its own"}) {
		t.Errorf("got %v", got)
	}
}

func TestImportTargeting(t *testing.T) {
	for targeting, want := range map[string]string{
		`null`: ``, `{}`: ``,
		`{"$ref":"vip"}`:                                                          `{"==":[{"var":"tier"},1.0]}`,
		`{"if":[{"$ref": "vip"},"on"]}`:                                           `{"if":[{"==":[{"var":"tier"},1.0]},"on"]}`,
		`{"fractionalEvaluation":[{"var":"email"},["on",1]]}`:                     `{"fractional":[{"var":"email"},["on",1]]}`,
		`{"if":[{"==":[{"var":"fractionalEvaluation"},{"a":1,"$ref":"x"}]},"a"]}`: `{"if":[{"==":[{"var":"fractionalEvaluation"},{"$ref":"x","a":1}]},"a"]}`,
	} {
		f, report := importOne(t, document(plain+`,"targeting":`+targeting, `,"$evaluators":{"vip":{"==":[{"var":"tier"},1.0]}}`), Options{})
		if got := string(f.Environments["production"].Targeting); got != want {
			t.Errorf("%s: got %s, want %s", targeting, got, want)
		}
		last := report.Warnings[len(report.Warnings)-1].Text
		if strings.HasPrefix(targeting, `{"fractionalEvaluation"`) != strings.HasPrefix(last, "fractionalEvaluation is the old name") {
			t.Errorf("%s: last warning %q", targeting, last)
		}
	}
}

// A short document cannot become a long one, nor take long to refuse.
func TestImportBoundsReferences(t *testing.T) {
	long := `[` + strings.Repeat(`1,`, 20000) + `1]`
	many := strings.Repeat(`{"$ref":"long"},`, 2000) + `1`
	_, _, err := Import(document(plain+`,"targeting":{"if":[`+many+`]}`, `,"$evaluators":{"long":{"in":[1,`+long+`]}}`), Options{Environment: "production"})
	if got, want := refusal(err), "flags.new.targeting: brings more than 1000000 parts of $evaluators along, written out"; got != want {
		t.Errorf("references: got %.200s, want %s", got, want)
	}
	name := strings.Repeat("x", 200_000)
	_, _, err = Import(document(plain+`,"targeting":{"`+name+`":[`+strings.Repeat(`{},`, 50_000)+`1]}`, ""), Options{Environment: "production"})
	if got := refusal(err); !strings.Contains(got, "is not an operator") {
		t.Errorf("long name: got %.200s", got)
	}
}

// flagd leaves a disabled flag to the code; here everybody gets the safe
// variant, which whoever names one has to be told.
func TestImportTellsWhatDisabledFlagsGive(t *testing.T) {
	source := document(strings.Replace(plain, "ENABLED", "DISABLED", 1), "")
	warned := func(o Options) bool {
		f, report := importOne(t, source, o)
		if f.Environments["production"].Enabled {
			t.Error("the flag is enabled")
		}
		return slices.Contains(report.Warnings, Warning{"flags.new.state", `is DISABLED: flagd leaves the value to the code, and here everybody gets the safe variant, off`})
	}
	if !warned(Options{Safe: "off"}) || warned(Options{}) {
		t.Error("want a warning with a safe variant, and none without")
	}
}

func TestImportReadsLists(t *testing.T) {
	list, _, err := Import([]byte(`{"flags":[{"key":"b",`+plain+`},{"key":"a",`+plain+`}]}`), Options{Environment: "production"})
	if err != nil || len(list) != 2 || list[0].Key != "a" {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestImportRefuses(t *testing.T) {
	one := func(s string) string { return `{"flags":{"new":{` + s + `}}}` }
	for name, c := range map[string]struct{ source, want string }{
		"no JSON":            {`{`, ": is not a document of flagd: unexpected EOF"},
		"two documents":      {`{} {}`, ": is not a document of flagd: there is something behind the first value"},
		"no flags":           {`{}`, "flags: is missing"},
		"flags of no kind":   {`{"flags":5}`, "flags: cannot be read: json: cannot unmarshal number into Go value of type map[string]flagd.imported"},
		"list of no kind":    {`{"flags":[5]}`, "flags: cannot be read: json: cannot unmarshal number into Go value of type flagd.imported"},
		"list without key":   {`{"flags":[{` + plain + `}]}`, "flags[0].key: is missing, or an earlier definition's"},
		"a key twice":        {`{"flags":[{"key":"a",` + plain + `},{"key":"a",` + plain + `}]}`, "flags[1].key: is missing, or an earlier definition's"},
		"key":                {`{"flags":{"a b":{` + plain + `}}}`, "flags.a b.key: has the character ' '; letters, digits, '-', '_' and '.' are allowed"},
		"state":              {one(strings.Replace(plain, "ENABLED", "ON", 1)), "flags.new.state: is not a state"},
		"default":            {one(strings.Replace(plain, `"off"}`, `"of"}`, 1) + `,"defaultVariant":"x"`), "flags.new.default: is not a variant"},
		"mixed variants":     {one(strings.Replace(plain, "true", "1", 1)), "flags.new.variants.on: is of type number, and the flag of type boolean"},
		"no variants":        {one(`"state":"ENABLED"`), "flags.new.type: is missing\nflags.new.variants: is missing"},
		"nested metadata":    {one(plain + `,"metadata":{"a":[]}`), "flags.new.metadata.a: is not a text, number or boolean"},
		"unknown operator":   {one(plain + `,"targeting":{"if":[{"nope":1},"on"]}`), "flags.new.targeting.if[0].nope: is not an operator: \"nope\""},
		"unknown reference":  {one(plain + `,"targeting":{"$ref":"x"}`), "flags.new.targeting.$ref: is not among $evaluators"},
		"reference in a ref": {`{"flags":{"new":{` + plain + `,"targeting":{"$ref":"a"}}},"$evaluators":{"a":{"!":[{"$ref":"a"}]}}}`, "flags.new.targeting.$ref(a).![0].$ref: is a reference within an evaluator\nflags.new.targeting.![0].$ref: is not an operator: \"$ref\""},
	} {
		_, _, err := Import([]byte(c.source), Options{Environment: "production"})
		if diff := cmp.Diff(c.want, refusal(err)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
	if _, _, err := Import(document(plain, ""), Options{}); refusal(err) == "" || !strings.HasPrefix(refusal(err), "environment: is missing") {
		t.Errorf("without an environment: %v", err)
	}
	if _, _, err := Import(document(plain, ""), Options{Environment: "p", Purpose: flags.Release}); refusal(err) != "flags.new.cleanup: is missing: a release flag says how it ends before it starts" {
		t.Errorf("a release flag without cleanup: %v", err)
	}
}

func refusal(err error) string {
	var faults event.Invalids
	errors.As(err, &faults)
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.Path + ": " + f.Why
	}
	return strings.Join(lines, "\n")
}

// An export can be imported again, and answers the same.
func TestExportedAndImported(t *testing.T) {
	r := flags.Ruleset{Environment: "production", Flags: []flags.Recorded{{Revision: 3, Flag: flags.Flag{
		Key: "new", Type: flags.Boolean, Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")}, Default: "off", Safe: "off", Unit: "user",
		Environments: map[string]flags.Environment{"production": {Enabled: true, Rules: []flags.Rule{{Name: "half", Split: flags.Even("on", "off")}}}},
	}}}}
	doc, left := Export(r, nil)
	if len(left) > 0 {
		t.Fatal(left)
	}
	list, _, err := Import(doc.JSON(), Options{Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	before, after := flags.NewSet(r, nil), compile(list)
	for i := range 1000 {
		c := &flags.Context{TargetingKey: "u-" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + " "}
		if a, b := before.Evaluate("new", c), after.Evaluate("new", c); a.Variant != b.Variant {
			t.Fatalf("%q: %s before, %s after", c.TargetingKey, a.Variant, b.Variant)
		}
	}
}

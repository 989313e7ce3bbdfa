package growthbook

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// meets imports a condition on the attribute a and asks it of a value.
func meets(t *testing.T, condition string, value any) (met bool, why string) {
	t.Helper()
	rule := map[string]any{"force": true, "condition": json.RawMessage(condition)}
	b, set := bring(t, map[string]any{"f": map[string]any{"defaultValue": false, "rules": []any{rule}}}, map[string]any{})
	attributes := map[string]any{}
	if value != nil {
		attributes["a"] = value
	}
	return set.Evaluate("f", here(attributes, b.Numbers...)).Variant == "true", left(b, "f")
}

// What can be said of lists here is met as there, for everything but a value
// alone where a list belongs, which the report asks callers not to send.
func TestConditionsOnLists(t *testing.T) {
	list := func(members ...any) []any { return append([]any{}, members...) }
	for _, c := range []struct {
		condition string
		value     any
		met       bool
	}{
		{`{"a":{"$elemMatch":{"$eq":"x"}}}`, list("y", "x"), true}, {`{"a":{"$elemMatch":{"$eq":"x"}}}`, list(), false}, {`{"a":{"$elemMatch":{"$eq":"x"}}}`, nil, false},
		{`{"a":{"$elemMatch":{"$eq":5}}}`, list(4.0, 5.0), true}, {`{"a":{"$elemMatch":{"$ini":["X"]}}}`, list("x"), true}, {`{"a":{"$elemMatch":{"$in":[]}}}`, list("x"), false},
		{`{"a":{"$elemMatch":{"$regex":"^p"}}}`, list("q", "p1"), true}, {`{"a":{"$elemMatch":{"$lt":3}}}`, nil, false}, {`{"a":{"$elemMatch":{"$lt":3}}}`, list(5.0, 2.0), true},
		{`{"a":{"$not":{"$elemMatch":{"$eq":"x"}}}}`, nil, true}, {`{"a":{"$not":{"$elemMatch":{"$eq":"x"}}}}`, list("x"), false},
		{`{"a":{"$all":["1",2]}}`, list(1.0, 2.0), true}, {`{"a":{"$all":["1","2"]}}`, list("1"), false}, {`{"a":{"$all":[]}}`, list(), true}, {`{"a":{"$all":[]}}`, nil, false},
		{`{"a":{"$size":0}}`, list(), true}, {`{"a":{"$size":0}}`, list("x"), false}, {`{"a":{"$size":0}}`, list(1.0), false}, {`{"a":{"$size":0}}`, list(true, 2.0), false},
		{`{"a":{"$size":0}}`, nil, false}, {`{"a":{"$size":0}}`, "x", false}, {`{"a":{"$size":0}}`, 0.0, false},
		{`{"a":{"$size":{"$gt":0}}}`, list(1.0), true}, {`{"a":{"$size":{"$gt":0}}}`, list(), false}, {`{"a":{"$size":{"$gte":1}}}`, nil, false},
	} {
		if met, why := meets(t, c.condition, c.value); met != c.met || why != "" {
			t.Errorf("%s of %v: got %v, %s", c.condition, c.value, met, why)
		}
	}
	b, _ := bring(t, map[string]any{"f": map[string]any{"defaultValue": false, "rules": []any{map[string]any{"force": true, "condition": json.RawMessage(`{"a":{"$all":["x"]}}`)}}}}, nil)
	if last := b.Notes[len(b.Notes)-1]; last.Text != "rules ask for members of these attributes: send them as lists: a" {
		t.Errorf("the report ends with %+v", last)
	}
}

// What cannot be said here leaves the flag out, with the reason.
func TestConditionsThatAreLeftOut(t *testing.T) {
	for condition, want := range map[string]string{
		`{"a":{"$elemMatch":{"$gt":1,"$lt":5}}}`: "condition.a.$elemMatch asks for more than one thing of a member",
		`{"a":{"$elemMatch":{"$ne":"x"}}}`:       "condition.a.$elemMatch asks of members what cannot be asked here",
		`{"a":{"$elemMatch":{"$in":[null]}}}`:    "condition.a.$elemMatch asks of members what cannot be asked here",
		`{"a":{"$all":[["x"]]}}`:                 "condition.a.$all asks for lists or objects",
		`{"a":{"$size":3}}`:                      "condition.a.$size asks how many there are",
		`{"a":{"$type":"array"}}`:                "condition.a.$type asks for a type that cannot be asked for here: array",
		`{"a":{"$gt":"über"}}`:                   "condition.a.$gt compares by the order of letters",
		`{"a":{"$gt":""}}`:                       "condition.a.$gt compares by the order of letters",
		`{"a":{"$gt":"1e3"}}`:                    "condition.a.$gt compares with a number that SDKs read in two ways",
		`{"a":{"$gt":"0x1f"}}`:                   "condition.a.$gt compares with a number that SDKs read in two ways",
		`{"a":{"$regex":"(?=x)"}}`:               "condition.a has a regular expression that is not one of RE2",
		`{"$new":[]}`:                            "condition has $new in the place of an attribute",
	} {
		if _, why := meets(t, condition, "x"); !strings.Contains(why, want) {
			t.Errorf("%s: got %q, want %q", condition, why, want)
		}
	}
}

// An expression of letters is met by a text just when Go's comparison of bytes
// says so, whose order ASCII shares with JavaScript's.
func TestLetters(t *testing.T) {
	const seed = 9
	r := rand.New(rand.NewPCG(seed, seed))
	text := func(letters string) string {
		b := make([]byte, r.IntN(5))
		for i := range b {
			b[i] = letters[r.IntN(len(letters))]
		}
		return string(b)
	}
	holds := map[flags.Operator]func(a, b string) bool{
		flags.Lt: func(a, b string) bool { return a < b }, flags.Lte: func(a, b string) bool { return a <= b },
		flags.Gt: func(a, b string) bool { return a > b }, flags.Gte: func(a, b string) bool { return a >= b },
	}
	for range 300 {
		bound := "b" + text("ab-~! ")
		for op, compare := range holds {
			expression := regexp.MustCompile(letters(op, bound))
			for _, is := range []string{text("ab-~! \n\x00"), text("b!"), bound, bound + "a", bound[:len(bound)-1], "ü" + bound} {
				if got := expression.MatchString(is); got != compare(is, bound) {
					t.Fatalf("seed %d: %q %s %q: got %v", seed, is, op, bound, got)
				}
			}
		}
	}
	for _, c := range []struct {
		value any
		met   bool
	}{{"2024-06-01", true}, {"2023-12-31", false}, {"2025-01-01", false}, {nil, false}} {
		if met, why := meets(t, `{"a":{"$gte":"2024-01-01","$lt":"2025-01-01"}}`, c.value); met != c.met || why != "" {
			t.Errorf("%v: got %v, %s", c.value, met, why)
		}
	}
	if _, why := meets(t, fmt.Sprintf(`{"a":{"$lt":%q}}`, strings.Repeat("x", longest)), "a"); why != "" {
		t.Errorf("the longest text: %s", why)
	}
}

// A gate is a prerequisite when one value passes it; the others say why not.
func TestGates(t *testing.T) {
	for name, c := range map[string]struct {
		parent, condition string
		gate              bool
		want              string // the prerequisite's variant; "" for none, else a part of the reason
		left              bool
	}{
		"one of three":  {`{"defaultValue":"red","rules":[{"force":"green","condition":{"x":1}},{"force":"blue"}]}`, `{"value":{"$in":["green","black"]}}`, true, "green", false},
		"two of three":  {`{"defaultValue":"red","rules":[{"force":"green","condition":{"x":1}},{"force":"blue"}]}`, `{"value":{"$ne":"red"}}`, true, "is passed by 2 of the 3 values of p", true},
		"all":           {`{"defaultValue":1,"rules":[{"force":2}]}`, `{"value":{"$gt":0}}`, true, "", false},
		"none":          {`{"defaultValue":1}`, `{"value":2}`, true, "is passed by 0 of the 1 values of p", true},
		"null, too":     {`{"rules":[{"force":true,"condition":{"x":1}}]}`, `{"value":{"$ne":false}}`, true, "", false},
		"null alone":    {`{"rules":[{"force":true,"condition":{"x":1}}]}`, `{"value":null}`, true, "is passed where p gives null, too", true},
		"no gate":       {`{"defaultValue":false,"rules":[{"force":true,"condition":{"x":1}}]}`, `{"value":true}`, false, "skips the rule alone", true},
		"no gate, all":  {`{"defaultValue":true}`, `{"value":true}`, false, "", false},
		"not a value":   {`{"defaultValue":true}`, `{"value":{"$new":1}}`, true, "compares in a way that there is not here", true},
		"within values": {`{"defaultValue":{"a":1},"rules":[{"force":{"a":2},"condition":{"x":1}}]}`, `{"value.a":2}`, true, "value-2", false},
	} {
		child := fmt.Sprintf(`{"defaultValue":false,"rules":[{"parentConditions":[{"id":"p","condition":%s,"gate":%v}]}]}`, c.condition, c.gate)
		b, _ := bring(t, map[string]any{"p": json.RawMessage(c.parent), "c": json.RawMessage(child)}, nil)
		got := left(b, "c")
		for _, f := range b.Flags {
			for _, p := range f.Environments["production"].Prerequisites {
				got += p.Variant
			}
		}
		if c.left != (left(b, "c") != "") || c.left && !strings.Contains(got, c.want) || !c.left && got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// What an import passes over in an export is said.
func TestWhatIsPassedOver(t *testing.T) {
	doc := `{"experiments":[{"key":"e"}],"features":{"f":{"defaultValue":false,"rules":[{"force":true,"coverage":0.5,"hashAttribute":"user","fallbackAttribute":"device"}]}}}`
	b, err := Import([]byte(doc), peers.Options{Environment: "production", Owner: "growth"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range b.Notes {
		got = append(got, n.Path+": "+n.Text)
	}
	want := []string{
		"experiments: 1 change pages or redirect without a feature: they are not carried over",
		"features.f: hashes device where a context lacks what rule-1 hashes, if there are sticky buckets: here such a context gets no place",
		"features.f: has false for its safe variant: GrowthBook has none",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(b.Flags) != 1 {
		t.Errorf("%d flags (-want +got):\n%s", len(b.Flags), diff)
	}
}

// A number is compared with numbers: SDKs there do not agree about a text that is
// written like it, so that the report asks for numbers.
func TestEqualNumbers(t *testing.T) {
	rule := map[string]any{"force": true, "condition": json.RawMessage(`{"a":5,"b":true,"id":7}`)}
	b, set := bring(t, map[string]any{"f": map[string]any{"defaultValue": false, "rules": []any{rule}}}, nil)
	if diff := cmp.Diff([]string{"a"}, b.Numbers); diff != "" {
		t.Errorf("attributes to be sent as numbers (-want +got):\n%s", diff)
	}
	if r := set.Evaluate("f", here(map[string]any{"a": "5", "b": true, "id": 7.0}, b.Numbers...)); r.Variant != "true" {
		t.Errorf("got %+v", r)
	}
}

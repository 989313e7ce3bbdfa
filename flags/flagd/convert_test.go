package flagd

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

// ruleMaker makes random targeting, nearly all of which can be rules.
type ruleMaker struct{ *rand.Rand }

func oneOf[T any](g ruleMaker, list ...T) T { return list[g.IntN(len(list))] }

// The attributes that rules read: two texts, a number, a boolean, a version.
func (g ruleMaker) comparison() logic {
	text := variable(oneOf(g, "plan", "email", "targetingKey"))
	word := oneOf(g, "pro", "free", "u-1", "u-2", "@acme.com", "")
	age, n := variable("age"), oneOf(g, 0, 1, 18, 65)
	switch g.IntN(12) {
	case 0:
		return op(oneOf(g, "==", "===", "!=", "!=="), text, word)
	case 1:
		return op(oneOf(g, "==", "===", "!=", "!=="), n, age)
	case 2:
		return op(oneOf(g, "<", "<=", ">", ">="), age, n)
	case 3:
		return op(oneOf(g, "<", "<=", ">", ">="), n, age)
	case 4:
		return op("in", text, []any{word, "pro"})
	case 5:
		return op("in", oneOf(g, "p", "u-", "@"), text)
	case 6:
		return op(oneOf(g, "starts_with", "ends_with"), text, oneOf(g, "p", "u-", "1", ".com"))
	case 7:
		return op("sem_ver", variable("version"), oneOf(g, "=", "!=", "<", "<=", ">", ">=", "^", "~"), oneOf(g, "1.2.3", "v1.2", "1", "2.0.0-rc.1"))
	case 8:
		return op(oneOf(g, "==", "!=="), variable("beta"), oneOf(g, true, false))
	case 9:
		return op(oneOf(g, "==", "!="), oneOf(g, text, age), nil)
	case 10:
		return op("in", age, []any{n, 7})
	}
	return op("!!", op("==", text, word))
}

func (g ruleMaker) condition(depth int) logic {
	if depth == 0 || g.IntN(2) == 0 {
		return g.comparison()
	}
	sub := func() logic { return g.condition(depth - 1) }
	return oneOf(g, op("and", sub(), sub()), op("or", sub(), sub()), op("!", sub()))
}

func (g ruleMaker) branch(depth int) logic {
	sub := func() logic { return g.branch(depth - 1) }
	switch {
	case depth > 0 && g.IntN(2) == 0:
		return op("if", g.condition(2), sub(), sub())
	case depth > 0 && g.IntN(3) == 0:
		return op("if", g.condition(1), sub(), g.condition(1), sub())
	case g.IntN(3) > 0:
		return oneOf[logic](g, "on", "off", "blue", nil)
	}
	return op("fractional", append(g.by(), g.arms()...)...)
}

func (g ruleMaker) by() []logic {
	return oneOf(g, nil,
		[]logic{variable("targetingKey")}, []logic{variable("email")},
		[]logic{op("cat", variable("$flagd.flagKey"), variable("targetingKey"))},
		[]logic{op("cat", "seed", variable("$flagd.flagKey"), " ", variable("plan"))})
}

func (g ruleMaker) arms() []logic {
	return oneOf(g,
		[]logic{[]any{"on", 25}, []any{"off", 75}}, []logic{[]any{"on"}, []any{"off", 1}}, []logic{[]any{"on", 1}},
		[]logic{[]any{"on", -5}, []any{"off", 10}, []any{"off", 30}, []any{"blue", 60}}, []logic{[]any{"on", 1}, []any{"off", 2}, []any{"blue", 1}})
}

// context gives attributes the kinds that the rules read.
func (g ruleMaker) context() *flags.Context {
	c := &flags.Context{Attributes: map[string]any{}}
	if g.IntN(6) > 0 {
		c.TargetingKey = fmt.Sprint("u-", g.IntN(1000))
	}
	put := func(name string, values ...any) {
		if g.IntN(4) > 0 {
			c.Attributes[name] = oneOf(g, values...)
		}
	}
	put("plan", "pro", "free", "", " pro ", nil)
	put("email", "ana@acme.com", "u-1", "pro", "", nil)
	put("age", 0.0, 1.0, 18.0, 70.0, -1.0, 7.0)
	put("version", "1.2.3", "1.2", "1.9.0-rc", "2.0.0", "2.0.0-rc.1", "x", "1.3.0-0", "1.2-rc", "2.0.0-0")
	put("beta", true, false)
	return c
}

// TestConvertedFlagsAnswerAlike: every unit keeps its variant.
func TestConvertedFlagsAnswerAlike(t *testing.T) {
	const seed = 7
	g := ruleMaker{rand.New(rand.NewPCG(seed, 0))}
	var converted, compared int
	for range 3000 {
		raw, err := json.Marshal(g.branch(3))
		if err != nil {
			t.Fatal(err)
		}
		source := []byte(`{"flags":{"new":{"state":"ENABLED","variants":{"on":"1","off":"2","blue":"3"},"defaultVariant":"off","targeting":` + string(raw) + `}}}`)
		was, _ := importOne(t, source, Options{})
		is, report := importOne(t, source, Options{Convert: true})
		if len(is.Environments["production"].Targeting) > 0 {
			if last := report.Warnings[len(report.Warnings)-1].Text; !strings.HasPrefix(last, "stays as it is: ") {
				t.Fatalf("%s stays without a reason: %s", raw, last)
			}
			continue
		}
		converted++
		before, after := compile([]flags.Flag{was}), compile([]flags.Flag{is})
		for range 40 {
			c := g.context()
			a, b := before.Evaluate("new", c), after.Evaluate("new", c)
			if a.Error == "" && a.Variant != b.Variant {
				t.Fatalf("seed %d: %s\nfor %s %v: %s, and %s as rules %s", seed, raw, c.TargetingKey, c.Attributes, a.Variant, b.Variant, jsonOf(t, is.Environments))
			}
			compared++
		}
	}
	t.Logf("%d of 3000 converted, %d answers compared", converted, compared)
	if converted < 2500 {
		t.Errorf("%d of 3000 were converted", converted)
	}
}

func TestConvertIntoRules(t *testing.T) {
	f, report := importOne(t, document(plain+`,"targeting":{"if":[{"and":[{"==":[{"var":"plan"},"pro"]},{"<":[{"var":"age"},18]}]},"on",
		{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"account"}]},["on",25],["off",75]]}]}`, ""), Options{Convert: true})
	e := f.Environments["production"]
	want := []flags.Rule{
		{Name: "imported-1", Serve: "on", When: &flags.Condition{All: []flags.Condition{
			{Attribute: "plan", Op: flags.Eq, Value: "pro"},
			{Any: []flags.Condition{{Attribute: "age", Op: flags.IsNotSet}, {Attribute: "age", Op: flags.Lt, Value: 18.0}}},
		}}},
		{Name: "imported-2", Split: []flags.Arm{{Variant: "on", Weight: 25000}, {Variant: "off", Weight: 75000}}, Hash: &flags.HashInput{Salt: "new", By: "account", Joined: true}},
	}
	if diff := cmp.Diff(want, e.Rules); diff != "" || e.Targeting != nil {
		t.Errorf("want -, got +\n%s", diff)
	}
	last := report.Warnings[len(report.Warnings)-1]
	if last.Text != "became rules, which answer alike for attributes of these kinds: account (text), age (number), plan (text)" || len(report.Converted) != 1 {
		t.Errorf("report %+v", report)
	}
}

// A rule that flagd cannot evaluate is refused as it stands, converted or not.
func TestConvertKeepsFaults(t *testing.T) {
	for _, targeting := range []string{`{"if":"on"}`, `{"if":[{"and":{"==":[{"var":"x"},1]}},"on"]}`, `{"if":[{"nope":1},"on"]}`} {
		source := document(plain+`,"targeting":`+targeting, "")
		_, _, want := Import(source, Options{Environment: "production"})
		_, report, err := Import(source, Options{Environment: "production", Convert: true})
		if diff := cmp.Diff(want, err); diff != "" || err == nil || len(report.Converted) > 0 {
			t.Errorf("%s: want -, got +\n%s", targeting, diff)
		}
	}
}

// What cannot be converted stays, and says why.
func TestConvertLeaves(t *testing.T) {
	const at = "flags.new.targeting"
	for targeting, want := range map[string]string{
		`{"if":[{"starts_with":[{"var":"x"}]},"on"]}`: at + ".if[0].starts_with does not look for a text",
		`{"var":"x"}`:                                       at + " is not an if, a fractional or the name of a variant",
		`{"if":[{"var":"x"},"on"]}`:                         at + ".if[0].var has no operator of rules that says the same",
		`{"if":["x","on"]}`:                                 at + ".if[0] is not a comparison",
		`{"if":[{"==":[{"var":"x"},1]},"up"]}`:              at + `.if[1] names "up", which is not a variant`,
		`{"if":[{"==":[{"var":"a.b"},1]},"on"]}`:            at + ".if[0].== reads a.b, which is a path there, and may be a part of the name here",
		`{"if":[{"==":[{"var":"$flagd"},1]},"on"]}`:         at + ".if[0].== reads $flagd, which is a path there, and may be a part of the name here",
		`{"if":[{"==":[{"var":["x",1]},1]},"on"]}`:          at + ".if[0].== does not compare an attribute with a value",
		`{"if":[{"==":[{"var":"x"},1,2]},"on"]}`:            at + ".if[0].== does not compare two",
		`{"if":[{"==":[{"var":"x"},{"var":"y"}]},"on"]}`:    at + ".if[0].== compares with what is not a text, number or boolean",
		`{"if":[{"==":[{"var":"x"},1e300]},"on"]}`:          at + `.if[0].== cannot be a rule: value "1e+300" is a number that cannot be compared exactly; send and write it as text`,
		`{"if":[{"<":[{"var":"x"},"1"]},"on"]}`:             at + ".if[0].< compares with what is not a number",
		`{"if":[{"in":[{"var":"x"},[1,"a"]]},"on"]}`:        at + ".if[0].in compares x with a text, and elsewhere with a number",
		`{"if":[{"in":[{"var":"x"},"abc"]},"on"]}`:          at + ".if[0].in does not compare an attribute with a value",
		`{"if":[{"starts_with":[{"var":"x"},1]},"on"]}`:     at + ".if[0].starts_with does not look for a text",
		`{"if":[{"sem_ver":[{"var":"x"},"=","y"]},"on"]}`:   at + `.if[0].sem_ver cannot be a rule: value "y" is not a version; write one such as "1.2.3", in quotes`,
		`{"if":[{"sem_ver":[{"var":"x"},"^","y"]},"on"]}`:   at + `.if[0].sem_ver compares with "y", which is not a version`,
		`{"if":[{"sem_ver":[{"var":"x"},"==","1"]},"on"]}`:  at + `.if[0].sem_ver has the operator "==", which gives null`,
		`{"if":[{"sem_ver":[{"var":"x"},"=",1]},"on"]}`:     at + ".if[0].sem_ver compares with a version that is no text",
		`{"if":[{"sem_ver":[{"var":"x"},"="]},"on"]}`:       at + ".if[0].sem_ver is not of the form [version, operator, version]",
		`{"fractional":[["on",1],["off",2]]}`:               at + ".fractional has weights that are not whole thousandths of a percent: 1 of 3",
		`{"fractional":[["on",1],["off",2],["on",1]]}`:      at + ".fractional[2] is a second arm of on",
		`{"fractional":[["up",1]]}`:                         at + ".fractional[0] is not a variant of the flag with a weight that is known",
		`{"fractional":[["on",{"var":"x"}]]}`:               at + ".fractional[0] is not a variant of the flag with a weight that is known",
		`{"fractional":["seed",["on",1]]}`:                  at + ".fractional[0] does not compare an attribute with a value",
		`{"fractional":[{"cat":[{"var":"x"}]},["on"]]}`:     at + ".fractional[0].cat joins fewer than two",
		`{"fractional":[{"cat":[{"var":"x"},"a"]},["on"]]}`: at + ".fractional[0].cat[0] is not a known text before an attribute",
	} {
		f, report := importOne(t, document(plain+`,"targeting":`+targeting, ""), Options{Convert: true})
		last := report.Warnings[len(report.Warnings)-1]
		if diff := cmp.Diff("stays as it is: "+want, last.Text); diff != "" || len(f.Environments["production"].Targeting) == 0 {
			t.Errorf("%s: want -, got +\n%s", targeting, diff)
		}
	}
	_, report := importOne(t, document(strings.Replace(plain, `,"defaultVariant":"off"`, "", 1)+`,"targeting":{"if":[{"==":[{"var":"x"},1]},"on"]}`, ""), Options{Convert: true})
	if last := report.Warnings[len(report.Warnings)-1].Text; last != "stays as it is: "+at+".if (else) gives null, and the flag has no default" {
		t.Errorf("without a default: %s", last)
	}
}

package peers

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// TestOperatorsAnswerAsTheirs compares sem_ver and fractional on random
// operands, most of which are nearly right.
func TestOperatorsAnswerAsTheirs(t *testing.T) {
	g := operandMaker{rand.New(rand.NewPCG(*seed, 3))}
	told := map[string]int{}
	for range *rules {
		version, split := g.semVer(), g.fractional()
		told[compareOperator(t, "sem_ver", version, nil, semVer(version, nil))]++
		context := map[string]any{}
		if g.IntN(5) > 0 {
			context["targetingKey"] = g.word()
		}
		data := map[string]any{"$flagd": map[string]any{"flagKey": "new"}, "targetingKey": context["targetingKey"]}
		told[compareOperator(t, "fractional", split, context, fractional(split, data))]++
	}
	t.Logf("answers alike: %v", told)
	if told["sem_ver"] < *rules/10 || told["fractional"] < *rules/10 {
		t.Errorf("too few answers are not null: %v", told)
	}
}

// compareOperator returns the operator's name when there is an answer.
func compareOperator(t *testing.T, name string, args []any, context map[string]any, want any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{name: args})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := flags.Logic(text).Compile()
	if err != nil {
		t.Fatal(err)
	}
	key, _ := context["targetingKey"].(string)
	d := jsonlogic.Data{Fields: []jsonlogic.Field{{Name: "$flagd.flagKey", Value: jsonlogic.TextOf("new")}, {Name: "targetingKey"}}}
	if key != "" {
		d.Fields[1].Value = jsonlogic.TextOf(key)
	}
	got, err := rule.Evaluate(&d)
	if err != nil || !same(got.Any(), want) {
		t.Fatalf("seed %d: %s for %q: got %v, %v, want %v", *seed, text, key, got.Any(), err, want)
	}
	if want == nil {
		return name + ": null"
	}
	return name
}

type operandMaker struct{ *rand.Rand }

func (g operandMaker) one(list ...any) any { return list[g.IntN(len(list))] }

func (g operandMaker) word() string {
	letters, b := []rune("abcxyz-0189@ é漢"), make([]rune, g.IntN(12))
	for i := range b {
		b[i] = letters[g.IntN(len(letters))]
	}
	return string(b)
}

func (g operandMaker) semVer() []any {
	args := []any{g.version(), g.one("=", "!=", "<", "<=", ">", ">=", "~", "^", "==", 1.0), g.version()}
	return args[:len(args)-g.IntN(20)/19]
}

func (g operandMaker) version() any {
	if g.IntN(10) == 0 {
		return g.one(1.0, 1.2, 0.0, 1e21, 1e-7, 0.0001, -1.0, true, nil, "", []any{"1"}, 123456789.0)
	}
	s := ""
	for range 1 + g.IntN(7) {
		s += g.one("1", "2", "1", "0", "10", "01", "99999999999999999999", ".", ".", ".", ".", "-", "+", "rc", "rc.1", "v", "V", "é").(string)
	}
	if g.IntN(2) == 0 {
		s = g.one("1.2.3", "1.2.3-rc.1", "1.2", "1", "2.0.0", "1.2.3-rc.10", "1.2.3-1", "1.3.0-alpha.beta", "1.2.3+b.1").(string) + g.one("", "", "", s).(string)
	}
	return g.one("", "v", "V").(string) + s
}

func (g operandMaker) fractional() []any {
	var args []any
	if g.IntN(2) == 0 {
		args = append(args, g.one(g.word(), g.word(), nil, 5.0, true))
	}
	for range g.IntN(4) {
		args = append(args, g.arm())
	}
	return args
}

func (g operandMaker) arm() any {
	if g.IntN(20) == 0 {
		return g.one([]any{}, "on", nil, []any{[]any{"on"}, 1.0}, []any{"on", "1"}, []any{"on", 1.5}, []any{"on", 2147483648.0})
	}
	arm := []any{g.one("on", "off", true, 1.0, nil)}
	if g.IntN(4) > 0 {
		arm = append(arm, g.one(1.0, 25.0, 0.0, -5.0, 99999.0, 2147483647.0, nil))
	}
	return arm
}

package jsonlogic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

const data = `{"n":5,"t":"text","five":"5","blank":" ","yes":true,"no":false,"nil":null,"empty":[],
	"list":[1,2,3],"words":["a","b"],"obj":{"a":{"b":"deep"},"list":["x"]},"objs":[{"v":1,"ok":true},{"v":2}]}`

// evaluated returns the result as JSON, or the error.
func evaluated(t *testing.T, rule string) string {
	t.Helper()
	r, err := Compile([]byte(rule), map[string]Operator{"args": args, "lookup": lookup})
	if err != nil {
		return "refused: " + err.Error()
	}
	d := Data{Fields: []Field{{"key", TextOf("k-1")}, {"$own.name", TextOf("me")}, {"$own.time", Value{}}}}
	if err := json.Unmarshal([]byte(data), &d.Attributes); err != nil {
		t.Fatal(err)
	}
	v, err := r.Evaluate(&d)
	if err != nil {
		return "failed: " + err.Error()
	}
	b, err := json.Marshal(v.Any())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// args gives its operands back, and lookup what a name stands for.
func args(c Call) (Value, error) { return listOf(append([]Value{BoolOf(c.List)}, c.Args...)), nil }

func lookup(c Call) (Value, error) {
	name, _ := c.Args[0].Text()
	v, ok := c.Lookup(name)
	return listOf([]Value{v, BoolOf(ok)}), nil
}

// The values are those of flagd's evaluator; bench/peers compares the two on
// random rules.
func TestRules(t *testing.T) {
	for rule, want := range map[string]string{
		`5`: `5`, `"a"`: `"a"`, `null`: `null`, `{}`: `{}`, `{"a":1,"b":2}`: `{"a":1,"b":2}`, `[1,{"var":"n"}]`: `[1,5]`,
		`{"var":"n"}`: `5`, `{"var":["n"]}`: `5`, `{"var":"none"}`: `null`, `{"var":["none",7]}`: `7`, `{"var":["nil",7]}`: `7`, `{"var":["n",7,8]}`: `5`,
		`{"var":"obj.a.b"}`: `"deep"`, `{"var":"obj..a.b"}`: `"deep"`, `{"var":"list.1"}`: `2`, `{"var":"list.9"}`: `null`, `{"var":"list.x"}`: `1`,
		`{"var":["list.-1","d"]}`: `"d"`, `{"var":"obj.list.0"}`: `"x"`, `{"var":"n.a"}`: `null`, `{"var":1}`: `null`, `{"var":{"cat":["", "n"]}}`: `5`,
		`{"var":{"var":"words"}}`: `"b"`, `{"var":[]}`: `"whole"`, `{"var":null}`: `null`,
		`{"var":"key"}`: `"k-1"`, `{"var":"$own.name"}`: `"me"`, `{"var":"$own"}`: `{"name":"me"}`, `{"var":"$own.time"}`: `null`, `{"var":"$own.x"}`: `null`,
		`{"if":[]}`: `null`, `{"if":[true,"a"]}`: `"a"`, `{"if":[false,"a"]}`: `null`, `{"if":[0,"a","","b","c"]}`: `"c"`, `{"?:":["x","a","b"]}`: `"a"`,
		`{"and":[1,"a"]}`: `"a"`, `{"and":[1,0,"a"]}`: `0`, `{"and":[]}`: `null`, `{"or":[0,"","b"]}`: `"b"`, `{"or":[0,""]}`: `""`,
		`{"!":true}`: `false`, `{"!":[0]}`: `true`, `{"!":[]}`: `true`, `{"!!":[[]]}`: `false`, `{"!!":["0"]}`: `true`, `{"!":[{}]}`: `true`,
		`{"==":["5",{"var":"n"}]}`: `true`, `{"==":[null,{"var":"none"}]}`: `true`, `{"==":[0,null]}`: `false`, `{"==":[1,true]}`: `true`, `{"==":["",0]}`: `true`,
		`{"==":[[],[]]}`: `false`, `{"==":[1]}`: `false`, `{"!=":[1]}`: `true`, `{"===":["5",5]}`: `false`, `{"===":[5,{"var":"n"}]}`: `true`, `{"!==":[5,"5"]}`: `true`,
		`{"===":5}`: `false`, `{"<":[null,1]}`: `true`, `{"<":["b","a"]}`: `false`, `{"<":[1,{"var":"n"},9]}`: `true`, `{"<":[1,5,5]}`: `false`, `{"<=":[1,5,5]}`: `true`,
		`{">":[9,5,1]}`: `true`, `{">=":[5,5]}`: `true`, `{">=":[1]}`: `false`, `{"<":["x",1]}`: `false`,
		`{"+":[1,"2",3]}`: `6`, `{"+":"5"}`: `5`, `{"+":[]}`: `0`, `{"+":["x",1]}`: `1`, `{"-":[5]}`: `-5`, `{"-":[5,2,1]}`: `2`, `{"*":[2,3]}`: `6`, `{"*":[]}`: `1`,
		`{"/":[6,2]}`: `3`, `{"%":[-7,3]}`: `-1`, `{"max":[1,"9",3]}`: `9`, `{"min":[4,2]}`: `2`, `{"max":[]}`: `null`,
		`{"cat":["a",1.5,null]}`: `"a1.5"`, `{"cat":[" a "," b "]}`: `"a  b"`, `{"cat":[" a "]}`: `" a "`, `{"cat":"x"}`: `"x"`, `{"cat":[]}`: `""`,
		`{"substr":["jsonlogic",4]}`: `"logic"`, `{"substr":["jsonlogic",-5]}`: `"logic"`, `{"substr":["jsonlogic",1,3]}`: `"son"`, `{"substr":["jsonlogic",4,-2]}`: `"log"`,
		`{"substr":["äöü",1]}`: `"öü"`, `{"substr":["abc",9]}`: `"abc"`,
		`{"in":["ex",{"var":"t"}]}`: `true`, `{"in":["a",{"var":"words"}]}`: `true`, `{"in":[{"var":"n"},["5"]]}`: `true`, `{"in":[2,[[1,3]]]}`: `true`, `{"in":[9,[[1,3]]]}`: `false`,
		`{"in":["a"]}`: `false`, `{"in":["a",null]}`: `false`, `{"in":[{"var":"t"},["1","2","3","4","5","6","7","8","text"]]}`: `true`,
		`{"in":[{"var":"n"},["1","2","3","4","5","6","7","8","9"]]}`: `true`,
		`{"merge":[[1,2],3,[[4]]]}`:                                  `[1,2,3,[4]]`, `{"merge":"a"}`: `["a"]`,
		`{"missing":["n","none"]}`: `["none"]`, `{"missing":"none"}`: `["none"]`, `{"missing_some":[1,["n","none"]]}`: `[]`, `{"missing_some":[2,["n","none"]]}`: `["none"]`,
		`{"map":[{"var":"list"},{"*":[{"var":""},2]}]}`: `[2,4,6]`, `{"map":[{"var":"none"},1]}`: `[]`, `{"filter":[{"var":"list"},{">":[{"var":""},1]}]}`: `[2,3]`,
		`{"filter":[{"var":"objs"},{"==":[{"var":"v"},2]}]}`: `[{"v":2}]`, `{"filter":[{"var":"objs"},{"var":"n"}]}`: `[{"ok":true,"v":1},{"v":2}]`,
		`{"reduce":[{"var":"list"},{"+":[{"var":"current"},{"var":"accumulator"}]},10]}`: `16`, `{"reduce":[{"var":"none"},{"+":[1]},10]}`: `0`,
		`{"reduce":[{"var":"words"},{"cat":[{"var":"accumulator"},{"var":"current"}]},""]}`: `"ab"`, `{"reduce":[[1,null],{"var":"valueType"},true]}`: `true`,
		`{"all":[{"var":"list"},{">":[{"var":""},0]}]}`: `true`, `{"all":[{"var":"empty"},{">":[{"var":""},0]}]}`: `false`, `{"some":[{"var":"list"},{"==":[{"var":""},2]}]}`: `true`,
		`{"none":[{"var":"list"},{"==":[{"var":""},9]}]}`: `true`, `{"none":[{"var":"empty"},{"==":[1,1]}]}`: `true`, `{"some":[{"var":"objs"},{"==":[{"var":"v"},{"var":"w"}]}]}`: `false`,
		`{"args":[1,{"var":"n"}]}`: `[true,1,5]`, `{"args":{"var":"n"}}`: `[false,5]`, `{"args":{"var":"list"}}`: `[true,1,2,3]`,
		`{"lookup":["key"]}`: `["k-1",true]`, `{"lookup":["$own.name"]}`: `["me",true]`, `{"lookup":["obj.a.b"]}`: `["deep",true]`,
		`{"map":[[1],{"lookup":["key"]}]}`: `[[null,false]]`, `{"map":[{"var":"objs"},{"lookup":["v"]}]}`: `[[1,true],[2,true]]`,
	} {
		if rule == `{"var":[]}` {
			if got := evaluated(t, rule); !strings.Contains(got, `"$own":{"name":"me"}`) || !strings.Contains(got, `"key":"k-1"`) || !strings.Contains(got, `"n":5`) {
				t.Errorf("everything: got %s", got)
			}
			continue
		}
		if got := evaluated(t, rule); got != want {
			t.Errorf("%s: got %s, want %s", rule, got, want)
		}
	}
}

// What fails for this data alone.
func TestRulesFail(t *testing.T) {
	for rule, want := range map[string]string{
		`{"+":[{"var":"yes"},1]}`:                   "+ cannot take a boolean",
		`{"+":[1,{"var":"none"}]}`:                  "+ cannot take null",
		`{"-":[{"var":"list"}]}`:                    "- cannot take a list",
		`{"max":[{"var":"obj"}]}`:                   "max cannot take an object",
		`{"cat":["a",{"var":"yes"}]}`:               "cat cannot take a boolean",
		`{"substr":[{"var":"yes"},1]}`:              "substr cannot take a boolean",
		`{"substr":["abc",{"var":"yes"}]}`:          "substr cannot take a boolean",
		`{"substr":["abc",2,-2]}`:                   "substr cannot end at 1, before it begins at 2",
		`{"in":[{"var":"n"},{"var":"t"}]}`:          "in, before a text, cannot take a number",
		`{"in":[{"var":"n"},[null]]}`:               "in, after a number, cannot take null",
		`{"in":[{"var":"obj"},[{"a":1,"b":2}]]}`:    "in cannot take an object",
		`{"in":[1,[[1]]]}`:                          "in, as a range, cannot take a list",
		`{"in":["a",[[{"a":1,"b":1},2]]]}`:          "in, as a range, cannot take a list",
		`{"==":{"var":"n"}}`:                        "== cannot take a number",
		`{"%":{"var":"empty"}}`:                     "% takes at least 2 operands",
		`{"var":{"var":"yes"}}`:                     "var cannot take a boolean",
		`{"missing":[{"var":"yes"}]}`:               "missing cannot take a boolean",
		`{"missing_some":[1,{"var":"n"}]}`:          "missing_some cannot take a number",
		`{"map":[{"var":"n"},1]}`:                   "map cannot take a number",
		`{"all":[{"var":"t"},{"==":[1,1]}]}`:        "all cannot take text",
		`{"reduce":[{"var":"list"},{"+":[1]},[]]}`:  "reduce cannot take a list",
		`{"reduce":[{"var":"list"},{"var":"x"},1]}`: "reduce cannot take null",
		`{"all":[{"var":"objs"},{"var":"v"}]}`:      errBare.Error(),
		`{"/":[1,0]}`:                               errInfinite.Error(),
		`[{"%":[1,0]}]`:                             errInfinite.Error(),
	} {
		if diff := cmp.Diff("failed: "+want, evaluated(t, rule)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", rule, diff)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	deep := strings.Repeat(`{"!":[`, 70) + `1` + strings.Repeat(`]}`, 70)
	for rule, want := range map[string]string{
		`{`:          ": is not JSON: unexpected EOF",
		`1 2`:        ": is more than one JSON value",
		`{"nope":1}`: `nope: is not an operator: "nope"`,
		`{"if":[{"==":[1,{"nope":1}]},{"nah":2}]}`: "if[0].==[1].nope: is not an operator: \"nope\"\nif[1].nah: is not an operator: \"nah\"",
		`{"and":1}`:          "and: is not a list",
		`{"<":1}`:            "<: is not a list",
		`{"%":[1]}`:          "%: has not enough operands: % takes at least 2",
		`{"-":[]}`:           "-: has not enough operands: - takes at least 1",
		`{"var":true}`:       "var: is not a name",
		`{"var":[1]}`:        "var: is not a name",
		`{"map":[1]}`:        "map: has not enough operands: a list, a rule and, for reduce, a first value",
		`{"all":[[1],true]}`: "all[1]: is not a rule",
		deep:                 strings.Repeat("![0].", 64) + "!" + ": is nested deeper than 64",
	} {
		_, err := Compile([]byte(rule), nil)
		var faults event.Invalids
		errors.As(err, &faults)
		lines := make([]string, len(faults))
		for i, f := range faults {
			lines[i] = f.Path + ": " + f.Why
		}
		if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
			t.Errorf("%.60s: want -, got +\n%s", rule, diff)
		}
	}
}

// Rules that multiply what they are given are stopped, those that are long are
// not.
func TestWorkIsBounded(t *testing.T) {
	double := `{"reduce":[{"var":"list"},{"cat":[{"var":"accumulator"},{"var":"accumulator"}]},"0123456789"]}`
	nested := `{"map":[{"var":"list"},{"map":[{"var":"list"},1]}]}`
	for _, c := range []struct {
		rule string
		size int
		want error
	}{{double, 10, nil}, {double, 40, ErrWork}, {nested, 100, nil}, {`{"map":[{"var":"list"},{"merge":[` + strings.Repeat(`{"var":"list"},`, 200) + `[]]}]}`, 100, nil}} {
		r, err := Compile([]byte(c.rule), nil)
		if err != nil {
			t.Fatal(err)
		}
		list := make([]any, c.size)
		for i := range list {
			list[i] = map[string]any{"list": list[:0]}
		}
		if _, err := r.Evaluate(&Data{Attributes: map[string]any{"list": list}}); !errors.Is(err, c.want) {
			t.Errorf("%.40s over %d: got %v, want %v", c.rule, c.size, err, c.want)
		}
	}
}

// What is done for every member counts as often as it is done, also where it
// makes no list: operands, branches, looking through a text or a list, and
// everything that there is as one value.
func TestWorkCountsWhatIsRepeated(t *testing.T) {
	d := &Data{Attributes: map[string]any{"list": make([]any, 1000), "long": strings.Repeat("x", 200_000), "many": make([]any, 100_000)}}
	for i := range 1000 {
		d.Attributes["list"].([]any)[i] = float64(i)
		d.Attributes["many"].([]any)[i] = "y"
	}
	d.Attributes["many"].([]any)[99_999] = true
	for i := range 1000 {
		d.Attributes[fmt.Sprint("a", i)] = true
	}
	for name, body := range map[string]string{
		"operands":   `{"+":[` + strings.Repeat(`1,`, 2000) + `1]}`,
		"and":        `{"and":[` + strings.Repeat(`{"!!":1},`, 2000) + `1]}`,
		"branches":   `{"if":[` + strings.Repeat(`0,1,`, 2000) + `1]}`,
		"text":       `{"in":["y",{"var":"long"}]}`,
		"comparison": `{"==":[{"cat":{"var":"long"}},{"var":"long"}]}`,
		"list":       `{"in":[true,{"var":"many"}]}`,
		"everything": `{"!!":[{"var":[]}]}`,
		"name":       `{"!!":[{"var":{"cat":{"var":"long"}}}]}`,
	} {
		r, err := Compile([]byte(`{"filter":[{"var":"list"},{"!":{"filter":[[1,2,3],`+body+`]}}]}`), nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if v, err := r.Evaluate(d); !errors.Is(err, ErrWork) {
			t.Errorf("%s: got %v, %v", name, v.Len(), err)
		}
	}
}

// A value out of the data is never run as a rule.
func TestDataIsNoRule(t *testing.T) {
	r, err := Compile([]byte(`{"if":[true,{"var":"x"}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Evaluate(&Data{Attributes: map[string]any{"x": map[string]any{"cat": []any{"a", "b"}}}})
	if err != nil || v.Kind() != Object {
		t.Errorf("got %v, %v", v.Any(), err)
	}
}

func TestCommonRulesAllocateNothing(t *testing.T) {
	r, err := Compile([]byte(`{"if":[{"and":[{"==":[{"var":"plan"},"pro"]},{"in":[{"var":"country"},["DE","FR"]]},{"<":[{"var":"age"},18]}]},"on",{"var":["other","off"]}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &Data{Attributes: map[string]any{"plan": "pro", "country": "FR", "age": 70.0}}
	n := testing.AllocsPerRun(1000, func() {
		if v, err := r.Evaluate(d); err != nil || v.text != "off" {
			t.Fatal(v, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func ExampleCompile() {
	rule, err := Compile([]byte(`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`), nil)
	if err != nil {
		panic(err)
	}
	v, err := rule.Evaluate(&Data{Attributes: map[string]any{"plan": "pro"}})
	if err != nil {
		panic(err)
	}
	text, _ := v.Text()
	fmt.Println(text)
	// Output: on
}

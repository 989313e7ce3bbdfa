package flags

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// imported returns a flag as an import leaves it: targeting, no safe variant.
func imported(targeting string) Flag {
	f := checkout()
	f.Safe, f.CodeDefault, f.Default = "", true, "off"
	f.Metadata = map[string]any{"team": "growth", "tier": 2.0, "beta": true}
	f.Environments = map[string]Environment{production: {Enabled: true, Targeting: Logic(targeting)}}
	return f
}

// answered evaluates one flag, as variant or error and reason.
func answered(t *testing.T, f Flag, c *Context) string {
	t.Helper()
	r := NewSet(Ruleset{Environment: production, Flags: []Recorded{{Flag: f, Revision: 7}}}, nil).Evaluate(f.Key, c)
	return strings.TrimSpace(string(r.Error) + r.Variant + " " + string(r.Reason) + " " + string(r.Step))
}

func TestImportedTargeting(t *testing.T) {
	for targeting, cases := range map[string]map[string]string{ // attributes -> answer
		`{"if":[{"==":[{"var":"plan"},"pro"]},"on"]}`: {
			`{"plan":"pro"}`: "on TARGETING_MATCH targeting", `{"plan":"x"}`: "off DEFAULT default", `{}`: "off DEFAULT default",
		},
		`{"var":"pick"}`: {
			`{"pick":"on"}`: "on TARGETING_MATCH targeting", `{"pick":"up"}`: "GENERAL ERROR targeting", `{"pick":{"a":1}}`: "GENERAL ERROR targeting",
			`{"pick":true}`: "GENERAL ERROR targeting", `{"pick":1}`: "GENERAL ERROR targeting", `{"pick":null}`: "off DEFAULT default",
		},
		`{"+":[{"var":"n"},1]}`: {`{"n":true}`: "PARSE_ERROR ERROR targeting"},
		`{"nope":[1]}`:          {`{}`: "PARSE_ERROR ERROR targeting"},
		`{"if":[{"sem_ver":[{"var":"v"},"^",2]},"on"]}`: {
			`{"v":"2.9.1"}`: "on TARGETING_MATCH targeting", `{"v":2.1}`: "on TARGETING_MATCH targeting", `{"v":"3"}`: "off DEFAULT default",
			`{"v":"2.1-rc"}`: "off DEFAULT default", `{"v":1e21}`: "off DEFAULT default",
		},
		`{"if":[{"starts_with":[{"var":"email"},"ana@"]},"on"]}`: {`{"email":"ana@x"}`: "on TARGETING_MATCH targeting", `{"email":5}`: "off DEFAULT default"},
		`{"if":[{"var":"$flagd"},"on"]}`:                         {`{"$flagd":null}`: "on TARGETING_MATCH targeting"},
		`{"if":[{"==":[{"var":"$flagd.flagKey"},"checkout.express"]},"on"]}`: {
			`{"$flagd":{"flagKey":"spoofed"}}`: "on TARGETING_MATCH targeting",
		},
	} {
		for attributes, want := range cases {
			c := Context{Attributes: map[string]any{}}
			if err := json.Unmarshal([]byte(attributes), &c.Attributes); err != nil {
				t.Fatal(err)
			}
			if got := answered(t, imported(targeting), &c); got != want {
				t.Errorf("%s for %s: got %q, want %q", targeting, attributes, got, want)
			}
		}
	}
}

func TestVariantsNamedTrueAndOne(t *testing.T) {
	f := imported(`{"var":"pick"}`)
	f.Variants = Variants{"true": json.RawMessage(`true`), "false": json.RawMessage(`false`), "1": json.RawMessage(`false`)}
	for _, c := range []struct {
		pick any
		want string
	}{{true, "true"}, {false, "false"}, {1.0, "1"}, {"true", "true"}} {
		got, _, _ := strings.Cut(answered(t, f, &Context{Attributes: map[string]any{"pick": c.pick}}), " ")
		if got != c.want {
			t.Errorf("%v picks %q, want %q", c.pick, got, c.want)
		}
	}
}

// Evaluation reads no clock: without a time there is no timestamp.
func TestTimestampOfImportedRules(t *testing.T) {
	f := imported(`{"if":[{"<":[1000,{"var":"$flagd.timestamp"}]},"on"]}`)
	if got := answered(t, f, &Context{}); got != "off DEFAULT default" {
		t.Errorf("without a time: %s", got)
	}
	for sec, want := range map[int64]string{1000: "off DEFAULT default", 1001: "on TARGETING_MATCH targeting"} {
		if got := answered(t, f, &Context{Now: time.Unix(sec, 0)}); got != want {
			t.Errorf("at %d: got %s, want %s", sec, got, want)
		}
	}
}

// The published rules of fractional, version 2, which the tables of flagd's
// test bed do not reach.
func TestFractional(t *testing.T) {
	for rule, want := range map[string]string{
		`{"fractional":[["on",1]]}`:                                 "on",
		`{"fractional":[["on"],["off",0]]}`:                         "on",
		`{"fractional":[null,["on",1]]}`:                            "on",
		`{"fractional":[{"var":"n"},["on",1]]}`:                     "", // a number is no text to hash, and no arm
		`{"fractional":[["on",2147483648]]}`:                        "",
		`{"fractional":[["on",2147483647]]}`:                        "on",
		`{"fractional":[["on",2147483647],["off",1]]}`:              "",
		`{"fractional":[["on",1.5]]}`:                               "",
		`{"fractional":[["on","1"]]}`:                               "",
		`{"fractional":[["on",null]]}`:                              "on",
		`{"fractional":[["on",-1],["off",-1]]}`:                     "",
		`{"fractional":[["on",-1],["off",1]]}`:                      "off",
		`{"fractional":[["on",{"if":[{"var":"n"},1,0]}],["off"]]}`:  "on",
		`{"fractional":[[]]}`:                                       "",
		`{"fractional":[]}`:                                         "",
		`{"fractional":["x"]}`:                                      "",
		`{"fractional":"x"}`:                                        "",
		`{"fractional":[[["on"],1]]}`:                               "",
		`{"fractional":["x","y"]}`:                                  "",
		`{"map":[[1],{"fractional":["x",["on",1]]}]}`:               "GENERAL", // no context within a list of numbers
		`{"if":[{"==":[null,{"fractional":[[null,1]]}]},"on","x"]}`: "on",
	} {
		c := Context{TargetingKey: "u-1", Attributes: map[string]any{"n": 5.0}}
		f := imported(rule)
		f.Default = ""
		got, _, _ := strings.Cut(answered(t, f, &c), " ")
		if strings.HasPrefix(got, "DEFAULT") {
			got = ""
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", rule, got, want)
		}
	}
	if got := answered(t, imported(`{"fractional":[["on",1]]}`), &Context{}); got != "off DEFAULT default" {
		t.Errorf("without a targeting key: %s", got)
	}
}

// OFREP carries no value where the code decides, and a fault as a failure.
func TestOFREPOfImportedFlags(t *testing.T) {
	meta := `"metadata":{"flagSetId":"production","version":"7","revision":7,"unit":"workspace","enrolled":false,"beta":true,"team":"growth","tier":2,"contextId":"u-1"}}`
	off := imported("")
	off.Environments = map[string]Environment{production: {}}
	none := imported("")
	none.Default, none.Environments = "", map[string]Environment{production: {Enabled: true}}
	for _, c := range []struct {
		flag   Flag
		status int
		want   string
	}{
		{off, 200, `{"key":"checkout.express","reason":"DISABLED",` + meta},
		{none, 200, `{"key":"checkout.express","reason":"DEFAULT",` + meta},
		{imported(`"on"`), 200, `{"key":"checkout.express","value":true,"reason":"TARGETING_MATCH","variant":"on",` + meta},
		{imported(`"up"`), 400, `{"key":"checkout.express","errorCode":"GENERAL","errorDetails":"the flag's targeting gives what is not a variant",` + meta},
		{imported(`{"nope":1}`), 400, `{"key":"checkout.express","errorCode":"PARSE_ERROR","errorDetails":"the flag's targeting cannot be evaluated for this context",` + meta},
	} {
		set := NewSet(Ruleset{Environment: production, Flags: []Recorded{{Flag: c.flag, Revision: 7}}}, nil)
		status, body := set.OFREP("checkout.express", &Context{TargetingKey: "u-1"})
		if diff := cmp.Diff(c.want, string(body)); diff != "" || status != c.status {
			t.Errorf("status %d, want %d; want -, got +\n%s", status, c.status, diff)
		}
		if bulk, _ := set.OFREPBulk(&Context{TargetingKey: "u-1"}); !strings.Contains(string(bulk), c.want) {
			t.Errorf("bulk: got %s", bulk)
		}
	}
}

func TestExplainImportedTargeting(t *testing.T) {
	for targeting, want := range map[string]string{
		`"on"`:       "targeting true the imported rule gives on",
		`null`:       "targeting false the imported rule gives null: the default",
		`"up"`:       "targeting true the flag's targeting gives what is not a variant",
		`{"nope":1}`: "targeting true the flag's targeting cannot be evaluated for this context",
	} {
		x := NewSet(Ruleset{Environment: production, Flags: []Recorded{{Flag: imported(targeting)}}}, nil).Explain("checkout.express", &Context{})
		look := x.Looks[0]
		decided := map[bool]string{true: "true", false: "false"}[look.Decided]
		if got := string(look.Step) + " " + decided + " " + look.Why; got != want {
			t.Errorf("%s: got %q, want %q", targeting, got, want)
		}
	}
}

func TestEvaluateImportedTargetingAllocatesNothing(t *testing.T) {
	if raced {
		t.Skip("the race detector empties pools at random")
	}
	f := imported(`{"if":[{"in":[{"var":"country"},["DE","FR","AT"]]},{"if":[{"ends_with":[{"var":"email"},"@acme.com"]},"on",
		{"fractional":[["on",25],["off",75]]}]},null]}`)
	set := NewSet(Ruleset{Environment: production, Flags: []Recorded{{Flag: f}}}, nil)
	c := &Context{TargetingKey: "u-1", Attributes: map[string]any{"country": "FR", "email": "u@else.org"}}
	if n := testing.AllocsPerRun(1000, func() { set.Evaluate(f.Key, c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A split that came from elsewhere hashes what it hashed there.
func TestImportedSplit(t *testing.T) {
	for _, c := range []struct {
		hash HashInput
		c    Context
		text string // that must be hashed; "-" for none
	}{
		{HashInput{Salt: "flag", By: TargetingKey}, Context{TargetingKey: "u-1"}, "flagu-1"},
		{HashInput{Salt: "flag", By: TargetingKey}, Context{}, "-"},
		{HashInput{By: "account"}, Context{Attributes: map[string]any{"account": " a "}}, " a "},
		{HashInput{By: "account"}, Context{Attributes: map[string]any{"account": ""}}, ""},
		{HashInput{By: "account"}, Context{Attributes: map[string]any{"account": 5.0}}, "-"},
		{HashInput{By: "account"}, Context{TargetingKey: "u-1"}, "-"},
		{HashInput{Salt: " s ", By: "account", Joined: true}, Context{Attributes: map[string]any{"account": " a "}}, "s  a"},
		{HashInput{Salt: "s", By: "account", Joined: true}, Context{Attributes: map[string]any{"account": 1.5}}, "s1.5"},
		{HashInput{Salt: "s", By: "account", Joined: true}, Context{}, "s"},
		{HashInput{Salt: "s", By: "account", Joined: true}, Context{Attributes: map[string]any{"account": true}}, "-"},
	} {
		f := checkout()
		f.Environments[production] = Environment{Enabled: true, Rules: []Rule{{Name: "half", Split: Even("on", "off"), Hash: &c.hash}}}
		set := NewSet(Ruleset{Environment: production, Flags: []Recorded{{Flag: f}}}, nil)
		x := set.Explain(f.Key, &c.c)
		want := "off"
		if c.text != "-" && Bucket(c.text) < Whole/2 {
			want = "on"
		}
		var hashed string
		if len(x.Buckets) > 0 {
			hashed = x.Buckets[0].Text
		}
		if c.text == "-" {
			c.text = ""
		}
		if x.Result.Variant != want || hashed != c.text {
			t.Errorf("%+v: got %s by %q, want %s by %q", c.hash, x.Result.Variant, hashed, want, c.text)
		}
	}
}

package flags

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOFREPAnswers(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.do("checkout.express", allocate(canary(Whole)))
	set := h.state.Compile(production, nil)
	const metadata = `"metadata":{"flagSetId":"production","version":"2","revision":2,"unit":"workspace",`
	const rollout = `"rollout":"production/checkout.express/1","stage":"canary","epoch":1`
	for name, c := range map[string]struct {
		key, body string
		status    int
		want      string
	}{
		"enrolled": {"checkout.express", `{"context":{"targetingKey":"u","workspace":"w-2"}}`, 200,
			`{"key":"checkout.express","value":true,"reason":"SPLIT","variant":"on",` + metadata + `"enrolled":true,` + rollout + `,"contextId":"w-2"}}`},
		"rule": {"checkout.express", `{"context":{"targetingKey":"u","ring":"beta"}}`, 200,
			`{"key":"checkout.express","value":true,"reason":"TARGETING_MATCH","variant":"on",` + metadata + `"enrolled":false,"contextId":"u"}}`},
		"no unit": {"checkout.express", ``, 200,
			`{"key":"checkout.express","value":false,"reason":"DEFAULT","variant":"off",` + metadata + `"enrolled":false,` + rollout + `,"unenrolled":"no_unit"}}`},
		"escapes": {"checkout.express", `{"context":{"targetingKey":"a\"b\u0001é","ring":"beta"}}`, 200,
			`{"key":"checkout.express","value":true,"reason":"TARGETING_MATCH","variant":"on",` + metadata + `"enrolled":false,"contextId":"a\"b\u0001é"}}`},
		"unknown": {`no "flag"`, `{}`, 404, `{"key":"no \"flag\"","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no flag with this key"}`},
	} {
		ctx, failure := ParseContext([]byte(c.body))
		if failure != nil {
			t.Fatal(failure)
		}
		status, body := set.OFREP(c.key, &ctx)
		if status != c.status || string(body) != c.want || !json.Valid(body) {
			t.Errorf("%s: got %d %s\nwant %d %s", name, status, body, c.status, c.want)
		}
	}
}

// Each way to answer, with the reason and the flat metadata that tell it.
func TestOFREPSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		changes []Change
		context Context
		want    map[string]any // of the answer and its metadata
	}{
		"disabled":         {[]Change{in(Disable)}, Context{}, map[string]any{"reason": "STATIC", "variant": "off", "disabled": true}},
		"forced":           {[]Change{force("x")}, Context{}, map[string]any{"reason": "STATIC", "variant": "off", "forced": true}},
		"archived":         {[]Change{{Op: Archive, Variant: "on"}}, Context{}, map[string]any{"reason": "STATIC", "variant": "on", "archived": true}},
		"default":          {nil, Context{}, map[string]any{"reason": "DEFAULT", "variant": "off"}},
		"static":           {[]Change{define(func(f *Flag) { f.Environments[production] = Environment{Enabled: true} })}, Context{}, map[string]any{"reason": "STATIC"}},
		"outside coverage": {[]Change{allocate(canary(0))}, Context{Attributes: map[string]any{"workspace": "w"}}, map[string]any{"reason": "DEFAULT", "unenrolled": "outside_coverage", "stage": "canary"}},
		"outside audience": {[]Change{after(func(a *Allocation) { a.Audience = &Condition{Attribute: "x", Op: IsSet} })},
			Context{Attributes: map[string]any{"workspace": "w"}}, map[string]any{"unenrolled": "outside_audience", "enrolled": false}},
		"unit is a number": {[]Change{allocate(canary(Whole))}, Context{TargetingKey: "u", Attributes: map[string]any{"workspace": 5.0}}, map[string]any{"unenrolled": "no_unit", "contextId": "u"}},
	} {
		h := newHouse(t)
		h.define(checkout())
		if c.changes != nil {
			h.do("checkout.express", c.changes...)
		}
		status, body := h.state.Compile(production, nil).OFREP("checkout.express", &c.context)
		var answer map[string]any
		if err := json.Unmarshal(body, &answer); err != nil || status != 200 {
			t.Fatalf("%s: %d %v in %s", name, status, err, body)
		}
		metadata := answer["metadata"].(map[string]any)
		for field, want := range c.want {
			got, ok := answer[field]
			if !ok {
				got = metadata[field]
			}
			if got != want {
				t.Errorf("%s: %s is %v, want %v in %s", name, field, got, want, body)
			}
		}
		for field, v := range metadata {
			switch v.(type) {
			case string, float64, bool:
			default:
				t.Errorf("%s: metadata is not flat: %s is %v", name, field, v)
			}
		}
	}
}

func TestOFREPBulk(t *testing.T) {
	h, other := newHouse(t), checkout()
	other.Key = "a"
	h.define(checkout(), other)
	set := h.state.Compile(production, nil)
	beta, public := &Context{TargetingKey: "u", Attributes: map[string]any{"ring": "beta"}}, &Context{TargetingKey: "u"}
	body, etag := set.OFREPBulk(beta)
	var answer struct {
		Flags    []json.RawMessage
		Metadata map[string]any
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for i, key := range set.Keys() {
		if _, one := set.OFREP(key, beta); string(one) != string(answer.Flags[i]) {
			t.Errorf("%s alone: %s\nin bulk: %s", key, one, answer.Flags[i])
		}
	}
	if diff := cmp.Diff(map[string]any{"flagSetId": production, "version": "2"}, answer.Metadata); diff != "" || len(answer.Flags) != 2 {
		t.Errorf("%d flags; want -, got +\n%s", len(answer.Flags), diff)
	}
	if _, again := set.OFREPBulk(beta); again != etag {
		t.Errorf("the same answer has two tags: %s, %s", etag, again)
	}
	if _, another := set.OFREPBulk(public); another == etag {
		t.Error("another attribute gives another answer and the same tag")
	}
	if body, _ := NewSet(Ruleset{Environment: "empty"}, nil).OFREPBulk(public); string(body) != `{"flags":[],"metadata":{"flagSetId":"empty","version":"0"}}` {
		t.Errorf("no flags: %s", body)
	}
}

func TestParseContextRefuses(t *testing.T) {
	many := map[string]any{}
	for i := range maxAttributes + 1 {
		many[fmt.Sprint(i)] = i
	}
	lots, _ := json.Marshal(many)
	for body, want := range map[string]string{
		`{"context":`:                      `PARSE_ERROR: the body is not JSON: unexpected end of JSON input`,
		`{"context":{}} {}`:                `PARSE_ERROR: the body is not JSON: invalid character '{' after top-level value`,
		`[]`:                               `PARSE_ERROR: the body is not an object; write {"context": {"targetingKey": "…"}}`,
		`{"context":"u-1"}`:                `INVALID_CONTEXT: the context is not an object`,
		`{"context":[]}`:                   `INVALID_CONTEXT: the context is not an object`,
		`{"context":{"targetingKey":5}}`:   `INVALID_CONTEXT: targetingKey is not a string`,
		`{"context":` + string(lots) + `}`: `INVALID_CONTEXT: the context has 257 attributes; 256 are allowed`,
		`{"context":` + nested(17) + `}`:   `INVALID_CONTEXT: the context is nested deeper than 16`,
	} {
		_, failure := ParseContext([]byte(body))
		if failure == nil || failure.Error() != want || failure.Status != 400 {
			t.Errorf("%.60s: got %v, want %s", body, failure, want)
			continue
		}
		if got := string(failure.Body("")); !strings.HasPrefix(got, `{"errorCode":"`+string(failure.Code)+`","errorDetails":"`) {
			t.Errorf("body for bulk: %s", got)
		}
	}
}

func nested(levels int) string {
	return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels)
}

func TestParseContextAccepts(t *testing.T) {
	for body, want := range map[string]Context{
		"":                                  {},
		" \n":                               {},
		`{}`:                                {},
		`{"context":null}`:                  {},
		`{"context":{}}`:                    {Attributes: map[string]any{}},
		`{"context":{"targetingKey":null}}`: {Attributes: map[string]any{}},
		`{"context":{"targetingKey":"u","a":[1,{"b":null}]},"other":1}`: {TargetingKey: "u", Attributes: map[string]any{"a": []any{1.0, map[string]any{"b": nil}}}},
	} {
		got, failure := ParseContext([]byte(body))
		if diff := cmp.Diff(want, got); diff != "" || failure != nil {
			t.Errorf("%q: failure %v, want -, got +\n%s", body, failure, diff)
		}
	}
	if _, failure := ParseContext([]byte(`{"context":` + nested(16) + `}`)); failure != nil {
		t.Errorf("sixteen levels: %v", failure)
	}
}

func TestNoneMatch(t *testing.T) {
	for header, want := range map[string]bool{
		`"a"`: true, `W/"a"`: true, `"b", "a"`: true, `"b",W/"a"`: true, `*`: true, ` * `: true,
		``: false, `"b"`: false, `a`: false, `W/"b"`: false, `"*"`: false,
	} {
		if got := NoneMatch(header, `"a"`); got != want {
			t.Errorf("If-None-Match: %s: got %v", header, got)
		}
	}
	if NoneMatch("", "") || NoneMatch("*", "") {
		t.Error("an answer without a tag matches")
	}
}

// Whatever a client sends: a refusal or an answer that is JSON, and a bulk
// answer that says the same.
func FuzzOFREP(f *testing.F) {
	for _, seed := range []string{"", `{}`, `{"context":{"targetingKey":"u-1","workspace":"w-1","ring":["beta",1,null]}}`, `{"context":{"ring":{"a":[]}}}`, `{"context":5}`, "\xff"} {
		f.Add([]byte(seed))
	}
	set, _ := oneRule(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, failure := ParseContext(body)
		if failure != nil {
			if failure.Status != 400 || !json.Valid(failure.Body("k")) {
				t.Fatalf("%d %s", failure.Status, failure.Body("k"))
			}
			return
		}
		_, one := set.OFREP("checkout.express", &c)
		all, _ := set.OFREPBulk(&c)
		if !json.Valid(one) || !json.Valid(all) || !strings.Contains(string(all), string(one)) {
			t.Fatalf("alone: %s\nin bulk: %s", one, all)
		}
	})
}

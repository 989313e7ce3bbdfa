package launchdarkly

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
	"github.com/sluice-hq/sluice/flags/peers/peerstest"
)

// bring imports a flag f, which is on for members of the segment a.
func bring(t *testing.T, segments string, o peers.Options) (peers.Brought, *flags.Set) {
	t.Helper()
	f := `{"on":true,"variations":[true,false],"offVariation":1,"fallthrough":{"variation":1},"targets":[{"values":["vip"],"variation":0}],
		"rules":[{"variation":0,"clauses":[{"attribute":"","op":"segmentMatch","values":["a"]}]}]}`
	o.Environment, o.Owner = "production", "growth"
	b, err := Import([]byte(`{"flags":{"f":`+f+`},"segments":{`+segments+`}}`), o)
	if err != nil {
		t.Fatal(err)
	}
	return b, peerstest.Compile(b)
}

func why(b peers.Brought) string {
	for _, n := range b.Notes {
		if n.Left {
			return n.Text
		}
	}
	return ""
}

// Lists of keys of any kind are kept, in their order of precedence, as are those
// of segments within a segment.
func TestSegmentsThatList(t *testing.T) {
	for name, c := range map[string]struct {
		segments string
		in, out  []flags.Context
	}{
		"keys of organisations": {
			`"a":{"included":["u1"],"excluded":["u2","u3"],"includedContexts":[{"contextKind":"org","values":["o1"]}],"excludedContexts":[{"contextKind":"org","values":["o2"]}],
			 "rules":[{"clauses":[{"attribute":"plan","op":"in","values":["pro"]}]}]}`,
			[]flags.Context{{TargetingKey: "u1"}, {TargetingKey: "u2", Attributes: map[string]any{"org": "o1"}}, {TargetingKey: "u4", Attributes: map[string]any{"plan": "pro"}}},
			[]flags.Context{{TargetingKey: "u4"}, {TargetingKey: "u3", Attributes: map[string]any{"plan": "pro"}}, {TargetingKey: "u4", Attributes: map[string]any{"plan": "pro", "org": "o2"}}},
		},
		"a segment within": {
			`"a":{"rules":[{"clauses":[{"attribute":"","op":"segmentMatch","values":["b","gone"]},{"attribute":"plan","op":"in","values":["pro"]}]}]},
			 "b":{"included":["u1"],"excluded":["u2"],"rules":[{"clauses":[{"attribute":"country","op":"in","values":["DE"]}]}]}`,
			[]flags.Context{{TargetingKey: "u1", Attributes: map[string]any{"plan": "pro"}}, {TargetingKey: "u3", Attributes: map[string]any{"plan": "pro", "country": "DE"}}},
			[]flags.Context{{TargetingKey: "u1"}, {TargetingKey: "u2", Attributes: map[string]any{"plan": "pro", "country": "DE"}}},
		},
		"deleted": {`"a":{"included":["u1"],"deleted":true}`, []flags.Context{{TargetingKey: "vip"}}, []flags.Context{{TargetingKey: "u1"}}},
	} {
		b, set := bring(t, c.segments, peers.Options{})
		if len(b.Segments) > 0 && b.Segments[0].Key != "production.a" { // every environment has segments of its own there
			t.Errorf("%s: the segment is called %s", name, b.Segments[0].Key)
		}
		for i, ctx := range append(c.in, c.out...) {
			if r := set.Evaluate("f", &ctx); (r.Variant == "true") != (i < len(c.in)) {
				t.Errorf("%s: %+v gets %s", name, ctx, r.Variant)
			}
		}
	}
}

func TestSegmentsThatAreLeftOut(t *testing.T) {
	within := func(key string) string {
		return `{"rules":[{"clauses":[{"attribute":"","op":"segmentMatch","values":["` + key + `"]}]}]}`
	}
	deep := `"a":` + within("s0")
	for i := range deepest + 2 {
		deep += fmt.Sprintf(`,"s%d":%s`, i, within(fmt.Sprintf("s%d", i+1)))
	}
	for name, c := range map[string]struct{ segments, want string }{
		"big":        {`"a":{"unbounded":true}`, "is a big segment"},
		"itself":     {`"a":` + within("b") + `,"b":` + within("a"), "asks for the segment a, which asks for itself"},
		"deep":       {deep + `,"s7":{}`, "which lies in more than 5 others"},
		"a long one": {`"a":` + within("b") + `,"b":{"included":["x"` + strings.Repeat(`,"y"`, longest) + `]}`, "which lists more than 1000"},
		"expression": {`"a":{"rules":[{"clauses":[{"attribute":"x","op":"matches","values":["a(?!b)"]}]}]}`, "is not one of RE2"},
	} {
		if b, _ := bring(t, c.segments, peers.Options{}); !strings.Contains(why(b), c.want) {
			t.Errorf("%s: got %q, want %q", name, why(b), c.want)
		}
	}
}

// With another attribute for the targeting key, or another unit, what was listed
// by the user's key still is.
func TestListsByTheKeyOfUsers(t *testing.T) {
	segment := `"a":{"included":["u1"],"excluded":["u2"],"rules":[{"clauses":[{"attribute":"accountId","op":"in","values":["acme"]}]}]}`
	for name, c := range map[string]struct {
		options peers.Options
		of      func(user, account string) *flags.Context
	}{
		"another key": {peers.Options{Key: "accountId"}, func(user, account string) *flags.Context {
			return &flags.Context{TargetingKey: account, Attributes: map[string]any{"key": user}}
		}},
		"another unit": {peers.Options{Unit: "workspace"}, func(user, account string) *flags.Context {
			return &flags.Context{TargetingKey: user, Attributes: map[string]any{"accountId": account, "workspace": user + "-" + account}}
		}},
	} {
		_, set := bring(t, segment, c.options)
		for who, want := range map[[2]string]string{{"u1", "other"}: "true", {"vip", "other"}: "true", {"u9", "acme"}: "true", {"u2", "acme"}: "false", {"u9", "u1"}: "false", {"u9", "vip"}: "false"} {
			if r := set.Evaluate("f", c.of(who[0], who[1])); r.Variant != want {
				t.Errorf("%s: %v gets %s, want %s", name, who, r.Variant, want)
			}
		}
	}
}

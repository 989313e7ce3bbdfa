package flagd

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

// there is a flag with another environment than the imported one's.
func there() flags.Flag {
	return flags.Flag{
		Key: "new", Description: "ours", Owner: "web", Type: flags.Boolean, Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")},
		Default: "off", Safe: "off", Unit: "user", Tags: []string{"shop"}, Environments: map[string]flags.Environment{
			"production": {Enabled: true, Targets: []flags.Target{{Variant: "on", Units: []string{"u-1"}}}, Allocation: &flags.Allocation{Rollout: "r"}},
			"staging":    {},
		},
	}
}

// A second environment's document changes nothing in the first.
func TestBesideKeepsOtherEnvironments(t *testing.T) {
	list, _, err := Import([]byte(`{"flags":{"new":{"state":"ENABLED","variants":{"on": true,"off":false,"maybe":false},"defaultVariant":"off","targeting":{"if":[{"var":"x"},"on"]}}}}`), Options{Environment: "staging"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Beside(there(), list[0], "staging")
	want := there()
	want.Variants["maybe"] = []byte("false")
	production := want.Environments["production"]
	production.Allocation = nil
	want.Environments["production"], want.Environments["staging"] = production, list[0].Environments["staging"]
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, want -, got +\n%s", err, diff)
	}
}

// Where there is no other environment, the import is the flag.
func TestBesideReplaces(t *testing.T) {
	was := there()
	delete(was.Environments, "production")
	list, _, _ := Import(document(plain, ""), Options{Environment: "staging"})
	if got, err := Beside(was, list[0], "staging"); err != nil || !cmp.Equal(list[0], got) {
		t.Errorf("%v\n%s", err, cmp.Diff(list[0], got))
	}
}

func TestBesideRefuses(t *testing.T) {
	const already = ` already, for [production] too`
	for want, change := range map[string]func(*flags.Flag){
		`flags.new.type: is "boolean"` + already:       func(f *flags.Flag) { f.Type = flags.String },
		`flags.new.defaultVariant: is "off"` + already: func(f *flags.Flag) { f.Default = "" },
		`flags.new.safe: is "off"` + already:           func(f *flags.Flag) { f.Safe = "on" },
		`flags.new.unit: is "user"` + already:          func(f *flags.Flag) { f.Unit = "account" },
		`flags.new.variants.off: is "false"` + already: func(f *flags.Flag) { f.Variants["off"] = []byte("true") },
		"": func(f *flags.Flag) { f.Safe, f.Unit, f.Owner = "", "", Unset },
	} {
		f := there()
		change(&f)
		if _, err := Beside(there(), f, "staging"); refusal(err) != want {
			t.Errorf("got %q, want %q", refusal(err), want)
		}
	}
}

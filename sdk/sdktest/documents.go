package sdktest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/sluice-hq/sluice/flags"
)

// Apply defines what the YAML documents say, as sluice apply takes them: flags
// and segments. Documents of other kinds are passed over, so that a file may be
// used as it is. Flags stay until the test ends.
func (k *Kit) Apply(documents string) {
	k.t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(documents))
	for {
		var d map[string]any
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = k.document(d)
		}
		if err != nil {
			k.t.Fatalf("reading a document: %v", err)
		}
	}
	k.hold()
}

func (k *Kit) document(d map[string]any) error {
	kind := d["kind"]
	for _, key := range []string{"apiVersion", "kind", "expect"} {
		delete(d, key)
	}
	b, err := yaml.Marshal(d)
	if err != nil {
		return err
	}
	switch kind {
	case "Flag":
		var f flags.Flag
		if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
			return err
		}
		if err := f.Validate(); err != nil {
			return err
		}
		k.server.define(f)
	case "Segment":
		var s flags.Segment
		if err := yaml.UnmarshalWithOptions(b, &s, yaml.Strict()); err != nil {
			return err
		}
		if err := s.Validate(); err != nil {
			return err
		}
		k.server.defineSegment(s)
	}
	return nil
}

// Serve gives everybody a value: a boolean, a text, a number, or an object as
// map[string]any. Nobody is exposed: nothing is compared.
func (k *Kit) Serve(key string, value any) {
	k.t.Helper()
	k.give(flags.Flag{Key: key, Default: "served", Safe: "served", Variants: k.variants(map[string]any{"served": value})}, nil)
}

// Compare splits units evenly between the variants, as a rollout does, so that
// whoever asks is exposed. The first variant by name is the safe one.
func (k *Kit) Compare(key string, variants map[string]any) {
	k.t.Helper()
	k.split(key, variants, slices.Sorted(maps.Keys(variants))...)
}

// Enrol is Compare with all units in one arm: what they get is certain, and they
// are exposed.
func (k *Kit) Enrol(key string, variants map[string]any, arm string) {
	k.t.Helper()
	if _, ok := variants[arm]; !ok {
		k.t.Fatalf("%s has no variant %q", key, arm)
	}
	k.split(key, variants, arm)
}

// Force gives everybody the safe variant of a flag, as a rollback does.
func (k *Kit) Force(key string) {
	k.t.Helper()
	if !k.server.force(key) {
		k.t.Fatalf("there is no flag %s", key)
	}
	k.hold()
}

func (k *Kit) split(key string, variants map[string]any, arms ...string) {
	k.t.Helper()
	safe := slices.Min(slices.Collect(maps.Keys(variants)))
	k.give(flags.Flag{Key: key, Default: safe, Safe: safe, Variants: k.variants(variants)}, &flags.Allocation{
		Rollout: Environment + "/" + key + "/1", Stage: "test", Epoch: 1, HashVersion: flags.HashVersion,
		Salt: key, Unit: flags.DefaultUnit, Coverage: flags.Whole, Arms: flags.Even(arms...),
	})
}

func (k *Kit) give(f flags.Flag, allocation *flags.Allocation) {
	k.t.Helper()
	f.Purpose, f.Owner, f.Unit = flags.Operational, "test", flags.DefaultUnit
	for _, raw := range f.Variants {
		f.Type = typeOf(raw)
	}
	f.Environments = map[string]flags.Environment{Environment: {Enabled: true, Allocation: allocation}}
	k.server.define(f)
	k.hold()
}

func (k *Kit) variants(values map[string]any) flags.Variants {
	k.t.Helper()
	out := flags.Variants{}
	for name, v := range values {
		raw, err := json.Marshal(v)
		if err != nil || typeOf(raw) == "" {
			k.t.Fatalf("variant %s: %v is not a value that a flag can have", name, v)
		}
		out[name] = raw
	}
	return out
}

// typeOf returns the type of a JSON value, "" for one that no flag has.
func typeOf(raw json.RawMessage) flags.Type {
	switch c := raw[0]; {
	case c == 't', c == 'f':
		return flags.Boolean
	case c == '"':
		return flags.String
	case c == '{':
		return flags.Object
	case c == '-', '0' <= c && c <= '9':
		return flags.Number
	}
	return ""
}

// hold returns when the provider answers from what the kit was told, if it is
// connected.
func (k *Kit) hold() {
	k.t.Helper()
	if !k.server.await(patience) {
		k.t.Fatal("the provider does not take up what the kit was told")
	}
}

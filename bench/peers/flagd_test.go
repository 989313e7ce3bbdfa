package peers

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	peer "github.com/diegoholiveira/jsonlogic/v3"
	"github.com/twmb/murmur3"
	"golang.org/x/mod/semver"
)

// flagd's module cannot be had from a registry, so its operators are here
// again, from what is published of them, on the libraries that it uses: its
// evaluator of JSONLogic, its hash and its versions.
func init() { //nolint:gochecknoinits // the library keeps operators in a variable of its own
	peer.AddOperator("fractional", func(values, data any) any { return fractional(values, data) })
	peer.AddOperator("starts_with", func(values, _ any) any { return affix(values, strings.HasPrefix) })
	peer.AddOperator("ends_with", func(values, _ any) any { return affix(values, strings.HasSuffix) })
	peer.AddOperator("sem_ver", func(values, _ any) any { return semVer(values) })
}

func affix(values any, has func(s, part string) bool) any {
	list, _ := values.([]any)
	if len(list) != 2 {
		return nil
	}
	s, okS := list[0].(string)
	part, okPart := list[1].(string)
	if !okS || !okPart {
		return nil
	}
	return has(s, part)
}

func semVer(values any) any {
	list, _ := values.([]any)
	if len(list) != 3 {
		return nil
	}
	a, b := asVersion(list[0]), asVersion(list[2])
	if !semver.IsValid(a) || !semver.IsValid(b) {
		return nil
	}
	c := semver.Compare(a, b)
	switch list[1] {
	case "=":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "~":
		return semver.MajorMinor(a) == semver.MajorMinor(b)
	case "^":
		return semver.Major(a) == semver.Major(b)
	}
	return nil
}

func asVersion(v any) string {
	s := fmt.Sprint(v)
	if strings.HasPrefix(s, "v") {
		return s
	}
	return "v" + strings.TrimPrefix(s, "V")
}

func fractional(values, data any) any {
	arms, _ := values.([]any)
	context, _ := data.(map[string]any)
	if len(arms) == 0 || context == nil {
		return nil
	}
	by, explicit := arms[0].(string)
	if explicit || arms[0] == nil {
		arms = arms[1:]
	}
	if !explicit {
		key, _ := context["targetingKey"].(string)
		if key == "" {
			return nil
		}
		properties, _ := context["$flagd"].(map[string]any)
		by = fmt.Sprint(properties["flagKey"]) + key
	}
	return pick(uint64(murmur3.StringSum32(by)), arms)
}

// pick returns the first arm whose cumulated weight is above the bucket.
func pick(hash uint64, arms []any) any {
	var total uint64
	weights := make([]uint64, len(arms))
	for i, a := range arms {
		arm, _ := a.([]any)
		if len(arm) == 0 {
			return nil
		}
		switch arm[0].(type) {
		case string, bool, float64, nil:
		default:
			return nil
		}
		w := 1.0
		if len(arm) > 1 && arm[1] != nil {
			var ok bool
			if w, ok = arm[1].(float64); !ok || w != math.Trunc(w) || w > math.MaxInt32 {
				return nil
			}
		}
		weights[i] = uint64(max(w, 0))
		total += weights[i]
	}
	if total == 0 || total > math.MaxInt32 {
		return nil
	}
	bucket, below := hash*total>>32, uint64(0)
	for i, w := range weights {
		if below += w; bucket < below {
			return arms[i].([]any)[0]
		}
	}
	return nil
}

// definition is a flag as flagd reads it.
type definition struct {
	State          string                     `json:"state"`
	Variants       map[string]json.RawMessage `json:"variants"`
	DefaultVariant *string                    `json:"defaultVariant"`
	Targeting      any                        `json:"targeting"`
}

// answer evaluates a flag in flagd's way: the variant, "" for none.
func (d definition) answer(key string, attributes map[string]any) (variant string, err error) {
	if d.State != "ENABLED" {
		return "", nil
	}
	byDefault := ""
	if d.DefaultVariant != nil {
		byDefault = *d.DefaultVariant
	}
	if d.Targeting == nil {
		return byDefault, nil
	}
	context := map[string]any{"$flagd": map[string]any{"flagKey": key, "timestamp": 1.8e9}}
	for name, v := range attributes {
		if name != "$flagd" {
			context[name] = v
		}
	}
	is, err := peer.ApplyInterface(d.Targeting, context)
	if err != nil {
		return "", err
	}
	if is == nil {
		return byDefault, nil
	}
	name := fmt.Sprint(is)
	if _, ok := d.Variants[name]; !ok {
		return "", fmt.Errorf("%s is not a variant", name)
	}
	return name, nil
}

package decisions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DiffPlans says how a plan differs from another, a sentence for each value.
// Stages and metrics go by their names: one that is put before others does not
// make these differ.
func DiffPlans(was, is Plan) []string {
	a, b := values(was), values(is)
	paths := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(paths)
	out := []string{}
	for _, path := range slices.Compact(paths) {
		switch old, now := a[path], b[path]; {
		case old == now:
		case old == "":
			out = append(out, fmt.Sprintf("%s is now %s", path, now))
		case now == "":
			out = append(out, fmt.Sprintf("%s is gone (was %s)", path, old))
		default:
			out = append(out, fmt.Sprintf("%s is now %s (was %s)", path, now, old))
		}
	}
	return append(out, reordered(was, is)...)
}

// reordered says that stages which both plans have are in another order.
func reordered(was, is Plan) []string {
	order := func(p, other Plan) (names []string) {
		for _, s := range p.Stages {
			if _, both := other.stage(s.Name); both {
				names = append(names, s.Name)
			}
		}
		return names
	}
	a, b := order(was, is), order(is, was)
	if slices.Equal(a, b) {
		return nil
	}
	return []string{fmt.Sprintf("stages are now in the order %s (was %s)", strings.Join(b, ", "), strings.Join(a, ", "))}
}

// values returns the plan's values by path, as people write them.
func values(p Plan) map[string]string {
	out := map[string]string{}
	var tree any
	if b, err := json.Marshal(p); err == nil { // a plan can be encoded
		_ = json.Unmarshal(b, &tree)
	}
	leaves("", tree, out)
	return out
}

func leaves(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for key, part := range v {
			leaves(strings.TrimPrefix(path+"."+key, "."), part, out)
		}
	case []any:
		for i, part := range v {
			leaves(path+"["+named(part, i)+"]", part, out)
		}
	case nil:
	case string:
		out[path] = v
	default:
		out[path] = fmt.Sprint(v)
	}
}

// named is what a part of a list goes by: its name, its metric, or where it
// stands. A guardrail's limit and its margin are two guardrails.
func named(part any, i int) string {
	object, _ := part.(map[string]any)
	for _, key := range []string{"name", "metric"} {
		name, ok := object[key].(string)
		if _, limit := object["limit"]; ok && limit {
			return name + " limit"
		}
		if ok {
			return name
		}
	}
	if text, ok := part.(string); ok {
		return text
	}
	return fmt.Sprint(i)
}

package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// differences says in sentences how a document is to change. Flags and plans have
// words of their own; of other documents each field that differs is told.
func differences(was, is any) []string {
	var out []string
	before, isFlag := was.(flags.Flag)
	after, same := is.(flags.Flag)
	if isFlag && same {
		for _, d := range flags.Diff(before, after) {
			out = append(out, d.Text)
		}
		return out
	}
	old, isPlan := was.(decisions.Plan)
	plan, same := is.(decisions.Plan)
	if isPlan && same {
		return decisions.DiffPlans(old, plan)
	}
	a, b := leaves(was), leaves(is)
	paths := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		switch was, is := a[path], b[path]; {
		case was == is:
		case was == "":
			out = append(out, fmt.Sprintf("%s is now %s", path, short(is)))
		case is == "":
			out = append(out, fmt.Sprintf("%s is gone (was %s)", path, short(was)))
		default:
			out = append(out, fmt.Sprintf("%s is now %s (was %s)", path, short(is), short(was)))
		}
	}
	return out
}

// leaves returns the values of a document that hold no others, by path. A list
// of plain values is one of them.
func leaves(doc any) map[string]string {
	var tree any
	out := map[string]string{}
	if b, err := json.Marshal(doc); err == nil { // what the log holds can be encoded
		_ = json.Unmarshal(b, &tree)
	}
	walk(tree, "", out)
	return out
}

func walk(v any, path string, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, part := range v {
			walk(part, strings.TrimPrefix(path+"."+name, "."), out)
		}
		return
	case []any:
		if slices.ContainsFunc(v, isTree) {
			for i, part := range v {
				walk(part, fmt.Sprintf("%s[%d]", path, i), out)
			}
			return
		}
	}
	if b, err := json.Marshal(v); err == nil && v != nil {
		out[path] = string(b)
	}
}

func isTree(v any) bool {
	_, object := v.(map[string]any)
	_, list := v.([]any)
	return object || list
}

// short cuts a value that nobody reads whole: a list of thousands of units.
func short(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
}

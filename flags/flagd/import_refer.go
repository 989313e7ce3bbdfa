package flagd

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/flags"
)

const (
	// mostReferred is how many parts of $evaluators one document may write out
	// into its rules: a reference is short, and what it refers to may be long.
	mostReferred = 1_000_000

	// longestPath ends the search for references. A rule that deep is refused
	// when it is compiled.
	longestPath = 16 << 10

	// longestStep is how much of an operator's name a path shows.
	longestStep = 64
)

// targeting returns a definition's rule with its references filled in, nil when
// there is none.
func (im *importer) targeting(path string, raw json.RawMessage) flags.Logic {
	var rule any
	if len(raw) == 0 || decode(raw, &rule) != nil || rule == nil {
		return nil
	}
	if m, ok := rule.(map[string]any); ok && len(m) == 0 {
		return nil
	}
	filled := im.fill(path, rule, false)
	if im.referred > mostReferred {
		im.faults.Add(path, nil, fmt.Sprintf("brings more than %d parts of $evaluators along, written out", mostReferred), "refer to less")
		return nil
	}
	out, err := json.Marshal(filled)
	if err != nil {
		im.faults.Add(path, nil, "cannot be written: "+err.Error(), "") // unreachable: it was read from JSON
		return nil
	}
	return flags.Logic(out)
}

// fill puts evaluators in the place of references, and today's name in the
// place of an operator's old one. Evaluators refer to no others.
func (im *importer) fill(path string, part any, within bool) any {
	if within {
		im.referred++
	}
	if len(path) > longestPath || im.referred > mostReferred {
		return part
	}
	switch part := part.(type) {
	case []any:
		out := make([]any, len(part))
		for i := range part {
			out[i] = im.fill(fmt.Sprintf("%s[%d]", path, i), part[i], within)
		}
		return out
	case map[string]any:
		if name, ok := part["$ref"].(string); ok && len(part) == 1 {
			return im.evaluator(path, name, part, within)
		}
		out := make(map[string]any, len(part))
		for _, op := range slices.Sorted(maps.Keys(part)) {
			args := part[op]
			if op == "fractionalEvaluation" && len(part) == 1 {
				im.report.warn(path, "fractionalEvaluation is the old name of fractional, which spreads units in another way than it once did")
				op = "fractional"
			}
			out[op] = im.fill(path+"."+op[:min(len(op), longestStep)], args, within)
		}
		return out
	}
	return part
}

func (im *importer) evaluator(path, name string, ref any, within bool) any {
	rule, ok := im.doc.Evaluators[name]
	switch {
	case !ok:
		im.faults.Add(path+".$ref", name, "is not among $evaluators", "define it there")
	case within:
		im.faults.Add(path+".$ref", name, "is a reference within an evaluator", "write the other's rule there")
	default:
		return im.fill(path+".$ref("+name[:min(len(name), longestStep)]+")", rule, true)
	}
	return ref
}

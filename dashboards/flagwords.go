package dashboards

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// phase is where a flag is in its life, in a word.
func phase(l flags.Life) Mark {
	switch l.Stage {
	case flags.RollingOut:
		return Running
	case flags.Experimenting:
		return Experimenting
	case flags.Decided:
		return Decided
	case flags.Live:
		return Live
	case flags.CleanupDue:
		return CleanupDue
	case flags.Ended:
		return Archived
	case flags.Draft:
	}
	return Draft
}

// healthMark is how a flag is, in a word.
func healthMark(h decisions.FlagHealth) Mark {
	switch h.State {
	case decisions.Healthy:
		return Healthy
	case decisions.Ailing:
		return Critical
	case decisions.Obscure:
	}
	return Unclear
}

// gets says who gets what for a flag in an environment, in a sentence.
func gets(f flags.Recorded, environment string) string {
	e, ok := f.Environments[environment]
	switch {
	case f.Archived:
		return "everybody gets " + orCode(f.Answer) + ": it is archived"
	case !ok:
		return "everybody gets " + orCode(f.Safe) + ": the flag is not there"
	case e.Forced != nil:
		return "everybody gets " + orCode(f.Safe) + ": it is forced, " + e.Forced.Reason
	case !e.Enabled:
		return "everybody gets " + orCode(f.Safe) + ": it is disabled"
	}
	before := first(e)
	rest := orCode(f.Default)
	if a := e.Allocation; a != nil {
		before = append(before, allocated(*a))
	}
	if len(before) == 0 {
		return "everybody gets " + rest + needed(e)
	}
	return strings.Join(before, ", then ") + "; all others get " + rest + needed(e)
}

// first are those who are looked at before an allocation is.
func first(e flags.Environment) []string {
	var out []string
	for _, t := range e.Targets {
		out = append(out, amount(len(t.Units), "named unit")+" get "+t.Variant)
	}
	if n := len(e.Rules); n > 0 {
		out = append(out, amount(n, "rule"))
	}
	if len(e.Targeting) > 0 {
		out = append(out, "an imported rule")
	}
	for _, r := range e.Served {
		out = append(out, "the audience "+r.Name+" gets "+r.Serve)
	}
	return out
}

// needed says which other flags come first.
func needed(e flags.Environment) string {
	var out []string
	for _, p := range e.Prerequisites {
		out = append(out, p.Flag+" answers "+p.Variant)
	}
	if len(out) == 0 {
		return ""
	}
	return ", as long as " + strings.Join(out, " and ")
}

// allocated says whom an allocation gives what.
func allocated(a flags.Allocation) string {
	covered := thousandth(a.Coverage)
	if a.Ramp {
		return covered + " of units get " + a.Arms[0].Variant
	}
	return covered + " of units are compared: " + arms(a.Arms)
}

// arms says how units are split.
func arms(all []flags.Arm) string {
	var out []string
	for _, a := range all {
		out = append(out, thousandth(a.Weight)+" "+a.Variant)
	}
	return strings.Join(out, ", ")
}

// served says what a rule gives.
func served(serve string, split []flags.Arm) string {
	if len(split) > 0 {
		return "splits: " + arms(split)
	}
	return "serves " + serve
}

// thousandth writes a number of buckets as a share.
func thousandth(n int) string { return short(float64(n) / flags.Whole) }

// orCode names a variant, or who answers where there is none.
func orCode(variant string) string {
	if variant == "" {
		return "what the code says"
	}
	return variant
}

// amount counts things: "1 rule", "12 rules".
func amount(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return count(int64(n)) + space + thing + "s"
}

// few lists names, and counts what would not fit.
func few(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// compact writes a value as it stands in a document.
func compact(v json.RawMessage) string { return string(v) }

// revision writes a revision as links hold it.
func revision(n uint64) string { return strconv.FormatUint(n, 10) }

// inOrder returns the environments that a flag has, in the order of all.
func inOrder(f flags.Recorded, all []string) []string {
	var out []string
	for _, name := range all {
		if _, ok := f.Environments[name]; ok {
			out = append(out, name)
		}
	}
	for name := range f.Environments {
		if !slices.Contains(all, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out[min(len(all), len(out)):])
	return out
}

package dashboards

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
)

// Guard is one guardrail in words: what was found, and how far it may go.
type Guard struct {
	Mark   Mark
	Metric string
	Have   string // "−4.31 % (−8.13 % to −0.49 %), margin 1 %"
	Note   string // the verdict in its own words
}

// guards are the guardrails of a readout, the worst first.
func guards(out Readout) []Guard {
	var all []Guard
	for _, r := range out.Rows {
		if r.Role == Guardrail {
			all = append(all, Guard{Mark: r.Verdict, Metric: r.title(), Have: r.have(), Note: r.Note})
		}
	}
	slices.SortStableFunc(all, func(a, b Guard) int {
		return cmp.Compare(Light{Mark: a.Mark}.worry(), Light{Mark: b.Mark}.worry())
	})
	return all
}

// have is what was found of a guardrail, with its interval and its margin.
func (r Row) have() string {
	if r.Lift == nil {
		return ""
	}
	text := change(r.Lift.Relative) + " (" + span(r.Lift.Always) + ")"
	if r.Margin != nil {
		text += ", margin " + short(*r.Margin)
	}
	return text
}

// others says in a line how the metrics stand that guard nothing.
func others(out Readout) string {
	count, worse := map[Role]int{}, []string{}
	for _, r := range out.Rows {
		count[r.Role]++
		if r.Role != Guardrail && r.Verdict == Worse {
			worse = append(worse, r.title())
		}
	}
	if count[Success]+count[Diagnostic] == 0 {
		return ""
	}
	text := fmt.Sprintf("%s and %s", several(count[Success], "success metric"), several(count[Diagnostic], "diagnostic"))
	if len(worse) == 0 {
		return text + ", none of them worse."
	}
	more := ""
	if n := len(worse) - 3; n > 0 {
		worse, more = worse[:3], fmt.Sprintf(" and %d more", n)
	}
	return text + ". Worse: " + strings.Join(worse, ", ") + more + "."
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(int64(n)) + " " + what + "s"
}

// Counted is how many units each arm had at a look.
type Counted map[string]int64

// Traffic is how the units of an arm came, as a small line.
type Traffic struct {
	Arm   string
	Units int64
	Spark Spark
}

// traffic draws the units of each arm over the looks, oldest first.
func traffic(x Exposures, arms decisions.Arms, looks []Counted) []Traffic {
	if len(x.Arms) < 2 {
		return nil
	}
	var all []Traffic
	for i, variant := range []string{arms.Treatment, arms.Control} {
		values := make([]float64, len(looks))
		for k, l := range looks {
			values[k] = float64(l[variant])
		}
		words := "no look yet"
		if n := len(values); n > 0 {
			words = fmt.Sprintf("from %s to %s units over the last %s", count(int64(values[0])), count(int64(values[n-1])), several(n, "look"))
		}
		all = append(all, Traffic{Arm: x.Arms[i].Name, Units: x.Arms[i].Units, Spark: NewSpark(values, words)})
	}
	return all
}

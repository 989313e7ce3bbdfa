package harness

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// tell says what happened since the story last said anything: every decision
// and every flag change of the controller.
func (w *world) tell() string {
	var out strings.Builder
	for e, err := range w.log.Read(w.ctx, event.Filter{}, w.told) {
		if err != nil {
			return out.String() + err.Error() + "\n"
		}
		w.told = e.Seq
		switch e.Type {
		case decisions.TypeMade:
			w.decision(&out, e)
		case decisions.TypeLapsed:
			fmt.Fprintln(&out, "   lapsed")
		case decisions.TypeScheduled, decisions.TypeUnscheduled, decisions.TypeOverridden, decisions.TypeRejected:
			w.deed(&out, e)
		case flags.EventType:
			w.change(&out, e)
		}
	}
	return out.String()
}

func (w *world) decision(out *strings.Builder, e event.Recorded) {
	r, d, _ := w.state.Decision(e.ID.String())
	to := ""
	if v := d.Verdict; v.Stage != d.From {
		to = " to " + r.Plan.Stages[v.Stage].Name
	}
	n := 1 + slices.IndexFunc(r.Decisions, func(o decisions.Decision) bool { return o.ID == d.ID })
	fmt.Fprintf(out, "%d. %s%s: %s\n", n, d.Verdict.Action, to, d.Verdict.Text)
	if d.Against != "" {
		fmt.Fprintf(out, "   against the recommendation “%s”\n", d.Against)
	}
}

func (w *world) change(out *strings.Builder, e event.Recorded) {
	var data struct {
		Changes []flags.Change `json:"changes"`
	}
	if e.Cause == "" || json.Unmarshal(e.Data, &data) != nil {
		return
	}
	for _, c := range data.Changes {
		fmt.Fprintf(out, "   flag %s: %s%s\n", strings.TrimPrefix(e.Subject, flags.SubjectPrefix), c.Op, describe(c))
	}
}

func describe(c flags.Change) string {
	switch {
	case c.Allocation != nil:
		var arms []string
		for _, a := range c.Allocation.Arms {
			arms = append(arms, fmt.Sprintf("%s %s", a.Variant, decisions.Percent(a.Weight)))
		}
		return fmt.Sprintf(" %s, %s of %ss in epoch %d: %s", c.Allocation.Stage, decisions.Percent(c.Allocation.Coverage),
			c.Allocation.Unit, c.Allocation.Epoch, strings.Join(arms, ", "))
	case c.Rule != nil:
		return fmt.Sprintf(" %s to %s", c.Rule.Serve, c.Rule.When)
	}
	return ""
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

package dashboards

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// eventsShown is how many exposures, and how many metric events, are shown of a
// unit: the newest.
const eventsShown = 50

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// trace fills in what the unit's events come to.
func (a *UnitAnswer) trace(t ingest.Trace) {
	for _, e := range t.Entries {
		a.Entries = append(a.Entries, newUnitEntry(e))
	}
	for _, x := range newestOf(t.Exposures) {
		a.Exposures = append(a.Exposures, UnitEvent{At: x.At, Name: or(x.Variant, "(the default in the code)"), ID: x.ID.String(), Message: x.Message, Uses: []UnitUse{exposureUse(x)}})
	}
	for _, e := range newestOf(t.Events) {
		a.Events = append(a.Events, newUnitEvent(e))
	}
	if left := len(t.Exposures) - len(a.Exposures) + len(t.Events) - len(a.Events); left > 0 {
		a.Left = amount(left, "older event") + " are not shown; the copy as JSON has them."
	}
}

// newestOf returns the newest of what is in time, the newest first.
func newestOf[T any](all []T) []T {
	newest := slices.Clone(all[max(0, len(all)-eventsShown):])
	slices.Reverse(newest)
	return newest
}

func newUnitEntry(e ingest.Entry) UnitEntry {
	out := UnitEntry{Mark: countedMark(e.Standing == ingest.StandsCounted), Epoch: e.Epoch, Stage: e.Stage, Arm: e.Arm, First: e.First, Exposures: count(int64(e.Exposures)), Why: sentence(upper(e.Why))}
	for _, v := range e.Values {
		row := UnitValue{Mark: countedMark(v.Counted), Metric: v.Metric, Link: "/catalogue/" + v.Metric, Window: windowText(e.First, v), Events: count(int64(v.Events)), Before: count(int64(v.Before)), Value: "—"}
		if v.Value != nil {
			row.Value = exact(*v.Value)
		}
		if v.Why != e.Why { // that of the unit stands with the unit
			row.Why = sentence(upper(v.Why))
		}
		out.Values = append(out.Values, row)
	}
	return out
}

// exact is a value as it was sent, in millionths: whoever looks for an event
// looks for its very number.
func exact(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 6, 64), "0"), ".")
}

// windowText says which events count, in times since the first exposure.
func windowText(first time.Time, v ingest.EntryValue) string {
	from := "from the first exposure"
	if d := v.From.Sub(first); d > 0 {
		from = "from " + event.Duration(d).String() + " after it"
	}
	if v.To.IsZero() {
		return from + " on"
	}
	return from + " until " + event.Duration(v.To.Sub(first)).String() + " after it"
}

func countedMark(is bool) Mark {
	if is {
		return Counts
	}
	return Ignored
}

func exposureUse(x ingest.TracedExposure) UnitUse {
	u := UnitUse{Mark: countedMark(x.Counted), Why: sentence(upper(x.Why))}
	if !x.Counted {
		return u
	}
	u.For = fmt.Sprintf("%s, %s, epoch %d", x.Arm, x.Stage, x.Epoch)
	if x.First {
		u.Why = "The first: the unit counts by it."
	}
	return u
}

func newUnitEvent(e ingest.TracedEvent) UnitEvent {
	out := UnitEvent{At: e.At, Name: e.Name, Value: exact(e.Value), ID: e.ID.String(), Message: e.Message}
	for _, u := range e.Uses {
		use := UnitUse{Mark: countedMark(u.As != ingest.PartNone), For: u.Metric, Why: sentence(upper(u.Why))}
		if u.Epoch > 0 {
			use.For += fmt.Sprintf(", epoch %d", u.Epoch)
		}
		use.Why = cmp.Or(use.Why, partText(u.As))
		out.Uses = append(out.Uses, use)
	}
	if len(out.Uses) == 0 {
		out.Uses = []UnitUse{{Mark: Ignored, Why: sentence(upper(e.Why))}}
	}
	return out
}

// partText says what an event is, where it is more than one of the metric's own.
func partText(p ingest.Part) string {
	switch p {
	case ingest.PartDivisor:
		return "In the divisor."
	case ingest.PartBaseline:
		return "Before the first exposure: it explains variance."
	case ingest.PartValue, ingest.PartNone:
	}
	return ""
}

package ingest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Tracing asks what the events of one unit come to in the results of a rollout.
// It is the question that a gate asks of all units, put to one.
type Tracing struct {
	Environment, Flag, Rollout string
	UnitKind                   string         // that the rollout assigns and counts
	Metrics                    []stats.Metric // of the plan, in its order
	Since                      time.Time      // whose tests began afresh then count units first exposed since; zero: all
	Dark                       []string       // stages that nobody saw anything of
	Behind, Epochs             int            // behind epoch Behind, so many come again and again; see decisions.Circuit. Epochs 0: none does
	Until                      time.Time      // units have to be old enough then
	Watermark                  map[string]uint64
	Gate                       bool // windows are those of gates
}

// Trace is what the events of one unit come to.
type Trace struct {
	Rollout   string            `json:"rollout"`
	UnitKind  string            `json:"unitKind" doc:"that the rollout counts"`
	Kind      string            `json:"kind" doc:"of the unit that was asked for"`
	Unit      string            `json:"unit" doc:"keyed hash of its id" example:"hash:00c0ffee00c0ffee"`
	Entries   []Entry           `json:"entries" doc:"the unit in the analysis, once for each epoch that it was enrolled in"`
	Exposures []TracedExposure  `json:"exposures" doc:"to the flag, oldest first"`
	Events    []TracedEvent     `json:"events" doc:"its metric events, oldest first"`
	Until     time.Time         `json:"until" doc:"units that are old enough by then are asked for events"`
	Watermark map[string]uint64 `json:"watermark" doc:"by shard, the last message that is counted"`
}

// Standing says whether a unit counts in an epoch.
type Standing string

// Where a unit can stand.
const (
	StandsCounted Standing = "counted"
	StandsTwoArms Standing = "two arms"        // it saw both, and is kept out
	StandsKnown   Standing = "known before"    // tests that began afresh ask newcomers alone
	StandsEarlier Standing = "counted earlier" // it came again, and counts where it came first
	StandsAhead   Standing = "ahead"           // its first exposure is behind the end of the question
)

// Entry is the unit in one epoch: its row of the analysis.
type Entry struct {
	Epoch     int          `json:"epoch"`
	Stage     string       `json:"stage" doc:"of the first exposure, like the arm"`
	Arm       string       `json:"arm"`
	First     time.Time    `json:"first" doc:"first exposure"`
	Exposures int          `json:"exposures"`
	Standing  Standing     `json:"standing" enum:"counted,two arms,known before,counted earlier,ahead"`
	Why       string       `json:"why,omitempty" doc:"it is not counted"`
	Values    []EntryValue `json:"values" doc:"in the order of the plan"`

	tie  uint64 // decides between exposures at the time of the first
	arms []string
}

// EntryValue is what the unit has of one metric.
type EntryValue struct {
	Metric string    `json:"metric"`
	From   time.Time `json:"from" doc:"events count from here"`
	To     time.Time `json:"to,omitzero" doc:"and before this; absent: as long as the unit is enrolled"`
	Events int       `json:"events" doc:"that are in the window"`
	Before int       `json:"before" doc:"that are in the time before the first exposure which explains variance"`
	Value  *float64  `json:"value,omitempty" doc:"what they come to, before a cap cuts it; absent: the unit has none"`

	Counted bool   `json:"counted" doc:"the value is in the result"`
	Why     string `json:"why,omitempty" doc:"it is not"`

	sum, divisor float64
}

// TracedExposure is one exposure, and whether it says anything of the unit.
type TracedExposure struct {
	ID       event.ID  `json:"id"`
	Message  string    `json:"message" doc:"shard, sequence and index" example:"facts-0.12.3"`
	At       time.Time `json:"at"`
	Variant  string    `json:"variant"`
	Revision uint64    `json:"revision,omitempty"`
	Epoch    int       `json:"epoch,omitempty"`
	Stage    string    `json:"stage,omitempty"`
	Arm      string    `json:"arm,omitempty"`
	First    bool      `json:"first" doc:"the unit counts by it in its epoch"`
	Counted  bool      `json:"counted"`
	Why      string    `json:"why,omitempty" doc:"it is not counted"`
}

// Of traces the events of one unit: rows are all of it, what is loaded first.
// What lies behind the watermark waits.
func (q Tracing) Of(kind string, unit uint64, rows Rows) Trace {
	t := Trace{Rollout: q.Rollout, UnitKind: q.UnitKind, Kind: kind, Unit: UnitText(unit), Until: q.Until, Watermark: q.Watermark,
		Entries: []Entry{}, Exposures: []TracedExposure{}, Events: []TracedEvent{}} // never null in JSON
	for _, e := range inTime(rows.Exposures, func(e ExposureRow) (time.Time, event.ID, bool) {
		return e.At, e.ID, e.Environment == q.Environment && e.Flag == q.Flag
	}) {
		t.expose(e, q.astray(e))
	}
	slices.SortFunc(t.Entries, func(a, b Entry) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for i := range t.Entries {
		q.judge(&t.Entries[i], t.Entries)
		t.Entries[i].Values = q.values(t.Entries[i])
	}
	for i, x := range t.Exposures {
		t.Exposures[i].First = x.Counted && slices.ContainsFunc(t.Entries, func(e Entry) bool { return e.Epoch == x.Epoch && e.tie == tieOf(x.ID) && e.First.Equal(x.At) })
	}
	for _, e := range inTime(rows.Metrics, func(e MetricRow) (time.Time, event.ID, bool) { return e.At, e.ID, e.Environment == q.Environment }) {
		t.Events = append(t.Events, q.follow(e, t.Entries))
	}
	for _, e := range t.Entries {
		for i := range e.Values {
			e.Values[i].evaluate(q.Metrics[i].Aggregate)
		}
	}
	return t
}

// inTime returns the rows that are meant, the oldest first, and each once: what
// is loaded while it is read stands among those that wait as well.
func inTime[R any](rows []R, of func(R) (at time.Time, id event.ID, meant bool)) (out []R) {
	seen := map[event.ID]bool{}
	for _, r := range rows {
		if _, id, meant := of(r); meant && !seen[id] {
			seen[id] = true
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b R) int {
		x, i, _ := of(a)
		y, j, _ := of(b)
		return cmp.Or(x.Compare(y), bytes.Compare(i[:], j[:]))
	})
	return out
}

// waits reports whether a row is not among those that are counted.
func (q Tracing) waits(p Place) bool { return p.Seq > q.Watermark[p.Shard] }

const whyWaits = "waits: it is on disk, and not among the events that are counted yet"

// astray says why an exposure tells nothing of the unit; empty: it does.
func (q Tracing) astray(e ExposureRow) string {
	switch {
	case q.waits(e.Place):
		return whyWaits
	case e.Synthetic:
		return "is a test event: shown, and never analysed"
	case e.Rollout == "":
		return "is of no rollout: the sender named no revision of the flag, or one without an allocation"
	case e.Rollout != q.Rollout:
		return "is of the rollout " + e.Rollout
	case e.UnitKind != q.UnitKind:
		return fmt.Sprintf("is of a unit of the kind %s, and the rollout counts those of the kind %s", e.UnitKind, q.UnitKind)
	case !e.Enrolled:
		return "is not of an arm: the allocation did not decide what the unit got" + because(e.Reason)
	}
	return ""
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// expose takes an exposure into the entry of its epoch, unless it is astray.
func (t *Trace) expose(e ExposureRow, why string) {
	t.Exposures = append(t.Exposures, TracedExposure{ID: e.ID, Message: e.Place.id(), At: e.At, Variant: e.Variant, Revision: e.Revision,
		Epoch: int(e.Epoch), Stage: e.Stage, Arm: e.Arm, Counted: why == "", Why: why})
	if why != "" {
		return
	}
	i := slices.IndexFunc(t.Entries, func(o Entry) bool { return o.Epoch == int(e.Epoch) })
	if i < 0 {
		i = len(t.Entries)
		t.Entries = append(t.Entries, Entry{Epoch: int(e.Epoch), Stage: e.Stage, Arm: e.Arm, First: e.At, tie: tieOf(e.ID)})
	}
	o := &t.Entries[i]
	o.Exposures++
	if !slices.Contains(o.arms, e.Arm) {
		o.arms = append(o.arms, e.Arm)
	}
	if tie := tieOf(e.ID); e.At.Equal(o.First) && tie < o.tie { // rows come in time: none is earlier
		o.Stage, o.Arm, o.tie = e.Stage, e.Arm, tie
	}
}

// tieOf orders exposures at the same millisecond, as the warehouse does.
func tieOf(id event.ID) uint64 { return binary.LittleEndian.Uint64(id[8:]) }

// judge says whether the unit counts in an epoch, among all that it was in.
func (q Tracing) judge(e *Entry, all []Entry) {
	switch {
	case e.First.After(q.Until):
		e.Standing, e.Why = StandsAhead, "the clock that its first exposure was sent by is ahead of what is counted"
	case q.known(*e, all):
		e.Standing, e.Why = StandsKnown, "the tests began afresh at "+q.Since.UTC().Format(time.RFC3339)+", and ask units that came since then alone"
	case q.earlier(*e, all) > 0:
		e.Standing, e.Why = StandsEarlier, fmt.Sprintf("the same arms came again, and the unit counts in epoch %d, where it came first", q.earlier(*e, all))
	case len(e.arms) > 1:
		e.Standing, e.Why = StandsTwoArms, fmt.Sprintf("the unit saw %d arms in this epoch, and is kept out", len(e.arms))
	default:
		e.Standing = StandsCounted
	}
}

// known reports whether the unit met the rollout before its tests began afresh.
func (q Tracing) known(e Entry, all []Entry) bool {
	return !q.Since.IsZero() && (e.First.Before(q.Since) ||
		slices.ContainsFunc(all, func(o Entry) bool { return o.First.Before(q.Since) && !slices.Contains(q.Dark, o.Stage) }))
}

// earlier returns the first epoch with the same arms in which the unit was
// before; 0: there is none.
func (q Tracing) earlier(e Entry, all []Entry) int {
	for _, o := range all {
		if q.Epochs > 0 && o.Epoch > q.Behind && o.Epoch < e.Epoch && (e.Epoch-o.Epoch)%q.Epochs == 0 {
			return o.Epoch
		}
	}
	return 0
}

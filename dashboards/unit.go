package dashboards

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

// UnitPage follows one unit from its bucket to the rows of the analysis: what it
// gets and why, which of its exposures say in which arm it is, and what each of
// its metric events counts for, or why for nothing.
type UnitPage struct {
	Frame
	Tabs      []Tab
	Ask       Form
	Answer    *UnitAnswer // nil: nobody was asked for
	Export    *Form       // nil: whoever looks may not
	Erase     *Form
	Erased    []ErasedUnit
	MayErase  bool // whoever looks may see what was deleted
	Deletions Pager
	Command   string
	AsOf      AsOf
}

func (UnitPage) template() string { return "unit" }

// UnitAnswer is what is known of the unit.
type UnitAnswer struct {
	Kind, Unit  string
	Share       string // address of this answer, which holds no id
	Evaluation  *Explained
	Unevaluated string // why there is none
	Said        string // what becomes of it in the analysis
	Rollout     string // address
	RolloutID   string
	Entries     []UnitEntry
	Exposures   []UnitEvent
	Events      []UnitEvent
	Left        string // how many events are not shown; empty: none
	Letters     []LetterRow
	Traced      bool // there is a rollout that could count it
}

// UnitEntry is the unit in one epoch of the analysis.
type UnitEntry struct {
	Mark      Mark
	Epoch     int
	Stage     string
	Arm       string
	First     time.Time
	Exposures string
	Why       string
	Values    []UnitValue
}

// UnitValue is what the unit has of one metric.
type UnitValue struct {
	Mark           Mark
	Metric, Link   string
	Window         string
	Events, Before string
	Value          string
	Why            string
}

// UnitEvent is one event of the unit.
type UnitEvent struct {
	At      time.Time
	Name    string // variant of an exposure, name of a metric event
	Value   string
	ID      string
	Message string
	Uses    []UnitUse
}

// UnitUse is what an event counts for.
type UnitUse struct {
	Mark Mark
	For  string
	Why  string
}

// UnitAsked is what somebody asks.
type UnitAsked struct {
	Environment, Flag, Number string
	Kind, ID, Attributes      string // ID is the id, or the hash of one
}

// Hash returns the hash that was asked for; empty: an id was.
func (q UnitAsked) Hash() string {
	if ingest.IsHashedUnit(q.ID) {
		return q.ID
	}
	return ""
}

// UnitTraced is what the server knows of the unit.
type UnitTraced struct {
	Kind, Unit string
	Evaluation *flags.Explanation
	Rollout    string
	Trace      *ingest.Trace
	Letters    []ingest.Letter
}

// UnitErasure is what whoever may delete units sees beside.
type UnitErasure struct {
	Deletions []ingest.Forgotten
	Next      string // cursor
}

// NewUnit makes the page. seen is nil while nobody is asked for; erasure is nil
// for those who may not delete.
func NewUnit(f Frame, environments []string, q UnitAsked, seen *UnitTraced, erasure *UnitErasure, now time.Time) UnitPage {
	p := UnitPage{Frame: f, Tabs: eventTabs(f, OfUnit), Ask: unitForm(f, environments, q), Command: unitCommand(f, q), AsOf: AsOf{Log: f.Log}}
	if erasure != nil {
		p.erasing(q, seen != nil, *erasure)
	}
	if seen == nil {
		return p
	}
	p.Answer = newUnitAnswer(f, q, *seen)
	p.AsOf.JSON = asking("/api/v1/units/traces", hashed(f, q, *seen))
	if t := seen.Trace; t != nil {
		p.AsOf = AsOf{Event: t.Until, Seq: watermark(t.Watermark), Lag: now.Sub(t.Until), JSON: p.AsOf.JSON}
	}
	return p
}

func unitForm(f Frame, environments []string, q UnitAsked) Form {
	return Form{ID: "ask", Action: "/events/unit", Button: "Follow it", Fields: []Field{
		choice("environment", "Environment", f.Environment, "", environments...),
		{Name: "flag", Label: "Flag", Kind: AsLine, Value: q.Flag, Must: true, Hint: "shop.checkout"},
		{Name: "number", Label: "Number of its rollout", Kind: AsNumber, Value: q.Number, Help: "Empty: the newest."},
		{Name: "kind", Label: "Kind of the unit", Kind: AsLine, Value: or(q.Kind, flags.DefaultUnit), Must: true},
		{Name: "id", Label: "Its id", Kind: AsLine, Value: q.ID, Must: true, Hint: "u-17, or hash:…", Help: "An id stands in no address, and is not kept. By its hash a unit is found as well, and not evaluated."},
		{Name: "attributes", Label: "Attributes to evaluate with", Kind: AsText, Rows: 2, Value: q.Attributes, Hint: "plan=pro", Help: "One a line. A value is JSON, or else text."},
	}}
}

func unitCommand(f Frame, q UnitAsked) string {
	text := "sluice units trace " + word(or(q.ID, "u-17")) + " --kind " + word(or(q.Kind, flags.DefaultUnit)) + " -e " + word(or(f.Environment, "production")) + " --flag " + word(or(q.Flag, "shop.checkout"))
	if q.Number != "" {
		text += " --number " + word(q.Number)
	}
	for _, a := range lines(q.Attributes) {
		text += " " + word(a)
	}
	return text
}

// hashed is the question with the unit's hash in place of its id.
func hashed(f Frame, q UnitAsked, seen UnitTraced) url.Values {
	out := url.Values{"environment": {f.Environment}, "flag": {q.Flag}, "kind": {seen.Kind}, "unit": {seen.Unit}}
	if q.Number != "" {
		out.Set("number", q.Number)
	}
	return out
}

// followed is the address of the page that follows a unit of a rollout, by its
// hash.
func followed(r decisions.Rollout, hash string) string {
	return asking("/events/unit", url.Values{"environment": {r.Plan.Environment}, "flag": {r.Plan.Flag}, "number": {strconv.Itoa(r.Number)}, "kind": {r.Plan.Unit}, "unit": {hash}})
}

// watermark names the last message of every shard that is counted.
func watermark(w map[string]uint64) string {
	var all []string
	for _, shard := range sortedKeys(w) {
		all = append(all, shard+" "+strconv.FormatUint(w[shard], 10))
	}
	return strings.Join(all, ", ")
}

func newUnitAnswer(f Frame, q UnitAsked, seen UnitTraced) *UnitAnswer {
	a := &UnitAnswer{Kind: seen.Kind, Unit: seen.Unit, Share: asking("/events/unit", hashed(f, q, seen)), RolloutID: seen.Rollout, Said: traceSaid(q, seen)}
	if seen.Rollout != "" {
		a.Rollout = "/rollouts/" + seen.Rollout
	}
	if seen.Evaluation != nil {
		a.Evaluation = explained(*seen.Evaluation)
	} else {
		a.Unevaluated = "By its hash a unit cannot be evaluated: the id is not kept. Ask with the id to see its buckets."
	}
	for _, l := range seen.Letters {
		a.Letters = append(a.Letters, newLetterRow(l))
	}
	if seen.Trace != nil {
		a.Traced = true
		a.trace(*seen.Trace)
	}
	return a
}

// traceSaid is the conclusion.
func traceSaid(q UnitAsked, seen UnitTraced) string {
	t := seen.Trace
	switch {
	case seen.Rollout == "":
		return q.Flag + " has no rollout here: nothing of the unit is analysed."
	case t == nil:
		return seen.Rollout + " has not begun: nothing of the unit is analysed yet."
	case t.Kind != t.UnitKind:
		return fmt.Sprintf("%s counts units of the kind %s: no event of a %s counts there.", t.Rollout, t.UnitKind, t.Kind)
	case len(t.Entries) == 0:
		return fmt.Sprintf("The unit is in no arm of %s: none of its %s to the flag says so.", t.Rollout, amount(len(t.Exposures), "exposure"))
	}
	var said []string
	for _, e := range t.Entries {
		said = append(said, entrySaid(e))
	}
	return strings.Join(said, " ")
}

func entrySaid(e ingest.Entry) string {
	if e.Standing != ingest.StandsCounted {
		return fmt.Sprintf("In epoch %d it does not count: %s", e.Epoch, sentence(e.Why))
	}
	n := 0
	for _, v := range e.Values {
		if v.Counted {
			n++
		}
	}
	return fmt.Sprintf("In epoch %d it counts in the arm %s, with %d of %s.", e.Epoch, e.Arm, n, amount(len(e.Values), "metric"))
}

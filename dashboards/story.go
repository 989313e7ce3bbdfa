package dashboards

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// lead is the result in a sentence, and what the plan makes of it.
func lead(s Seen, out Readout) string {
	if s.Evidence == nil {
		return ""
	}
	text := Conclude(s.Rollout.Plan.Arms.Treatment, out)
	if next := s.follows(); next != "" {
		text += " " + next
	}
	return text
}

// follows says what the plan makes of the result: what it asks for while that is
// still to be done, and what was done. Of a look of the past it says what was
// asked for then.
func (s Seen) follows() string {
	r := s.Rollout
	v, ok := s.verdict()
	switch {
	case !ok:
		return ""
	case s.Past:
		return "The plan said: " + advice(v.Action) + "."
	case r.Status == decisions.RolledBack:
		return "The rollout was rolled back: " + reach(r) + "."
	case r.Status == decisions.CleanupDue:
		return "The rollout is decided for good: " + reach(r) + "."
	case carriedOut(r, v) || r.Status == decisions.Rejected:
		return ""
	case r.Status == decisions.Observing && v.Action == decisions.Hold:
		return "It has been let in everywhere, and is still watched."
	}
	return "The plan says: " + advice(v.Action) + "."
}

func advice(a decisions.Action) string {
	switch a {
	case decisions.Expand:
		return "go to the next stage"
	case decisions.Rollback:
		return "roll back"
	case decisions.Review:
		return "a person must decide"
	case decisions.Cleanup:
		return "clean up"
	}
	return string(a)
}

// exposures counts the units of the arms, over all stages, and what the
// allocation promised each.
func exposures(s Seen) Exposures {
	x := Exposures{Ratio: Waiting, P: math.NaN()}
	e := s.Evidence
	if e == nil || len(e.Units) == 0 && len(e.Strays) == 0 {
		return x
	}
	arms := s.Rollout.Plan.Arms
	x.TwoArms, x.Total, x.Astray = e.TwoArms, e.Exposures, s.Rollout.Astray(*e)
	for _, a := range []struct{ role, variant string }{{"treatment", arms.Treatment}, {"control", arms.Control}} {
		x.Arms = append(x.Arms, Arm{Name: a.role + " (" + a.variant + ")", Units: e.UnitsOf("", a.variant)})
	}
	x.Arms[0].Expected = s.Rollout.Promised(e.Units)
	x.Arms[1].Expected = 1 - x.Arms[0].Expected
	if r := e.SampleRatio; r != nil && r.Refused == nil {
		x.P, x.Ratio = r.P, Passed
		if r.Alarm {
			x.Ratio = Failed
		}
	}
	return x
}

// history lists the decisions of a rollout.
func history(r decisions.Rollout) []Decision {
	all := make([]Decision, len(r.Decisions))
	for i, d := range r.Decisions {
		all[i] = Decision{Number: i + 1, Mark: decided(d.Verdict.Action), At: d.At, Change: moved(r.Plan, d),
			Reason: reason(d), Who: d.By, Hash: d.Input.SHA256.String(), Link: recordLink(d)}
	}
	return all
}

func decided(a decisions.Action) Mark {
	switch a {
	case decisions.Expand:
		return Expanded
	case decisions.Rollback:
		return RolledBack
	case decisions.Ship:
		return Shipped
	case decisions.Review:
		return Review
	case decisions.Pause, decisions.Reduce:
		return Paused
	case decisions.Cleanup:
		return CleanupDue
	}
	return Holding
}

// moved says from where to where a decision leads, "" when it stays.
func moved(p decisions.Plan, d decisions.Decision) string {
	from, to := stageName(p, d.From), stageName(p, d.Verdict.Stage)
	if d.Verdict.Share > 0 {
		to += " at " + d.Verdict.Share.String()
	}
	switch d.Verdict.Action {
	case decisions.Expand, decisions.Ship, decisions.Reduce:
		return from + " → " + to
	case decisions.Rollback:
		if d.Verdict.Stage == d.From {
			to = "safe variant"
		}
		return from + " → " + to
	}
	return ""
}

// reason is what a decision says for itself, and what became of it.
func reason(d decisions.Decision) string {
	text := sentence(d.Verdict.Text)
	if d.Rationale != "" {
		text = strings.TrimSpace(text + " “" + d.Rationale + "”")
	}
	switch {
	case d.Lapsed != "":
		text += " It had no effect: " + sentence(d.Lapsed)
	case d.Pending():
		text += " It is being carried out."
	}
	return text
}

func newCleanup(r decisions.Rollout, now time.Time) Cleanup {
	p := r.Plan.Cleanup
	if p == nil {
		return Cleanup{}
	}
	c := Cleanup{EndState: p.EndState, Ticket: p.Ticket, Due: due(r), Link: "/cleanup/" + r.ID}
	switch {
	case c.Due.IsZero():
		c.State = p.Due.String() + " after the final decision"
	case now.After(c.Due):
		c.State = length(now.Sub(c.Due)) + " over"
	default:
		c.State = "in " + length(c.Due.Sub(now))
	}
	return c
}

func newAsOf(s Seen, json string, now time.Time) AsOf {
	a := AsOf{Rules: fmt.Sprintf("plan v%d", s.Rollout.Version), JSON: json}
	if s.Evidence == nil {
		return a
	}
	if s.Past { // how far behind the numbers were then
		now = s.Evidence.At
		a.Rules = fmt.Sprintf("plan v%d", versionAt(s.Rollout, now))
	}
	var places []string
	for _, shard := range slices.Sorted(maps.Keys(s.Evidence.Watermark)) {
		p := s.Evidence.Watermark[shard]
		places = append(places, shard+" "+strconv.FormatUint(p.Seq, 10))
		if p.Newest.After(a.Event) {
			a.Event = p.Newest
		}
	}
	a.Seq, a.Lag = strings.Join(places, ", "), now.Sub(a.Event)
	for i, q := range s.Evidence.Queries {
		a.Queries = append(a.Queries, Query{Name: fmt.Sprintf("Query %d", i+1), SQL: q.SQL, Hash: q.Hash.String()})
	}
	return a
}

// NewRecord makes the page of one decision from its own record: s holds the
// evidence that was recorded with it, nil for a person's. Lag is the age that
// the data had then.
func NewRecord(f Frame, s Seen, of decisions.Record, json string) Record {
	d := of.Decision
	s.Verdict = &d.Verdict
	r := s.Rollout
	var out Readout // a person's decision rests on no evidence of its own
	if s.Evidence != nil {
		out = measure(s)
	}
	number := 1 + slices.IndexFunc(r.Decisions, func(o decisions.Decision) bool { return o.ID == d.ID })
	return Record{
		Frame: f, ID: d.ID, Title: newTitle(s), Number: number, Mark: decided(d.Verdict.Action), Action: string(d.Verdict.Action),
		Change: moved(r.Plan, d), At: d.At, Who: d.By, Reason: reason(d), Checks: newChecks(d.Verdict.Checks),
		Rationale: d.Rationale, Advice: newAdvice(of), Approvals: assents(of.Approvals), Links: of.Links,
		Readout: out, Exposures: exposures(s), Facts: pins(s, of), Verify: "sluice decisions recompute " + d.ID, AsOf: newAsOf(s, json, d.At),
		Recompute: Recompute{Possible: d.ByController(), Link: recordLink(d) + "?recompute=true"},
		Markdown:  "/api/v1/decisions/" + d.ID + "/page", Document: "/api/v1/decisions/" + d.ID + "/record",
	}
}

// newAdvice says what was recommended to a person, and whether he went by it.
func newAdvice(of decisions.Record) Recommendation {
	d := of.Decision
	switch {
	case d.ByController():
		return Recommendation{}
	case d.Against != "":
		return Recommendation{Mark: Overruled, Text: "Not followed. Recommended was " + sentence(d.Against), Link: adviceLink(of)}
	case of.Recommended != nil && of.Recommended.Verdict.Action != d.Verdict.Action:
		return Recommendation{Mark: NotApplicable, Text: "The evidence asked for nothing of the kind, and nothing forbids it. The newest of its decisions: " + sentence(of.Recommended.Verdict.Text), Link: adviceLink(of)}
	case of.Recommended != nil:
		return Recommendation{Mark: Passed, Text: "Followed: " + sentence(of.Recommended.Verdict.Text), Link: adviceLink(of)}
	}
	return Recommendation{}
}

func adviceLink(of decisions.Record) string {
	if of.Recommended == nil {
		return ""
	}
	return recordLink(*of.Recommended)
}

func assents(all []decisions.Approval) []Assent {
	var out []Assent
	for _, a := range all {
		out = append(out, Assent{Who: a.By, Roles: strings.Join(a.Roles, ", "), Comment: a.Comment, At: a.At})
	}
	return out
}

// NewLearning shows what was learnt from a rollout that is over, and asks for
// it whoever may write.
func NewLearning(r decisions.Rollout, f Frame, action, numbers, key string) *Learning {
	if r.Open() || r.Ended.IsZero() && r.Rejection == nil {
		return nil
	}
	var l Learning
	o := decisions.Outcome{Happened: numbers, Confirmed: decisions.Unclear}
	if r.Outcome != nil {
		o = *r.Outcome
		l.By, l.At = o.By, o.At
		l.Rows = []Fact{{"What changed", o.Changed}, {"What happened", o.Happened}, {"Hypothesis confirmed", string(o.Confirmed)}, {"Why", o.Why}, {"Next hypothesis", o.Next}}
	}
	if r.Followed != nil {
		for _, m := range r.Followed.Metrics {
			l.Held = append(l.Held, Fact{m.Metric, m.Text})
		}
	}
	if f.Rights.Write {
		l.Form = &Form{ID: "outcome", Action: action, Key: key, Button: "Record the outcome", Fields: []Field{
			{Name: "changed", Label: "What changed", Value: o.Changed, Kind: AsText, Rows: 2, Help: "What was released, to whom; what the plan says when this is empty."},
			{Name: "happened", Label: "What happened", Value: o.Happened, Kind: AsText, Must: true, Help: "What the metrics and the customers did."},
			{Name: "confirmed", Label: "Is the hypothesis confirmed?", Value: string(o.Confirmed), Kind: AsChoice, Must: true, Options: []Option{{"yes", "yes"}, {"no", "no"}, {"unclear", "unclear: the data do not say"}}},
			{Name: "why", Label: "Why it came out so", Value: o.Why, Kind: AsText, Must: true},
			{Name: "next", Label: "Next hypothesis", Value: o.Next, Kind: AsText, Rows: 2},
		}}
	}
	return &l
}

// pins are the names and hashes that make the record checkable.
func pins(s Seen, of decisions.Record) []Fact {
	d := of.Decision
	all := []Fact{{"Decision", d.ID}, {"Event", strconv.FormatUint(d.Seq, 10)}}
	if h := d.Input.SHA256.String(); h != "" {
		all = append(all, Fact{"Evidence, SHA-256", h})
	}
	all = append(all, Fact{"Plan", fmt.Sprintf("v%d", versionAt(s.Rollout, d.At))}, Fact{"Flag revision", strconv.FormatUint(d.Revision, 10)})
	if e := s.Evidence; e != nil {
		for i, q := range e.Queries {
			all = append(all, Fact{fmt.Sprintf("Query %d, SHA-256", i+1), q.Hash.String()})
		}
	}
	if h := d.Seal.Head.String(); h != "" {
		all = append(all, Fact{"Seal of the log", fmt.Sprintf("%s at event %d", h, d.Seal.Seq)})
	}
	if h := of.Event.Hash.String(); h != "" {
		all = append(all, Fact{"Hash of the event", h}, Fact{"Hash of the event before it", of.Event.Prev.String()})
	}
	if d.Effect > 0 {
		all = append(all, Fact{"Carried out by event", strconv.FormatUint(d.Effect, 10)})
	}
	return all
}

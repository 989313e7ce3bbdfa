package decisions

import (
	"cmp"
	"slices"
	"time"
)

// Digest is what happened to releases between two times: what a team looks at
// once a week.
type Digest struct {
	From      time.Time      `json:"from"`
	Until     time.Time      `json:"until"`     // not part of it any more
	Counts    map[string]int `json:"counts"`    // of all decisions, by what they did; a person's no to a change is "reject", before anybody met it and after
	Decisions []Deed         `json:"decisions"` // those that changed, stopped or ended something, oldest first
	Overrides []Deed         `json:"overrides"` // what people decided against the recommendation, oldest first
	Incidents []Reported     `json:"incidents"` // opened or resolved in it, or open all along, oldest first
	Drills    []Deed         `json:"drills"`    // oldest first
}

// Deed is one thing that somebody did about a rollout.
type Deed struct {
	ID        string    `json:"id"` // of the event
	At        time.Time `json:"at"`
	Rollout   string    `json:"rollout"`
	What      string    `json:"what"`            // expand, pause, …; reject, override, drill
	Stage     string    `json:"stage,omitempty"` // to be in, when it changed
	By        string    `json:"by"`
	Text      string    `json:"text"`
	Rationale string    `json:"rationale,omitempty"`
	Against   string    `json:"against,omitempty"` // what was recommended instead
}

// NewDigest tells of these rollouts and incidents what happened in a time.
func NewDigest(rollouts []Rollout, incidents []Reported, from, until time.Time) Digest {
	d := Digest{
		From: from, Until: until, Counts: map[string]int{},
		Decisions: []Deed{}, Overrides: []Deed{}, Incidents: []Reported{}, Drills: []Deed{},
	}
	for _, r := range rollouts {
		d.rollout(r)
	}
	for _, i := range incidents {
		if i.Since.Before(until) && (i.Open() || !i.Resolved.Before(from)) {
			d.Incidents = append(d.Incidents, i)
		}
	}
	slices.SortFunc(d.Incidents, func(a, b Reported) int { return a.Since.Compare(b.Since) })
	for _, list := range [][]Deed{d.Decisions, d.Overrides, d.Drills} {
		slices.SortStableFunc(list, func(a, b Deed) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Rollout, b.Rollout)) })
	}
	return d
}

// has reports whether a time is part of it.
func (d *Digest) has(at time.Time) bool { return !at.Before(d.From) && at.Before(d.Until) }

func (d *Digest) rollout(r Rollout) {
	for _, made := range r.Decisions {
		if !d.has(made.At) {
			continue
		}
		deed := r.deedOf(made)
		d.Counts[deed.What]++
		if made.Verdict.Action != Hold {
			d.Decisions = append(d.Decisions, deed)
		}
		if made.Against != "" {
			d.Overrides = append(d.Overrides, deed)
		}
	}
	if no := r.Rejection; no != nil && d.has(no.At) {
		d.Counts[string(OpReject)]++
		d.Decisions = append(d.Decisions, Deed{ID: no.ID, At: no.At, Rollout: r.ID, What: string(OpReject), By: no.By, Text: no.By + ": " + no.Why, Rationale: no.Why})
	}
	for _, drill := range r.Drills {
		if d.has(drill.At) {
			d.Drills = append(d.Drills, Deed{ID: drill.ID, At: drill.At, Rollout: r.ID, What: string(OpDrill), By: drill.By, Text: drill.outcome(), Rationale: drill.Comment})
		}
	}
	for _, o := range r.Overrides {
		if d.has(o.At) {
			d.Overrides = append(d.Overrides, Deed{
				ID: o.ID, At: o.At, Rollout: r.ID, What: string(OpOverride), By: o.By, Text: o.Why, Rationale: o.Why, Against: o.Against,
			})
		}
	}
}

// outcome says what the drill measured, or that it goes on.
func (d Drill) outcome() string {
	if d.Result == nil {
		return "under way"
	}
	return d.Result.Text()
}

// deedOf is a decision as a digest lists it.
func (r Rollout) deedOf(d Decision) Deed {
	out := Deed{
		ID: d.ID, At: d.At, Rollout: r.ID, What: string(d.Verdict.Action), By: d.By, Text: d.Verdict.Text, Rationale: d.Rationale, Against: d.Against,
	}
	if d.Rejects {
		out.What = string(OpReject) // that it takes back what units have is how, not what
	}
	if s := d.Verdict.Stage; s != d.From && s >= 0 && s < len(r.Plan.Stages) {
		out.Stage = r.Plan.Stages[s].Name
	}
	return out
}

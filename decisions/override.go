package decisions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Overrule is a person's decision against the gate: the named checks stand in
// the way of the present stage no longer, for as long as they ask for no more
// than they did. Whatever else the gate asks it goes on asking, other people
// among it, and a reason to roll back is never overruled.
type Overrule struct {
	By       string          `json:"by"`
	Why      string          `json:"why"`
	Decision string          `json:"decision"` // ID of the recommendation that was decided against
	Checks   []OverruledItem `json:"checks"`
}

// OverruledItem is a check as it stood when a person decided against it.
type OverruledItem struct {
	Check string     `json:"check"` // "units", "exclusion checkout_latency", "incidents blocking db-17"
	State CheckState `json:"state"`
	Asks  Action     `json:"asks,omitempty"`
}

// Override is one of them as the rollout remembers it.
type Override struct {
	ID      string    `json:"id"` // of the event
	At      time.Time `json:"at"`
	Against string    `json:"against"` // what the recommendation said: "hold: units open"
	Overrule
}

// Recommendation returns the newest decision of the controller: what people
// decide over.
func (r Rollout) Recommendation() (Decision, bool) {
	for _, d := range slices.Backward(r.Decisions) {
		if d.ByController() {
			return d, true
		}
	}
	return Decision{}, false
}

// override checks a decision against the recommendation.
func (r Rollout) override(c Command) (overridden, error) {
	if err := first(r.mustBe("be overridden", Running, Paused), r.explained(), said(c)); err != nil {
		return overridden{}, err
	}
	d, ok := r.Last()
	switch {
	case !ok || !d.ByController() || d.Effect != 0:
		return overridden{}, fmt.Errorf("%w: nobody has looked at %s since the last decision; wait for the next look", ErrRefused, r.ID)
	case c.Decision != "" && c.Decision != d.ID:
		return overridden{}, fmt.Errorf("%w: the recommendation has changed since decision %s; look at %s", ErrRefused, c.Decision, d.ID)
	case d.Pending():
		return overridden{}, fmt.Errorf("%w: decision %s, to %s, is being carried out", ErrRefused, d.ID, d.Verdict.Action)
	}
	items, err := d.Verdict.overruling(c.Checks)
	if err != nil {
		return overridden{}, fmt.Errorf("decision %s is to %s (%s): %w", d.ID, d.Verdict.Action, d.Verdict.Reason, err)
	}
	return overridden{Rollout: r.ID, Decision: d.ID, Against: d.Verdict.recommends(), Checks: items, Comment: c.Comment}, nil
}

// recommends is the verdict in a few stable words: "hold: units open".
func (v Verdict) recommends() string { return string(v.Action) + ": " + v.Reason }

// firm are the checks that no single person overrules: what others have to agree
// to or have forbidden, and a flag that does not do as it is told.
var firm = [...]CheckName{CheckStart, CheckFlag, CheckFreeze, CheckHours, CheckApproval}

// item names a check to whoever overrules it. Each incident is one of its own: to
// go on in spite of one says nothing of the next.
func (c Check) item() string {
	if c.Name == CheckIncidents || strings.HasPrefix(c.Of, aboutIncidents) {
		return c.reason()
	}
	return c.key()
}

// overrulable returns the checks of a verdict that a person can decide against.
func (v Verdict) overrulable() (items []OverruledItem) {
	for _, c := range v.Checks {
		tolerated := c.Code == codeTolerated && v.Action == Review
		if (c.open() || tolerated) && c.Asks != Rollback && !slices.Contains(firm[:], c.Name) && !c.forPeople() {
			items = append(items, OverruledItem{Check: c.item(), State: c.State, Asks: c.Asks})
		}
	}
	return items
}

// overruling returns those of the overrulable checks that a person named, all of
// them when he named none.
func (v Verdict) overruling(named []string) ([]OverruledItem, error) {
	all := v.overrulable()
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: nothing in it is a single person's to overrule", ErrRefused)
	}
	var faults event.Invalids
	for i, name := range named {
		if !slices.ContainsFunc(all, func(o OverruledItem) bool { return o.Check == name }) {
			faults.Add(fmt.Sprintf("checks[%d]", i), name, "is not a check that can be overruled now", "name some of "+itemized(all))
		}
	}
	if len(named) > 0 {
		all = slices.DeleteFunc(all, func(o OverruledItem) bool { return !slices.Contains(named, o.Check) })
	}
	return all, faults.Err()
}

func itemized(all []OverruledItem) string {
	list := make([]string, len(all))
	for i, o := range all {
		list[i] = o.Check
	}
	return strings.Join(list, ", ")
}

// overrule notes the decision. It wakes a rollout that was paused: to go on is
// what it says.
func (r *Rollout) overrule(e event.Recorded, o overridden) {
	r.Status, r.Held = r.awake(), ""
	r.Overruled = &Overrule{By: e.Actor, Why: o.Comment, Decision: o.Decision, Checks: o.Checks}
	r.Overrides = append(slices.Clip(r.Overrides), Override{ID: e.ID.String(), At: e.Time, Against: o.Against, Overrule: *r.Overruled})
}

// still returns what of an overrule a newer verdict leaves: the checks that are
// not passed yet. What has passed meanwhile is news when it fails again.
func (o *Overrule) still(v Verdict) *Overrule {
	if o == nil {
		return nil
	}
	kept := *o
	kept.Checks = nil
	for _, item := range o.Checks {
		if slices.ContainsFunc(v.Checks, func(c Check) bool {
			return c.item() == item.Check && (c.open() || c.State == Overruled || c.Code == codeTolerated)
		}) {
			kept.Checks = append(kept.Checks, item)
		}
	}
	if len(kept.Checks) == 0 {
		return nil
	}
	return &kept
}

// overrules reports whether a person has decided against a check that stands as
// this one does, or worse.
func (g *gate) overrules(c Check) bool {
	o := g.State.Overruled
	return o != nil && c.Asks != Rollback && slices.ContainsFunc(o.Checks, func(item OverruledItem) bool {
		worse := c.State == Fail && item.State == Wait || c.Asks.outranks(item.Asks)
		return item.Check == c.item() && !worse
	})
}

// overruled is a check as it stands after a person has decided against it.
func (g *gate) overruled(c Check) Check {
	if !c.open() || !g.overrules(c) {
		return c
	}
	c.State, c.Text = Overruled, fmt.Sprintf("%s; overruled by %s: %s", c.Text, g.State.Overruled.By, g.State.Overruled.Why)
	return c
}

// overruling says who overruled which of the checks that are open, "" when
// nothing is.
func (g *gate) overruling() (by, what string) {
	var list []string
	for _, c := range g.checks {
		if c.State == Overruled || c.Code == codeTolerated && g.overrules(c) {
			list = append(list, c.item())
		}
	}
	if len(list) > 0 {
		by = g.State.Overruled.By
	}
	return by, strings.Join(list, ", ")
}

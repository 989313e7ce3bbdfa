package decisions

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// What people and other systems say to a gate.
const (
	OpReport  Op = "report"  // Report: how an external check came out
	OpConfirm Op = "confirm" // Confirm: that a manual condition of the present stage is met; Comment: what was looked at
)

// DefaultExpiry is how long what an external check reports is believed unless it
// says otherwise, MostExpiry the longest that it may say.
const (
	DefaultExpiry = 24 * time.Hour
	MostExpiry    = 30 * 24 * time.Hour
)

// External is how an external check came out: a test suite, a synthetic probe, a
// review elsewhere. A later one of the same check takes its place.
type External struct {
	State   CheckState `json:"state"` // pass or fail
	By      string     `json:"by"`    // principal
	At      time.Time  `json:"at"`
	Expires time.Time  `json:"expires"` // from then on it is as if nothing had been reported
	Text    string     `json:"text,omitempty"`
	Link    string     `json:"link,omitempty"`
}

// Reporting is what a system says of an external check.
type Reporting struct {
	Check string
	State CheckState    // pass or fail
	For   time.Duration // that it is believed; zero: DefaultExpiry
	Text  string        // what was found
	Link  string
}

// Confirmation is what the owner of a manual condition said.
type Confirmation struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Comment string    `json:"comment"`
}

// Confirming names a manual condition of the present stage.
type Confirming struct {
	When  CheckName // advanceWhen, pauseWhen or rollbackWhen; empty: advanceWhen
	Owner string    // as the plan names it
}

func (c Confirming) check() Check {
	return Check{Name: or(c.When, CheckAdvanceWhen), Of: "manual " + c.Owner}
}

// externals returns the names of all external checks that the plan asks for,
// each once.
func (p Plan) externals() []string {
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, s := range p.Stages {
		for _, name := range s.Requires {
			add(name)
		}
		for _, c := range slices.Concat(s.AdvanceWhen, s.PauseWhen, s.RollbackWhen) {
			add(c.Check)
		}
	}
	return out
}

// report checks what a system says of an external check. It may come before the
// rollout has started, as what was tested before a release does.
func (r Rollout) report(c Command) (reported, error) {
	if err := r.mustBe("take a report", Planned, Running, Paused, Observing); err != nil {
		return reported{}, err
	}
	var faults event.Invalids
	said := or(c.Report, &Reporting{})
	if all := r.Plan.externals(); !slices.Contains(all, said.Check) {
		fix := "name one of " + strings.Join(all, ", ")
		if len(all) == 0 {
			fix = "the plan names none: write requires: [" + or(said.Check, "smoke-test") + "] into a stage"
		}
		faults.Add("check", said.Check, "is not an external check of the plan", fix)
	}
	if said.State != Pass && said.State != Fail {
		faults.Add("state", said.State, "is not how a check comes out", "write pass or fail")
	}
	valid := or(said.For, DefaultExpiry)
	if valid < 0 || valid > MostExpiry {
		faults.Add("for", event.Duration(said.For), "is not how long a report can be believed", "write a time up to "+event.Duration(MostExpiry).String())
	}
	return reported{
		Rollout: r.ID, Check: said.Check, State: said.State, Expires: c.At.Add(valid), Text: strings.TrimSpace(said.Text), Link: said.Link,
	}, faults.Err()
}

// confirm checks what the owner of a manual condition says.
func (r Rollout) confirm(c Command, k Known) (confirmed, error) {
	about := or(c.Confirm, &Confirming{})
	err := first(r.mustBe("be confirmed", Running, Paused, Observing), r.confirmable(*about), k.answers(c.Actor, about.Owner), said(c))
	stage, _ := r.Now()
	return confirmed{Rollout: r.ID, Stage: stage.Name, Condition: about.check().key(), Comment: c.Comment}, err
}

// confirmable refuses a condition that the present stage does not have, or that
// is confirmed already.
func (r Rollout) confirmable(about Confirming) error {
	stage, _ := r.Now()
	lists := map[CheckName][]Condition{CheckAdvanceWhen: stage.AdvanceWhen, CheckPauseWhen: stage.PauseWhen, CheckRollbackWhen: stage.RollbackWhen}
	key := about.check().key()
	switch list, ok := lists[about.check().Name]; {
	case !ok:
		return event.Invalids{{Path: "when", Value: string(about.When), Why: "is not a list of conditions", Fix: "write advanceWhen, pauseWhen or rollbackWhen"}}
	case !slices.ContainsFunc(list, func(c Condition) bool { return c.Manual != "" && c.Manual == about.Owner }):
		return event.Invalids{{Path: "owner", Value: about.Owner, Why: "has nothing to confirm in " + or(stage.Name, "a rollout that has no stage yet"),
			Fix: "name the owner of a manual condition of the present stage"}}
	}
	if by, ok := r.Confirmed[key]; ok {
		return fmt.Errorf("%w: %s has confirmed that already", ErrRefused, by.By)
	}
	return nil
}

// answers refuses whoever does not speak for an owner: himself, or a team that
// he is in.
func (k Known) answers(actor, owner string) error {
	if k.Speaks == nil || k.Speaks(actor, owner) {
		return nil
	}
	return fmt.Errorf("%w: %s does not speak for %s", ErrRefused, actor, owner)
}

// told folds what was said of external checks and manual conditions.
func (r *Rollout) told(e event.Recorded) error {
	if e.Type == TypeReported {
		n, err := load[reported](e)
		r.Reported = keeping(r.Reported, n.Check, External{State: n.State, By: e.Actor, At: e.Time, Expires: n.Expires, Text: n.Text, Link: n.Link})
		return err
	}
	n, err := load[confirmed](e)
	if stage, _ := r.Now(); stage.Name == n.Stage {
		r.Confirmed = keeping(r.Confirmed, n.Condition, Confirmation{By: e.Actor, At: e.Time, Comment: n.Comment})
	}
	return err
}

// resumed forgets what people said to stop a stage: a person went on over it,
// and it may be said again.
func (r *Rollout) resumed() {
	kept := map[string]Confirmation{}
	for key, c := range r.Confirmed {
		if strings.HasPrefix(key, string(CheckAdvanceWhen)+" ") {
			kept[key] = c
		}
	}
	r.Confirmed = kept
	if len(kept) == 0 {
		r.Confirmed = nil
	}
}

// keeping returns a copy of a map with one more value: what was handed out before
// never changes.
func keeping[V any](old map[string]V, key string, v V) map[string]V {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]V{}
	}
	out[key] = v
	return out
}

package decisions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// TypeAnswered is the type of the decision that a critical incident leads to
// where no rollout is under way. It stands with the incident.
const TypeAnswered = "incident.answered"

// Alarm is everything that such a decision depends on. It is recorded whole.
type Alarm struct {
	Rules       int              `json:"rules"`
	Environment string           `json:"environment"`
	Flag        string           `json:"flag"`
	OnCritical  flags.OnCritical `json:"onCritical"` // of the flag
	Incident    Incident         `json:"incident"`
	Now         time.Time        `json:"now"`
}

// Answer turns an alarm into a verdict, by its argument alone: to the safe
// variant if the flag says so, else to hold, which leaves it to people.
func Answer(a Alarm) (Verdict, error) {
	if a.Rules < 2 || a.Rules > Rules {
		return Verdict{}, fmt.Errorf("rules version %d for incidents is not known to this version of Sluice", a.Rules)
	}
	v := Verdict{Action: Hold, Stage: -1, Reason: "incident " + a.Incident.ID, Checks: []Check{}}
	v.Text = fmt.Sprintf("A %s incident is open since %s: %s", a.Incident.Severity, clock(a.Incident.Since), or(a.Incident.Text, a.Incident.ID))
	if a.Incident.Severity == Critical && a.OnCritical == flags.GoSafe {
		v.Action, v.Reason = Rollback, "incident critical "+a.Incident.ID
		v.Text += "; no rollout is under way, and the flag is to go to its safe variant"
	}
	return v, nil
}

// answered is the data of the event.
type answered struct {
	Incident string     `json:"incident"`
	Verdict  Verdict    `json:"verdict"`
	Input    event.Blob `json:"input"` // the Alarm
	Revision uint64     `json:"revision"`
}

// answer is a decision about an incident that has had no effect yet.
type answer struct {
	ID          string `json:"id"`
	Environment string `json:"environment"`
	Flag        string `json:"flag"`
	Text        string `json:"text"`
}

// decision is the answer as what carries decisions out takes it.
func (a answer) decision() (Rollout, Decision) {
	return Rollout{Plan: Plan{Environment: a.Environment, Flag: a.Flag}},
		Decision{ID: a.ID, By: Controlling, From: -1, Verdict: Verdict{Action: Rollback, Stage: -1, Text: a.Text}}
}

// alarms forces the flags that a critical incident is open for, that say so, and
// that no rollout serves to anybody: one decision for each incident, also where a
// person lifts it again.
func (c *Controller) alarms(ctx context.Context, now time.Time) error {
	var open []Reported
	c.House.View(func(uint64) { open = c.State.unresolved(Critical) })
	var errs []error
	for _, i := range open {
		if err := overtaken(c.answer(ctx, i, now)); err != nil {
			errs = append(errs, fmt.Errorf("answering incident %s of %s: %w", i.ID, i.Flag, err))
		}
	}
	var pending []answer
	c.House.View(func(uint64) { pending = c.State.unanswered() })
	for _, a := range pending {
		if err := c.force(ctx, a, now); err != nil {
			errs = append(errs, fmt.Errorf("carrying out decision %s: %w", a.ID, err))
		}
	}
	return errors.Join(errs...)
}

// alarm is what there is to decide about an incident just now, with the revision of
// its flag and what an answer expects of the incident; ok is false where there is
// nothing. Call it in a View.
func (c *Controller) alarm(i Reported, now time.Time) (a Alarm, revision uint64, expect event.Expect, ok bool) {
	still, _ := c.State.Incident(i.Environment, i.Flag, i.ID)
	f, known := c.Flags.Flag(i.Flag)
	ok = still.Open() && f.OnCritical == flags.GoSafe && c.State.answers[i.key()] == "" && !c.State.tended(i.Environment, i.Flag) &&
		off(f, known, i.Environment) == ""
	a = Alarm{Rules: Rules, Environment: i.Environment, Flag: i.Flag, OnCritical: f.OnCritical, Incident: i.Incident, Now: now}
	return a, f.Revision, event.Expect(c.State.last[i.subject()]), ok
}

// tended reports whether a rollout answers for what a flag does in an environment:
// one that has come to its first stage, and is not over. What has been started and
// waits exposes nobody, and has nothing that it could take back.
func (s *State) tended(environment, flag string) bool {
	r, _ := s.Newest(environment, flag)
	return r.Open() && r.Stage >= 0
}

// key names an incident among those of all flags.
func (r Reported) key() string { return r.Environment + "." + r.Flag + "/" + r.ID }

// subject is where it stands in the log.
func (r Reported) subject() string { return IncidentPrefix + r.Environment + "." + r.Flag }

// answer records the decision about an incident, if there is one to make. It holds
// for the moment at which it looked: should anything be told of the incident
// meanwhile, the next Step looks again.
func (c *Controller) answer(ctx context.Context, i Reported, now time.Time) error {
	var (
		a        Alarm
		revision uint64
		expect   event.Expect
		due      bool
	)
	c.House.View(func(uint64) { a, revision, expect, due = c.alarm(i, now) })
	if !due {
		return nil
	}
	doc, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encoding the alarm: %w", err)
	}
	v, err := Answer(a)
	if err != nil {
		return err
	}
	blob, err := c.Blobs.Put(ctx, doc)
	if err != nil {
		return fmt.Errorf("storing the alarm: %w", err)
	}
	e, err := emit(event.Derive(TypeAnswered, i.subject(), i.ID), TypeAnswered, i.subject(), now, Controlling,
		answered{Incident: i.ID, Verdict: v, Input: blob, Revision: revision})
	if err != nil {
		return err
	}
	return c.write(ctx, e, expect)
}

// force gives an answer its one effect, at whatever revision the flag has.
func (c *Controller) force(ctx context.Context, a answer, now time.Time) error {
	return c.insist(ctx, func() error { return c.attemptAnswer(ctx, a, now) })
}

// attemptAnswer makes the flag command in one view of the house, and appends it.
func (c *Controller) attemptAnswer(ctx context.Context, a answer, now time.Time) error {
	var (
		e       event.Event
		expect  event.Expect
		refused error
		over    bool
	)
	r, d := a.decision()
	c.House.View(func(uint64) {
		f, _ := c.Flags.Flag(a.Flag)
		over = !slices.Contains(c.State.unanswered(), a)
		e, expect, refused = c.Flags.Handle(d.command(r, f, now))
	})
	switch {
	case over:
		return nil // another controller was first
	case refused != nil:
		return c.lapseAnswer(ctx, a, now, refused)
	}
	return c.write(ctx, e, expect)
}

// lapseAnswer records that an answer gets no effect.
func (c *Controller) lapseAnswer(ctx context.Context, a answer, now time.Time, why error) error {
	e, err := emit(event.Derive(TypeLapsed, a.ID), TypeLapsed, IncidentPrefix+a.Environment+"."+a.Flag, now, Controlling,
		lapsed{Decision: a.ID, Why: why.Error(), Refused: true})
	if err != nil {
		return err
	}
	return c.write(ctx, e, event.Any)
}

// unanswered returns the decisions about incidents that wait for their effect.
func (s *State) unanswered() (out []answer) {
	for _, id := range sorted(s.waiting) {
		out = append(out, s.waiting[id])
	}
	return out
}

// applyAnswer folds a decision about an incident, or that it gets no effect.
func (s *State) applyAnswer(r event.Recorded) error {
	if r.Type == TypeLapsed {
		l, err := load[lapsed](r)
		s.settle(l.Decision, func(a *Answered) { a.Lapsed = l.Why })
		return err
	}
	n, err := load[answered](r)
	key, id := strings.TrimPrefix(r.Subject, IncidentPrefix), r.ID.String()
	environment, flag, _ := strings.Cut(key, ".")
	s.answers[key+"/"+n.Incident] = id
	s.incidents[key] = slices.Clone(s.incidents[key])
	for i := range s.incidents[key] {
		if one := &s.incidents[key][i]; one.ID == n.Incident {
			one.Answer = &Answered{Decision: id, At: r.Time, Action: n.Verdict.Action, Text: n.Verdict.Text}
		}
	}
	if n.Verdict.Action.Actuating() {
		s.waiting[id] = answer{ID: id, Environment: environment, Flag: flag, Text: n.Verdict.Text}
	}
	return err
}

// settle notes what became of a decision about an incident that waited for its
// effect.
func (s *State) settle(decision string, change func(*Answered)) {
	a, ok := s.waiting[decision]
	if !ok {
		return
	}
	delete(s.waiting, decision)
	key := a.Environment + "." + a.Flag
	s.incidents[key] = slices.Clone(s.incidents[key])
	for i := range s.incidents[key] {
		if one := &s.incidents[key][i]; one.Answer != nil && one.Answer.Decision == decision {
			next := *one.Answer // who holds the old one goes on seeing it
			change(&next)
			one.Answer = &next
		}
	}
}

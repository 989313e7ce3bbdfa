package decisions

import (
	"errors"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Prospect is what a command would do to a rollout, told before anybody gives
// it. What is possible, and what a decision is made against, the command itself
// says: it is tried, and nothing is recorded.
type Prospect struct {
	Op      Op              `json:"op"`
	Refused string          `json:"refused,omitempty"` // why the rollout, as it stands, does not take it; empty: it does
	Effects []string        `json:"effects"`           // what it does, a sentence each
	Frozen  string          `json:"frozen,omitempty"`  // which evidence its record names; empty: it names none
	Void    []string        `json:"void,omitempty"`    // what is no longer in force after it, a sentence each
	Advice  string          `json:"advice,omitempty"`  // ID of the recommendation that it is a decision over
	Advises string          `json:"advises,omitempty"` // what that one says: "hold: units open"
	Against bool            `json:"against,omitempty"` // it decides otherwise
	Reason  bool            `json:"reason,omitempty"`  // it has to say why
	Checks  []OverruledItem `json:"checks,omitempty"`  // of override: those that a person can decide against
	Ways    []Way           `json:"ways,omitempty"`    // of reduce: the stages that it can go back to
	Tells   []string        `json:"tells"`             // types of the events that it comes to
}

// Way is one stage that a rollout can be reduced to.
type Way struct {
	Stage string `json:"stage"`
	Reach string `json:"reach"` // who gets the treatment in it
}

// Ops are what people can do about a rollout, the most urgent first.
var Ops = [...]Op{
	OpExplain, OpStart, OpSchedule, OpUnschedule, OpResume, OpApprove, OpOverride, OpAdvance, OpShip, OpForward,
	OpHold, OpReduce, OpDrill, OpReject, OpRollback,
}

// Possible returns what whoever c names can do about the newest rollout of a
// flag, as it stands.
func (s *State) Possible(c Command) []Op {
	r, ok := s.Newest(c.Environment, c.Flag)
	var all []Op
	for _, op := range Ops {
		if c.Op = op; !ok {
			break
		}
		if _, _, err := s.handle(r, c.trial(r)); !errors.Is(err, ErrRefused) && !(op == OpReduce && len(r.ways()) == 0) {
			all = append(all, op)
		}
	}
	return all
}

// trial is the command with something in place of what is only asked for when it
// is given: a reason, a time, a stage.
func (c Command) trial(r Rollout) Command {
	c.Comment = or(c.Comment, "a reason")
	if c.Start.IsZero() {
		c.Start = c.At.Add(time.Hour)
	}
	if ways := r.ways(); c.To == "" && len(ways) > 0 {
		c.To = ways[0].Stage
	}
	return c
}

// ways are the earlier stages.
func (r Rollout) ways() []Way {
	all := []Way{}
	for i := range min(max(r.Stage, 0), len(r.Plan.Stages)) {
		all = append(all, Way{r.Plan.Stages[i].Name, r.Plan.Reach(i, 0)})
	}
	return all
}

// Prospect tells what a command would do to the newest rollout of a flag. seen is
// the newest evidence, nil when there is none.
func (s *State) Prospect(c Command, seen *Evidence) (Prospect, error) {
	r, ok := s.Newest(c.Environment, c.Flag)
	if !ok {
		return Prospect{}, ErrUnknown
	}
	p := Prospect{Op: c.Op, Effects: []string{}}
	kind, data, err := s.handle(r, c.trial(r))
	if err != nil {
		p.Refused = err.Error()
		return p, nil
	}
	p.Reason, p.Tells = s.asksWhy(r, c), []string{kind}
	switch c.Op {
	case OpReduce:
		p.Ways = r.ways()
	case OpOverride:
		d, _ := r.Last()
		p.Checks = d.Verdict.overrulable()
	}
	if d, ok := r.Recommendation(); ok && c.Op != OpExplain && c.Op != OpDrill {
		p.Advice, p.Advises = d.ID, d.Verdict.recommends()
	}
	if m, ok := data.(made); ok {
		p.Against, p.Frozen = m.Against != "", r.evidenceOf(m.Advice, seen)
		p.Tells = append(p.Tells, "decision."+string(m.Verdict.Action))
	}
	if o, ok := data.(overridden); ok {
		p.Against, p.Frozen = true, r.evidenceOf(o.Decision, seen)
	}
	p.Effects = s.effects(foretelling{Rollout: r, c: c, data: data, seen: seen})
	p.Void = r.voids(c.Op)
	return p, nil
}

// asksWhy reports whether the command is refused without a reason.
func (s *State) asksWhy(r Rollout, c Command) bool {
	c = c.trial(r)
	c.Comment = ""
	_, _, err := s.handle(r, c)
	var faults event.Invalids
	return errors.As(err, &faults) && slices.ContainsFunc(faults, func(f event.Invalid) bool { return f.Path == "comment" })
}

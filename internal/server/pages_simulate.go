package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// mostTried is how many flags are shown side by side.
const mostTried = 4

// simulatePage shows what made-up units get of flags, in a stage of the plan of
// the first one.
func (s *server) simulatePage(w http.ResponseWriter, r *http.Request) error {
	f := s.listFrame(w, r, dashboards.InSimulate)
	f.Refresh = 0
	if f.Environment == "" && len(f.Environments) > 0 {
		f.Environment = preferred(f.Environments)
	}
	t := trial{environment: f.Environment, asked: dashboards.Simulated{Query: r.URL.Query()}}
	if err := s.trial(r.Context(), &t); err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, dashboards.NewSimulation(f, t.asked, t.ids, t.tried))
}

// preferred is the environment that somebody means who names none.
func preferred(all []string) string {
	if slices.Contains(all, "production") {
		return "production"
	}
	return all[0]
}

// trial is what a crowd gets of flags.
type trial struct {
	environment string
	asked       dashboards.Simulated
	ids         []string
	crowd       []flags.Context
	tried       []dashboards.Tried
}

func (s *server) trial(ctx context.Context, t *trial) error {
	wanted := t.asked.Query.Get("flags")
	keys := strings.Fields(wanted)
	if len(keys) > mostTried {
		return event.Invalids{{Path: "flags", Value: wanted, Why: "are more than are shown side by side", Fix: fmt.Sprintf("write up to %d keys", mostTried)}}
	}
	for i, key := range keys {
		if err := mayTouch(ctx, access.Read, t.environment, key); err != nil {
			return err
		}
		if err := s.try(ctx, t, key, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// subject is a flag with the newest plan it has in an environment.
type subject struct {
	flag flags.Recorded
	of   decisions.Rollout // zero: there is none
}

// try adds the answers of one flag. The first flag makes the crowd, and may be
// in another stage than it is.
func (s *server) try(ctx context.Context, t *trial, key string, first bool) error {
	var is subject
	known := false
	s.Projection.View(func(uint64) {
		is.flag, known = s.Flags.Flag(key)
		is.of, _ = s.Rollouts.Newest(t.environment, key)
	})
	if !known {
		return fmt.Errorf("flag %s: %w", key, errNoSuch)
	}
	here := standing{stage: -1}
	var was standing
	if first {
		t.meet(s, is.flag)
		var err error
		if here, was, t.asked.Shares, err = standings(t.asked.Query, is.of.Plan); err != nil {
			return err
		}
	}
	out := dashboards.Tried{Flag: key, Stage: here.stage}
	if is.of.ID != "" {
		out.Rollout, out.Arms = &is.of, is.of.Plan.Arms
	}
	set, err := s.setIn(ctx, t.environment, is, here)
	if err != nil {
		return err
	}
	out.Results = t.answers(set, key)
	if unit := t.asked.Query.Get("unit"); unit != "" {
		x := set.Explain(key, t.one(is.flag.Unit, unit))
		out.Look = &x
	}
	if here.stage >= 0 {
		t.asked.Was = here.String()
		if out.Steps, err = s.steps(ctx, t, is, here, was); err != nil {
			return err
		}
	}
	t.tried = append(t.tried, out)
	return nil
}

// steps are the ways to what is shown: from the stage before, with the share
// that its slider has, and from what was shown before.
func (s *server) steps(ctx context.Context, t *trial, is subject, here, was standing) (all []dashboards.Passage, err error) {
	plan := is.of.Plan
	from := []standing{}
	if here.stage > 0 {
		from = append(from, standing{here.stage - 1, t.asked.Shares[here.stage-1]})
	}
	if was.stage >= 0 && was != here && !slices.Contains(from, was) {
		from = append(from, was)
	}
	for _, before := range from {
		set, err := s.setIn(ctx, t.environment, is, before)
		if err != nil {
			return nil, err
		}
		all = append(all, dashboards.Passage{From: before.in(plan), To: here.in(plan), Falls: here.reach(plan) < before.reach(plan), Before: t.answers(set, is.flag.Key)})
	}
	return all, nil
}

// setIn compiles an environment with a flag as it would be in a stage of its
// rollout, or as it is.
func (s *server) setIn(ctx context.Context, environment string, is subject, at standing) (*flags.Set, error) {
	var rules flags.Ruleset
	var err error
	s.Projection.View(func(uint64) {
		f := is.flag
		if changes := is.of.Way(f, at.stage, at.share); at.stage >= 0 && len(changes) > 0 {
			var seen flags.Foreseen
			seen, err = s.Flags.Foresee(flags.Command{ID: event.New(), Key: f.Key, Expect: event.Any, At: s.Now(), Actor: decisions.Controlling, Comment: "simulated", Changes: changes})
			f = seen.Is
		}
		if err == nil {
			rules = s.Flags.Excerpt(environment, f)
		}
	})
	if err != nil {
		return nil, err
	}
	lists, err := s.lists(ctx, rules.Lists(), s.sets.fresh().lists)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLists, err)
	}
	return flags.NewSet(rules, lists), nil
}

// meet makes the crowd, of units of the first flag's kind.
func (t *trial) meet(s *server, f flags.Recorded) {
	var rules flags.Ruleset
	s.Projection.View(func(uint64) { rules = s.Flags.Excerpt(t.environment, f) })
	t.crowd = flags.NewCrowd(crowdSize, f.Unit, rules).Attributed()
	for _, c := range t.crowd {
		t.ids = append(t.ids, c.TargetingKey)
	}
}

func (t *trial) answers(set *flags.Set, key string) []flags.Result {
	out := make([]flags.Result, len(t.crowd))
	for i := range t.crowd {
		out[i] = set.Evaluate(key, &t.crowd[i])
	}
	return out
}

// one returns a unit of the crowd, or one of whom nothing is known but its id.
func (t *trial) one(kind, id string) *flags.Context {
	if i := slices.Index(t.ids, id); i >= 0 {
		return &t.crowd[i]
	}
	c := flags.Context{TargetingKey: id, Attributes: map[string]any{}}
	if kind != flags.DefaultUnit && kind != "" {
		c.Attributes[kind] = id
	}
	return &c
}

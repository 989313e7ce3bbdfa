package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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

// simulatePage shows what made-up units get of flags, each as it is or in a stage
// of its plan.
func (s *server) simulatePage(w http.ResponseWriter, r *http.Request) error {
	f := s.listFrame(w, r, dashboards.InSimulate)
	f.Refresh = 0
	if f.Environment == "" && len(f.Environments) > 0 {
		f.Environment = preferred(f.Environments)
	}
	t := trial{environment: f.Environment, query: r.URL.Query()}
	if err := s.trial(r.Context(), &t); err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, dashboards.NewSimulation(f, t.query, t.ids, t.tried))
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
	query       url.Values
	ids         []string
	crowd       []flags.Context
	tried       []dashboards.Tried
}

func (s *server) trial(ctx context.Context, t *trial) error {
	wanted := t.query.Get("flags")
	keys := strings.Fields(wanted)
	if len(keys) > mostTried {
		return event.Invalids{{Path: "flags", Value: wanted, Why: "are more than are shown side by side", Fix: fmt.Sprintf("write up to %d keys", mostTried)}}
	}
	for i, key := range keys {
		if err := mayTouch(ctx, access.Read, t.environment, key); err != nil {
			return err
		}
		if err := s.try(ctx, t, key, i); err != nil {
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

// try adds the answers of the flag in a place, as it is or in the stage that is
// asked for. The first flag makes the crowd.
func (s *server) try(ctx context.Context, t *trial, key string, place int) error {
	var is subject
	known := false
	s.Projection.View(func(uint64) {
		is.flag, known = s.Flags.Flag(key)
		is.of, _ = s.Rollouts.Newest(t.environment, key)
	})
	if !known {
		return fmt.Errorf("flag %s: %w", key, errNoSuch)
	}
	if place == 0 {
		t.meet(s, is.flag)
	}
	here, was, shares, err := standings(t.query, place, is.of.Plan)
	if err != nil {
		return err
	}
	out := dashboards.Tried{Flag: key, Stage: here.stage, Shares: shares}
	if is.of.ID != "" {
		out.Rollout, out.Arms = &is.of, is.of.Plan.Arms
	}
	set, err := s.setIn(ctx, t.environment, is, here)
	if err != nil {
		return err
	}
	out.Results = t.answers(set, key)
	if unit := t.query.Get("unit"); unit != "" {
		x := set.Explain(key, t.one(is.flag.Unit, unit))
		out.Look = &x
	}
	if here.stage >= 0 {
		out.Was = here.String()
		if out.Steps, err = s.steps(ctx, t, is, way{here, was, shares}); err != nil {
			return err
		}
	}
	t.tried = append(t.tried, out)
	return nil
}

// way is what is shown of a flag, and how somebody came there.
type way struct {
	here, was standing
	shares    []decisions.Percent // of the stages, as their sliders stand
}

// from are the standings that it is compared with: the stage before, with the
// share that its slider has, and what was shown before.
func (w way) from() (all []standing) {
	if w.here.stage > 0 {
		all = append(all, standing{w.here.stage - 1, w.shares[w.here.stage-1]})
	}
	if w.was.stage >= 0 && w.was != w.here && !slices.Contains(all, w.was) {
		all = append(all, w.was)
	}
	return all
}

// steps are the ways to what is shown.
func (s *server) steps(ctx context.Context, t *trial, is subject, w way) (all []dashboards.Passage, err error) {
	plan, here := is.of.Plan, w.here
	for _, before := range w.from() {
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

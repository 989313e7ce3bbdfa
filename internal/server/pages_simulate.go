package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	q := r.URL.Query()
	t, err := s.trial(r.Context(), f.Environment, q)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, dashboards.NewSimulation(f, q, t.ids, t.tried, t.look))
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
	ids   []string
	crowd []flags.Context
	tried []dashboards.Tried
	look  *flags.Explanation // of the unit that is looked at
}

func (s *server) trial(ctx context.Context, environment string, q url.Values) (t trial, err error) {
	keys := strings.Fields(q.Get("flags"))
	switch {
	case len(keys) == 0:
		return t, nil
	case len(keys) > mostTried:
		return t, event.Invalids{{Path: "flags", Value: q.Get("flags"), Why: "are more than are shown side by side", Fix: fmt.Sprintf("write up to %d keys", mostTried)}}
	}
	for i, key := range keys {
		if err := mayTouch(ctx, access.Read, environment, key); err != nil {
			return t, err
		}
		if err := s.try(ctx, &t, environment, key, q, i == 0); err != nil {
			return t, err
		}
	}
	return t, nil
}

// try adds the answers of one flag. The first flag makes the crowd, and may be
// in another stage than it is.
func (s *server) try(ctx context.Context, t *trial, environment, key string, q url.Values, first bool) error {
	stage, share, err := -1, decisions.Percent(0), error(nil)
	if first {
		if stage, share, err = staged(q); err != nil {
			return err
		}
	}
	var now flags.Recorded
	var newest decisions.Rollout
	var known bool
	s.Projection.View(func(uint64) {
		now, known = s.Flags.Flag(key)
		newest, _ = s.Rollouts.Newest(environment, key)
	})
	if !known {
		return fmt.Errorf("flag %s: %w", key, errNoSuch)
	}
	out := dashboards.Tried{Flag: key, Stage: stage}
	if newest.ID != "" {
		out.Rollout, out.Arms = &newest, newest.Plan.Arms
	}
	if stage >= 0 && (out.Rollout == nil || stage >= len(newest.Plan.Stages)) {
		return event.Invalids{{Path: "stage", Value: strconv.Itoa(stage), Why: "is no stage of a rollout of " + key, Fix: "choose one of those that the page shows"}}
	}
	set, err := s.setIn(ctx, environment, now, newest, stage, share)
	if err != nil {
		return err
	}
	if first {
		t.meet(s, environment, now)
	}
	out.Results = t.answers(set, key)
	if stage > 0 {
		before, err := s.setIn(ctx, environment, now, newest, stage-1, 0)
		if err != nil {
			return err
		}
		out.Before = t.answers(before, key)
	}
	if unit := q.Get("unit"); first && unit != "" {
		x := set.Explain(key, t.one(now.Unit, unit))
		t.look = &x
	}
	t.tried = append(t.tried, out)
	return nil
}

// staged reads which stage is asked for, −1 for none, and with which share.
func staged(q url.Values) (stage int, share decisions.Percent, err error) {
	var faults event.Invalids
	stage = -1
	if text := q.Get("stage"); text != "" {
		if stage, err = strconv.Atoi(text); err != nil || stage < 0 {
			faults.Add("stage", text, "is no place in a plan", "write 0 for the first stage")
		}
	}
	if text := q.Get("share"); text != "" && stage >= 0 {
		coverage, wrong := strconv.ParseFloat(text, 64)
		if wrong != nil || coverage < 0 || coverage > 100 {
			faults.Add("share", text, "is no share of the units", "write a percentage from 0 to 100")
		}
		share = decisions.Percent(coverage * flags.Whole / 100)
	}
	return stage, share, faults.Err()
}

// setIn compiles an environment with a flag as it would be in a stage of a
// rollout, or as it is.
func (s *server) setIn(ctx context.Context, environment string, f flags.Recorded, of decisions.Rollout, stage int, share decisions.Percent) (*flags.Set, error) {
	var rules flags.Ruleset
	var err error
	s.Projection.View(func(uint64) {
		if changes := of.Way(f, stage, share); stage >= 0 && len(changes) > 0 {
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
func (t *trial) meet(s *server, environment string, f flags.Recorded) {
	var rules flags.Ruleset
	s.Projection.View(func(uint64) { rules = s.Flags.Excerpt(environment, f) })
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

package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

type rampIn struct {
	Precondition
	Key  string `path:"key" example:"checkout.payments.express-pay"`
	Body struct {
		Percentage  float64 `json:"percentage" doc:"share of the units, 0 to 100, with up to three decimals; 0 ends the ramp"`
		Environment string  `json:"environment,omitempty" doc:"the token's own when absent, or the only one that the flag has"`
		Variant     string  `json:"variant,omitempty" doc:"what they get; the one before, or the variant of a boolean flag that is true, when absent"`
		Comment     string  `json:"comment,omitempty" doc:"why; it stays on record"`
	}
}

// RampView is how a ramp stands.
type RampView struct {
	Flag        string  `json:"flag"`
	Environment string  `json:"environment"`
	Variant     string  `json:"variant,omitempty"`
	Percentage  float64 `json:"percentage"`
	Revision    uint64  `json:"revision" doc:"of the flag"`
	Changed     bool    `json:"changed" doc:"false: it was so already"`
	Note        string  `json:"note,omitempty" doc:"why nobody gets the variant although they should"`
}

type rampOut struct{ Body RampView }

// rampFlag gives a share of the units a variant, for scripts that release
// without a plan. Nothing is compared, so nothing stops it but a person.
func (s *server) rampFlag(ctx context.Context, in *rampIn) (*rampOut, error) {
	if _, err := thousandths(in.Body.Percentage); err != nil {
		return nil, err
	}
	environment, err := s.rampsIn(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := may(ctx, access.Decide, environment); err != nil {
		return nil, err
	}
	err = s.record(ctx, func() (event.Event, event.Expect, error) {
		changes, err := s.ramping(in.Key, Ramped{environment, in.Body.Variant, in.Body.Percentage})
		if err != nil {
			return event.Event{}, 0, err
		}
		c, err := s.commanded(ctx, in.Key, in.Precondition, Wanted{changes, in.Body.Comment})
		if err != nil {
			return event.Event{}, 0, err
		}
		return s.Flags.Handle(c)
	})
	if err != nil && !errors.Is(err, flags.ErrUnchanged) {
		return nil, err
	}
	return &rampOut{s.ramped(environment, in.Key, err == nil)}, nil
}

// thousandths reads a percentage as buckets.
func thousandths(percentage float64) (int, error) {
	n := percentage * flags.Whole / 100
	whole := math.Round(n)
	var faults event.Invalids
	switch {
	case percentage < 0 || percentage > 100:
		faults.Add("percentage", percentage, "is not between 0 and 100", "write a share of the units such as 12.5")
	case math.Abs(n-whole) > 1e-6:
		faults.Add("percentage", percentage, "has more than three decimals", "a unit's bucket is a thousandth of a percent")
	}
	return int(whole), faults.Err()
}

// rampsIn says which environment a request is about.
func (s *server) rampsIn(ctx context.Context, in *rampIn) (string, error) {
	environment := in.Body.Environment
	if environment == "" {
		environment = who(ctx).Environment
	}
	if environment != "" {
		return environment, nil
	}
	var f flags.Recorded
	known := false
	s.Projection.View(func(uint64) { f, known = s.Flags.Flag(in.Key) })
	if !known {
		return "", fmt.Errorf("flag %s: %w", in.Key, errNoSuch)
	}
	for name := range f.Environments {
		environment = name
	}
	if len(f.Environments) != 1 {
		return "", noEnvironment("", s.environments())
	}
	return environment, nil
}

// freeRollout returns the number of the flag's next rollout, and refuses while
// one holds the environment: its plan says who gets what.
func (s *server) freeRollout(environment, flag string) (int, error) {
	r, ok := s.Rollouts.Newest(environment, flag)
	switch {
	case !ok:
		return 1, nil
	case r.Open():
		return 0, fmt.Errorf("%w: %s is under way, and its plan says who gets what; advance it with: sluice decide advance %s -m 'why', or end it with: sluice rollback %s -m 'why'",
			decisions.ErrRefused, r.ID, r.ID, r.ID)
	case r.Locked:
		return 0, fmt.Errorf("%w: %s was rolled back, and nobody has explained why; run: sluice decide explain %s -m 'why'", decisions.ErrRefused, r.ID, r.ID)
	case r.Status == decisions.Planned:
		return r.Number, nil
	}
	return r.Number + 1, nil
}

// ramped returns how the ramp of a flag stands.
func (s *server) ramped(environment, key string, changed bool) RampView {
	var f flags.Recorded
	s.Projection.View(func(uint64) { f, _ = s.Flags.Flag(key) })
	e := f.Environments[environment]
	v := RampView{Flag: key, Environment: environment, Revision: f.Revision, Changed: changed}
	if a := e.Allocation; a != nil && a.Ramp {
		v.Variant, v.Percentage = a.Arms[0].Variant, float64(a.Coverage)*100/flags.Whole
	}
	whole := slices.ContainsFunc(e.Rules, func(r flags.Rule) bool { return r.When == nil })
	switch {
	case v.Percentage == 0:
	case !e.Enabled:
		v.Note = "the flag is disabled in " + environment + ": everybody gets the safe variant until it is enabled"
	case whole:
		v.Note = "a rule for everybody decides before the ramp"
	}
	return v
}

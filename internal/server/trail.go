package server

import (
	"context"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

type trailIn struct {
	RolloutPath
	Metric string    `query:"metric" doc:"key of a metric of the plan; when absent, only when the looks were"`
	Until  time.Time `query:"until" doc:"looks up to this time; all when absent"`
	Most   int       `query:"most" minimum:"2" maximum:"500" default:"200" doc:"of more looks than that, some are picked: evenly over time, the last one and those that decided always among them"`
}

// TrailView is how a metric and the units came about, look by look.
type TrailView struct {
	Rollout string      `json:"rollout"`
	Metric  string      `json:"metric,omitempty"`
	Taken   int         `json:"taken" doc:"how many looks there were in all"`
	Looks   []TrailLook `json:"looks" doc:"oldest first"`
}

// TrailLook is one look of a trail.
type TrailLook struct {
	At       time.Time           `json:"at"`
	Stage    string              `json:"stage,omitempty" doc:"that the rollout was in"`
	Action   decisions.Action    `json:"action" doc:"what the verdict was"`
	Decision string              `json:"decision,omitempty" doc:"id, when the verdict was recorded"`
	Units    []decisions.Count   `json:"units,omitempty"`
	Measured *decisions.Measured `json:"measured,omitempty" doc:"the metric; absent when it was not measured then"`
}

type trailOut struct{ Body TrailView }

// getTrail answers with the looks that a picture over time is made of.
func (s *server) getTrail(ctx context.Context, in *trailIn) (*trailOut, error) {
	looks, taken, err := s.trail(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &trailOut{TrailView{Rollout: in.String(), Metric: in.Metric, Taken: taken, Looks: []TrailLook{}}}
	for _, l := range looks {
		v := TrailLook{At: l.At, Stage: l.Stage, Action: l.Verdict.Action, Decision: l.Decision, Units: l.Evidence.Units}
		if m, ok := l.Evidence.Metric(in.Metric); ok {
			v.Measured = &m
		}
		out.Body.Looks = append(out.Body.Looks, v)
	}
	return out, nil
}

// trail returns some of the looks at a rollout, the oldest first, and how many
// there were.
func (s *server) trail(ctx context.Context, in *trailIn) (looks []decisions.Look, taken int, err error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, 0, err
	}
	if s.Readouts == nil {
		return nil, 0, errNoReadouts
	}
	until := in.Until
	if until.IsZero() {
		until = s.Now()
	}
	all, err := s.Readouts.Moments(ctx, v.Rollout.ID, until)
	if err != nil {
		return nil, 0, err
	}
	looks = sparse(all, in.Most)
	if in.Metric != "" && len(looks) > 0 {
		at := make([]time.Time, len(looks))
		for i, l := range looks {
			at[i] = l.At
		}
		looks, err = s.Readouts.LooksAt(ctx, v.Rollout.ID, in.Metric, at)
	}
	return looks, len(all), err
}

// sparse picks looks evenly over time, at most a number and twice as many where
// most of them decided: the last one of each span, and all that decided.
func sparse(all []decisions.Look, most int) []decisions.Look {
	if len(all) <= most {
		return all
	}
	first, last := all[0].At, all[len(all)-1].At
	span := max(last.Sub(first)/time.Duration(most-1), 1)
	var out []decisions.Look
	decided := 0
	for i, l := range all {
		ends := i+1 == len(all) || all[i+1].At.Sub(first)/span != l.At.Sub(first)/span
		keeps := l.Decision != "" && decided < most
		if keeps {
			decided++
		}
		if ends || keeps {
			out = append(out, l)
		}
	}
	return out
}

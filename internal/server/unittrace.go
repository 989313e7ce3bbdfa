package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// TraceAsked names a unit, and the flag that is asked about it.
type TraceAsked struct {
	UnitNamed
	Environment string         `json:"environment" example:"production"`
	Flag        string         `json:"flag" example:"checkout.payments.express-pay"`
	Number      int            `json:"number,omitempty" minimum:"0" doc:"of the rollout; the flag's newest when absent"`
	Attributes  map[string]any `json:"attributes,omitempty" doc:"that the flag is evaluated with"`
}

type traceUnitIn struct{ Body TraceAsked }

// UnitTrace is one unit from its bucket to the rows of the analysis.
type UnitTrace struct {
	Kind        string           `json:"kind"`
	Unit        string           `json:"unit" doc:"keyed hash of the id" example:"hash:00c0ffee00c0ffee"`
	Environment string           `json:"environment"`
	Flag        string           `json:"flag"`
	Evaluation  *ExplanationView `json:"evaluation,omitempty" doc:"what the unit gets now, and why; absent when its id was not given"`
	Rollout     string           `json:"rollout,omitempty" doc:"absent: the flag has none in the environment"`
	Trace       *ingest.Trace    `json:"trace,omitempty" doc:"what its events come to, as a gate counts them; absent while no rollout has begun"`
	Letters     []LetterView     `json:"letters" doc:"events of the unit in the environment that cannot be counted, the newest 100"`
}

type unitTraceOut struct{ Body UnitTrace }

// traceUnit says what one unit gets, and what became of its events.
func (s *server) traceUnit(ctx context.Context, in *traceUnitIn) (*unitTraceOut, error) {
	b := in.Body
	if err := mayTouch(ctx, access.Read, b.Environment, b.Flag); err != nil {
		return nil, err
	}
	if s.Units == nil {
		return nil, errNoUnits
	}
	if _, err := s.sets.at(b.Environment); err != nil {
		return nil, err
	}
	unit, err := b.hash(s.Units)
	if err != nil {
		return nil, err
	}
	out := &unitTraceOut{UnitTrace{Kind: b.Kind, Unit: ingest.UnitText(unit), Environment: b.Environment, Flag: b.Flag}}
	if out.Body.Evaluation, err = s.evaluated(ctx, b); err != nil {
		return nil, err
	}
	if err := s.traced(ctx, b, unit, &out.Body); err != nil {
		return nil, err
	}
	out.Body.Letters, err = s.lettersOf(ctx, b.Environment, out.Body.Unit)
	return out, err
}

// evaluated evaluates the flag for the unit, wherever its kind puts the id. A
// hash cannot be evaluated.
func (s *server) evaluated(ctx context.Context, b TraceAsked) (*ExplanationView, error) {
	unit, err := s.unitOf(b.Flag)
	if err != nil || b.ID == "" {
		return nil, err
	}
	ask := &explainIn{Key: b.Flag, Environment: b.Environment, attributes: url.Values{}}
	for name, value := range b.Attributes {
		ask.attributes.Set(name, jsonText(value))
	}
	switch b.Kind {
	case unit:
		ask.Unit = b.ID
	case flags.DefaultUnit:
		ask.TargetingKey = b.ID
	default:
		ask.attributes.Set(b.Kind, jsonText(b.ID))
	}
	out, err := s.explainFlag(ctx, ask)
	if err != nil {
		return nil, err
	}
	return &out.Body, nil
}

// jsonText writes a value that came as JSON.
func jsonText(v any) string {
	text, _ := json.Marshal(v) // cannot fail: it was JSON
	return string(text)
}

// traced follows the unit's events in a rollout that has begun.
func (s *server) traced(ctx context.Context, b TraceAsked, unit uint64, out *UnitTrace) error {
	r, known := s.rolloutAsked(b)
	if !known && b.Number > 0 {
		return fmt.Errorf("rollout %s: %w", decisions.RolloutID(b.Environment, b.Flag, b.Number), errNoSuch)
	}
	if !known {
		return nil
	}
	out.Rollout = r.ID
	if r.Started.IsZero() {
		return nil
	}
	t, err := s.Units.Trace(ctx, r, b.Kind, unit, s.Now())
	out.Trace = &t
	return err
}

// rolloutAsked is the rollout of a number, or the newest.
func (s *server) rolloutAsked(b TraceAsked) (r decisions.Rollout, known bool) {
	s.Projection.View(func(uint64) {
		if b.Number > 0 {
			r, known = s.Rollouts.Rollout(decisions.RolloutID(b.Environment, b.Flag, b.Number))
			return
		}
		r, known = s.Rollouts.Newest(b.Environment, b.Flag)
	})
	return r, known
}

// lettersShown is how many dead letters of one unit are told.
const lettersShown = 100

func (s *server) lettersOf(ctx context.Context, environment, unit string) ([]LetterView, error) {
	if s.Letters == nil {
		return []LetterView{}, nil
	}
	p, err := s.Letters.Page(ctx, ingest.LetterFilter{Environment: environment, Unit: unit}, "", lettersShown)
	return viewLetters(p.Letters), err
}

type unitTraceHashedIn struct {
	Environment string `query:"environment" required:"true"`
	Flag        string `query:"flag" required:"true"`
	Number      int    `query:"number" minimum:"0" doc:"of the rollout; the flag's newest when absent"`
	Kind        string `query:"kind" required:"true"`
	Unit        string `query:"unit" required:"true" doc:"keyed hash of the unit: an id stands in no address" example:"hash:00c0ffee00c0ffee"`
}

// traceHashed is traceUnit for a unit whose hash is known, so that an answer has
// an address. Nothing is evaluated for a hash.
func (s *server) traceHashed(ctx context.Context, in *unitTraceHashedIn) (*unitTraceOut, error) {
	return s.traceUnit(ctx, &traceUnitIn{TraceAsked{UnitNamed: UnitNamed{Kind: in.Kind, Unit: in.Unit}, Environment: in.Environment, Flag: in.Flag, Number: in.Number}})
}

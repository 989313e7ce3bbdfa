package sdk

import (
	"context"
	"math"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/flags"
)

// BooleanEvaluation implements openfeature.FeatureProvider.
func (p *Provider) BooleanEvaluation(ctx context.Context, flag string, defaultValue bool, flat openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	return resolve(ctx, p, question[bool]{flag, defaultValue, flat, as[bool]})
}

// StringEvaluation implements openfeature.FeatureProvider.
func (p *Provider) StringEvaluation(ctx context.Context, flag, defaultValue string, flat openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	return resolve(ctx, p, question[string]{flag, defaultValue, flat, as[string]})
}

// FloatEvaluation implements openfeature.FeatureProvider.
func (p *Provider) FloatEvaluation(ctx context.Context, flag string, defaultValue float64, flat openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	return resolve(ctx, p, question[float64]{flag, defaultValue, flat, as[float64]})
}

// IntEvaluation implements openfeature.FeatureProvider. A number with a fraction
// is no integer.
func (p *Provider) IntEvaluation(ctx context.Context, flag string, defaultValue int64, flat openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	return resolve(ctx, p, question[int64]{flag, defaultValue, flat, asInt})
}

// ObjectEvaluation implements openfeature.FeatureProvider: any value, as
// encoding/json reads it. It is shared between all who ask: do not change it.
func (p *Provider) ObjectEvaluation(ctx context.Context, flag string, defaultValue any, flat openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	return resolve(ctx, p, question[any]{flag, defaultValue, flat, as[any]})
}

// question is one evaluation of a type.
type question[T any] struct {
	flag      string
	otherwise T
	flat      openfeature.FlattenedContext
	as        func(any) (T, bool)
}

func as[T any](v any) (T, bool) {
	t, ok := v.(T)
	return t, ok
}

func asInt(v any) (int64, bool) {
	f, ok := v.(float64)
	return int64(f), ok && f == math.Trunc(f) && math.Abs(f) < 1<<63
}

// resolve answers a question from the flags that are held at this moment, and
// records that it did. It waits for nothing.
func resolve[T any](ctx context.Context, p *Provider, q question[T]) (d openfeature.GenericResolutionDetail[T]) {
	d.Value = q.otherwise
	c := contextOf(q.flat, p.config.now())
	s, r := p.answer(q.flag, &c)
	if r.Error == "" {
		a := s.answers[q.flag].of(s.set.Environment(), &r)
		d.Reason, d.Variant, d.FlagMetadata = openfeature.Reason(r.Reason), r.Variant, a.told(&r)
		if a.value != nil || r.Variant != "" { // else the code decides
			v, ok := q.as(a.value)
			if ok {
				d.Value = v
			} else {
				r.Reason, r.Error, r.Variant = flags.Errored, typeMismatch, ""
			}
		}
	}
	annotate(ctx, s, &r, c.TargetingKey)
	if r.Error != "" {
		d.Reason, d.Variant, d.ResolutionError = openfeature.ErrorReason, "", resolutionError(&r)
		return d
	}
	p.expose(&r, &c)
	return d
}

// answer evaluates a flag, and returns the flags that it did so with; nil before
// the first.
func (p *Provider) answer(flag string, c *flags.Context) (*snapshot, flags.Result) {
	s := p.held.Load()
	if s == nil {
		return nil, flags.Result{Key: flag, Reason: flags.Errored, Error: notReady}
	}
	s = s.of(flag)
	return s, s.set.Answer(flag, c)
}

// told returns the metadata. Hooks that report exposures take the targeting key
// for the unit unless they are told which it is.
func (a *answer) told(r *flags.Result) openfeature.FlagMetadata {
	if r.UnitID == "" || r.Unit == flags.DefaultUnit {
		return a.metadata
	}
	m := make(openfeature.FlagMetadata, len(a.metadata)+1)
	for name, v := range a.metadata {
		m[name] = v
	}
	m["contextId"] = r.UnitID
	return m
}

// What can go wrong here, beside what an evaluator says.
const (
	notReady     flags.ErrorCode = "PROVIDER_NOT_READY"
	typeMismatch flags.ErrorCode = "TYPE_MISMATCH"
)

func resolutionError(r *flags.Result) openfeature.ResolutionError {
	switch r.Error {
	case notReady:
		return openfeature.NewProviderNotReadyResolutionError("there are no flags yet")
	case typeMismatch:
		return openfeature.NewTypeMismatchResolutionError("the flag's values are of the type " + string(r.Type))
	case flags.FlagNotFound:
		return openfeature.NewFlagNotFoundResolutionError("there is no flag with this key")
	case flags.ParseError:
		return openfeature.NewParseErrorResolutionError("the flag's targeting cannot be evaluated for this context")
	case flags.InvalidContext:
		return openfeature.NewInvalidContextResolutionError("the flag's targeting cannot be evaluated for this context")
	}
	if r.Step == flags.AtList {
		return openfeature.NewGeneralResolutionError("a list of units that the flag asks for is not there yet")
	}
	return openfeature.NewGeneralResolutionError("the flag's targeting gives what is not a variant")
}

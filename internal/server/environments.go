package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

type environmentsOut struct {
	Body struct {
		Environments []flags.RecordedEnvironment `json:"environments" doc:"in order; revision 0: it exists without a document"`
	}
}

func (s *server) listEnvironments(ctx context.Context, _ *struct{}) (*environmentsOut, error) {
	out := &environmentsOut{}
	s.Projection.View(func(uint64) {
		for _, e := range s.Flags.EnvironmentDocs() {
			if sees(ctx, e.Key, access.AnyKey) {
				out.Body.Environments = append(out.Body.Environments, e)
			}
		}
	})
	return out, nil
}

// environments returns the names of all environments, in order.
func (s *server) environments() (names []string) {
	s.Projection.View(func(uint64) { names = s.Flags.Environments() })
	return names
}

type environmentIn struct {
	Environment string `path:"environment"`
	Comment     string `query:"comment" doc:"why, for the history"`
}

// deleteEnvironment takes the document of an environment away: one that was
// declared exists no more, development, staging and production are plain again.
func (s *server) deleteEnvironment(ctx context.Context, in *environmentIn) (*struct{}, error) {
	return nil, s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Flags.HandleEnvironment(flags.EnvironmentCommand{Order: s.order(ctx, in.Comment), Key: in.Environment})
	})
}

type policiesOut struct {
	Body struct {
		Policies []flags.RecordedPolicy `json:"policies" doc:"the highest rank first"`
	}
}

func (s *server) listPolicies(context.Context, *struct{}) (*policiesOut, error) {
	out := &policiesOut{}
	s.Projection.View(func(uint64) { out.Body.Policies = append([]flags.RecordedPolicy{}, s.Flags.Policies()...) })
	return out, nil
}

type policyIn struct {
	Policy  string `path:"policy"`
	Comment string `query:"comment" doc:"why, for the history"`
}

func (s *server) deletePolicy(ctx context.Context, in *policyIn) (*struct{}, error) {
	return nil, s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Flags.HandlePolicy(flags.PolicyCommand{Order: s.order(ctx, in.Comment), Key: in.Policy})
	})
}

type dependenciesIn struct {
	Key         string `path:"key"`
	Environment string `query:"environment" doc:"for tokens that are bound to none"`
}

type dependenciesOut struct{ Body flags.Dependencies }

// getDependencies shows what a flag needs in an environment, and what needs it:
// of other flags those that whoever asks may see.
func (s *server) getDependencies(ctx context.Context, in *dependenciesIn) (*dependenciesOut, error) {
	if in.Environment == "" {
		in.Environment = who(ctx).Environment
	}
	set, err := s.sets.at(in.Environment)
	if err != nil {
		return nil, err
	}
	d, ok := set.Dependencies(in.Key)
	if !ok {
		return nil, fmt.Errorf("flag %s: %w", in.Key, errNoSuch)
	}
	hidden := func(key string) bool { return !sees(ctx, in.Environment, key) }
	d.Through, d.NeededBy = slices.DeleteFunc(d.Through, hidden), slices.DeleteFunc(d.NeededBy, hidden)
	return &dependenciesOut{d}, nil
}

package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

type applyIn struct {
	Comment string `query:"comment" doc:"why, for the history"`
	Start   bool   `query:"start" doc:"start the rollouts among the documents"`
	RawBody []byte `contentType:"application/yaml" doc:"documents of kind Flag, Metric or Rollout, as YAML or JSON"`
}

type applyOut struct {
	Body struct {
		Applied []Applied `json:"applied"`
	}
}

// Applied is what became of one document.
type Applied struct {
	Kind     string `json:"kind"`
	Key      string `json:"key"`
	Change   string `json:"change" enum:"created,changed,unchanged"`
	Revision uint64 `json:"revision" doc:"sequence of the last event of what the document describes"`
}

// apply carries out documents in order. One command is one event, so what
// stands before a refused document stays done: the error says which one it is.
func (s *server) apply(ctx context.Context, in *applyIn) (*applyOut, error) {
	docs, err := manifest.Split(in.RawBody)
	if err != nil {
		return nil, err
	}
	out := &applyOut{}
	for _, d := range docs {
		done, err := s.applyOne(ctx, d, in)
		if err != nil {
			return nil, s.stopped(d.Annotate(err), out.Body.Applied)
		}
		out.Body.Applied = append(out.Body.Applied, done)
	}
	return out, nil
}

// stopped tells what was done before a document was refused.
func (s *server) stopped(err error, done []Applied) error {
	p := problem(err)
	if p.Status == 500 {
		s.reportOperation("apply", err)
	}
	for _, d := range done {
		if d.Change != unchanged {
			p.Detail += fmt.Sprintf("\n(%s %s before it was %s)", d.Kind, d.Key, d.Change)
		}
	}
	return p
}

func (s *server) applyOne(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	if err := s.owned(d); err != nil {
		return Applied{}, err
	}
	switch d.Kind {
	case "Person", "Team":
		return s.applyPeople(ctx, d)
	case "Flag":
		return s.applyFlag(ctx, d, in)
	case "Metric":
		return s.applyMetric(ctx, d, in)
	case "Rollout":
		return s.applyPlan(ctx, d, in)
	}
	return Applied{}, event.Invalids{{Path: "kind", Value: d.Kind, Why: "is not a kind of document", Fix: "write Flag, Metric, Rollout, Person or Team"}}
}

// What a document did.
const (
	created   = "created"
	changed   = "changed"
	unchanged = "unchanged"
)

func change(revision uint64) string {
	if revision == 0 {
		return created
	}
	return changed
}

func (s *server) applyFlag(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	var f flags.Flag
	if err := d.Decode(&f); err != nil {
		return Applied{}, err
	}
	if err := s.mayDefine(ctx, d.Kind, f.Key, slices.Collect(maps.Keys(f.Environments))); err != nil {
		return Applied{}, err
	}
	var before flags.Recorded
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		before, _ = s.Flags.Flag(f.Key)
		return s.Flags.Handle(flags.Command{
			ID: event.New(), Key: f.Key, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment,
			Changes: []flags.Change{{Op: flags.Define, Flag: &f}},
		})
	})
	if errors.Is(err, flags.ErrUnchanged) {
		return Applied{d.Kind, f.Key, unchanged, before.Revision}, nil
	}
	return Applied{d.Kind, f.Key, change(before.Revision), seq}, err
}

// mayDefine refuses what is shared by all environments to a token that is bound
// to some or to other keys, and environments that do not exist.
func (s *server) mayDefine(ctx context.Context, kind, key string, environments []string) error {
	if err := mayTouch(ctx, access.Write, access.AnyEnvironment, key); err != nil {
		return fmt.Errorf("%w, and a %s belongs to all environments", err, kind)
	}
	var faults event.Invalids
	for _, e := range slices.Sorted(slices.Values(environments)) {
		s.check("environments."+e, e, &faults)
	}
	return faults.Err()
}

// mayPlan asks for the plan's own environment. To start a rollout is a decision,
// by whichever door it comes.
func (s *server) mayPlan(ctx context.Context, environment, flag string, start bool) error {
	if err := mayTouch(ctx, access.Write, environment, flag); err != nil {
		return err
	}
	if err := mayTouch(ctx, access.Decide, environment, flag); start && err != nil {
		return fmt.Errorf("%w: it may write plans, and to start one takes an approver", err)
	}
	var faults event.Invalids
	if environment != "" { // a plan without one is refused by its own room
		s.check("environment", environment, &faults)
	}
	return faults.Err()
}

// check notes an environment that does not exist: a misspelt one would answer
// nobody.
func (s *server) check(path, environment string, faults *event.Invalids) {
	if !slices.Contains(s.Environments, environment) {
		faults.Add(path, environment, "is not an environment", "write one of "+strings.Join(s.Environments, ", "))
	}
}

func (s *server) applyMetric(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	var m ingest.Metric
	if err := d.Decode(&m); err != nil {
		return Applied{}, err
	}
	if err := s.mayDefine(ctx, d.Kind, m.Key, nil); err != nil {
		return Applied{}, err
	}
	var before ingest.Declaration
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		before, _ = s.Metrics.Declaration(m.Key)
		return s.Metrics.Handle(ingest.Define{
			ID: event.New(), Metric: m, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment,
		})
	})
	if errors.Is(err, ingest.ErrUnchanged) {
		return Applied{d.Kind, m.Key, unchanged, before.Revision}, nil
	}
	return Applied{d.Kind, m.Key, change(before.Revision), seq}, err
}

func (s *server) applyPlan(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	var p decisions.Plan
	if err := d.Decode(&p); err != nil {
		return Applied{}, err
	}
	if err := s.mayPlan(ctx, p.Environment, p.Flag, in.Start); err != nil {
		return Applied{}, err
	}
	var before decisions.Rollout
	same := false
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		before, same = s.planned(p)
		if same {
			return event.Event{}, 0, errSame
		}
		return s.Rollouts.Handle(decisions.Command{
			ID: event.New(), Op: decisions.OpPlan, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment, Plan: &p,
		})
	})
	if same {
		seq, err = before.Seq, nil
	}
	if err == nil && in.Start {
		seq, err = s.start(ctx, p, seq)
	}
	done := Applied{d.Kind, p.Environment + "/" + p.Flag, change(before.Seq), seq}
	if same {
		done.Change = unchanged
	}
	return done, err
}

var errSame = errors.New("the plan is already so")

// planned returns the newest rollout of the plan's flag, and whether it has
// this very plan and is not over.
func (s *server) planned(p decisions.Plan) (decisions.Rollout, bool) {
	r, ok := s.Rollouts.Newest(p.Environment, p.Flag)
	live := ok && (r.Status == decisions.Planned || r.Open())
	return r, live && reflect.DeepEqual(r.Plan, p.Filled())
}

// start starts the rollout of a plan unless it runs already.
func (s *server) start(ctx context.Context, p decisions.Plan, seq uint64) (uint64, error) {
	var r decisions.Rollout
	s.Projection.View(func(uint64) { r, _ = s.Rollouts.Newest(p.Environment, p.Flag) })
	if r.Status != decisions.Planned {
		return seq, nil
	}
	return s.recorded(ctx, func() (event.Event, event.Expect, error) {
		return s.Rollouts.Handle(decisions.Command{
			ID: event.New(), Op: decisions.OpStart, Environment: p.Environment, Flag: p.Flag, Expect: event.Any,
			At: s.Now(), Actor: who(ctx).Name,
		})
	})
}

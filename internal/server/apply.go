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
	DryRun  bool   `query:"dryRun" doc:"say what would change, or everything that would be refused, and record nothing"`
	Set     string `query:"set" doc:"name of the set of files that the documents are; it keeps their flags from now on"`
	Prune   bool   `query:"prune" doc:"archive the flags of the set that are not among the documents, and keep those that somebody still asks for or that are undecided; nothing is done when any of that is refused for another reason"`

	ContentType string `header:"Content-Type" hidden:"true"`

	RawBody []byte `contentType:"application/yaml" doc:"documents of kind Flag, Segment, Environment, Policy, Metric, Webhook or Rollout, as YAML or JSON; several files at once as application/vnd.sluice.files+json: {files: [{name, text}]}"`
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
	Change   string `json:"change" enum:"created,changed,unchanged,archived,kept"`
	Revision uint64 `json:"revision" doc:"sequence of the last event of what the document describes; of a dry run, as it is now"`

	Differences []string `json:"differences,omitempty" doc:"of a dry run: what would change, in sentences"`
	Notes       []string `json:"notes,omitempty" doc:"of a flag that prune keeps: why; of one that it archives: what could not be checked; of a plan under way: what becomes of its evidence"`
}

// apply carries out documents in order. One command is one event, so what
// stands before a refused document stays done: the error says which one it is.
func (s *server) apply(ctx context.Context, in *applyIn) (*applyOut, error) {
	docs, err := in.documents()
	if err == nil {
		err = in.checkSet()
	}
	if err != nil {
		return nil, err
	}
	out := &applyOut{}
	if in.DryRun || in.Prune {
		out.Body.Applied, err = s.rehearse(ctx, docs, in)
	}
	if in.DryRun || err != nil {
		return out, err
	}
	out.Body.Applied = nil
	for _, d := range docs {
		turnTo(ctx, d.Kind, d.key)
		done, err := s.applyOne(ctx, d.Document, in)
		if err != nil {
			return nil, s.stopped(d.annotate(err), out.Body.Applied)
		}
		out.Body.Applied = append(out.Body.Applied, done)
	}
	gone, err := s.prune(ctx, docs, in)
	if err != nil {
		return nil, s.stopped(err, append(out.Body.Applied, gone...))
	}
	out.Body.Applied = append(out.Body.Applied, gone...)
	return out, nil
}

// checkSet asks for the name of the set that is to be pruned: what belongs to
// no set, or to another, is never archived.
func (in *applyIn) checkSet() error {
	var faults event.Invalids
	if why := event.CheckKey(in.Set); why != "" && in.Set != "" {
		faults.Add("query.set", in.Set, why, "write one such as shop-flags")
	}
	if in.Prune && in.Set == "" {
		faults.Add("query.set", nil, "is missing", "name the set of files whose flags may be archived")
	}
	return faults.Err()
}

// stopped tells what was done before a document was refused.
func (s *server) stopped(err error, done []Applied) error {
	p := problem(err)
	s.reportOperation("apply", err)
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
	case "Segment":
		return s.applySegment(ctx, d, in)
	case "Environment":
		return s.applyEnvironment(ctx, d, in)
	case "Policy":
		return s.applyPolicy(ctx, d, in)
	case "Webhook":
		return s.applyWebhook(ctx, d, in)
	}
	return Applied{}, event.Invalids{{Path: "kind", Value: d.Kind, Why: "is not a kind of document", Fix: "write Flag, Segment, Environment, Policy, Metric, Rollout, Webhook, Person or Team"}}
}

// What a document did.
const (
	created   = "created"
	changed   = "changed"
	unchanged = "unchanged"
	archived  = "archived" // by prune
	kept      = "kept"     // by prune, which waits until it can be archived
)

func change(revision uint64) string {
	if revision == 0 {
		return created
	}
	return changed
}

// done says what a document did that stood at a revision before. A request that
// is sent again is told what it did then: that can be read in the log.
func (s *server) done(ctx context.Context, before, seq uint64) (string, error) {
	if again(ctx) != seq {
		return change(before), nil
	}
	var first [2]event.Recorded // the event, and the first one of its subject
	for i, after := range []uint64{seq - 1, 0} {
		for r, err := range s.Log.Read(ctx, event.Filter{Subjects: subjects(first[0])}, after) {
			if err != nil {
				return "", fmt.Errorf("reading what the request did: %w", err)
			}
			first[i] = r
			break
		}
	}
	return change(seq - first[1].Seq), nil
}

// subjects selects the subject of an event, or all for none.
func subjects(r event.Recorded) []string {
	if r.Subject == "" {
		return nil
	}
	return []string{r.Subject}
}

// expects refuses a document whose author saw another revision.
func expects(d manifest.Document, key string, revision uint64) error {
	if d.Expect == event.Any || d.Expect == event.Expect(revision) {
		return nil
	}
	return fmt.Errorf("%w: %s %s is at revision %d, not %d", errStale, d.Kind, key, revision, d.Expect)
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
		if err := expects(d, f.Key, before.Revision); err != nil {
			return event.Event{}, 0, err
		}
		return s.Flags.Handle(flags.Command{
			ID: event.New(), Key: f.Key, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment,
			Changes: in.defining(&f),
		})
	})
	if errors.Is(err, flags.ErrUnchanged) {
		return Applied{Kind: d.Kind, Key: f.Key, Change: unchanged, Revision: before.Revision}, nil
	}
	if err != nil {
		return Applied{}, err
	}
	done, err := s.done(ctx, before.Revision, seq)
	return Applied{Kind: d.Kind, Key: f.Key, Change: done, Revision: seq}, err
}

// defining returns the changes of a flag's document.
func (in *applyIn) defining(f *flags.Flag) []flags.Change {
	changes := []flags.Change{{Op: flags.Define, Flag: f}}
	if in.Set != "" {
		changes = append(changes, flags.Change{Op: flags.Adopt, Name: in.Set})
	}
	return changes
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
	if all := s.environments(); !slices.Contains(all, environment) {
		faults.Add(path, environment, "is not an environment", "write one of "+strings.Join(all, ", ")+", or declare it with a document of kind Environment")
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
		if err := expects(d, m.Key, before.Revision); err != nil {
			return event.Event{}, 0, err
		}
		return s.Metrics.Handle(ingest.Define{
			ID: event.New(), Metric: m, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment,
		})
	})
	if errors.Is(err, ingest.ErrUnchanged) {
		return Applied{Kind: d.Kind, Key: m.Key, Change: unchanged, Revision: before.Revision}, nil
	}
	if err != nil {
		return Applied{}, err
	}
	done, err := s.done(ctx, before.Revision, seq)
	return Applied{Kind: d.Kind, Key: m.Key, Change: done, Revision: seq}, err
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
	var revision decisions.Revision
	same := false
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		before, same = s.planned(p)
		if err := expects(d, p.Environment+"/"+p.Flag, before.Seq); err != nil {
			return event.Event{}, 0, err
		}
		if same {
			return event.Event{}, 0, errSame
		}
		revision, _ = s.Rollouts.Revision(p) // what speaks against it, Handle says
		return s.Rollouts.Handle(decisions.Command{
			ID: event.New(), Op: decisions.OpPlan, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: in.Comment, Plan: &p,
		})
	})
	if errors.Is(err, errSame) {
		seq, err = before.Seq, nil
	}
	if err != nil {
		return Applied{}, err
	}
	done := Applied{Kind: d.Kind, Key: p.Environment + "/" + p.Flag, Change: unchanged, Revision: seq}
	if !same {
		done.Change, err = s.done(ctx, before.Seq, seq)
	}
	if revision.Version > 0 {
		done.Notes = []string{revision.Text()}
	}
	if err == nil && in.Start {
		done.Revision, err = s.start(ctx, p, seq)
	}
	return done, err
}

var errSame = errors.New("the plan is already so")

// planned returns the newest rollout of the plan's flag, and whether it has
// this very plan and is not over.
func (s *server) planned(p decisions.Plan) (decisions.Rollout, bool) {
	r, ok := s.Rollouts.Newest(p.Environment, p.Flag)
	live := ok && (r.Status == decisions.Planned || r.Open())
	return r, live && reflect.DeepEqual(r.Plan, s.Rollouts.Filled(p))
}

// start starts the rollout of a plan unless it runs already.
func (s *server) start(ctx context.Context, p decisions.Plan, seq uint64) (uint64, error) {
	var r decisions.Rollout
	s.Projection.View(func(uint64) { r, _ = s.Rollouts.Newest(p.Environment, p.Flag) })
	if r.Status != decisions.Planned {
		return seq, nil
	}
	return s.begin(ctx, r, "", false)
}

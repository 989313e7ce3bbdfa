package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// draft is the log of a house in which commands are rehearsed: what is
// appended changes copies of the folds and is recorded nowhere.
type draft struct {
	event.Log
	projection *event.Projection
}

// Append implements event.Log. Nobody else changes the copies, so whatever was
// expected holds.
func (d draft) Append(_ context.Context, e event.Event, _ event.Expect) (uint64, error) {
	return d.projection.Rehearse(e)
}

// Last implements event.Log.
func (d draft) Last(context.Context) (uint64, error) { return d.projection.Seq(), nil }

// drafts keeps the documents that a rehearsal writes.
type drafts struct {
	*event.MemBlobs
	stored event.Blobs
}

// Load implements event.Blobs.
func (d drafts) Load(ctx context.Context, name event.Blob) ([]byte, error) {
	b, err := d.MemBlobs.Load(ctx, name)
	if errors.Is(err, event.ErrNotFound) {
		return d.stored.Load(ctx, name)
	}
	return b, err
}

// rehearsal returns a server over copies of the folds: whatever is commanded
// there is checked by the same code, and nothing comes of it.
func (s *server) rehearsal() (*server, error) {
	folds := NewFolds()
	p, err := s.Projection.Fork(folds.All()...)
	if err != nil {
		return nil, fmt.Errorf("copying the state: %w", err)
	}
	d := &server{House: s.House, log: s.log}
	d.Folds, d.Projection, d.Streams = folds, p, nil
	d.Log, d.Blobs = draft{s.Log, p}, drafts{&event.MemBlobs{}, s.Blobs}
	d.sets.house = &d.House
	return d, nil
}

// rehearse says what documents would change, or everything that would be
// refused. Nothing is recorded.
func (s *server) rehearse(ctx context.Context, docs []document, in *applyIn) ([]Applied, error) {
	d, err := s.rehearsal()
	if err != nil {
		return nil, err
	}
	ctx = unkeyed(ctx)
	var done []Applied
	var refused []error
	for _, doc := range docs {
		a, err := d.applyOne(ctx, doc.Document, in)
		if err != nil {
			s.reportOperation("apply", err)
			refused = append(refused, doc.annotate(err))
			continue
		}
		was, revision := s.current(a.Kind, a.Key)
		is, _ := d.current(a.Kind, a.Key)
		a.Revision = revision
		if a.Change == changed {
			a.Differences = differences(was, is)
		}
		done = append(done, a)
	}
	gone, err := d.prune(ctx, docs, in)
	if err != nil {
		refused = append(refused, err)
	}
	for i := range gone {
		_, gone[i].Revision = s.current(gone[i].Kind, gone[i].Key)
	}
	return append(done, gone...), all(refused)
}

// all is one error of several, with the status of the gravest: what was
// refused for its content alone is a fault of the documents.
func all(list []error) error {
	if len(list) == 0 {
		return nil
	}
	worst := problem(list[0])
	var details []string
	for _, err := range list {
		p := problem(err)
		details = append(details, p.Detail)
		if worst.Status == http.StatusBadRequest && p.Status != http.StatusBadRequest {
			worst.Status, worst.Type, worst.Title = p.Status, p.Type, p.Title
		}
		if err != list[0] {
			worst.Errors = append(worst.Errors, p.Errors...)
		}
	}
	worst.Detail = strings.Join(details, "\n")
	return worst
}

// prune archives the flags of a set that its files no longer have. A flag that
// is still needed, or ramped, is refused like any other; one that somebody asks
// for, or that is undecided, is kept: it is archived when the files are applied
// another time.
func (s *server) prune(ctx context.Context, docs []document, in *applyIn) ([]Applied, error) {
	if !in.Prune {
		return nil, nil
	}
	present := map[string]bool{}
	for _, d := range docs {
		present[d.key] = true
	}
	var done []Applied
	var refused []error
	held := map[string]bool{}
	for _, key := range s.leftOut(in.Set, present) {
		a, err := s.drop(ctx, key, in, held)
		if err != nil {
			refused = append(refused, fmt.Errorf("pruning flag %s: %w", key, err))
			continue
		}
		done, held[key] = append(done, a), a.Change == kept
	}
	return done, all(refused)
}

// drop archives a flag of a set, or says why it is kept: also because a flag
// that needs it is held. To archive is a decision for every environment, by
// whichever door it comes.
func (s *server) drop(ctx context.Context, key string, in *applyIn, held map[string]bool) (Applied, error) {
	if err := mayTouch(ctx, access.Decide, access.AnyEnvironment, key); err != nil {
		return Applied{}, fmt.Errorf("%w: to archive it takes an approver", err)
	}
	turnTo(ctx, "prune", key)
	changes, waits := []flags.Change{{Op: flags.Archive}}, false
	a := Applied{Kind: "Flag", Key: key, Change: archived}
	s.Projection.View(func(uint64) {
		a.Notes = s.doubts(key, changes)
		waits = s.waits(key) || slices.ContainsFunc(s.Flags.Dependants(key), func(d string) bool { return held[d] })
	})
	var err error
	a.Revision, err = s.recorded(ctx, func() (event.Event, event.Expect, error) {
		return s.handled(flags.Command{
			ID: event.New(), Key: key, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name,
			Comment: strings.TrimSpace(in.Comment + " (no longer in the files of set " + in.Set + ")"), Changes: changes,
		})
	})
	var why event.Invalids
	if waits && errors.As(err, &why) {
		_, a.Revision = s.current(a.Kind, key)
		a.Change, a.Notes = kept, strings.Split(why.Error(), "\n")
		return a, nil
	}
	return a, err
}

// leftOut returns the keys of a set's flags that are not archived and not
// among the present ones: dependants first, so that what they need is free.
func (s *server) leftOut(set string, present map[string]bool) []string {
	var out []document
	s.Projection.View(func(uint64) {
		for _, key := range s.Flags.Keys() {
			if f, _ := s.Flags.Flag(key); f.Set == set && !f.Archived && !present[key] {
				d := document{key: key, needs: f.Needs()}
				d.Kind = "Flag"
				out = append(out, d)
			}
		}
	})
	out = ordered(out)
	keys := make([]string, len(out))
	for i, d := range out {
		keys[len(out)-1-i] = d.key
	}
	return keys
}

// current returns what a document describes as it is, and its revision; nil
// and 0 when there is no such thing yet.
func (s *server) current(kind, key string) (doc any, revision uint64) {
	s.Projection.View(func(uint64) {
		switch kind {
		case "Person":
			doc, revision = keyed(s.Access.People(), key, func(p access.Person) string { return p.Key }), s.Access.Revision(kind, key)
		case "Team":
			doc, revision = keyed(s.Access.Teams(), key, func(t access.Team) string { return t.Key }), s.Access.Revision(kind, key)
		case "Flag":
			if f, ok := s.Flags.Flag(key); ok {
				doc, revision = f.Flag, f.Revision
			}
		case "Metric":
			if d, ok := s.Metrics.Declaration(key); ok {
				doc, revision = d.Metric, d.Revision
			}
		case "Segment":
			if d, ok := s.Flags.Segment(key); ok {
				doc, revision = d.Segment, d.Revision
			}
		case "Environment":
			if d, ok := s.Flags.Environment(key); ok {
				doc, revision = d.EnvironmentDoc, d.Revision
			}
		case "Policy":
			if d, ok := s.Flags.PolicyDoc(key); ok {
				doc, revision = d.Policy, d.Revision
			}
		case "Webhook":
			if h, ok := s.Webhooks.Hook(key); ok {
				doc, revision = h.Webhook, h.Revision
			}
		case "Rollout":
			environment, flag, _ := strings.Cut(key, "/")
			if r, ok := s.Rollouts.Newest(environment, flag); ok {
				doc, revision = r.Plan, r.Seq
			}
		}
	})
	return doc, revision
}

// keyed returns the item of that key, nil when there is none.
func keyed[T any](list []T, key string, keyOf func(T) string) any {
	i := slices.IndexFunc(list, func(item T) bool { return keyOf(item) == key })
	if i < 0 {
		return nil
	}
	return list[i]
}

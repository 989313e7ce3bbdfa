package server

import (
	"context"
	"errors"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// order is what every command of whoever asks has.
func (s *server) order(ctx context.Context, comment string) flags.Order {
	return flags.Order{ID: event.New(), Expect: event.Any, At: s.Now(), Actor: who(ctx).Name, Comment: comment}
}

// agrees says whether whoever asks has the role that agrees to changes of flags,
// whatever their keys. A program may have it too, to keep segments up to date.
func agrees(ctx context.Context) func(flags.Need) bool {
	return func(n flags.Need) bool { return slices.Contains(roles(ctx, access.AnyKey, []flags.Need{n}), n.Role) }
}

// writing is one document on its way into the log.
type writing struct {
	manifest.Document
	key    string
	was    func() uint64 // revision of what it describes, as it is
	handle func() (event.Event, event.Expect, error)
}

// write carries out the command of one document.
func (s *server) write(ctx context.Context, w writing) (Applied, error) {
	var was uint64
	seq, err := s.recorded(ctx, func() (event.Event, event.Expect, error) {
		was = w.was()
		if err := expects(w.Document, w.key, was); err != nil {
			return event.Event{}, 0, err
		}
		return w.handle()
	})
	if errors.Is(err, flags.ErrUnchanged) {
		return Applied{Kind: w.Kind, Key: w.key, Change: unchanged, Revision: was}, nil
	}
	if err != nil {
		return Applied{}, err
	}
	done, err := s.done(ctx, was, seq)
	return Applied{Kind: w.Kind, Key: w.key, Change: done, Revision: seq}, err
}

func (s *server) applySegment(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	var doc flags.Segment
	if err := d.Decode(&doc); err != nil {
		return Applied{}, err
	}
	if err := s.mayDefine(ctx, d.Kind, doc.Key, nil); err != nil {
		return Applied{}, err
	}
	var err error
	if doc.Included, err = s.stock(ctx, "included", doc.Included); err != nil {
		return Applied{}, err
	}
	if doc.Excluded, err = s.stock(ctx, "excluded", doc.Excluded); err != nil {
		return Applied{}, err
	}
	before := func() uint64 { old, _ := s.Flags.Segment(doc.Key); return old.Revision }
	return s.write(ctx, writing{Document: d, key: doc.Key, was: before, handle: func() (event.Event, event.Expect, error) {
		return s.Flags.HandleSegment(flags.SegmentCommand{
			Order: s.order(ctx, in.Comment), Key: doc.Key, Changes: []flags.SegmentChange{{Op: flags.SegmentDefine, Segment: &doc}}, May: agrees(ctx),
		})
	}})
}

// applyEnvironment takes an administrator: what an environment says reaches
// every flag.
func (s *server) applyEnvironment(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	var doc flags.EnvironmentDoc
	if err := d.Decode(&doc); err != nil {
		return Applied{}, err
	}
	if err := mayTouch(ctx, access.Manage, access.AnyEnvironment, access.AnyKey); err != nil {
		return Applied{}, err
	}
	before := func() uint64 { old, _ := s.Flags.Environment(doc.Key); return old.Revision }
	return s.write(ctx, writing{Document: d, key: doc.Key, was: before, handle: func() (event.Event, event.Expect, error) {
		return s.Flags.HandleEnvironment(flags.EnvironmentCommand{Order: s.order(ctx, in.Comment), Key: doc.Key, Environment: &doc})
	}})
}

// applyPolicy takes an administrator: who could change a policy could get
// around it.
func (s *server) applyPolicy(ctx context.Context, d manifest.Document, in *applyIn) (Applied, error) {
	var doc flags.Policy
	if err := d.Decode(&doc); err != nil {
		return Applied{}, err
	}
	if err := mayTouch(ctx, access.Manage, access.AnyEnvironment, access.AnyKey); err != nil {
		return Applied{}, err
	}
	before := func() uint64 { old, _ := s.Flags.PolicyDoc(doc.Key); return old.Revision }
	return s.write(ctx, writing{Document: d, key: doc.Key, was: before, handle: func() (event.Event, event.Expect, error) {
		return s.Flags.HandlePolicy(flags.PolicyCommand{Order: s.order(ctx, in.Comment), Key: doc.Key, Policy: &doc})
	}})
}

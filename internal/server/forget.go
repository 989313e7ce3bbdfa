package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

// Units is what is kept of single units.
type Units interface {
	// Hash returns the keyed hash under which a unit is stored.
	Hash(kind, id string) uint64
	// Kept collects everything that is kept of a unit.
	Kept(ctx context.Context, kind string, unit uint64) (ingest.UnitFacts, error)
	// Trace says what the events of a unit come to in a rollout, as a gate would
	// count them now.
	Trace(ctx context.Context, r decisions.Rollout, kind string, unit uint64, now time.Time) (ingest.Trace, error)
	// Fence returns, by shard, the last message of facts there is.
	Fence(ctx context.Context) (map[string]uint64, error)
}

// UnitNamed is the body of a request about one unit. The id never stands in an
// address, which logs and proxies keep.
type UnitNamed struct {
	Kind string `json:"kind" doc:"of the unit" example:"user"`
	ID   string `json:"id,omitempty" doc:"the unit's id; it is not kept"`
	Unit string `json:"unit,omitempty" doc:"instead of the id: its keyed hash, as lists and letters have it" example:"hash:00c0ffee00c0ffee"`
}

// hash returns the unit that is meant.
func (n UnitNamed) hash(u Units) (uint64, error) {
	var faults event.Invalids
	unit, hashed := ingest.ParseUnit(n.Unit)
	if why := event.CheckKey(n.Kind); why != "" {
		faults.Add("kind", n.Kind, why, "name the kind of the unit, such as user")
	}
	switch {
	case n.ID == "" && n.Unit == "":
		faults.Add("id", nil, "is missing", "name the unit by its id, or by its hash in unit")
	case n.ID != "" && n.Unit != "":
		faults.Add("unit", n.Unit, "stands beside the id", "write one of the two")
	case n.Unit != "" && !hashed:
		faults.Add("unit", nil, "is not the hash of a unit", "write hash: and 16 hexadecimal digits, or the id in id")
	}
	if err := faults.Err(); err != nil || hashed {
		return unit, err
	}
	return u.Hash(n.Kind, n.ID), nil
}

var errNoUnits = fmt.Errorf("this replica knows no units: %w", errNoSuch)

type exportUnitIn struct{ Body UnitNamed }

// UnitExport is everything that is kept of a unit.
type UnitExport struct {
	ingest.UnitFacts
	Mentions []Mention `json:"mentions" doc:"where the id itself stands; empty when it was not given"`
}

type exportUnitOut struct{ Body UnitExport }

func (s *server) exportUnit(ctx context.Context, in *exportUnitIn) (*exportUnitOut, error) {
	if s.Units == nil {
		return nil, errNoUnits
	}
	unit, err := in.Body.hash(s.Units)
	if err != nil {
		return nil, err
	}
	out := &exportUnitOut{}
	if out.Body.UnitFacts, err = s.Units.Kept(ctx, in.Body.Kind, unit); err != nil {
		return nil, err
	}
	out.Body.At = s.Now()
	out.Body.Mentions, err = s.mentions(ctx, in.Body.ID)
	return out, err
}

type deleteUnitIn struct {
	Body struct {
		UnitNamed
		Comment string `json:"comment,omitempty" doc:"why, such as the number of a request; it stays on record and must not name the unit"`
	}
}

// DeletionView is the deletion of a unit.
type DeletionView struct {
	ingest.Forgotten
	Mentions []Mention `json:"mentions,omitempty" doc:"where the id itself stands, which no deletion changes"`
	Remains  []string  `json:"remains,omitempty" doc:"what is not deleted, and until when"`
}

type deletionOut struct{ Body DeletionView }

// deleteUnit records that a unit is to be deleted. Whoever loads carries it
// out, and records that.
func (s *server) deleteUnit(ctx context.Context, in *deleteUnitIn) (*deletionOut, error) {
	if s.Units == nil {
		return nil, errNoUnits
	}
	unit, err := in.Body.hash(s.Units)
	if err != nil {
		return nil, err
	}
	if id := in.Body.ID; id != "" && strings.Contains(in.Body.Comment, id) {
		return nil, event.Invalids{{Path: "comment", Why: "names the unit, and is kept for ever", Fix: "write the number of the request instead"}}
	}
	fence, err := s.Units.Fence(ctx)
	if err != nil {
		return nil, err
	}
	c := ingest.Forget{
		ID: event.New(), Kind: in.Body.Kind, Unit: unit, Fence: fence, At: s.Now(), Actor: who(ctx).Name, Comment: strings.TrimSpace(in.Body.Comment),
	}
	if err := s.record(ctx, func() (event.Event, event.Expect, error) { return s.Forgets.Handle(c) }); err != nil {
		return nil, err
	}
	out := &deletionOut{DeletionView{Remains: remains}}
	out.Body.Forgotten, _ = s.Forgets.Of(unit)
	out.Body.Mentions, err = s.mentions(ctx, in.Body.ID)
	return out, err
}

// remains says what a deletion does not reach.
var remains = []string{
	"The streams of facts hold the unit's events, by its hash and packed with those of others, until their messages are purged. Whoever loads them again leaves the unit out.",
	"Dead letters are taken from the list and never shown or sent again; their stream holds their bytes. Messages that cannot be read at all are not searched.",
	"An event that belongs to several units is deleted for this one; the others keep their part of it.",
	"Looks and decisions hold sums over arms, which do not change.",
	"Backups and what others have copied are yours to delete.",
}

type deletionsIn struct{ Page }

type deletionsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Deletions []ingest.Forgotten `json:"deletions" doc:"by hash"`
		Next      string             `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listDeletions(_ context.Context, in *deletionsIn) (*deletionsOut, error) {
	out := &deletionsOut{}
	page, next, err := cut(in.Page, rising("deletions", func(f ingest.Forgotten) string { return f.Unit }), s.Forgets.All())
	out.Body.Deletions, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// Mention is a place in a definition where a unit's id stands. The log keeps
// every definition that there was.
type Mention struct {
	Kind  string `json:"kind" enum:"flag,segment"`
	Key   string `json:"key"`
	Place string `json:"place" example:"environments.production.targets"`
}

// mentions looks for an id in the targets of flags and in segments.
func (s *server) mentions(ctx context.Context, id string) ([]Mention, error) {
	found := []Mention{}
	if id == "" {
		return found, nil
	}
	var segments []flags.RecordedSegment
	s.Projection.View(func(uint64) {
		for _, key := range s.Flags.Keys() {
			f, _ := s.Flags.Flag(key)
			found = append(found, targeted(f, id)...)
		}
		segments = s.Flags.Segments()
	})
	for _, g := range segments {
		for _, list := range []struct {
			name flags.ListName
			flags.UnitList
		}{{flags.IncludedList, g.Included}, {flags.ExcludedList, g.Excluded}} {
			has, err := s.names(ctx, list.UnitList, id)
			if err != nil {
				return nil, err
			}
			if has {
				found = append(found, Mention{"segment", g.Key, string(list.name)})
			}
		}
	}
	return found, nil
}

// names reports whether an id stands anywhere in a list, also where the list
// says that it is out.
func (s *server) names(ctx context.Context, l flags.UnitList, id string) (bool, error) {
	written := slices.Contains(l.Units, id) || slices.Contains(l.Without, id)
	if written || l.Bulk == nil {
		return written, nil
	}
	bulk, err := s.list(ctx, *l.Bulk)
	return err == nil && bulk.Has(id), err
}

func targeted(f flags.Recorded, id string) (found []Mention) {
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		for _, t := range f.Environments[name].Targets {
			if slices.Contains(t.Units, id) {
				found = append(found, Mention{"flag", f.Key, "environments." + name + ".targets"})
				break
			}
		}
	}
	return found
}

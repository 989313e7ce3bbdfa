package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// SegmentView is a segment and what asks for it.
type SegmentView struct {
	flags.RecordedSegment
	UsedBy []flags.Use `json:"usedBy" doc:"rules and allocations that ask for it"`
}

type segmentsIn struct{ Page }

type segmentsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Segments []flags.RecordedSegment `json:"segments" doc:"by key"`
		Next     string                  `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listSegments(ctx context.Context, in *segmentsIn) (*segmentsOut, error) {
	var all []flags.RecordedSegment
	s.Projection.View(func(uint64) { all = s.Flags.Segments() })
	all = slices.DeleteFunc(all, func(r flags.RecordedSegment) bool { return !defines(ctx, r.Key) })
	out := &segmentsOut{}
	page, next, err := cut(in.Page, rising("segments", func(r flags.RecordedSegment) string { return r.Key }), all)
	out.Body.Segments, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

type segmentKey struct {
	Key string `path:"key" example:"beta-workspaces"`
}

type segmentOut struct {
	ETag string `header:"ETag" doc:"the segment's revision"`
	Body SegmentView
}

func (s *server) getSegment(ctx context.Context, in *segmentKey) (*segmentOut, error) {
	out, ok := &segmentOut{}, false
	s.Projection.View(func(uint64) {
		out.Body.UsedBy = []flags.Use{}
		if out.Body.RecordedSegment, ok = s.Flags.Segment(in.Key); !ok {
			return
		}
		for _, use := range s.Flags.Uses(in.Key) {
			if sees(ctx, use.Environment, use.Flag) {
				out.Body.UsedBy = append(out.Body.UsedBy, use)
			}
		}
	})
	if !ok {
		return nil, fmt.Errorf("segment %s: %w", in.Key, errNoSuch)
	}
	out.ETag = fmt.Sprintf("%q", fmt.Sprint(out.Body.Revision))
	return out, nil
}

type deleteIn struct {
	Key     string `path:"key"`
	Comment string `query:"comment" doc:"why, for the history"`
}

// deleteSegment takes a segment away that nothing asks for.
func (s *server) deleteSegment(ctx context.Context, in *deleteIn) (*struct{}, error) {
	return nil, s.changeSegment(ctx, in.Key, in.Comment, flags.SegmentChange{Op: flags.SegmentDelete})
}

type unitsIn struct {
	Key  string `path:"key"`
	Body struct {
		List    flags.ListName `json:"list" enum:"included,excluded"`
		Add     []string       `json:"add,omitempty" doc:"ids of units"`
		Remove  []string       `json:"remove,omitempty" doc:"ids of units"`
		Comment string         `json:"comment,omitempty" doc:"why, for the history"`
	}
}

// changeUnits puts a few units into a list or takes them out.
func (s *server) changeUnits(ctx context.Context, in *unitsIn) (*segmentOut, error) {
	var changes []flags.SegmentChange
	if len(in.Body.Remove) > 0 {
		changes = append(changes, flags.SegmentChange{Op: flags.SegmentRemove, List: in.Body.List, Units: in.Body.Remove})
	}
	if len(in.Body.Add) > 0 {
		changes = append(changes, flags.SegmentChange{Op: flags.SegmentAdd, List: in.Body.List, Units: in.Body.Add})
	}
	if err := s.changeSegment(ctx, in.Key, in.Body.Comment, changes...); err != nil {
		return nil, err
	}
	return s.getSegment(ctx, &segmentKey{in.Key})
}

func (s *server) changeSegment(ctx context.Context, key, comment string, changes ...flags.SegmentChange) error {
	return s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Flags.HandleSegment(flags.SegmentCommand{Order: s.order(ctx, comment), Key: key, Changes: changes, May: agrees(ctx)})
	})
}

package server

import (
	"context"
	"fmt"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-hq/sluice/flags"
)

type segmentAsk struct {
	Key        string `path:"key" example:"beta-workspaces"`
	Unit       string `query:"unit" doc:"id of the segment's unit" example:"u-1"`
	attributes url.Values
}

// Resolve implements huma.Resolver, as that of an explanation does.
func (in *segmentAsk) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.attributes = attributesOf(u.Query())
	return nil
}

type membershipOut struct{ Body flags.Membership }

// explainSegment says whether one unit is in a segment, and why.
func (s *server) explainSegment(ctx context.Context, in *segmentAsk) (*membershipOut, error) {
	out, err := s.getSegment(ctx, &segmentKey{in.Key})
	if err != nil {
		return nil, err
	}
	c, err := (&explainIn{Unit: in.Unit, attributes: in.attributes}).context(unitOr(out.Body.Unit))
	if err != nil {
		return nil, err
	}
	c.Now = s.Now()
	lists, err := s.lists(ctx, out.Body.Bulks(), s.sets.fresh().lists)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLists, err)
	}
	m, ok := out.Body.Explain(c, lists)
	if !ok {
		return nil, errLists // unreachable: they have been loaded
	}
	return &membershipOut{m}, nil
}

func unitOr(unit string) string {
	if unit == "" {
		return flags.DefaultUnit
	}
	return unit
}

package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/ingest"
)

type twoArmsIn struct {
	RolloutPath
	Page
}

type twoArmsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Units  []ingest.TwoArms     `json:"units" doc:"by epoch and hash"`
		Causes map[ingest.Cause]int `json:"causes" doc:"how many units of this page have each likely cause"`
		Next   string               `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// listTwoArms lists the units that no number counts because they saw two arms.
func (s *server) listTwoArms(ctx context.Context, in *twoArmsIn) (*twoArmsOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	if s.Readouts == nil {
		return nil, errNoReadouts
	}
	epoch, unit, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := s.Readouts.TwoArms(ctx, v.Rollout, epoch, unit, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &twoArmsOut{}
	page, next, err := cut(in.Page, byCohort, found)
	out.Body.Units, out.Body.Next, out.Link, out.Body.Causes = page, next.cursor, next.link, map[ingest.Cause]int{}
	for _, u := range page {
		out.Body.Causes[u.Cause]++
	}
	return out, err
}

// byCohort is the order of units by epoch and hash; hashes have equally many
// digits.
var byCohort = rising("two-arms", func(u ingest.TwoArms) string { return fmt.Sprintf("%010d %s", u.Epoch, u.Unit) })

// after returns the epoch and the unit behind which the page begins.
func (in *twoArmsIn) after() (epoch int, unit uint64, err error) {
	place, err := in.from(byCohort.list)
	if err != nil || place == "" {
		return 0, 0, err
	}
	var text string
	ok := false
	if _, err := fmt.Sscanf(place, "%d %s", &epoch, &text); err == nil {
		unit, ok = ingest.ParseUnit(text)
	}
	if !ok {
		return 0, 0, in.noCursor()
	}
	return epoch, unit, nil
}

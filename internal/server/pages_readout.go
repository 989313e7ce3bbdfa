package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
)

// Bounds of a readout page: how long it waits for the list of looks, which it
// can do without, and for what is read from raw events; and how many looks it
// offers and draws.
const (
	glanceTime = 2 * time.Second
	readTime   = 20 * time.Second
	offered    = 100
	drawn      = 200
)

// readoutPage shows the newest look, or one of the past. What takes a while to
// read is read when the page asks for it.
func (s *server) readoutPage(w http.ResponseWriter, r *http.Request) error {
	id, asked := pathOf(r), dashboards.ParseAsked(r.URL.Query())
	v, err := s.view(id.String())
	if err != nil {
		return s.problemPage(w, r, err)
	}
	g, err := s.glance(r.Context(), id, v, asked)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	code := http.StatusOK
	if asked.Read && g.Evidence != nil && asked.At.IsZero() || asked.View == dashboards.OfMetrics && asked.Read {
		code = s.find(r, id, v.Rollout, asked, &g)
	}
	f := s.frameOf(w, r, dashboards.InRollouts, id.Environment, id.Flag, id.String())
	if !v.Rollout.Open() {
		f.Refresh = 0
	}
	return s.page(w, code, dashboards.NewReadoutPage(f, g, asked, s.Now()))
}

// glance reads what a readout page needs at once. A rollout that nobody looks
// at any more is shown as it was looked at last.
func (s *server) glance(ctx context.Context, id RolloutPath, v RolloutView, a dashboards.Asked) (dashboards.Glance, error) {
	g := dashboards.Glance{Seen: seen(v), JSON: "/api/v1/readouts/" + v.Rollout.ID}
	at := s.Now()
	if !a.At.IsZero() {
		at = a.At
		g.JSON += "?" + url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}}.Encode()
	}
	if g.Evidence == nil || !a.At.IsZero() {
		look, err := s.lookAt(ctx, v.Rollout.ID, at)
		switch {
		case err == nil:
			g.Evidence, g.Verdict = &look.Evidence, &look.Verdict
		case !a.At.IsZero() || !errors.Is(err, errNoSuch):
			return g, err
		}
	}
	ctx, stop := context.WithTimeout(ctx, glanceTime)
	defer stop()
	looks, taken, err := s.trail(ctx, &trailIn{RolloutPath: id, Most: offered})
	if err != nil {
		s.log.Debug("a readout page offers no looks", "rollout", v.Rollout.ID, "error", err)
	}
	g.Looks, g.Taken = looks, taken
	return g, nil
}

// find reads what the tab of a page shows beside the look, and returns the
// status of the page. A page that asks for a part of itself is answered with
// that part, also when it says why there is nothing.
func (s *server) find(r *http.Request, id RolloutPath, rollout decisions.Rollout, a dashboards.Asked, g *dashboards.Glance) int {
	ctx, stop := context.WithTimeout(r.Context(), readTime)
	defer stop()
	err := s.read(ctx, id, rollout, a, g)
	if err == nil {
		return http.StatusOK
	}
	s.report(r, err)
	p := problem(err)
	g.Found.Fault, g.Found.Fix = p.Detail, "Try again in a minute; /readyz says how the parts of the server are."
	if errors.Is(err, context.DeadlineExceeded) {
		g.Found.Fault = "The warehouse did not answer within " + readTime.String() + "."
		g.Found.Fix = "Ask for fewer attributes or days, or try again when less is loaded."
	}
	if r.Header.Get("HX-Request") != "" {
		return http.StatusOK
	}
	return p.Status
}

func (s *server) read(ctx context.Context, id RolloutPath, rollout decisions.Rollout, a dashboards.Asked, g *dashboards.Glance) error {
	in := &readoutIn{RolloutPath: id}
	switch a.View {
	case dashboards.OfSegments:
		if a.Segment == "" {
			return nil
		}
		in.By = []string{a.Segment}
	case dashboards.OfDays:
		in.Days = a.PeriodAsked()
	case dashboards.OfHealth:
		in.Largest, in.Ratio = true, true
		if a.Segment != "" {
			in.By = []string{a.Segment}
		}
	case dashboards.OfQueries:
		return nil
	default:
		return s.readTrail(ctx, id, rollout, a, g)
	}
	out, err := s.getReadout(ctx, in)
	if err != nil {
		return err
	}
	fillFound(out.Body, a, &g.Found)
	if a.View != dashboards.OfHealth {
		return nil
	}
	list, err := s.listTwoArms(ctx, &twoArmsIn{RolloutPath: id, Page: Page{Limit: offered}})
	if err == nil {
		g.Found.TwoArms, g.Found.More = list.Body.Units, list.Body.Next != ""
	}
	return err
}

// readTrail reads the looks that the charts of one metric are made of.
func (s *server) readTrail(ctx context.Context, id RolloutPath, rollout decisions.Rollout, a dashboards.Asked, g *dashboards.Glance) (err error) {
	metric := cmp.Or(a.Metric, dashboards.Subject(g.Seen))
	g.Found.Trail, _, err = s.trail(ctx, &trailIn{RolloutPath: id, Metric: metric, Until: a.At, Most: drawn})
	return err
}

// fillFound takes over what a readout says beside its numbers.
func fillFound(v ReadoutView, a dashboards.Asked, f *dashboards.Found) {
	f.By, f.Warnings, f.Queries = a.Segment, v.Warnings, v.Queries
	for _, b := range v.Breakdowns {
		if b.Attribute == a.Segment {
			f.Segmented = b.Metrics
		}
	}
	for _, r := range v.Ratios {
		if r.By != "" && r.By != a.Segment && a.Segment != "" {
			continue
		}
		view := dashboards.Ratios{By: r.By}
		for _, p := range r.Parts {
			view.Parts = append(view.Parts, dashboards.RatioPart{Value: p.Value, Rest: p.Rest, Control: p.Control, Treatment: p.Treatment, Expected: p.Expected, P: p.Ratio.P, StandsOut: p.StandsOut})
		}
		f.Ratios = append(f.Ratios, view)
	}
	for _, b := range v.Balance {
		f.Balance = append(f.Balance, dashboards.Balanced{Metric: b.Metric, Balance: b.Balance})
	}
	for _, i := range v.Influence {
		f.Influence = append(f.Influence, dashboards.Influenced{Metric: i.Metric, Influence: i.Influence})
	}
	for _, n := range v.Novelty {
		f.Novelty = append(f.Novelty, dashboards.Novel{Metric: n.Metric, Novelty: n.Novelty})
	}
}

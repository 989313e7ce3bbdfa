package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// eventsPage shows how events come in, and what becomes of each.
func (s *server) eventsPage(w http.ResponseWriter, r *http.Request) error {
	f, environments := s.eventFrame(w, r)
	if err := s.mayList(r.Context(), f.Environment); err != nil {
		return s.problemPage(w, r, err)
	}
	recent, quiet, err := s.recent(r, f.Environment)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in, err := s.getInflow(r.Context(), &inflowIn{Environment: f.Environment})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, dashboards.NewEvents(f, environments, r.URL.Query(), recent, quiet, inflow(in.Body), s.example(r, f.Environment)))
}

// eventFrame is the frame of a page about the events of one environment: the one
// of the address, of the token, or the first that may be seen. Such a page
// renews nothing by itself: what comes in is shown as it comes.
func (s *server) eventFrame(w http.ResponseWriter, r *http.Request) (dashboards.Frame, []string) {
	f := s.listFrame(w, r, dashboards.InEvents)
	environments := f.Environments
	f.Refresh, f.Environments = 0, nil
	f.Environment = environment(r, who(r.Context()))
	switch {
	case f.Environment != "":
	case slices.Contains(environments, "production"):
		f.Environment = "production"
	case len(environments) > 0:
		f.Environment = environments[0]
	}
	return f, environments
}

// recent returns what was not simply taken lately, and a sentence where nothing
// can be heard.
func (s *server) recent(r *http.Request, environment string) (list []ingest.Heard, quiet string, err error) {
	filter, err := tapFilter(r.URL.Query())
	if err != nil || s.Tap == nil {
		return nil, "This replica takes no events; ask one that has the role ingest.", err
	}
	filter.Environment, filter.Recent = environment, true
	l, err := s.Tap.Listen(filter)
	if errors.Is(err, ingest.ErrCrowded) {
		return nil, "Nothing is shown as it comes: " + err.Error() + ". Close a page that listens, and load this one again.", nil
	}
	if err != nil {
		return nil, "", err
	}
	defer l.Close()
	for {
		select {
		case h := <-l.C:
			if hears(who(r.Context()), environment, h) {
				list = append(list, h)
			}
		default:
			return list, "", nil
		}
	}
}

func inflow(v InflowView) dashboards.Inflow {
	out := dashboards.Inflow{
		PerSecond: v.PerSecond, Over: time.Duration(v.Over * float64(time.Second)), Ack99: lasting(v.Ack99), Behind: lasting(v.Behind),
		Repeats: v.Repeats, UnknownFlags: v.Rejected[string(ingest.UnknownFlag)], Undeclared: v.Undeclared, DeadLetters: v.DeadLetters, TwoArms: v.UnitsTwoArms,
	}
	return out
}

func lasting(seconds *float64) *time.Duration {
	if seconds == nil {
		return nil
	}
	d := time.Duration(*seconds * float64(time.Second))
	return &d
}

// example is an exposure of a rollout under way, if there is one, that the
// snippets send to where the browser found this page.
func (s *server) example(r *http.Request, environment string) dashboards.Example {
	scheme := "http"
	if s.secure(r) {
		scheme = "https"
	}
	e := dashboards.Example{Base: (&url.URL{Scheme: scheme, Host: r.Host}).String(), ID: newFormKey(), Flag: "shop.checkout", Variant: "on", Unit: "user"}
	for _, o := range s.visible(r.Context()) {
		if o.Plan.Environment == environment && o.Open() {
			return dashboards.Example{Base: e.Base, ID: e.ID, Flag: o.Plan.Flag, Variant: o.Plan.Arms.Treatment, Unit: cmp.Or(o.Plan.Unit, e.Unit)}
		}
	}
	return e
}

// wholly reports whether whoever asks may do something everywhere, as calls
// about the whole house ask.
func wholly(ctx context.Context, what access.Permission) bool {
	return may(ctx, what, access.AnyEnvironment) == nil
}

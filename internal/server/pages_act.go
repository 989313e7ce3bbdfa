package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// actPage shows what an operation on a rollout would do, and the form that does
// it.
func (s *server) actPage(w http.ResponseWriter, r *http.Request) error {
	page, _, err := s.preview(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

// actOnRollout does what the form of that page asks for. What is refused is
// said where it was written, next to the rollout as it is now: whoever was
// slower decides about that.
func (s *server) actOnRollout(w http.ResponseWriter, r *http.Request) error {
	page, p, err := s.preview(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	if err := s.act(r, p); err != nil {
		page.Form = page.Form.Refuse(err, sentTo(r, page.Form, errors.Is(err, event.ErrConflict)))
		return s.page(w, problem(err).Status, page)
	}
	return s.onward(w, r, page.Title.Link, page.Name+": done.")
}

// sentTo returns what a form said in a field. What it holds unseen is that of the
// rollout as it is now; where that has changed, so have the boxes to tick.
func sentTo(r *http.Request, f dashboards.Form, changed bool) func(string) string {
	return func(name string) string {
		for _, field := range f.Fields {
			if field.Name == name && (field.Kind == dashboards.AsHidden || field.Kind == dashboards.AsTick && changed) {
				return field.Value
			}
		}
		return r.PostFormValue(name)
	}
}

// act gives the command that a form asks for.
func (s *server) act(r *http.Request, p *PreviewView) error {
	if p.Op == decisions.OpConfirm {
		in := &confirmIn{RolloutPath: pathOf(r)}
		in.Body.Owner, in.Body.When, in.Body.Comment = r.PostFormValue("owner"), r.PostFormValue("when"), r.PostFormValue("comment")
		_, err := s.confirmCondition(r.Context(), in)
		return err
	}
	in := &commandIn{RolloutPath: pathOf(r), Seen: Seen{IfMatch: r.PostFormValue("seen")}, Op: string(p.Op)}
	in.Body.Comment, in.Body.Decision, in.Body.Anyway = r.PostFormValue("comment"), r.PostFormValue("decision"), r.PostFormValue("anyway") == "true"
	in.Body.To = strings.TrimSpace(r.PostFormValue("to"))
	if share := strings.TrimSpace(r.PostFormValue("share")); share != "" {
		in.Body.To = share
	}
	err := in.readMoment(r)
	if err == nil {
		err = in.readChecks(r, p.Checks)
	}
	if err == nil {
		_, err = s.commandRollout(r.Context(), in)
	}
	return err
}

// readMoment reads the time of a form, which browsers write without a zone: UTC.
func (in *commandIn) readMoment(r *http.Request) error {
	text := r.PostFormValue("at")
	if text == "" {
		return nil
	}
	if at, ok := dashboards.FormMoment(text); ok {
		in.Body.At = &at
		return nil
	}
	return event.Invalids{{Path: "at", Value: text, Why: "is not a time", Fix: "write one such as 2026-12-01T09:00"}}
}

// readChecks reads which checks are to be overruled. The boxes go by their place
// among those that could be: a rollout that has changed since is refused.
func (in *commandIn) readChecks(r *http.Request, all []decisions.OverruledItem) error {
	if in.Op != string(decisions.OpOverride) {
		return nil
	}
	for i, c := range all {
		if r.PostFormValue(dashboards.TickOf(i)) == "true" {
			in.Body.Checks = append(in.Body.Checks, c.Check)
		}
	}
	if len(in.Body.Checks) == 0 && len(all) > 0 {
		return event.Invalids{{Path: "checks", Why: "are none", Fix: "tick the checks that are to stand in the way no longer"}}
	}
	return nil
}

// preview makes the page of an operation from the call that tells what it does.
func (s *server) preview(w http.ResponseWriter, r *http.Request) (dashboards.Preview, *PreviewView, error) {
	in := &previewIn{RolloutPath: pathOf(r), Op: mux.Vars(r)["op"], Owner: r.FormValue("owner"), When: r.FormValue("when")}
	v, err := s.view(in.String())
	if err == nil && !slices.Contains(decisions.Ops[:], decisions.Op(in.Op)) && in.Op != confirms {
		err = errNoSuch
	}
	if err != nil {
		return dashboards.Preview{}, nil, err
	}
	out, err := s.previewCommand(r.Context(), in)
	if err != nil {
		return dashboards.Preview{}, nil, err
	}
	f := s.frameOf(w, r, dashboards.InRollouts, in.Environment, in.Flag, "")
	f.Refresh = 0 // nothing may change under the hand of who is about to decide
	p := dashboards.Prospect{
		Prospect: out.Body.Prospect, Owner: in.Owner, When: decisions.CheckName(in.When), Webhooks: out.Body.Webhooks, Hearing: hearing(out.Body.Listening),
		Preflight: out.Body.Preflight, JSON: "/api/v1/rollouts/" + in.String() + "/" + in.Op,
	}
	page, _ := dashboards.NewPreview(f, seen(v), p, newFormKey())
	return page, &out.Body, nil
}

// hearing says who hears of a change, and when.
func hearing(l *Listening) string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("SDKs with an open stream hear of it at once: %d of rules and %d of notices are open to this replica. Clients that poll get it when they ask next.", l.SDKs, l.Clients)
}

// pathOf reads the name of a rollout in a path; a number that is none names no
// rollout.
func pathOf(r *http.Request) RolloutPath {
	n, _ := strconv.Atoi(mux.Vars(r)["number"])
	return RolloutPath{Environment: mux.Vars(r)["environment"], Flag: mux.Vars(r)["flag"], Number: n}
}

package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// beginning is what the editor of a new plan holds.
const beginning = `apiVersion: sluice/v1
kind: Rollout
template: release
rollback: {to: safe}
cleanup: {due: 30d, endState: promote}
`

// newPlanPage is where a plan is made, of the flag that the address names.
func (s *server) newPlanPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	says := []manifest.Amendment{{Path: "flag", Value: q.Get("flag")}, {Path: "environment", Value: q.Get("environment")}}
	if d, err := s.flagSeen(r.Context(), q.Get("flag")); err == nil {
		says = append(says, manifest.Amendment{Path: "owner", Value: d.Owner}, manifest.Amendment{Path: "unit", Value: d.Unit})
	}
	says = slices.DeleteFunc(says, func(a manifest.Amendment) bool { return a.Value == "" })
	text, err := manifest.Amend(beginning, says)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, s.planPage(w, r, draftPlan{text: text}))
}

// editPlanPage is the editor of a rollout's plan: the newest of its flag, if
// none is named.
func (s *server) editPlanPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	id := q.Get("rollout")
	if id == "" {
		id = s.rolloutNamed(q.Get("environment"), q.Get("flag"), q.Get("number"))
	}
	v, err := s.view(id)
	if err == nil && !sees(r.Context(), v.Rollout.Plan.Environment, v.Rollout.Plan.Flag) {
		err = errNoSuch
	}
	if err != nil {
		return s.problemPage(w, r, err)
	}
	text, err := asDocument("Rollout", v.Rollout.Plan)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, s.planPage(w, r, draftPlan{text: text, of: v.Rollout.ID}))
}

// rolloutNamed returns the id of a rollout: the newest one without a number.
func (s *server) rolloutNamed(environment, flag, number string) (id string) {
	if number != "" {
		return environment + "/" + flag + "/" + number
	}
	s.Projection.View(func(uint64) {
		r, _ := s.Rollouts.Newest(environment, flag)
		id = r.ID
	})
	return id
}

// draftPlan is a plan as somebody writes it.
type draftPlan struct {
	text, of string
	base     string              // that the form was made from; empty: this text
	sent     dashboards.PlanSent // the form as it was sent, for a text that cannot be read
	both     bool                // form and text were both changed
	err      error               // why the form could not be taken over
}

// planOf reads a text that is to hold one plan.
func planOf(text string) (manifest.Document, error) {
	docs, err := manifest.Split([]byte(text))
	if err == nil && (len(docs) != 1 || docs[0].Kind != "Rollout") {
		err = event.Invalids{{Path: "kind", Why: "is not one plan alone", Fix: "write one document of kind Rollout here, and apply the others with sluice apply"}}
	}
	if err != nil {
		return manifest.Document{}, err
	}
	return docs[0], nil
}

// sentPlan reads what a browser sent of the editor: the side that was changed
// counts, or the one that somebody chose.
func sentPlan(r *http.Request) draftPlan {
	line := func(name string) string { return strings.ReplaceAll(r.PostFormValue(name), "\r\n", "\n") }
	d := draftPlan{text: line("yaml"), base: line("base"), of: r.PostFormValue("of"), sent: dashboards.PlanSent(r.PostForm)}
	from := d.base
	switch r.PostFormValue("do") {
	case "yaml":
		d.base = ""
		return d
	case "form":
		from = d.text
	}
	doc, err := planOf(from)
	if err != nil { // there is nothing that the form could be compared with
		d.base = ""
		return d
	}
	changes := d.sent.Amendments(doc)
	if d.both = len(changes) > 0 && from != d.text; d.both || len(changes) == 0 {
		return d.settled()
	}
	d.text, d.err = manifest.Amend(from, amendments(changes))
	return d.settled()
}

// settled forgets the base of a draft that has none any more.
func (d draftPlan) settled() draftPlan {
	if !d.both && d.err == nil {
		d.base = ""
	}
	return d
}

func amendments(all []dashboards.Amendment) []manifest.Amendment {
	out := make([]manifest.Amendment, len(all))
	for i, a := range all {
		out[i] = manifest.Amendment(a)
	}
	return out
}

// planPage makes the editor of a draft, with whatever speaks against it.
func (s *server) planPage(w http.ResponseWriter, r *http.Request, d draftPlan) dashboards.PlanEdit {
	f := s.frame(w, r, dashboards.InRollouts)
	f.Refresh = 0 // nothing may change under the hand of who writes
	at := dashboards.PlanAt{Name: "New plan", Rights: f.Rights}
	if d.of != "" {
		at.Name, at.Of, at.Link = "Edit the plan", d.of, "/rollouts/"+d.of
	}
	doc, err := planOf(d.text)
	var from dashboards.Written = doc
	if err != nil || d.both || d.err != nil {
		from = d.sent
	}
	if environment := from.Text("environment"); environment != "" {
		at.Rights = rights(r, environment, from.Text("flag"))
	}
	form := dashboards.NewPlanForm(d.text, from, s.planKnown(r.Context()))
	if d.base != "" {
		form.Base = d.base
	}
	page := dashboards.NewPlanEdit(f, at, form)
	page.Both = d.both
	return page
}

// planKnown is what whoever asks may name in a plan.
func (s *server) planKnown(ctx context.Context) (k dashboards.PlanKnown) {
	p := who(ctx)
	for _, e := range s.environments() {
		if p.May(access.Read, e, access.AnyKey) {
			k.Environments = append(k.Environments, e)
		}
	}
	seen := func(keys []string) []string {
		return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !defines(ctx, key) })
	}
	s.Projection.View(func(uint64) {
		k.Flags, k.Metrics = seen(s.Flags.Keys()), seen(s.Metrics.Keys())
		for _, t := range s.Access.Teams() {
			k.Owners = append(k.Owners, t.Key)
		}
		for _, one := range s.Access.People() {
			k.Owners = append(k.Owners, one.Key)
		}
	})
	if out, err := s.listSegments(ctx, &segmentsIn{Page{Limit: 1000}}); err == nil { // without it the field proposes nothing
		for _, g := range out.Body.Segments {
			k.Segments = append(k.Segments, g.Key)
		}
	}
	return k
}

// draftPage shows a plan that somebody writes: with what speaks against it, and
// with what he asks for besides.
func (s *server) draftPage(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil { // an empty editor in its place would lose the draft
		return fmt.Errorf("reading the draft: %w", err)
	}
	d := sentPlan(r)
	page := s.planPage(w, r, d)
	applied, err := s.tryPlan(r, d)
	if err != nil {
		return s.page(w, http.StatusOK, refusePlan(page, err))
	}
	switch do := r.PostFormValue("do"); do {
	case "check", "save", "start":
		page.Checked = s.checkPlan(r.Context(), d.text, applied)
		if do != "check" {
			page.Save = dashboards.SavePlan(d.text, strconv.FormatUint(applied.Revision, 10), newFormKey(), do == "start")
		}
	case "foresee", "rehearse":
		page = s.lookAhead(r.Context(), page, runsAsked(do, r.PostFormValue("runs")), d.text)
	}
	return s.page(w, http.StatusOK, page)
}

// tryPlan says what would become of a draft if it were applied.
func (s *server) tryPlan(r *http.Request, d draftPlan) (Applied, error) {
	if d.err != nil {
		return Applied{}, d.err
	}
	if _, err := planOf(d.text); err != nil {
		return Applied{}, err
	}
	out, err := s.apply(r.Context(), &applyIn{DryRun: true, RawBody: []byte(d.text)})
	if err != nil {
		return Applied{}, err
	}
	return out.Body.Applied[0], nil
}

func refusePlan(page dashboards.PlanEdit, err error) dashboards.PlanEdit {
	p := problem(err)
	return page.Refuse(event.Invalids(p.Errors), p.Detail)
}

// checkPlan tells what a plan would change, and what is looked at before it
// starts.
func (s *server) checkPlan(ctx context.Context, text string, a Applied) *dashboards.PlanCheck {
	e := dashboards.PlanEffect{Change: a.Change, Of: a.Key, Differences: a.Differences, Notes: a.Notes}
	out, err := s.foreseeDocuments(ctx, &outlooksIn{PastIn: PastIn{Days: 14}, RawBody: []byte(text)})
	if err != nil {
		e.Unknown = "It cannot be looked at here: " + problem(err).Detail
	} else {
		e.Preflight = out.Body.Outlooks[0].Preflight
	}
	return dashboards.NewPlanCheck(e)
}

// lookAhead tells what is to be expected of a plan, or of so many runs of it, or
// why nothing can be told.
func (s *server) lookAhead(ctx context.Context, page dashboards.PlanEdit, runs int, text string) dashboards.PlanEdit {
	if runs > 0 {
		tried, err := s.rehearseBriefly(ctx, text, runs)
		if err != nil {
			page.Unknown = problem(err).Detail
			return page
		}
		page.Tried = tried
		return page
	}
	out, err := s.foreseeDocuments(ctx, &outlooksIn{PastIn: PastIn{Days: 14}, RawBody: []byte(text)})
	if err != nil {
		page.Unknown = problem(err).Detail
		return page
	}
	return page.Foresee(out.Body.Outlooks[0].Outlook)
}

// savePlan records the plan that its preview was made of, and starts it if told
// so. Whoever was faster decides: what was not seen is not overwritten.
func (s *server) savePlan(w http.ResponseWriter, r *http.Request) error {
	d := draftPlan{text: strings.ReplaceAll(r.PostFormValue("yaml"), "\r\n", "\n")}
	doc, err := planOf(d.text)
	text := d.text
	if seen, ok := strconv.ParseUint(r.PostFormValue("seen"), 10, 63); err == nil && ok == nil && doc.Expect == event.Any {
		text, err = manifest.Amend(d.text, []manifest.Amendment{{Path: "expect", Value: seen}})
	}
	start := r.PostFormValue("start") == "true"
	var out *applyOut
	if err == nil {
		out, err = s.apply(r.Context(), &applyIn{Comment: r.PostFormValue("comment"), Start: start, RawBody: []byte(text)})
	}
	if err != nil {
		page := refusePlan(s.planPage(w, r, d), err)
		if status := problem(err).Status; status != http.StatusPreconditionFailed && status != http.StatusConflict { // those take another look first
			again := dashboards.SavePlan(d.text, r.PostFormValue("seen"), newFormKey(), start).Refuse(err, sent(r))
			page.Save = &again
		}
		return s.page(w, problem(err).Status, page)
	}
	a := out.Body.Applied[0]
	environment, flag, _ := strings.Cut(a.Key, "/")
	return s.onward(w, r, "/rollouts/"+s.rolloutNamed(environment, flag, ""), strings.Join(append([]string{"The plan is " + a.Change + "."}, a.Notes...), " "))
}

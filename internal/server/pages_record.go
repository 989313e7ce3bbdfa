package server

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// decisionPage shows the record of a decision. With recompute=true it makes it
// again: from the record, against the log, and from the data of today.
func (s *server) decisionPage(w http.ResponseWriter, r *http.Request) error {
	page, _, err := s.recordPage(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

// learnOnPage records what was learnt from the rollout of a decision.
func (s *server) learnOnPage(w http.ResponseWriter, r *http.Request) error {
	page, rollout, err := s.recordPage(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in := &outcomeIn{RolloutPath: RolloutPath{rollout.Plan.Environment, rollout.Plan.Flag, rollout.Number}}
	if err := may(r.Context(), access.Write, in.Environment); err != nil {
		return s.problemPage(w, r, err)
	}
	in.Body.Changed, in.Body.Happened, in.Body.Confirmed = r.PostFormValue("changed"), r.PostFormValue("happened"), r.PostFormValue("confirmed")
	in.Body.Why, in.Body.Next = r.PostFormValue("why"), r.PostFormValue("next")
	if _, err := s.recordOutcome(r.Context(), in); err != nil {
		if page.Learning == nil || page.Learning.Form == nil {
			return s.problemPage(w, r, err)
		}
		form := page.Learning.Form.Refuse(err, sent(r))
		page.Learning.Form = &form
		return s.page(w, problem(err).Status, page)
	}
	return s.onward(w, r, "/decisions/"+page.ID+"#learning", "The outcome is recorded.")
}

func (s *server) recordPage(w http.ResponseWriter, r *http.Request) (dashboards.Record, decisions.Rollout, error) {
	id := mux.Vars(r)["id"]
	record, err := s.fullRecord(r.Context(), id)
	if err != nil {
		return dashboards.Record{}, decisions.Rollout{}, err
	}
	v, err := s.view(record.Rollout)
	if err != nil {
		return dashboards.Record{}, v.Rollout, err
	}
	input, err := record.Input()
	if err != nil {
		return dashboards.Record{}, v.Rollout, err
	}
	f := s.frameOf(w, r, dashboards.InDecisions, v.Rollout.Plan.Environment, v.Rollout.Plan.Flag, "")
	f.Refresh = 0 // a record does not change
	then := dashboards.Seen{Rollout: v.Rollout}
	if input != nil && record.Decision.ByController() {
		then = dashboards.AsDecided(v.Rollout, *input)
	}
	page := dashboards.NewRecord(f, then, record, "/api/v1/decisions/"+id)
	if input != nil {
		page.Plan, page.Metrics = asYAML(input.Plan), asYAML(input.Metrics)
	}
	if page.Recompute.Possible && r.URL.Query().Get("recompute") == "true" {
		page.Recompute = s.again(r, id, page.Recompute)
	}
	page.Learning, err = s.learning(r, v.Rollout, record, f)
	return page, v.Rollout, err
}

// again makes a decision again in every way that there is. What cannot be done
// here is said, and the rest is done.
func (s *server) again(r *http.Request, id string, to dashboards.Recompute) dashboards.Recompute {
	out, err := s.recomputeDecision(r.Context(), &recomputeIn{ID: id, Today: true, Late: true})
	if err != nil {
		to.Faults = append(to.Faults, problem(err).Detail)
		out, err = s.recomputeDecision(r.Context(), &recomputeIn{ID: id})
	}
	if err != nil {
		return to
	}
	proof, err := s.proveDecision(r.Context(), &decisionID{id})
	if err != nil {
		to.Faults = append(to.Faults, problem(err).Detail)
	}
	var chain *decisions.Proven
	if proof != nil {
		chain = &proof.Body.Proven
	}
	to.Forgot = out.Body.Forgot
	return to.Made(out.Body.Record, chain, out.Body.Today, out.Body.Late)
}

// learning is what was learnt from a rollout, on the page of its last decision.
func (s *server) learning(r *http.Request, of decisions.Rollout, record decisions.Record, f dashboards.Frame) (*dashboards.Learning, error) {
	if last, ok := of.Last(); !ok || last.ID != record.Decision.ID || of.Open() {
		return nil, nil
	}
	known, err := s.getOutcome(r.Context(), &RolloutPath{of.Plan.Environment, of.Plan.Flag, of.Number})
	if err != nil {
		return nil, err
	}
	return dashboards.NewLearning(of, f, "/decisions/"+record.Decision.ID+"/outcome", known.Body.Numbers, newFormKey()), nil
}

// asYAML writes what a record holds as people write it.
func asYAML(v any) string {
	text, err := manifest.Encode(v)
	if err != nil {
		return err.Error() // unreachable: what the log holds can be encoded
	}
	return string(text)
}

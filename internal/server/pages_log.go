package server

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// logPage is how many decisions a page of the log has.
const logPage = 50

// decisionsPage shows all decisions that an address asks for, and sums up those
// that match.
func (s *server) decisionsPage(w http.ResponseWriter, r *http.Request) error {
	in, err := decisionsWanted(r.URL.Query())
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in.Limit = logPage
	out, err := s.listDecisions(r.Context(), in)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	visible := s.visible(r.Context())
	byID := map[string]decisions.Rollout{}
	for _, o := range visible {
		byID[o.ID] = o
	}
	var list []dashboards.Filed
	for _, d := range out.Body.Decisions {
		list = append(list, dashboards.Filed{Decision: d.Decision, Rollout: byID[d.Rollout]})
	}
	f := s.listFrame(w, r, dashboards.InDecisions)
	calls := "/api/v1/decisions?" + r.URL.Query().Encode()
	return s.page(w, http.StatusOK, dashboards.NewDecisionLog(f, r.URL.Query(), list, decisions.NewTally(visible, in.selects), out.Body.Next, calls))
}

// decisionsWanted reads the filters of an address, and says all that are none.
func decisionsWanted(q url.Values) (*decisionsIn, error) {
	in := &decisionsIn{Rollout: q.Get("rollout"), Environment: q.Get("environment"), Flag: q.Get("flag"), Owner: q.Get("owner"),
		Action: decisions.Action(q.Get("action")), By: q.Get("by"), Overridden: q.Get("overridden") == "true", Since: q.Get("since")}
	in.Cursor = q.Get("cursor")
	var faults event.Invalids
	if in.By != "" && oneOf(in.By, "controller", "people") == "" {
		faults.Add("by", in.By, "is neither the controller nor people", "write controller or people")
	}
	if actions := []string{"hold", "expand", "pause", "rollback", "reduce", "ship", "review", "cleanup"}; in.Action != "" && !slices.Contains(actions, string(in.Action)) {
		faults.Add("action", string(in.Action), "is no decision", "write one of "+strings.Join(actions, ", "))
	}
	return in, faults.Err()
}

// exportDecisions writes every decision that an address asks for: as CSV for
// tables, or as lines of JSON, each as the list has it.
func (s *server) exportDecisions(w http.ResponseWriter, r *http.Request) error {
	in, err := decisionsWanted(r.URL.Query())
	if err != nil {
		return s.problemPage(w, r, err)
	}
	in.Cursor = ""
	form := oneOf(r.URL.Query().Get("form"), "csv", "jsonl")
	if form == "" {
		return s.problemPage(w, r, event.Invalids{{Path: "form", Value: r.URL.Query().Get("form"), Why: "is no form of export", Fix: "write csv or jsonl"}})
	}
	all, err := s.everyDecision(r, in)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="decisions.`+form+`"`)
	if form == "csv" {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		_ = writeCSV(w, all) // the client is gone if this fails
		return nil
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	for _, d := range all {
		_ = lines.Encode(d) // as above
	}
	return nil
}

func (s *server) everyDecision(r *http.Request, in *decisionsIn) ([]DecisionView, error) {
	var all []DecisionView
	in.Limit = 1000
	for {
		out, err := s.listDecisions(r.Context(), in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.Body.Decisions...)
		if in.Cursor = out.Body.Next; in.Cursor == "" {
			return all, nil
		}
	}
}

func writeCSV(w io.Writer, all []DecisionView) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"id", "at", "rollout", "action", "reason", "by", "text", "rationale", "against", "evidence_sha256"}}
	for _, d := range all {
		rows = append(rows, []string{d.ID, d.At.UTC().Format(time.RFC3339), plainCell(d.Rollout), string(d.Verdict.Action), string(d.Verdict.Reason), plainCell(d.By),
			plainCell(d.Verdict.Text), plainCell(d.Rationale), plainCell(d.Against), d.Input.SHA256.String()})
	}
	return c.WriteAll(rows)
}

// plainCell keeps a table program from taking a text for a formula (OWASP, CSV
// Injection).
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// reviewPage shows what happened to releases in a time.
func (s *server) reviewPage(w http.ResponseWriter, r *http.Request) error {
	since := r.URL.Query().Get("since")
	if since == "" {
		since = "7d"
	}
	out, err := s.getReview(r.Context(), &reviewIn{Since: since})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	var stale []dashboards.Overdue
	for _, f := range out.Body.Stale {
		stale = append(stale, dashboards.Overdue{Flag: f.Key, Link: "/flags/" + f.Key, Owner: f.Owner, Why: strings.Join(f.Reasons, "; ")})
	}
	return s.page(w, http.StatusOK, dashboards.NewWeekReview(s.frame(w, r, dashboards.InDecisions), out.Body.Digest, stale, since))
}

// incidentsPage shows what was wrong with flags.
func (s *server) incidentsPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.incidentList(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

func (s *server) incidentList(w http.ResponseWriter, r *http.Request) (dashboards.Incidents, error) {
	q := r.URL.Query()
	in := &incidentsIn{Environment: q.Get("environment"), Flag: q.Get("flag"), Severity: decisions.Severity(q.Get("severity")), Source: q.Get("source"), Open: oneOf(q.Get("open"), "true", "false")}
	in.Limit, in.Cursor = logPage, q.Get("cursor")
	out, err := s.listIncidents(r.Context(), in)
	if err != nil {
		return dashboards.Incidents{}, err
	}
	f := s.listFrame(w, r, dashboards.InIncidents)
	f.Refresh = 0 // nothing may change under the hand of who writes
	page := dashboards.NewIncidents(f, q, out.Body.Incidents, out.Body.Next, newFormKey)
	page.Told = s.receivers(r.Context())
	return page, nil
}

// openIncidentOnPage does what the form of that page asks for.
func (s *server) openIncidentOnPage(w http.ResponseWriter, r *http.Request) error {
	in := &openIn{}
	in.Body.Flag, in.Body.Environment, in.Body.Severity = r.PostFormValue("flag"), r.PostFormValue("environment"), decisions.Severity(r.PostFormValue("severity"))
	in.Body.Text, in.Body.Link = r.PostFormValue("text"), r.PostFormValue("link")
	if _, err := s.openIncident(r.Context(), in); err != nil {
		page, lost := s.incidentList(w, r)
		if lost != nil || page.Open == nil {
			return s.problemPage(w, r, err)
		}
		form := page.Open.Refuse(err, sent(r))
		page.Open = &form
		return s.page(w, problem(err).Status, page)
	}
	return s.onward(w, r, "/incidents", "The incident is open; the plan of the flag's rollout says what follows.")
}

// resolveOnPage ends an incident.
func (s *server) resolveOnPage(w http.ResponseWriter, r *http.Request) error {
	in := &resolveIn{IncidentPath: incidentPathOf(r)}
	in.Body.Comment = r.PostFormValue("comment")
	if _, err := s.resolveIncident(r.Context(), in); err != nil {
		return s.problemPage(w, r, err)
	}
	return s.onward(w, r, "/incidents", "The incident is resolved. A rollout that it paused waits for a person to resume it.")
}

// experimentsPage shows what was tried and what came of it.
func (s *server) experimentsPage(w http.ResponseWriter, r *http.Request) error {
	var all []dashboards.Seen
	for _, v := range s.views(r.Context(), access.AnyEnvironment) {
		all = append(all, seen(v))
	}
	return s.page(w, http.StatusOK, dashboards.NewExperiments(s.listFrame(w, r, dashboards.InExperiments), r.URL.Query(), all))
}

func incidentPathOf(r *http.Request) IncidentPath {
	v := mux.Vars(r)
	return IncidentPath{Environment: v["environment"], Flag: v["flag"], Incident: v["incident"]}
}

// oneOf returns a value that stands in a list, "" otherwise: what an address
// says may be anything.
func oneOf(value string, all ...string) string {
	if slices.Contains(all, value) {
		return value
	}
	return ""
}

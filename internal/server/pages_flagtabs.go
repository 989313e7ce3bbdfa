package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// flagTab makes one of the views of a flag.
func (s *server) flagTab(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	switch dashboards.FlagTab(r.URL.Query().Get("tab")) {
	case dashboards.TabOverview:
		return s.flagOverview(r, f, d)
	case dashboards.TabUse:
		return s.flagUse(r, f, d)
	case dashboards.TabExplain:
		return s.flagExplain(r, f, d)
	case dashboards.TabHealth:
		return s.flagHealthPage(r, f, d)
	case dashboards.TabHistory:
		return s.flagPast(r, f, d)
	case dashboards.TabCode:
		return s.flagCode(r, f, d)
	case dashboards.TabNeeds:
		return s.flagNeeds(r, f, d)
	case dashboards.TabWaiting:
		return s.flagWaiting(r, f, d)
	}
	return nil, errNoSuch
}

// tabPage leads the addresses of some views to where they are.
func (s *server) tabPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	q.Set("tab", path.Base(r.URL.Path))
	http.Redirect(w, r, local(flagPath(mux.Vars(r)["key"])+"?"+q.Encode()), http.StatusSeeOther)
	return nil
}

// chosen returns the environment that a view is about: that of the query, or
// the last of the flag's, which is where most is at stake.
func (s *server) chosen(r *http.Request, d FlagDetail) (name string, all []string, err error) {
	for _, e := range s.environments() {
		if _, ok := d.Environments[e]; ok {
			name, all = e, append(all, e)
		}
	}
	if q := r.URL.Query().Get("environment"); q != "" {
		name, err = q, may(r.Context(), access.Read, q)
	}
	return name, all, err
}

// flagUse is how often a flag gave which answer.
func (s *server) flagUse(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	environment, all, err := s.chosen(r, d)
	if err != nil {
		return nil, err
	}
	u := dashboards.Used{Environment: environment, Days: 14}
	if n, err := strconv.Atoi(r.URL.Query().Get("days")); err == nil && n >= 1 && n <= 366 {
		u.Days = n
	}
	if err := s.fillUsed(r.Context(), d.Key, &u); err != nil {
		return nil, err
	}
	query := url.Values{"environment": {environment}, "days": {strconv.Itoa(u.Days)}}
	asOf := s.ofLog("/api/v1" + flagPath(d.Key) + "/usage?" + query.Encode())
	return dashboards.NewFlagUse(f, shownFlag(d), all, u, asOf, s.Now()), nil
}

// fillUsed adds what was counted, or why that is not known.
func (s *server) fillUsed(ctx context.Context, key string, u *dashboards.Used) error {
	out, err := s.flagUsage(ctx, &usageIn{Key: key, Environment: u.Environment, Days: u.Days})
	var missing Unavailable
	switch {
	case errors.Is(err, errNoSuch), errors.As(err, &missing):
		u.Missing = problem(err).Detail
	case err != nil:
		return err
	default:
		u.Usage, u.Seen = out.Body.Usage, out.Body.Seen
	}
	return nil
}

// flagHealthPage is how a flag is, and what that is concluded from.
func (s *server) flagHealthPage(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	_, all, err := s.chosen(r, d)
	if err != nil {
		return nil, err
	}
	var known []dashboards.HealthKnown
	for _, name := range all {
		k := dashboards.HealthKnown{Grounds: d.Grounds[name], Used: dashboards.Used{Environment: name, Days: 7}}
		if err := s.fillUsed(r.Context(), d.Key, &k.Used); err != nil {
			return nil, err
		}
		known = append(known, k)
	}
	return dashboards.NewFlagHealth(f, shownFlag(d), known, s.ofLog("/api/v1"+flagPath(d.Key))), nil
}

// flagExplain is why one unit gets what it gets.
func (s *server) flagExplain(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	environment, all, err := s.chosen(r, d)
	if err != nil {
		return nil, err
	}
	q := dashboards.UnitQuestion{Environment: environment, Unit: r.URL.Query().Get("unit"), Attributes: r.URL.Query().Get("attributes"), At: r.URL.Query().Get("at")}
	query := q.Query()
	asOf := s.ofLog("/api/v1" + flagPath(d.Key) + "/explain?" + query.Encode())
	if q.Unit == "" || environment == "" {
		asOf.JSON = ""
		return dashboards.NewFlagExplain(f, shownFlag(d), all, q, nil, asOf), nil
	}
	in := &explainIn{Key: d.Key, Environment: environment, Unit: q.Unit, At: q.At, attributes: attributesOf(query)}
	out, err := s.explainFlag(r.Context(), in)
	if err != nil {
		page := dashboards.NewFlagExplain(f, shownFlag(d), all, q, nil, asOf)
		page.Form = page.Form.Refuse(err, r.URL.Query().Get)
		return page, nil
	}
	return dashboards.NewFlagExplain(f, shownFlag(d), all, q, &out.Body.Explanation, asOf), nil
}

// flagPast is what happened to a flag.
func (s *server) flagPast(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	q := r.URL.Query()
	out, err := s.flagHistory(r.Context(), &historyIn{Page: Page{Limit: 50, Cursor: q.Get("cursor")}, Key: d.Key})
	if err != nil {
		return nil, err
	}
	turn := dashboards.Turn(flagPath(d.Key), q, out.Body.Next)
	return dashboards.NewFlagHistory(f, shownFlag(d), out.Body.History, turn, s.ofLog("/api/v1"+flagPath(d.Key)+"/history")), nil
}

// flagCode is where the code uses a flag.
func (s *server) flagCode(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	out, err := s.flagScans(r.Context(), &flagKey{Key: d.Key})
	if err != nil {
		return nil, err
	}
	var all []dashboards.Scanned
	for _, u := range out.Body.Repositories {
		scan := dashboards.Scanned{Repository: u.Repository, Revision: u.Revision, At: u.At, Count: u.Count}
		for _, p := range u.Places {
			scan.Places = append(scan.Places, flags.Place{Flag: d.Key, Path: p.Path, Line: p.Line, Alias: p.Alias})
		}
		all = append(all, scan)
	}
	return dashboards.NewFlagCode(f, shownFlag(d), all, s.ofLog("/api/v1"+flagPath(d.Key)+"/references")), nil
}

// flagNeeds is what a flag depends on, and what depends on it.
func (s *server) flagNeeds(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	environment, names, err := s.chosen(r, d)
	if err != nil {
		return nil, err
	}
	var all []flags.Dependencies
	for _, name := range names {
		out, err := s.getDependencies(r.Context(), &dependenciesIn{Key: d.Key, Environment: name})
		if err != nil {
			return nil, err
		}
		all = append(all, out.Body)
	}
	asOf := s.ofLog("/api/v1" + flagPath(d.Key) + "/dependencies?" + url.Values{"environment": {environment}}.Encode())
	return dashboards.NewFlagNeeds(f, shownFlag(d), all, asOf), nil
}

// flagWaiting is what waits to change a flag.
func (s *server) flagWaiting(r *http.Request, f dashboards.Frame, d FlagDetail) (dashboards.Page, error) {
	requests, err := s.listRequests(r.Context(), &flagKey{Key: d.Key})
	if err != nil {
		return nil, err
	}
	schedules, err := s.listSchedules(r.Context(), &flagKey{Key: d.Key})
	if err != nil {
		return nil, err
	}
	var all []flags.Request
	for _, q := range requests.Body.Requests {
		all = append(all, q.Request)
	}
	return dashboards.NewFlagWaiting(f, shownFlag(d), all, schedules.Body.Schedules, s.ofLog("/api/v1"+flagPath(d.Key)+"/requests"), newFormKey), nil
}

// cancelPage takes back what waits for its time.
func (s *server) cancelPage(w http.ResponseWriter, r *http.Request) error {
	vars := mux.Vars(r)
	in := &cancelIn{WaitingPath: WaitingPath{Key: vars["key"], ID: vars["id"]}, Comment: r.PostFormValue("comment")}
	if _, err := s.cancelSchedule(r.Context(), in); err != nil {
		return s.problemPage(w, r, err)
	}
	return s.onward(w, r, flagPath(vars["key"])+"?tab="+string(dashboards.TabWaiting), "It is taken back.")
}

type allRequestsIn struct{ Page }

type allRequestsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Requests []WaitingRequest `json:"requests" doc:"by flag, the oldest first"`
		Next     string           `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// WaitingRequest is a change request that waits, and the flag that it is about.
type WaitingRequest struct {
	Flag string `json:"flag"`
	flags.Request
}

// waitingRequests lists what waits for others to agree, of every flag that
// whoever asks may see.
func (s *server) waitingRequests(ctx context.Context, in *allRequestsIn) (*allRequestsOut, error) {
	var all []WaitingRequest
	s.Projection.View(func(uint64) {
		for _, key := range s.Flags.Keys() {
			for _, q := range s.Flags.Requests(key) {
				if q.Standing == flags.Pending && seesChanges(ctx, key, q.Changes) {
					all = append(all, WaitingRequest{Flag: key, Request: q})
				}
			}
		}
	})
	out := &allRequestsOut{}
	page, next, err := cut(in.Page, rising("requests", func(q WaitingRequest) string { return q.Flag + "\x00" + q.ID.String() }), all)
	out.Body.Requests, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// requestsPage is all that waits for others to agree.
func (s *server) requestsPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	out, err := s.waitingRequests(r.Context(), &allRequestsIn{Page{Limit: flagsOnPage, Cursor: q.Get("cursor")}})
	if err != nil {
		return s.problemPage(w, r, err)
	}
	var all []dashboards.FlagRequest
	for _, q := range out.Body.Requests {
		all = append(all, dashboards.FlagRequest{Flag: q.Flag, Request: q.Request})
	}
	turn := dashboards.Turn("/requests", q, out.Body.Next)
	return s.page(w, http.StatusOK, dashboards.NewRequests(s.frame(w, r, dashboards.InFlags), all, turn, s.ofLog("/api/v1/requests")))
}

// requestPage is one change request.
func (s *server) requestPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.requestSeen(w, r)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	return s.page(w, http.StatusOK, page)
}

// answerPage does something about a change request.
func (s *server) answerPage(w http.ResponseWriter, r *http.Request) error {
	vars := mux.Vars(r)
	if !slices.Contains([]string{"approve", "reject", "withdraw", "apply"}, vars["op"]) {
		return s.problemPage(w, r, errNoSuch)
	}
	in := &answerIn{WaitingPath: WaitingPath{Key: vars["key"], ID: vars["id"]}, Op: vars["op"]}
	in.Body.Comment = r.PostFormValue("comment")
	if _, err := s.answerRequest(r.Context(), in); err != nil {
		page, missing := s.requestSeen(w, r)
		if missing != nil {
			return s.problemPage(w, r, err)
		}
		return s.page(w, problem(err).Status, page.Refuse(vars["op"], err, sent(r)))
	}
	return s.onward(w, r, flagPath(vars["key"])+"/requests/"+url.PathEscape(vars["id"]), answered[vars["op"]])
}

var answered = map[string]string{"approve": "Approved.", "reject": "Rejected.", "withdraw": "Withdrawn.", "apply": "Applied: the change is made."}

// requestSeen makes the page of a change request, and tries what waits on
// made-up units.
func (s *server) requestSeen(w http.ResponseWriter, r *http.Request) (dashboards.RequestPage, error) {
	vars := mux.Vars(r)
	out, err := s.getRequest(r.Context(), &WaitingPath{Key: vars["key"], ID: vars["id"]})
	if err != nil {
		return dashboards.RequestPage{}, err
	}
	q := out.Body
	seen := dashboards.RequestSeen{FlagRequest: dashboards.FlagRequest{Flag: vars["key"], Request: q.Request}, Mine: q.Author == who(r.Context()).Name}
	for _, d := range q.Differences {
		seen.Differences = append(seen.Differences, d.Text)
	}
	if q.Standing == flags.Pending {
		in := &foreseeIn{Key: vars["key"]}
		in.Body.Changes = q.Changes
		if would, err := s.foreseeChange(r.Context(), in); err == nil { // what speaks against it, its forms say
			seen.Samples = foreseen(dashboards.Foreseen{}, would.Body).Samples
		}
	}
	f := s.flagFrame(w, r)
	return dashboards.NewRequest(f, seen, s.ofLog("/api/v1"+flagPath(vars["key"])+"/requests/"+url.PathEscape(vars["id"])), newFormKey), nil
}

package server

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/sluice-hq/sluice/dashboards"
)

// What the page asks for at most, as the call does.
const (
	mostAsked = 200 // letters
	mostFound = 100 // of a kind
)

// searchPage shows what is found by words.
func (s *server) searchPage(w http.ResponseWriter, r *http.Request) error {
	in := &searchIn{Q: r.URL.Query().Get("q"), Limit: 10}
	if words := []rune(in.Q); len(words) > mostAsked {
		in.Q = string(words[:mostAsked])
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil {
		in.Limit = min(max(n, 1), mostFound)
	}
	out, err := s.search(r.Context(), in)
	if err != nil {
		return s.problemPage(w, r, err)
	}
	f := s.frame(w, r, "")
	f.Query, f.Refresh = in.Q, 0
	var found []dashboards.Lookup
	for _, k := range out.Body.Found {
		l := dashboards.Lookup{Kind: string(k.Kind), Total: k.Total}
		for _, h := range k.Items {
			l.Hits = append(l.Hits, dashboards.Hit{Name: h.Key, Text: h.Text})
		}
		found = append(found, l)
	}
	query := url.Values{"q": {in.Q}, "limit": {strconv.Itoa(in.Limit)}}
	return s.page(w, http.StatusOK, dashboards.NewSearch(f, found, "/api/v1/search?"+query.Encode()))
}

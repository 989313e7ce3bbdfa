package server

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/dashboards"
)

// seen is what the pages take of a view.
func seen(v RolloutView) dashboards.Seen {
	out := dashboards.Seen{Rollout: v.Rollout, Rollback: "sluice rollback " + v.Rollout.ID + " -m 'why'", Ask: v.Ask, Agreement: v.Agreement, Can: v.Can}
	if v.Rollout.WayBack != nil {
		out.Rollback = v.Rollout.WayBack.Command
	}
	if v.Look != nil {
		out.Evidence, out.Verdict = &v.Look.Evidence, &v.Look.Verdict
	}
	return out
}

// page renders a page whole before it sends the first byte.
func (s *server) page(w http.ResponseWriter, code int, page dashboards.Page) error {
	var b bytes.Buffer
	if err := dashboards.Render(&b, page); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", dashboards.CSP)
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // the client is gone if this fails
	return nil
}

func (s *server) problemPage(w http.ResponseWriter, r *http.Request, err error) error {
	s.report(r, err)
	p := problem(err)
	return s.page(w, p.Status, dashboards.Problem{
		Frame: dashboards.Frame{Path: r.URL.RequestURI(), Person: who(r.Context()).Name, Guest: isGuest(who(r.Context()))}, Status: p.Status, Detail: p.Detail,
		Fix: "Look at what there is on the board.", Command: "sluice status",
	})
}

// local keeps a redirect on this server: a path, and no host in disguise.
// Browsers read a backslash as a slash and skip tabs and line ends; what the
// parser takes has no control characters.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}

func (s *server) asset(w http.ResponseWriter, r *http.Request) error {
	dashboards.Assets().ServeHTTP(w, r)
	return nil
}

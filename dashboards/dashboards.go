// Package dashboards holds the pages that people read: the board of rollouts,
// one rollout with its gate, readout and decisions, one decision's record, the
// sign-in form and the error page. A page is a plain struct; functions of this
// package make it from the values of the other rooms, and Render writes it as
// HTML, with the charts drawn as SVG beside their numbers.
//
// It never reads a clock, a store or a request, and never decides anything: the
// words on a page are those of the verdict it was given. Every page works
// without JavaScript; with it, the live part of the page renews itself.
//
//	page := dashboards.NewRollout(rollout, lookedAt, now)
//	w.Header().Set("Content-Security-Policy", dashboards.CSP)
//	err := dashboards.Render(w, page)
package dashboards

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"time"
)

// CSP is the Content-Security-Policy that every page is written for: nothing
// from elsewhere, no inline script or style, no framing.
const CSP = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

//go:embed templates/*.html
var templateFiles embed.FS

// Frame is what every page has around its content. The zero Frame is a page
// for nobody that does not renew itself.
type Frame struct {
	Path    string        // of the page, with its query: what a link to it holds and what polling asks for
	Person  string        // the principal who is signed in; empty: nobody
	Refresh time.Duration // how often the live part renews itself; 0: never
	Query   string        // what the search field holds
}

// Renews reports whether the page asks for itself again.
func (f Frame) Renews() bool { return f.Refresh > 0 && f.Path != "" }

// Every returns the refresh period as htmx writes it.
func (f Frame) Every() string { return fmt.Sprintf("every %dms", f.Refresh.Milliseconds()) }

// AsOf says how new the numbers of a page are and where they come from.
type AsOf struct {
	Event   time.Time     // time of the newest event that is counted; zero: none
	Seq     string        // the watermark itself: sequence of the stream, per shard when there are several
	Lag     time.Duration // age of Event when the page was made
	Rules   string        // version of the plan that judges: "plan v4"
	JSON    string        // URL of the same values as JSON; empty: none
	Queries []Query       // what the store was asked, in order
}

// Query is one question to the store, as it was sent.
type Query struct {
	Name string // what it asks: "units per arm"
	SQL  string
	Hash string // SHA-256 of SQL in hexadecimal digits
}

// pages holds one parsed template set per page type, made once: templates are
// part of the program, so a fault in them is a fault of the program.
var pages = map[string]*template.Template{
	"home":    parse("home"),
	"rollout": parse("rollout"),
	"record":  parse("record"),
	"signin":  parse("signin"),
	"problem": parse("problem"),
}

func parse(name string) *template.Template {
	return template.Must(template.New("page.html").Funcs(functions()).
		ParseFS(templateFiles, "templates/page.html", "templates/parts.html", "templates/"+name+".html"))
}

// Render writes a page: a Home, Rollout, Record, SignIn or Problem. Nothing is
// written when the page cannot be made.
func Render(w io.Writer, page any) error {
	name, err := templateOf(page)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := pages[name].ExecuteTemplate(&b, "page.html", page); err != nil {
		return fmt.Errorf("rendering the page %s: %w", name, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

func templateOf(page any) (string, error) {
	switch page.(type) {
	case Home:
		return "home", nil
	case Rollout:
		return "rollout", nil
	case Record:
		return "record", nil
	case SignIn:
		return "signin", nil
	case Problem:
		return "problem", nil
	}
	return "", fmt.Errorf("there is no page for a %T", page)
}

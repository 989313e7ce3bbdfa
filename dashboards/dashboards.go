// Package dashboards holds the pages that people read: the board of rollouts,
// one rollout with its gate, its readout, its decisions and their records, the
// flags, the metrics, the events. A page is a plain struct that begins with a
// Frame; functions of this package make it from the values of the other rooms,
// and Render writes it as HTML, with the charts drawn as SVG beside their
// numbers. What people do is a Form: a plain one, which works without a script.
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
	"strings"
	"time"
)

// CSP is the Content-Security-Policy that every page is written for: nothing
// from elsewhere, no inline script or style, no framing.
const CSP = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

//go:embed templates
var templateFiles embed.FS

// AsOf says how new the numbers of a page are and where they come from.
type AsOf struct {
	Log     uint64        // newest event of the log, on a page of what it says alone; 0: the page shows what was measured
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

// Page is what Render writes: a Home, Rollout, Record, SignIn, Problem, …
type Page interface {
	template() string // name of its file, without .html
}

// common are the parts that all pages are made of.
var common = template.Must(template.New("page.html").Funcs(functions()).ParseFS(templateFiles, "templates/common/*.html"))

// pages holds one parsed template set for each file in templates, made once:
// templates are part of the program, so a fault in them is a fault of the
// program.
var pages = parse()

func parse() map[string]*template.Template {
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		panic(err) // unreachable unless the program was built without its files
	}
	all := map[string]*template.Template{}
	for _, f := range files {
		if !f.IsDir() {
			all[strings.TrimSuffix(f.Name(), ".html")] = template.Must(template.Must(common.Clone()).ParseFS(templateFiles, "templates/"+f.Name()))
		}
	}
	return all
}

// Render writes a page. Nothing is written when the page cannot be made.
func Render(w io.Writer, page Page) error {
	name := page.template()
	set, ok := pages[name]
	if !ok {
		return fmt.Errorf("rendering a page: there is no template %s for a %T", name, page)
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "page.html", page); err != nil {
		return fmt.Errorf("rendering the page %s: %w", name, err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/server"
)

// crowd is the events of some units. Each carries the time that it happened in its ID.
type crowd struct {
	revision uint64
	at       time.Time
	lines    []string
}

func (b *crowd) meets(unit, arm string) {
	b.lines = append(b.lines, fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":"gate","unit":{"kind":"user","id":%q},"revision":%d,"variant":%q,"reason":"SPLIT"}`,
		ingest.DeriveID(b.at, "meets", unit), unit, b.revision, arm))
}

func (b *crowd) wins(unit string) {
	b.lines = append(b.lines, fmt.Sprintf(`{"kind":"metric","id":%q,"name":"win","units":{"user":%q}}`, ingest.DeriveID(b.at, "wins", unit), unit))
}

// send sends the events, a thousand in a request.
func (b *crowd) send(t *testing.T, h *standing) {
	t.Helper()
	for lines := b.lines; len(lines) > 0; {
		n := min(len(lines), 1000)
		if answer, body := h.ask("POST", "/v1/events?environment=production", strings.Join(lines[:n], "\n")); answer.StatusCode != http.StatusAccepted {
			t.Fatalf("%s %s", answer.Status, body)
		}
		lines = lines[n:]
	}
}

// seen waits for a decision whose evidence has so many units, and returns its
// record.
func (s *standing) seen(units int64) (found decisions.Record, e decisions.Evidence) {
	s.t.Helper()
	s.awaits("/api/v1/decisions?rollout=production/gate/1", func(body string) bool {
		var all struct{ Decisions []server.DecisionView }
		if json.Unmarshal([]byte(body), &all) != nil {
			return false
		}
		for _, d := range all.Decisions {
			_, body := s.ask("GET", "/api/v1/decisions/"+d.ID+"/record", "")
			var r decisions.Record
			if json.Unmarshal([]byte(body), &r) != nil {
				return false
			}
			in, err := r.Input()
			if err == nil && in != nil && in.Evidence.UnitsOf("", "on")+in.Evidence.UnitsOf("", "off") == units && r.Decision.ByController() {
				found, e = r, in.Evidence
				return true
			}
		}
		return false
	})
	return found, e
}

// TestRecompute_afterLateEvents: a decision that was recorded before 10,000
// events came, of the time before it, is the same from its record and from
// today's data at its watermark; what came late stands in a list of differences.
func TestRecompute_afterLateEvents(t *testing.T) {
	h := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)})
	if answer, body := h.ask("POST", "/api/v1/apply?start=true&comment=x", gateDocuments); answer.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	early := &crowd{revision: revisionOf(t, h), at: now().Add(-20 * time.Millisecond)}
	for i := range 200 {
		unit, arm := fmt.Sprintf("early-%d", i), []string{"on", "off"}[i%2]
		if early.meets(unit, arm); i%5 == 0 {
			early.wins(unit)
		}
	}
	early.send(t, h)
	record, e := h.seen(200)

	late := &crowd{revision: early.revision, at: e.At.Add(-20 * time.Millisecond)}
	for i := range 5000 {
		unit, arm := fmt.Sprintf("late-%d", i), []string{"on", "off"}[i%2]
		late.meets(unit, arm)
		late.wins(unit)
	}
	late.send(t, h)
	id := record.Decision.ID
	path := "/api/v1/decisions/" + id + "/recompute?today=true&late=true"
	var v server.Recomputation
	h.awaits(path, func(body string) bool {
		return json.Unmarshal([]byte(body), &v) == nil && v.Late != nil && strings.Count(body, `"change":"+2,500"`) == 4
	})
	if !v.Record.Same || len(v.Record.Faults) != 0 || !v.Today.Same || !v.Today.SameVerdict || v.Late.Same || v.Build == nil || v.Build.Program == "" {
		t.Errorf("got %+v\ntoday %+v\nlate %+v", v.Record, v.Today, v.Late)
	}
	began := now()
	h.ask("GET", path, "")
	t.Logf("made again three times, with 10,000 late events: %v", now().Sub(began))

	t.Setenv("SLUICE_SERVER", h.address())
	t.Setenv("SLUICE_TOKEN", h.token)
	text := said(t, 0, "decisions", "recompute", id, "--today", "--with-late")
	for _, want := range []string{
		"from the record alone the same: ", "from today's data at its watermark the same numbers, the same verdict",
		"with what has come since", "NUMBER", "units in experiment, on 100", "100 2,600 +2,500", "wins, level of control",
	} {
		if !strings.Contains(squeezed(text), squeezed(want)) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if text := said(t, 0, "decisions", "verify", id); !strings.Contains(squeezed(text), "chain holds record holds effect holds") {
		t.Errorf("verify: %s", text)
	}
	checkExported(t, id)
}

// squeezed writes a table with one blank between words.
func squeezed(text string) string { return strings.Join(strings.Fields(text), " ") }

// checkExported exports a decision, checks the file without a server, and spoils
// it.
func checkExported(t *testing.T, id string) {
	t.Helper()
	dir := t.TempDir()
	page := said(t, 0, "decisions", "show", id, "--sql")
	for _, want := range []string{"# Hold: gate in production", "Watermark of `facts-0`: message ", "- Code: dev", "## The queries", "FROM"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page:\n%s", want, page)
		}
	}
	names := strings.Fields(said(t, 0, "decisions", "export", id, "--as", "json", "--dir", dir))
	if len(names) != 1 {
		t.Fatalf("exported %q", names)
	}
	t.Setenv("SLUICE_SERVER", "http://127.0.0.1:1")
	if text := said(t, 0, "decisions", "recompute", "--file", names[0]); !strings.Contains(squeezed(text), "event holds record holds stages holds approvals holds effect holds verdict the same: hold") {
		t.Errorf("without a server: %s", text)
	}
	b, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	spoiled := filepath.Join(dir, "spoiled.json")
	if err := os.WriteFile(spoiled, []byte(strings.Replace(string(b), `"exposures": 200`, `"exposures": 201`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := said(t, exitError, "decisions", "verify", "--file", spoiled); !strings.Contains(text, "DOES NOT HOLD: it hashes to") {
		t.Errorf("a number was changed: %s", text)
	}
	said(t, exitError, "decisions", "verify", "--file", filepath.Join(dir, "none"))
	said(t, exitError, "decisions", "verify")
	said(t, exitError, "decisions", "recompute", id, "--file", spoiled)
	for _, asked := range []string{"--today", "--with-late"} {
		said(t, exitError, "decisions", "recompute", "--file", names[0], asked)
	}
	said(t, exitError, "decisions", "export")
}

// TestAskedUntil: evidence that no warehouse counted cannot be counted again.
func TestAskedUntil(t *testing.T) {
	query := func(params string) decisions.Evidence {
		return decisions.Evidence{Queries: []decisions.Query{{SQL: "SELECT 1", Params: json.RawMessage(params), Hash: event.Hash{}}}}
	}
	if at, err := askedUntil(query(`{"until":1700000000123}`)); err != nil || at.UnixMilli() != 1700000000123 {
		t.Errorf("got %v, %v", at, err)
	}
	for _, e := range []decisions.Evidence{{}, query(`{}`), query(`[]`)} {
		if _, err := askedUntil(e); !errors.Is(err, errNoQueries) {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

func TestThisBuild(t *testing.T) {
	if b := thisBuild("abc"); b.Version != "dev" || b.Program != "abc" || !strings.Contains(b.Go, "/") || !strings.Contains(b.String(), "program abc") {
		t.Errorf("got %+v", b)
	}
}

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

// TestReleaseThroughPages tells the story of a release in a real browser, through
// the pages alone: with scripts, and side by side with it without any. Visitors
// come and events are sent over HTTP, as SDKs do it.
func TestReleaseThroughPages(t *testing.T) {
	t.Parallel()
	chromium := browsertest.Open(t)
	house := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)})
	text, err := os.ReadFile("testdata/release.story")
	if err != nil {
		t.Fatal(err)
	}
	for environment, scripts := range map[string]bool{"production": true, "staging": false} {
		t.Run(map[bool]string{true: "with scripts", false: "without"}[scripts], func(t *testing.T) {
			t.Parallel()
			s := &shopping{house: house, person: browsertest.Visit(t, chromium, scripts), scripts: scripts, environment: environment}
			s.flag, s.metric = "shop.pay-in-"+environment, "failed_in_"+environment
			s.admin = client{Server: house.address(), Token: house.token}
			s.token = s.made(t, map[string]any{"class": "sls", "name": s.flag, "environment": environment})
			s.tell(t, string(text))
			if faults := s.person.Faults(); len(faults) > 0 {
				t.Errorf("the browser's console shows %q", faults)
			}
		})
	}
}

// shopping is one telling of the story: who reads the pages, and what the shop
// does meanwhile.
type shopping struct {
	house                     *standing
	admin                     client
	person                    *browsertest.Person
	scripts                   bool
	environment, flag, metric string
	token                     string // of the shop's own program
	visitor                   int    // number of the last one
}

// tell carries out the steps of a story, one after the other.
func (s *shopping) tell(t *testing.T, text string) {
	ben := s.made(t, map[string]any{"class": "sla", "name": "ben-" + s.environment, "role": "approver"})
	named := strings.NewReplacer("{token}", s.house.token, "{colleague}", ben, "{flag}", s.flag, "{metric}", s.metric, "{environment}", s.environment)
	for _, step := range steps(text) {
		began := now()
		s.do(t, named.Replace(step))
		t.Logf("%5d ms  %s", now().Sub(began).Milliseconds(), strings.SplitN(step, "\n", 2)[0])
	}
}

// made returns a new token.
func (s *shopping) made(t *testing.T, what map[string]any) string {
	t.Helper()
	text, err := s.admin.made(t.Context(), "/api/v1/tokens", what)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// steps splits a story into its steps. What is indented belongs to the step
// above it; what begins with # is for the reader.
func steps(text string) (all []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "  "):
			all[len(all)-1] += "\n" + strings.TrimPrefix(line, "  ")
		case line != "" && !strings.HasPrefix(line, "#"):
			all = append(all, line)
		}
	}
	return all
}

// do carries out one step.
func (s *shopping) do(t *testing.T, step string) {
	verb, rest, _ := strings.Cut(step, " ")
	p := s.person
	switch verb {
	case "with", "without":
		_, rest, _ = strings.Cut(rest, " ")
		if s.scripts == (verb == "with") {
			s.do(t, rest)
		}
	case "open":
		p.Open(s.house.address() + rest)
	case "follow":
		p.Follow(rest)
	case "press":
		p.Press(rest)
	case "unfold":
		p.Unfold(rest)
	case "write":
		label, value, _ := strings.Cut(rest, ":")
		p.Write(label, strings.TrimSpace(value))
	case "holds":
		label, value, _ := strings.Cut(rest, ":")
		p.Holds(label, strings.TrimSpace(value))
	case "says":
		p.Says(rest)
	case "comes":
		p.Comes(rest)
	case "tick":
		p.Tick(rest)
	case "visitors":
		s.visitors(t, rest)
	case "event":
		s.send(t, s.event(rest, "u-1"))
	default:
		t.Fatalf("nobody knows how to do %q", step)
	}
}

// visitors lets people into the shop. Each gets what the flag answers, and reports
// that; of some a payment fails.
func (s *shopping) visitors(t *testing.T, how string) {
	t.Helper()
	var n int
	var shares struct{ off, on int }
	if _, err := fmt.Sscanf(how, "%d: %d %% of control and %d %% of treatment fail", &n, &shares.off, &shares.on); err != nil {
		t.Fatalf("nobody knows how many come: %q", how)
	}
	share, seen := map[string]int{"off": shares.off, "on": shares.on}, map[string]int{}
	var events []any
	for range n {
		s.visitor++
		id := fmt.Sprintf("%s-%d", s.flag, s.visitor)
		e := s.evaluate(t, id)
		events = append(events, s.exposure(e, id))
		k := seen[e.Variant]
		if seen[e.Variant]++; (k+1)*share[e.Variant]/100 > k*share[e.Variant]/100 {
			events = append(events, s.event(s.metric, id))
		}
	}
	s.send(t, events...)
}

// evaluate asks which variant a visitor gets.
func (s *shopping) evaluate(t *testing.T, visitor string) (e evaluation) {
	t.Helper()
	asked := map[string]any{"context": map[string]any{"targetingKey": visitor}}
	if err := s.sdk().post(t.Context(), "/ofrep/v1/evaluate/flags/"+s.flag, asked, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// exposure tells what a visitor got.
func (s *shopping) exposure(e evaluation, visitor string) ingest.Exposure {
	x := e.exposure(visitor)
	x.Flag = s.flag
	return x
}

func (s *shopping) event(name, visitor string) ingest.MetricEvent {
	return ingest.MetricEvent{Kind: ingest.KindMetric, ID: event.New(), Name: name, Units: map[string]string{"user": visitor}, At: now()}
}

// send delivers events in one request.
func (s *shopping) send(t *testing.T, events ...any) {
	t.Helper()
	if err := s.sdk().post(t.Context(), "/v1/events", events, nil); err != nil {
		t.Fatal(err)
	}
}

// sdk asks for variants and sends events as a program of the shop.
func (s *shopping) sdk() client { return client{Server: s.admin.Server, Token: s.token} }

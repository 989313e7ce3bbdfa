package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/meter"
)

// measured are the names of the measurements in a text.
func measured(text string) []string {
	names := regexp.MustCompile(`\bsluice_[a-z_]+`).FindAllString(text, -1)
	for i, n := range names {
		names[i] = strings.TrimSuffix(n, "_bucket")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestMeasure: after an event, everything that the dashboard and the alerts ask
// for is measured, and says what happened.
func TestMeasure(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)})
	s.want(200, "", "POST", "/api/v1/apply", aFlag)
	s.want(200, "", "POST", "/api/v1/apply", hookTo("https://hooks.example.com/sluice"))
	s.want(202, `"accepted":1`, "POST", "/v1/events?environment=production", anEvent(s))
	s.want(400, "unknown_flag", "POST", "/v1/events?environment=production", strings.Replace(anEvent(s), "checkout.express", "none", 1))
	var text string
	within(t, "the event is accounted for", func() bool {
		_, text = s.ask("GET", "/metrics", "")
		return strings.Contains(text, `sluice_events_stored{shard="facts-0"} 1`) && strings.Contains(text, `sluice_stream_limit_bytes{`) &&
			strings.Contains(text, `sluice_warehouse_parts{table="exposures"} 1`)
	})
	for _, want := range []string{
		`sluice_event_requests_total{outcome="accepted"} 1`, `sluice_event_requests_total{outcome="refused"} 1`, `sluice_events_rejected_total{reason="unknown_flag"} 1`,
		`sluice_event_ack_seconds_count 1`, `sluice_events_unaccounted{shard="facts-0"} 0`, `sluice_loader_behind_messages{shard="facts-0"} 0`,
		`sluice_loader_active{shard="facts-0"} 1`, `sluice_dead_letters{reason="unknown_metric"} 0`, `sluice_ready{dependency="warehouse"} 1`, `sluice_ready{dependency="replicas agree"} 1`,
		`sluice_resident_bytes{process="engine"} `, `sluice_events_refused 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	have := labelled(text + releasing(t)) // there are samples of rollouts while one is open
	for _, expr := range queried(t) {
		labels := []string{"instance", "le"}
		for _, name := range measured(expr) {
			if _, is := have[name]; !is {
				t.Errorf("nobody measures %s, for which a dashboard or an alert asks: %s", name, expr)
			}
			labels = append(labels, have[name]...)
		}
		for _, label := range labelsIn(expr) {
			if !slices.Contains(labels, label) {
				t.Errorf("nothing in it has the label %s: %s", label, expr)
			}
		}
	}
}

// releasing are the measurements of one rollout under way.
func releasing(t *testing.T) string {
	t.Helper()
	r := beyondRollout(1)
	look := func(string) (decisions.Look, bool) { return decisions.Look{}, true }
	var b strings.Builder
	if err := meter.Write(&b, releases([]decisions.Rollout{r}, look)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// labelled returns the labels of every measurement in a text.
func labelled(text string) map[string][]string {
	all := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^(sluice_[a-z_]+)(\{.*\})? `).FindAllStringSubmatch(text, -1) {
		name := strings.TrimSuffix(m[1], "_bucket")
		all[name] = append(all[name], labelsIn(m[2])...)
	}
	return all
}

// labelsIn are the labels that an expression selects by or keeps.
func labelsIn(expr string) (all []string) {
	for _, m := range regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"`).FindAllStringSubmatch(expr, -1) {
		all = append(all, m[1])
	}
	for _, m := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(m[1], ",") {
			all = append(all, strings.TrimSpace(label))
		}
	}
	return all
}

// queried are the expressions of the dashboards and the alerts.
func queried(t *testing.T) (all []string) {
	t.Helper()
	for _, file := range []string{"sluice.json", "releases.json"} {
		for _, p := range boardOf(t, file).Panels {
			for _, target := range p.Targets {
				all = append(all, target.Expr)
			}
		}
	}
	for _, r := range alerts(t) {
		all = append(all, r.Expr)
	}
	if len(all) < 40 {
		t.Errorf("%d expressions are queried", len(all))
	}
	return all
}

// TestDashboard: Grafana's and Prometheus's files can be read, every panel asks
// something and says what in a title, every board shows what Sluice writes as
// annotations, every alert says what to do.
func TestDashboard(t *testing.T) {
	for _, file := range []string{"sluice.json", "releases.json"} {
		checkBoard(t, file)
	}
	for _, r := range alerts(t) {
		if len(measured(r.Expr)) == 0 || r.For == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("alert %s is not whole: %+v", r.Alert, r)
		}
	}
}

// TestDashboard_countsOnce: what every replica tells alike is taken from one of
// them, and not added up over all.
func TestDashboard_countsOnce(t *testing.T) {
	alike := regexp.MustCompile(`(\w+)(?: by \(([^)]*)\))? \((?:\w+\()?(sluice_(?:dead_letters|decisions_total|incidents_open|rollout_\w+|events_unaccounted|events_loaded_total|loader_\w+))`)
	name := regexp.MustCompile(alike.String()[strings.Index(alike.String(), "(sluice_"):])
	seen := 0
	for _, expr := range queried(t) {
		of := alike.FindAllStringSubmatch(expr, -1)
		if len(of) != len(name.FindAllString(expr, -1)) {
			t.Errorf("not every measurement is one of all replicas: %s", expr)
		}
		for _, m := range of {
			if seen++; m[1] != "max" && m[1] != "min" || strings.Contains(m[2], "instance") {
				t.Errorf("%s is counted once for each replica: %s", m[3], expr)
			}
		}
	}
	if seen < 15 {
		t.Errorf("%d measurements of all replicas are asked for", seen)
	}
}

// alert is one rule of Prometheus.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var rules struct{ Groups []struct{ Rules []alert } }
	b, err := os.ReadFile("../../dashboards/grafana/alerts.yaml")
	if err == nil {
		err = yaml.Unmarshal(b, &rules)
	}
	if err != nil || len(rules.Groups) != 1 || len(rules.Groups[0].Rules) < 5 {
		t.Fatalf("the alerts are %+v, %v", rules, err)
	}
	return rules.Groups[0].Rules
}

// board is a file of Grafana's.
type board struct {
	UID    string
	Panels []struct {
		ID      int
		Title   string
		Targets []struct{ Expr string }
	}
	Annotations struct {
		List []struct {
			Name   string
			Target struct{ Tags []string }
		}
	}
}

func boardOf(t *testing.T, file string) (all board) {
	t.Helper()
	b, err := os.ReadFile("../../dashboards/grafana/" + file)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil || all.UID == "" || len(all.Panels) < 10 {
		t.Fatalf("%s has %d panels, %v", file, len(all.Panels), err)
	}
	return all
}

// checkBoard reads one file of Grafana's.
func checkBoard(t *testing.T, file string) {
	t.Helper()
	board := boardOf(t, file)
	seen := map[int]bool{}
	for _, p := range board.Panels {
		if p.Title == "" || len(p.Targets) == 0 || len(measured(p.Targets[0].Expr)) == 0 || seen[p.ID] {
			t.Errorf("%s: panel %d, %q, shows nothing, or twice", file, p.ID, p.Title)
		}
		seen[p.ID] = true
	}
	told := append(decisions.ToldTypes(), flags.EventType)
	for _, a := range board.Annotations.List {
		if len(a.Target.Tags) != 2 || a.Target.Tags[0] != "sluice" || !slices.Contains(told, a.Target.Tags[1]) {
			t.Errorf("%s: the annotations %s are tagged %v, which nothing is", file, a.Name, a.Target.Tags)
		}
	}
	if len(board.Annotations.List) == 0 {
		t.Errorf("%s shows no annotation", file)
	}
}

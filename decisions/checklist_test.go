package decisions

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// checklist runs every row of docs/checklist.md.
var checklist = map[string]func(*testing.T){
	"unit": func(t *testing.T) {
		refuses(t, "unit", func(p *Plan) { p.Unit = "device" })
		past := pastOutlook()
		past.Units, past.Kinds = 0, map[string]int64{"device": 5}
		lacks(t, "unit", readyPlan(), past)
	},
	"safe": func(t *testing.T) {
		refuses(t, "arms.treatment", func(p *Plan) { p.Arms = Arms{Control: "gate_40", Treatment: "gate_30"} })
		h := newHouse(t)
		h.begin(catsPlan())
		h.do(Command{Op: OpRollback, Comment: "stop"})
		h.step()
		got := h.flags.Compile("production", nil).Evaluate("gate", &flags.Context{TargetingKey: "u-1"})
		if h.forced() == nil || got.Variant != "gate_30" {
			t.Errorf("after a rollback a unit gets %+v", got)
		}
	},
	"audience": func(t *testing.T) {
		refuses(t, "stages[1]", func(p *Plan) { p.Stages[1] = Stage{Name: "staff", Serve: "treatment", When: staff()} })
		refuses(t, "stages[1].treatment", func(p *Plan) { p.Stages[1].Treatment = 4000 })
	},
	"metrics": func(t *testing.T) {
		refuses(t, "metrics.guardrails[0].metric", func(p *Plan) { p.Metrics.Guardrails[0].Metric = "day_1_retention" })
		h := newHouse(t)
		h.begin(catsPlan())
		if len(h.rollout().Metrics) != 2 {
			t.Errorf("the plan records %v", h.rollout().Metrics)
		}
		p := catsPlan()
		p.Metrics.Guardrails[0].Detect.Change = 9000
		if _, _, err := h.try(Command{Op: OpPlan, Plan: &p}); !slices.Contains(paths(err), "metrics.guardrails[0].detect") {
			t.Errorf("a lower guardrail: %v", err)
		}
	},
	"events": func(t *testing.T) {
		past := pastOutlook()
		past.Metrics["bought"] = stats.Proportion(1000, 0)
		lacks(t, "metrics.success[0].metric", readyPlan(), past)
		h := newHouse(t)
		h.begin(catsPlan())
		h.now = h.now.Add(dayInTest)
		h.step()
		h.want(Pause, "telemetry missing")
	},
	"criteria": func(t *testing.T) {
		refuses(t, "stages[0].exclude", func(p *Plan) { p.Stages[0].Exclude = nil })
		past := pastOutlook()
		past.Traffic = stats.Daily(10)
		lacks(t, "stages[0].exclude.kept", readyPlan(), past)
	},
	"decides": func(t *testing.T) {
		refuses(t, "owner", func(p *Plan) { p.Owner = "nobody" })
		h := newHouse(t)
		p := catsPlan()
		p.Stages[0] = Stage{Name: "staff", Serve: "treatment", When: staff(), Approve: 1}
		h.begin(p)
		h.step()
		if _, _, err := h.try(Command{Op: OpApprove, Actor: ana}); !errors.Is(err, ErrRefused) {
			t.Errorf("the author approves: %v", err)
		}
		h.do(Command{Op: OpApprove, Actor: lee})
	},
	"rollback": func(t *testing.T) {
		h := newHouse(t)
		h.begin(catsPlan())
		h.rounds(newTraffic(better), 2000, 90, is(Observing))
		if s, _ := h.rollout().Now(); s.Observe != DefaultObserve {
			t.Errorf("it is observed for %s", s.Observe)
		}
		h.do(Command{Op: OpRollback, Comment: "stop"})
		h.step()
		if h.rollout().Status != RolledBack || h.forced() == nil {
			t.Errorf("%s, forced %v", h.rollout().Status, h.forced())
		}
	},
	"cleanup": func(t *testing.T) {
		refuses(t, "cleanup", func(p *Plan) { p.Cleanup = nil })
		refuses(t, "cleanup.endState", func(p *Plan) { p.Cleanup.EndState = "" })
		h := newHouse(t)
		h.policy(flags.Releases{Require: []flags.Required{flags.RequireTicket}})
		if _, _, err := h.try(Command{Op: OpPlan, Plan: ptr(catsPlan())}); !slices.Contains(paths(err), "cleanup.ticket") {
			t.Errorf("without a ticket: %v", err)
		}
	},
	"archive": func(t *testing.T) {
		h := newHouse(t)
		p := catsPlan()
		p.Stages = append(p.Stages, Stage{Name: "full", Serve: "treatment", Observe: 1})
		h.begin(p)
		h.rounds(newTraffic(better), 2000, 90, is(CleanupDue))
		if r := h.rollout(); r.Open() || r.Ended.IsZero() {
			t.Errorf("it ended at %s as %s", r.Ended, r.Status)
		}
	},
}

const dayInTest = 24 * time.Hour

// refuses asks that a plan which is changed so is refused at a place.
func refuses(t *testing.T, path string, change func(*Plan)) {
	t.Helper()
	p := catsPlan()
	change(&p)
	if got := paths(p.Validate(known(t))); !slices.Contains(got, path) {
		t.Errorf("faults at %v, want one at %s", got, path)
	}
}

// lacks asks that a rollout does not start after such a past.
func lacks(t *testing.T, path string, r Rollout, p Past) {
	t.Helper()
	var at []string
	for _, f := range r.Preflight(p).Faults() {
		at = append(at, f.Path)
	}
	if !slices.Contains(at, path) {
		t.Errorf("it lacks %v, want %s", at, path)
	}
}

func TestChecklist(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(checklist)) {
		t.Run(name, checklist[name])
	}
}

// Every row of the document names a test that there is, and every test a row.
func TestChecklistIsTheDocument(t *testing.T) {
	source, err := os.ReadFile("../docs/checklist.md")
	if err != nil {
		t.Fatal(err)
	}
	named, rows := map[string]bool{}, 0
	for _, line := range strings.Split(string(source), "\n") {
		if !regexp.MustCompile(`^\| \d+ \|`).MatchString(line) {
			continue
		}
		rows++
		tests := regexp.MustCompile("`([a-z/]+) (Test[A-Za-z_]+)(?:/([a-z]+))?`").FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			t.Errorf("no test: %s", line)
		}
		for _, m := range tests {
			if named[m[3]] = true; !exists(t, m[1], m[2]) || m[2] == "TestChecklist" && checklist[m[3]] == nil {
				t.Errorf("there is no test %s", m[0])
			}
		}
	}
	for name := range checklist {
		if !named[name] {
			t.Errorf("no row names %s", name)
		}
	}
	if rows != 10 {
		t.Errorf("%d rows, want the ten questions", rows)
	}
}

// exists reports whether a room has a test.
func exists(t *testing.T, room, test string) bool {
	files, err := filepath.Glob("../" + room + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(name string) bool {
		source, err := os.ReadFile(name)
		return err == nil && strings.Contains(string(source), "func "+test+"(t *testing.T)")
	})
}

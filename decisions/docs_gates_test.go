package decisions

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/stats"
)

const gatesDoc = "../docs/gates.md"

// situations are those of the document's table, by its first two columns.
var situations = map[string]func(*Input){
	"all of it | everything is met":                                           func(*Input) {},
	"`minWindow: 24h` | 23 hours have passed":                                 func(in *Input) { in.State.Since = noon.Add(-23 * time.Hour) },
	"`maxLag: 10m, onMissing: pause` | the newest exposure is 11 minutes old": func(in *Input) { in.Evidence.Newest = noon.Add(-11 * time.Minute) },
	"`maxLag: 10m, onMissing: pause` | the newest latency is 11 minutes old":  func(in *Input) { in.Evidence.Metrics[2].Newest = noon.Add(-11*time.Minute - time.Second) },
	"`maxLag: 10m, onMissing: pause` | facts wait for an hour to be counted": func(in *Input) {
		in.Evidence.Watermark = map[string]Place{"facts-0": {Behind: event.Duration(time.Hour)}}
	},
	"`{metric: crashes, …}` | nobody has ever sent a crash":                                   func(in *Input) { in.Evidence.Metrics[3].Alive = time.Time{} },
	"`srm: {alpha: 0.001, onFail: pause}` | the arms do not hold the units they should":       func(in *Input) { in.Evidence.SampleRatio.Alarm, in.Evidence.Units[1].N = true, 900 },
	"in every plan | one acknowledged event is not counted":                                   func(in *Input) { in.Evidence.Unaccounted = 1 },
	"in every plan | a person has disabled the flag":                                          func(in *Input) { in.Evidence.FlagOff = "it is disabled" },
	"`incidents: {critical: rollback, …}` | a critical incident is open":                      open(Critical),
	"`incidents: {…, minor: hold}` | a minor incident is open":                                open(Minor),
	"`rollbackWhen: [{incident: blocking}]` | a blocking incident is open":                    open(Blocking),
	"`requires: [smoke-test]` | it has not reported":                                          func(in *Input) { delete(in.State.Reported, "smoke-test") },
	"`requires: [smoke-test]` | it has failed":                                                failed("smoke-test"),
	"`requires: [smoke-test]` | it passed, and that has expired":                              expired("smoke-test"),
	"`pauseWhen: [{check: error-budget}]` | it has failed":                                    failed("error-budget"),
	"`pauseWhen: [{check: error-budget}]` | it has not reported":                              func(in *Input) { delete(in.State.Reported, "error-budget") },
	"`advanceWhen: [{manual: games}]` | nobody of the team has confirmed":                     func(in *Input) { in.State.Confirmed = nil },
	"`{metric: day_7_retention, margin: 5%, …}` | harm beyond the margin, for the first time": func(in *Input) { breach(judgementOf(in, 1)) },
	"`{metric: day_7_retention, margin: 5%, …}` | again, with more data": func(in *Input) {
		breach(judgementOf(in, 1))
		in.State.Streaks = map[string]Streak{"guardrail day_7_retention": {Looks: 1, Information: 9}}
	},
	"`{metric: day_7_retention, margin: 5%, …}` | harm, and not shown to be within the margin": func(in *Input) {
		breach(judgementOf(in, 1))
		judgementOf(in, 1).Breached = false
	},
	"`within: region` | harm beyond the margin in one region, for the second time": func(in *Input) {
		breach(in.Evidence.Metrics[1].Parts[1].Judgement)
		in.State.Streaks = map[string]Streak{"guardrail day_7_retention region=asia": {Looks: 1, Information: 9}}
	},
	"`{metric: latency, limit: 200ms, …}` | the treated units are beyond the limit": func(in *Input) {
		l := in.Evidence.Metrics[2].Limit
		l.State, l.Breached, l.Safe, l.Estimate = stats.Breached, true, false, 231
	},
	"`{metric: crashes, …}` | ten treated units and none of control have crashed": func(in *Input) { in.Evidence.Metrics[3].Failures = crashes(10) },
	"`minUnits: 500` | 499 units in the smaller arm":                              func(in *Input) { in.Evidence.Units[1].N = 499 },
	"`exclude: {day_7_retention: 30%}` | not excluded yet":                        func(in *Input) { in.Evidence.Metrics[1].Exclusion = &stats.Exclusion{Fraction: 0.6} },
	"`exclude: {day_7_retention: 30%}` | the planned information is used up":      func(in *Input) { in.Evidence.Metrics[1].Exclusion = &stats.Exclusion{Fraction: 1, Ended: true} },
	"`approve: 1` | nobody has approved":                                          func(in *Input) { in.State.Approvals = nil },
}

func breach(j *stats.Judgement) {
	j.State, j.Breached, j.Harmed, j.Safe = stats.Breached, true, true, false
	j.Estimate, j.Bounds = -0.09, stats.Interval{Low: -0.12, High: -0.06}
}

func crashes(treated int64) *stats.EventJudgement {
	j := stats.Events{Alpha: alphaHarm / 5}.Judge([]stats.EventCounts{{Epoch: 1, Treatment: treated, Traffic: [2]float64{0.5, 0.5}}})
	return &j
}

// documented is an input of the document's canary whose gate is passed.
func documented(t *testing.T, p Plan) Input {
	t.Helper()
	in := ready(0)
	in.Plan = p.Filled()
	in.State.Since = noon.Add(-25 * time.Hour)
	for _, change := range []func(*Input){passed("smoke-test"), passed("error-budget"), confirms("advanceWhen manual games")} {
		change(&in)
	}
	j := func() *stats.Judgement {
		c := *in.Evidence.Metrics[1].Judgement
		return &c
	}
	e := &in.Evidence
	e.Metrics[1].Judgement, e.Metrics[1].Parts = j(), []Part{{Value: "eu", Judgement: j()}, {Value: "asia", Judgement: j()}}
	limit := j()
	limit.Estimate, limit.Relative = 150, false
	e.Metrics = append(e.Metrics[:2], Measured{Metric: "latency", Unit: "ms", Direction: stats.Decrease, Newest: noon, Limit: limit},
		Measured{Metric: "crashes", Alive: noon.Add(-time.Hour), Failures: crashes(0)})
	return in
}

// Every row of the document's table is what the gate says of its plan, and every
// situation that can be told stands there.
func TestGatesDocument(t *testing.T) {
	source, err := os.ReadFile(gatesDoc)
	if err != nil {
		t.Fatal(err)
	}
	p := planOf(t, string(source))
	lines, left := strings.Split(string(source), "\n"), len(situations)
	table := false
	for i, line := range lines {
		table = strings.HasPrefix(line, "| line of the plan |") || table && strings.HasPrefix(line, "|")
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !table || len(cells) != 3 || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| line") {
			continue
		}
		situation, ok := situations[strings.TrimSpace(cells[0])+" | "+strings.TrimSpace(cells[1])]
		if !ok {
			t.Errorf("line %d: nobody knows how to test %s", i+1, line)
			continue
		}
		left--
		in := documented(t, p)
		situation(&in)
		v := evaluate(t, in)
		want := fmt.Sprintf("| *%s*: %s |", v.Action, v.Text)
		lines[i] = fmt.Sprintf("|%s|%s%s", cells[0], cells[1], want)
		if lines[i] != line && !*update {
			t.Errorf("line %d says\n%s\nand the gate says\n%s", i+1, line, lines[i])
		}
	}
	if left != 0 {
		t.Errorf("%d situations are not in the document", left)
	}
	if *update {
		if err := os.WriteFile(gatesDoc, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// planOf reads the document's plan, and refuses one that could not be started.
func planOf(t *testing.T, doc string) (p Plan) {
	t.Helper()
	_, rest, _ := strings.Cut(doc, "```yaml\n")
	source, _, _ := strings.Cut(rest, "```")
	docs, err := manifest.Split([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if err := docs[0].Decode(&p); err != nil {
		t.Fatal(err)
	}
	k := known(t)
	k.Segment = func(string) (flags.RecordedSegment, bool) { return flags.RecordedSegment{}, true }
	if err := p.Validate(k); err != nil {
		t.Fatal(err)
	}
	return p
}

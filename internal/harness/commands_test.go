package harness

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/manifest"
)

// commands are the words of the stories.
func (w *world) commands() map[string]func(args, input string) (string, error) {
	person := func(op decisions.Op) func(string, string) (string, error) {
		return func(args, _ string) (string, error) { return w.person(op, args) }
	}
	return map[string]func(args, input string) (string, error){
		"apply":     func(_, input string) (string, error) { return w.apply(input) },
		"start":     person(decisions.OpStart),
		"hold":      person(decisions.OpHold),
		"resume":    person(decisions.OpResume),
		"approve":   person(decisions.OpApprove),
		"advance":   person(decisions.OpAdvance),
		"rollback":  person(decisions.OpRollback),
		"explain":   person(decisions.OpExplain),
		"reduce":    person(decisions.OpReduce),
		"forward":   person(decisions.OpForward),
		"traffic":   func(args, _ string) (string, error) { return w.traffic(parse(args)) },
		"incident":  func(args, _ string) (string, error) { return w.incident(parse(args)) },
		"webhook":   func(_, input string) (string, error) { return w.webhook(input) },
		"incidents": func(_, _ string) (string, error) { return w.incidents(), nil },
		"wait":      func(args, _ string) (string, error) { return w.wait(args) },
		"gate":      func(_, _ string) (string, error) { return w.gate(), nil },
		"serves":    func(args, _ string) (string, error) { return w.serves(args) },
		"verify":    func(_, _ string) (string, error) { return w.verify() },
		"evaluate":  func(args, _ string) (string, error) { return w.evaluate(args) },
		"clock":     func(args, _ string) (string, error) { return w.clock(args) },
		"kill":      func(args, _ string) (string, error) { return w.kill(parse(args)) },
		"together":  func(args, _ string) (string, error) { return w.together(args) },
		"lose":      func(args, _ string) (string, error) { w.lost = number(args); return "", nil },
		"ship":      person(decisions.OpShip),
		"reject":    person(decisions.OpReject),
		"override":  person(decisions.OpOverride),
		"schedule":  person(decisions.OpSchedule),
		"asks":      func(_, _ string) (string, error) { return w.asks(), nil },
	}
}

// apply takes documents as people write them.
func (w *world) apply(input string) (string, error) {
	docs, err := manifest.Split([]byte(input))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, d := range docs {
		name, err := w.document(d)
		if err != nil {
			return out.String(), d.Annotate(err)
		}
		fmt.Fprintf(&out, "%s is applied\n", name)
	}
	return out.String(), nil
}

func (w *world) document(d manifest.Document) (string, error) {
	switch d.Kind {
	case "Flag":
		var f flags.Flag
		if err := d.Decode(&f); err != nil {
			return "", err
		}
		return "flag " + f.Key, w.write(w.flags.Handle(flags.Command{
			ID: w.id(), Key: f.Key, Expect: event.Any, At: w.now, Actor: "person:ana",
			Changes: []flags.Change{{Op: flags.Define, Flag: &f}},
		}))
	case "Metric":
		var m ingest.Metric
		if err := d.Decode(&m); err != nil {
			return "", err
		}
		return "metric " + m.Key, w.write(w.metrics.Handle(ingest.Define{ID: w.id(), Metric: m, Expect: event.Any, At: w.now, Actor: "person:ana"}))
	case "Segment":
		var s flags.Segment
		if err := d.Decode(&s); err != nil {
			return "", err
		}
		return "segment " + s.Key, w.write(w.flags.HandleSegment(flags.SegmentCommand{
			Order: flags.Order{ID: w.id(), Expect: event.Any, At: w.now, Actor: "person:ana"}, Key: s.Key,
			Changes: []flags.SegmentChange{{Op: flags.SegmentDefine, Segment: &s}},
		}))
	case "Policy":
		var p flags.Policy
		if err := d.Decode(&p); err != nil {
			return "", err
		}
		return "policy " + p.Key, w.write(w.flags.HandlePolicy(flags.PolicyCommand{
			Order: flags.Order{ID: w.id(), Expect: event.Any, At: w.now, Actor: "person:ana"}, Key: p.Key, Policy: &p,
		}))
	}
	var p decisions.Plan
	if err := d.Decode(&p); err != nil {
		return "", err
	}
	return "rollout of " + p.Flag, w.write(w.state.Handle(decisions.Command{
		ID: w.id(), Op: decisions.OpPlan, Plan: &p, Expect: event.Any, At: w.now, Actor: "person:ana",
	}))
}

// person carries out what somebody wants of the rollout, and lets the
// controller look: "rollback by=lee because=customers_call".
func (w *world) person(op decisions.Op, args string) (string, error) {
	err := w.write(w.state.Handle(w.command(op, parse(args))))
	if err == nil {
		err = w.step()
	}
	return w.tell(), err
}

// traffic lets units come, a minute (every=1h: an hour) and a look after each round:
// "traffic users=500 rounds=40 until=rolledBack day_7_retention=0.19:0.15".
func (w *world) traffic(a words) (string, error) {
	rates := map[string][2]float64{}
	for name, value := range a {
		if control, treatment, ok := strings.Cut(value, ":"); ok {
			rates[strings.ReplaceAll(name, " ", "_")] = [2]float64{number(control), number(treatment)}
		}
	}
	rounds, pace := max(int(number(a["rounds"])), 1), time.Minute
	if d, err := event.ParseDuration(a["every"]); err == nil && d > 0 {
		pace = time.Duration(d)
	}
	for i := range rounds {
		w.now = w.now.Add(pace)
		w.arrive(int(number(a["users"])), a["ring"], rates)
		if err := w.step(); err != nil {
			return w.tell(), err
		}
		if w.reached(a["until"]) {
			return w.tell() + fmt.Sprintf("after %d rounds\n", i+1), nil
		}
	}
	return w.tell(), nil
}

// reached reports whether the rollout has that status, is in that stage, or was
// decided about for that reason.
func (w *world) reached(until string) bool {
	r, _ := w.rollout()
	stage, _ := r.Now()
	last, _ := r.Last()
	return until != "" && (string(r.Status) == until || stage.Name == until || string(last.Verdict.Action) == until || last.Verdict.Reason == until)
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return f
}

func (w *world) incident(a words) (string, error) {
	r, _ := w.rollout()
	err := w.write(w.state.HandleIncident(decisions.IncidentCommand{
		ID: w.id(), Environment: environment, Flag: r.Plan.Flag, Incident: a["name"], Severity: decisions.Severity(a["severity"]),
		Resolve: a["severity"] == "", At: w.now, Actor: "token:alerts", Text: a["text"],
	}))
	if err == nil {
		err = w.step()
	}
	return w.tell(), err
}

// wait lets time pass and the controller look.
func (w *world) wait(args string) (string, error) {
	d, err := event.ParseDuration(args)
	if err != nil {
		return "", err
	}
	w.now = w.now.Add(time.Duration(d))
	err = w.step()
	return w.tell(), err
}

// gate shows the checks of the last look.
func (w *world) gate() string {
	var out strings.Builder
	for _, c := range w.looked.Verdict.Checks {
		fmt.Fprintf(&out, "%-5s %-12s %s\n", c.State, c.Name, c.Text)
	}
	return out.String()
}

// serves shows what the next thousand units would get.
func (w *world) serves(flag string) (string, error) {
	set, got := w.flags.Compile(environment, nil), map[string]int{}
	for i := range 1000 {
		r := set.Evaluate(flag, &flags.Context{TargetingKey: fmt.Sprintf("later-%d", i)})
		got[fmt.Sprintf("%s (%s, enrolled %t)", r.Variant, r.Step, r.Enrolled)]++
	}
	var out strings.Builder
	for _, what := range sorted(got) {
		fmt.Fprintf(&out, "%d of 1000 units get %s\n", got[what], what)
	}
	return out.String(), nil
}

func (w *world) verify() (string, error) {
	r, err := decisions.Verify(w.ctx, w.log, w.blobs)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("laws hold: %t; %d decisions recomputed, %d flag changes with a cause, %d effects, %d pending\n",
		r.OK(), r.Recompute.Checked, r.Cause.Checked, r.Effect.Checked, len(r.Pending)), nil
}

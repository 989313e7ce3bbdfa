package decisions

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

var update = flag.Bool("update", false, "rewrite recorded files; read the diff: whoever has such records is affected")

// golden is a decision as it was recorded: its input, and the verdict.
type golden struct {
	Input   json.RawMessage `json:"input"`
	Verdict json.RawMessage `json:"verdict"`
}

// A decision that was recorded once is recomputed from its record alone, to
// the byte, whichever rules it was made by. Files of older rules never change.
func TestRecordedDecisionIsRecomputed(t *testing.T) {
	if *update {
		recordDecision(t)
	}
	for _, file := range []string{"testdata/decision.json", recordedDecision} {
		t.Run(file, func(t *testing.T) { recomputed(t, file) })
	}
}

// recordedDecision is the file of the present rules.
const recordedDecision = "testdata/decision2.json"

func recomputed(t *testing.T, file string) {
	var g golden
	readJSON(t, file, &g)
	v, err := Recompute(g.Input)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, g.Verdict); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("recorded and recomputed verdicts differ, -want +got:\n%s", diff)
	}
	if v.Action != Rollback {
		t.Errorf("the recorded decision is to %s, want a rollback", v.Action)
	}
}

// recordDecision records the rollback of a release with the published
// retention of Cookie Cats: 19.02 % against 18.20 % after seven days.
func recordDecision(t *testing.T) {
	r := Rollout{
		Standing: Standing{ID: "production/gate/1", Version: 1, Status: Running, Stage: 1, Since: noon.Add(-time.Hour),
			Started: noon.Add(-2 * time.Hour), StartedBy: ana, Seq: 12,
			Streaks: map[string]Streak{"guardrail day_7_retention": {Looks: 1, Information: 100}}},
		Number: 1, Plan: catsPlan().Filled(), Metrics: declared,
	}
	strata := func(control, treatment int64) []stats.Stratum {
		return []stats.Stratum{{Epoch: 1, Stage: "experiment", Control: stats.Proportion(44700, control), Treatment: stats.Proportion(45489, treatment)}}
	}
	e := Evidence{
		At: noon, Newest: noon, Exposures: 90189, FlagRevision: 11, Watermark: map[string]Place{"0": {Seq: 4711, Newest: noon}},
		Units: []Count{{Epoch: 1, Stage: "experiment", Arm: "gate_30", N: 44700}, {Epoch: 1, Stage: "experiment", Arm: "gate_40", N: 45489}},
		Metrics: []Measured{
			{Metric: "day_1_retention", Strata: strata(20034, 20119), Newest: noon},
			{Metric: "day_7_retention", Strata: strata(8502, 8279), Newest: noon},
		},
		Queries: []Query{{SQL: "SELECT 1", Hash: event.Sum([]byte("SELECT 1"))}},
	}
	r.Frozen = Baselines(r, e)
	doc, err := json.Marshal(Input{Rules: Rules, Plan: r.Plan, State: r.Standing, Evidence: Read(r, e), Now: noon, Every: event.Duration(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Recompute(doc)
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	writeJSON(t, recordedDecision, golden{Input: doc, Verdict: verdict})
}

// kinds are all types of events of this room.
var kinds = []string{
	TypePlanned, TypeStarted, TypeFrozen, TypePaused, TypeResumed, TypeExplained, TypeApproved, TypeMade, TypeLapsed,
	TypeOpened, TypeResolved,
}

// Events that were recorded once fold into the state that they folded into
// then.
func TestRecordedEventsFold(t *testing.T) {
	if *update {
		recordEvents(t)
	}
	var events []event.Recorded
	readJSON(t, "testdata/events.json", &events)
	f := flags.NewState()
	s := NewState(Known{})
	seen := map[string]bool{}
	for _, e := range events {
		seen[e.Type] = true
		if err := e.Check(); err != nil {
			t.Errorf("the recorded file was edited: %v", err)
		}
		for _, fold := range []event.Fold{f, s} {
			if err := fold.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, kind := range kinds {
		if !seen[kind] {
			t.Errorf("no %s among the recorded events", kind)
		}
	}
	if *update {
		writeJSON(t, "testdata/state.json", s.State())
	}
	var want, got any
	readJSON(t, "testdata/state.json", &want)
	b, err := json.Marshal(s.State())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// recordEvents tells a story in which everything happens once.
func recordEvents(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages[0].Approve = 1
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpStart})
	c := h.controller(h.part, &meddler{Log: h.log, before: TypeMade, do: func() {
		h.flag("gate", flags.Change{Op: flags.Disable, Environment: "production"})
		h.flag("gate", flags.Change{Op: flags.Enable, Environment: "production"})
	}})
	h.must(c.Step(h.ctx, h.now)) // lapses
	h.step()
	tr := newTraffic(harmless)
	h.do(Command{Op: OpHold, Comment: "lunch"})
	h.do(Command{Op: OpResume})
	h.incident("db", Minor, false)
	h.incident("db", Minor, true)
	h.rounds(tr, 1000, 60, func(r Rollout) bool { d, _ := r.Last(); return d.Verdict.asksApproval() })
	h.do(Command{Op: OpApprove, Actor: lee, Comment: "looks good"})
	h.step()
	h.do(Command{Op: OpRollback, Comment: "customers call"})
	h.step()
	h.do(Command{Op: OpExplain, Comment: "a broken help page"})
	h.verified()
	var events []event.Recorded
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		events = append(events, e)
	}
	writeJSON(t, "testdata/events.json", events)
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeJSON(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A state that is folded anew is the state of the running process.
func TestReplay(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.rounds(newTraffic(harmful), 1500, 60, is(RolledBack))
	other := h.open(h.log)
	if a, b := marks(t, h, h.part), marks(t, h, other); a != b {
		t.Errorf("running %s, replayed %s", a, b)
	}
}

// forge appends what no controller would.
func (h *house) forge(kind, subject, actor, cause string, data any) event.Recorded {
	h.t.Helper()
	e, err := emit(h.id("forged", kind), kind, subject, h.now, actor, data)
	h.must(err)
	e.Cause = cause
	seq, err := h.log.Append(h.ctx, e, event.Any)
	h.must(err)
	return event.Recorded{Event: e, Seq: seq}
}

func TestVerifyNamesTheFirstEventThatFails(t *testing.T) {
	tests := []struct {
		name string
		law  func(Report) Law
		why  string
		do   func(h *house) event.Recorded
	}{
		{"a flag change without cause", func(r Report) Law { return r.Cause }, "names no decision", func(h *house) event.Recorded {
			return h.forge(flags.EventType, "flag.gate", Controlling, "", map[string]any{"changes": []any{}})
		}},
		{"a flag change that the decision does not ask for", func(r Report) Law { return r.Cause }, "does not ask for this", func(h *house) event.Recorded {
			d, _ := h.rollout().Last()
			return h.forge(flags.EventType, "flag.gate", Controlling, d.ID, map[string]any{"changes": []any{map[string]any{"op": "disable", "environment": "production"}}})
		}},
		{"more of a flag change than the decision asks for", func(r Report) Law { return r.Cause }, "does not ask for this", func(h *house) event.Recorded {
			d := h.asks(Rollback)
			return h.forge(flags.EventType, "flag.gate", Controlling, d.String(), map[string]any{"changes": []flags.Change{
				{Op: flags.Disable, Environment: "production"}, {Op: flags.Force, Environment: "production", Reason: "because", Decision: d.String()}}})
		}},
		{"a wider stage than the decision's", func(r Report) Law { return r.Cause }, "does not ask for this", func(h *house) event.Recorded {
			a, d := h.served(), h.asks(Expand)
			a.Coverage = flags.Whole
			return h.forge(flags.EventType, "flag.gate", Controlling, d.String(), map[string]any{"changes": []flags.Change{
				{Op: flags.Allocate, Environment: "production", Allocation: &a}}})
		}},
		{"evidence of another moment", func(r Report) Law { return r.Recompute }, "not that of the log", func(h *house) event.Recorded {
			d := h.rollout().Decisions[0]
			return h.forge(TypeMade, "rollout.production.gate", Controlling, "", made{Rollout: "production/gate/1", Input: d.Input, Verdict: d.Verdict, From: -1})
		}},
		{"a second effect", func(r Report) Law { return r.Effect }, "has an effect already", func(h *house) event.Recorded {
			d := h.rollout().Decisions[0]
			return h.forge(TypeLapsed, "rollout.production.gate", Controlling, "", lapsed{Rollout: "production/gate/1", Decision: d.ID})
		}},
		{"an effect of no decision", func(r Report) Law { return r.Effect }, "answers no decision", func(h *house) event.Recorded {
			return h.forge(TypeLapsed, "rollout.production.gate", Controlling, "", lapsed{Rollout: "production/gate/1", Decision: "none"})
		}},
		{"a verdict that does not follow", func(r Report) Law { return r.Recompute }, "its input gives expand", func(h *house) event.Recorded {
			d := h.rollout().Decisions[0]
			return h.forge(TypeMade, "rollout.production.gate", Controlling, "", made{Rollout: "production/gate/1", Input: d.Input, Verdict: Verdict{Action: Ship}})
		}},
		{"evidence that is gone", func(r Report) Law { return r.Recompute }, "cannot be read", func(h *house) event.Recorded {
			return h.forge(TypeMade, "rollout.production.gate", Controlling, "", made{Rollout: "production/gate/1", Verdict: Verdict{Action: Hold}})
		}},
		{"a decision before the last had its effect", func(r Report) Law { return r.Effect }, "has no effect yet", func(h *house) event.Recorded {
			d := h.rollout().Decisions[0]
			again := made{Rollout: "production/gate/1", Input: d.Input, Verdict: d.Verdict, From: -1}
			h.forge(TypeMade, "rollout.production.gate", Controlling, "", again)
			h.now = h.now.Add(time.Second)
			return h.forge(TypeMade, "rollout.production.gate", Controlling, "", again)
		}},
	}
	for _, test := range tests {
		h := newHouse(t)
		h.begin(catsPlan())
		h.verified()
		bad := test.do(h)
		h.forge(flags.EventType, "flag.gate", ana, "", map[string]any{"changes": []any{}}) // a person's needs no cause
		r, err := Verify(h.ctx, h.log, h.blobs)
		h.must(err)
		failed := test.law(r).Failed
		if r.OK() || failed == nil || failed.Seq != bad.Seq || !strings.Contains(failed.Why, test.why) {
			t.Errorf("%s: %+v, want event %d to fail because it %s", test.name, failed, bad.Seq, test.why)
		}
	}
}

// asks forges a person's decision and returns its ID.
func (h *house) asks(a Action) event.ID {
	return h.forge(TypeMade, "rollout.production.gate", ana, "", made{
		Rollout: "production/gate/1", Verdict: Verdict{Action: a, Stage: 0, Text: "because"}}).ID
}

func TestVerifyReportsWhatIsPending(t *testing.T) {
	h := newHouse(t)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpStart})
	m := &eventtest.Mortal{Log: h.log, Blobs: h.blobs, KillAt: 2, After: true} // dies with the decision written
	c := h.controller(h.part, m)
	c.Blobs = m
	_ = c.Step(h.ctx, h.now)
	if r := h.verified(); len(r.Pending) != 1 {
		t.Errorf("pending %v, want the one decision", r.Pending)
	}
}

func TestHandleRefuses(t *testing.T) {
	h := newHouse(t)
	refused := func(c Command, want error) {
		t.Helper()
		if _, _, err := h.try(c); !isError(err, want) {
			t.Errorf("%s: %v, want %v", c.Op, err, want)
		}
	}
	refused(Command{Op: OpStart}, ErrUnknown)
	refused(Command{Op: OpPlan}, event.Invalids{})
	refused(Command{Op: OpPlan, Plan: &Plan{Flag: "gate", Environment: "production"}}, event.Invalids{})
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	if r := h.rollout(); r.Version != 2 || r.Number != 1 {
		t.Errorf("planned twice before the start: version %d of rollout %d", r.Version, r.Number)
	}
	for _, op := range []Op{OpHold, OpResume, OpApprove, OpAdvance, OpRollback, OpExplain} {
		refused(Command{Op: op, Comment: "so"}, ErrRefused)
	}
	refused(Command{Op: "explode"}, event.Invalids{})
	h.flag("gate", flags.Change{Op: flags.Disable, Environment: "production"})
	refused(Command{Op: OpStart}, event.Invalids{})
	h.flag("gate", flags.Change{Op: flags.Enable, Environment: "production"})
	h.do(Command{Op: OpStart})
	refused(Command{Op: OpStart}, ErrRefused)
	refused(Command{Op: OpPlan, Plan: ptr(catsPlan())}, ErrRefused) // it is so already
	refused(Command{Op: OpHold}, event.Invalids{})                  // without a reason
	refused(Command{Op: OpRollback}, event.Invalids{})
	c := Command{Op: OpHold, Environment: "production", Flag: "gate", Comment: "so", Actor: ana, Expect: 1}
	if _, _, err := h.state.Handle(c); !isError(err, event.ErrConflict) {
		t.Errorf("with an old sequence: %v, want a conflict", err)
	}
}

// isError is errors.Is that takes any event.Invalids for any other.
func isError(err, want error) bool {
	if _, ok := want.(event.Invalids); ok {
		return len(paths(err)) > 0
	}
	return err != nil && strings.Contains(err.Error(), want.Error())
}

func TestIncidentsAreRefused(t *testing.T) {
	h := newHouse(t)
	for _, c := range []IncidentCommand{
		{Environment: "production", Flag: "gates", Incident: "a", Severity: Minor},
		{Environment: "production", Flag: "gate", Severity: Minor},
		{Environment: "production", Flag: "gate", Incident: "a", Severity: "huge"},
		{Environment: "", Flag: "gate", Incident: "a", Severity: Minor},
		{Environment: "production", Flag: "gate", Incident: "a", Resolve: true},
	} {
		if _, _, err := h.state.HandleIncident(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	h.incident("a", Minor, false)
	if got := h.state.Incidents("production", "gate"); !slices.ContainsFunc(got, func(i Incident) bool { return i.ID == "a" }) {
		t.Errorf("open: %+v", got)
	}
}

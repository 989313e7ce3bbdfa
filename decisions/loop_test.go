package decisions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Chances of each outcome in control and treatment.
var (
	harmful  = map[string][2]float64{"day_1_retention": {0.45, 0.45}, "day_7_retention": {0.19, 0.15}}
	better   = map[string][2]float64{"day_1_retention": {0.40, 0.46}, "day_7_retention": {0.19, 0.19}}
	harmless = map[string][2]float64{"day_1_retention": {0.45, 0.45}, "day_7_retention": {0.19, 0.19}}
)

// rounds sends traffic and steps until the rollout is no longer as it was, or
// the rounds are over.
func (h *house) rounds(tr *traffic, perRound, rounds int, done func(Rollout) bool) {
	h.t.Helper()
	for range rounds {
		h.send(tr, perRound)
		h.step()
		if done(h.rollout()) {
			return
		}
	}
	h.t.Fatalf("nothing after %d rounds; last decision: %+v", rounds, h.last())
}

func inStage(n int) func(Rollout) bool { return func(r Rollout) bool { return r.Stage == n } }
func is(s Status) func(Rollout) bool   { return func(r Rollout) bool { return r.Status == s } }
func reviewed(r Rollout) bool          { d, _ := r.Last(); return d.Verdict.Action == Review }
func (h *house) forced() *flags.Forced {
	f, _ := h.flags.Flag("gate")
	return f.Environments["production"].Forced
}
func (h *house) served() flags.Allocation {
	f, _ := h.flags.Flag("gate")
	if a := f.Environments["production"].Allocation; a != nil {
		return *a
	}
	return flags.Allocation{}
}

func TestBreachRollsBack(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.want(Expand, "started")
	if a := h.served(); a.Coverage != 10_000 || a.Salt != "gate" || a.Epoch != 1 || len(a.Arms) != 2 || a.Arms[0].Weight != a.Arms[1].Weight {
		t.Errorf("5%% of units get the treatment by %+v, want 10%% enrolled in equal arms", a)
	}
	tr := newTraffic(harmful)
	h.rounds(tr, 1000, 60, is(RolledBack))
	h.want(Rollback, "guardrail day_7_retention breached")
	r := h.rollout()
	d, _ := r.Last()
	if once := r.Decisions[len(r.Decisions)-2].Verdict; once.Reason != "guardrail day_7_retention breachedOnce" || once.Action != Hold {
		t.Errorf("before the rollback came %s (%s), want a first look that holds", once.Action, once.Reason)
	}
	f, _ := h.flags.Flag("gate")
	if forced := h.forced(); forced == nil || forced.Decision != d.ID || d.Effect != f.Revision || !r.Locked {
		t.Errorf("forced %+v, effect %d, flag at %d, locked %t", forced, d.Effect, f.Revision, r.Locked)
	}
	if !strings.Contains(d.Verdict.Text, "worse") || !strings.Contains(d.Verdict.Text, "beyond the margin of 0 %") {
		t.Errorf("it says %q", d.Verdict.Text)
	}
	doc, err := h.blobs.Load(h.ctx, d.Input)
	h.must(err)
	if in, err := readInput(doc); err != nil || !cmp.Equal(in.Metrics["day_7_retention"], declared["day_7_retention"]) {
		t.Errorf("the record has the definitions %+v, error %v", in.Metrics, err)
	}
	if report := h.verified(); report.Recompute.Checked != len(r.Decisions) || len(report.Pending) != 0 {
		t.Errorf("report %+v of %d decisions", report, len(r.Decisions))
	}
}

// TestStart_waitsForTheEndOfARamp: a plan takes nobody's variant away by
// beginning, and compares no units that had one before.
func TestStart_waitsForTheEndOfARamp(t *testing.T) {
	h := newHouse(t)
	plan := catsPlan()
	ramp := func(coverage int) {
		changes, err := h.flags.Ramp("gate", flags.Ramp{Environment: "production", Variant: "gate_40", Coverage: coverage, Number: 1})
		h.must(err)
		h.flag("gate", changes...)
	}
	ramp(12_500)
	h.do(Command{Op: OpPlan, Plan: &plan})
	if _, _, err := h.try(Command{Op: OpStart}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "a ramp gives 12.5 % of the units the variant gate_40; end it first with: sluice ramp gate 0 -e production") {
		t.Errorf("starting over a ramp: got %v", err)
	}
	ramp(0)
	h.do(Command{Op: OpStart})
	h.step()
	h.want(Expand, "started")
	if a := h.served(); a.Ramp || a.Rollout != h.rollout().ID {
		t.Errorf("got %+v", a)
	}
	h.verified()
}

func TestHealthyReleaseShipsAndIsCleanedUp(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	tr := newTraffic(better)
	h.rounds(tr, 1000, 60, inStage(1))
	before := h.served()
	if before.Coverage != flags.Whole || before.Epoch != 1 {
		t.Errorf("a treatment of 50%% is %+v, want everybody enrolled in the same epoch", before)
	}
	h.rounds(tr, 2000, 60, is(Observing))
	h.want(Ship, "every check passed")
	if a := h.served(); a.Epoch != 2 || a.Coverage != flags.Whole || len(a.Arms) != 1 || a.Arms[0].Variant != "gate_40" {
		t.Errorf("shipped as %+v, want the treatment for all in a new epoch", a)
	}
	for range 73 {
		h.now = h.now.Add(59 * time.Minute)
		h.send(tr, 200)
		h.step()
	}
	h.want(Cleanup, "observed to the end")
	if r := h.rollout(); r.Status != CleanupDue || r.Open() {
		t.Errorf("status %s", r.Status)
	}
	h.verified()
}

func TestMissingTelemetryPauses(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	tr := newTraffic(harmless)
	h.send(tr, 400)
	h.step()
	h.now = h.now.Add(11 * time.Minute)
	h.step()
	h.want(Pause, "telemetry missing")
	if r := h.rollout(); r.Status != Paused || h.forced() != nil {
		t.Errorf("status %s, forced %v: a pause keeps the exposure", r.Status, h.forced())
	}
	h.send(tr, 400) // facts are back, but only a person resumes
	h.step()
	h.want(Pause, "paused until a person resumes")
	h.do(Command{Op: OpResume})
	h.step()
	if v := h.last(); v.Action != Hold {
		t.Errorf("after resuming: %s (%s)", v.Action, v.Reason)
	}
	h.verified()
}

func TestABreachWhilePausedRollsBack(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpHold, Comment: "dinner"})
	h.rounds(newTraffic(harmful), 1000, 60, is(RolledBack))
}

func TestSampleRatioMismatchPauses(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	tr := newTraffic(harmless)
	h.send(tr, 1000)
	r := h.rollout()
	for range 300 { // a sender that loses half of the control units
		tr.n += 2
		h.facts.Expose(r.ID, "canary", 1, "gate_40", "lost-"+string(rune('a'+tr.n%26))+time.Duration(tr.n).String(), h.now)
	}
	h.step()
	h.want(Pause, "sampleRatio mismatch")
	h.do(Command{Op: OpResume, Comment: "we know"})
	h.send(tr, 400)
	h.step()
	h.want(Hold, "sampleRatio mismatch") // resumed over: it holds and pauses no more
	if h.rollout().Status != Running {
		t.Errorf("status %s", h.rollout().Status)
	}
	h.verified()
}

func TestInconclusiveAtTheEndAsksForReview(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Metrics.Guardrails[0].Detect = Size{Change: 50_000}
	p.Stages = p.Stages[1:]
	p.Stages[0].MaxWindow = Window(30 * time.Minute)
	h.begin(p)
	tr := newTraffic(harmless)
	h.rounds(tr, 200, 40, reviewed)
	h.want(Review, "success day_1_retention inconclusive")
	if a := h.served(); a.Stage != "experiment" || h.forced() != nil {
		t.Errorf("review keeps the exposure; it is %+v", a)
	}
	h.do(Command{Op: OpAdvance, Comment: "good enough for us"})
	h.step()
	r := h.rollout()
	i := slices.IndexFunc(r.Decisions, func(d Decision) bool { return d.By == ana })
	if d := r.Decisions[max(i, 0)]; r.Status != Observing || d.Verdict.Action != Ship || d.Advice == "" || d.Effect == 0 {
		t.Errorf("a person ships: %s by %s over %q, effect %d", r.Status, d.By, d.Advice, d.Effect)
	}
	h.verified()
}

func TestApprovalIsLastAndVoidWhenEvidenceChanges(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages[0].Approve = 1
	h.begin(p)
	tr := newTraffic(harmless)
	asks := func(r Rollout) bool { d, _ := r.Last(); return d.Verdict.asksApproval() }
	h.rounds(tr, 1000, 60, asks)
	h.want(Hold, "approval missing")
	if _, _, err := h.try(Command{Op: OpApprove}); !errors.Is(err, ErrRefused) {
		t.Errorf("the author approves: %v, want a refusal", err)
	}
	h.do(Command{Op: OpApprove, Actor: lee})
	if _, _, err := h.try(Command{Op: OpApprove, Actor: lee}); !errors.Is(err, ErrRefused) {
		t.Errorf("approving twice: %v, want a refusal", err)
	}
	h.incident("db", Minor, false) // the evidence changes before the controller looks
	h.step()
	h.want(Hold, "incidents minor db")
	h.incident("db", Minor, true)
	h.send(tr, 10)
	h.step()
	h.want(Hold, "approval missing")
	h.do(Command{Op: OpApprove, Actor: lee})
	h.step()
	h.want(Expand, "every check passed")
	h.verified()
}

func (h *house) incident(name string, s Severity, resolve bool) {
	h.t.Helper()
	e, expect, err := h.state.HandleIncident(IncidentCommand{
		ID: h.id("incident", name), Environment: "production", Flag: "gate", Incident: name, Severity: s,
		Resolve: resolve, At: h.now, Actor: "token:alertmanager",
	})
	h.write(e, expect, err)
}

func TestCriticalIncidentRollsBackAtOnce(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.incident("pager", Critical, false)
	h.step()
	h.want(Rollback, "incidents critical pager")
	if h.forced() == nil {
		t.Error("the flag is not forced")
	}
	h.verified()
}

func TestAPersonRollsBackAndMustExplain(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpRollback, Actor: lee, Comment: "customers call"})
	h.step()
	r := h.rollout()
	if r.Status != RolledBack || h.forced() == nil || !r.Locked {
		t.Fatalf("status %s, forced %v", r.Status, h.forced())
	}
	h.flag("gate", flags.Change{Op: flags.Unforce, Environment: "production"})
	p := catsPlan()
	if _, _, err := h.try(Command{Op: OpPlan, Plan: &p}); !errors.Is(err, ErrRefused) {
		t.Errorf("planning while locked: %v, want a refusal", err)
	}
	h.do(Command{Op: OpExplain, Comment: "the queue was full"})
	h.begin(p)
	if a := h.served(); a.Rollout != "production/gate/2" || a.Salt != "gate#2" {
		t.Errorf("the second rollout allocates %+v, want a salt of its own", a)
	}
	h.verified()
}

func TestServedAudienceComesFirst(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	staff := Stage{Name: "staff", Serve: "treatment", MinWindow: Window(time.Hour),
		When: &flags.Condition{Attribute: "ring", Op: flags.In, Values: []any{"staff"}}}
	p.Stages = append([]Stage{staff}, p.Stages...)
	h.begin(p)
	who := &flags.Context{TargetingKey: "u", Attributes: map[string]any{"ring": "staff"}}
	if got := h.flags.Compile("production", nil).Evaluate("gate", who).Variant; got != "gate_40" {
		t.Errorf("staff gets %s", got)
	}
	h.step()
	h.want(Hold, "window open")
	h.now = h.now.Add(time.Hour)
	h.step()
	h.want(Expand, "every check passed")
	if r := h.rollout(); r.Stage != 1 || h.served().Stage != "canary" {
		t.Errorf("stage %d, allocation %+v", r.Stage, h.served())
	}
}

// A stage serves the members of a segment, as they are while it does.
func TestServedSegment(t *testing.T) {
	h := newHouse(t)
	h.segment("staff", "u")
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "staff", Serve: "treatment", To: "staff"}}, p.Stages...)
	h.begin(p)
	set := h.flags.Compile("production", nil)
	for unit, want := range map[string]string{"u": "gate_40", "v": "gate_30"} {
		if got := set.Evaluate("gate", &flags.Context{TargetingKey: unit}).Variant; got != want {
			t.Errorf("%s gets %s", unit, got)
		}
	}
	h.verified()
}

// segment writes a segment of users.
func (h *house) segment(key string, ids ...string) {
	h.t.Helper()
	doc := flags.Segment{Key: key, Included: flags.ListOf(ids...)}
	e, expect, err := h.flags.HandleSegment(flags.SegmentCommand{
		Order: flags.Order{ID: h.id(key), Expect: event.Any, At: h.now, Actor: ana},
		Key:   key, Changes: []flags.SegmentChange{{Op: flags.SegmentDefine, Segment: &doc}},
	})
	h.write(e, expect, err)
}

// A plan for a segment, in a part of a layer, enrols whom both have, and keeps
// the part and the members while it compares.
func TestEligibleUnitsOfALayer(t *testing.T) {
	h := newHouse(t)
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprint("u-", i))
	}
	h.segment("low-risk", ids[:500]...)
	layered := flags.EnvironmentDoc{Key: "production", Layers: []flags.Layer{{Name: "games", Holdout: 10_000}}}
	e, expect, err := h.flags.HandleEnvironment(flags.EnvironmentCommand{
		Order: flags.Order{ID: h.id("layer"), Expect: event.Any, At: h.now, Actor: ana}, Key: "production", Environment: &layered,
	})
	h.write(e, expect, err)
	p := catsPlan()
	p.Eligible, p.Layer = "low-risk", &LayerPlan{Name: "games", Share: 50_000}
	h.begin(p)
	a := h.served()
	if a.Slice == nil || a.Slice.From != 10_000 || a.Slice.To != 60_000 || a.Segments["low-risk"] == 0 {
		t.Fatalf("allocation %+v", a)
	}
	h.segment("low-risk", ids...)
	set, enrolled := h.flags.Compile("production", nil), 0
	for i, id := range ids {
		r := set.Evaluate("gate", &flags.Context{TargetingKey: id})
		inSlice := flags.Bucket("production/games:slice:"+id) >= 10_000 && flags.Bucket("production/games:slice:"+id) < 60_000
		covered := flags.Bucket("gate:enrol:"+id) < a.Coverage
		if want := i < 500 && inSlice && covered; r.Enrolled != want {
			t.Errorf("%s: %+v", id, r)
		}
		if r.Enrolled {
			enrolled++
		}
	}
	if enrolled == 0 {
		t.Error("nobody is enrolled")
	}
	h.verified()
}

func TestAClockSetBackOnlyWaits(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages[0].MinWindow = Window(time.Hour)
	h.begin(p)
	h.now = h.now.Add(-24 * time.Hour)
	h.step()
	h.want(Hold, "window open")
}

func TestUnchangedLooksAreNotRecorded(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages[0].MinWindow = Window(24 * time.Hour)
	h.begin(p)
	tr := newTraffic(harmless)
	h.send(tr, 10)
	h.step()
	last, err := h.log.Last(h.ctx)
	h.must(err)
	n := len(h.looks)
	for range 5 {
		h.send(tr, 1)
		h.step()
	}
	if now, _ := h.log.Last(h.ctx); now != last || len(h.looks) != n+5 {
		t.Errorf("log went from %d to %d over %d looks, want none recorded", last, now, len(h.looks)-n)
	}
}

func TestAFlagThatMovedLapsesTheDecision(t *testing.T) {
	h := newHouse(t)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpStart})
	c := h.controller(h.part, &meddler{Log: h.log, before: TypeMade, do: func() {
		h.flag("gate", flags.Change{Op: flags.Disable, Environment: "production"})
	}})
	h.must(c.Step(h.ctx, h.now))
	d, _ := h.rollout().Last()
	if d.Lapsed == "" || d.Effect != 0 || h.rollout().Stage != -1 {
		t.Fatalf("decision %+v, want lapsed", d)
	}
	h.step()
	h.want(Hold, "flag off")
	h.flag("gate", flags.Change{Op: flags.Enable, Environment: "production"})
	h.step()
	h.want(Expand, "started")
	if h.rollout().Stage != 0 {
		t.Error("it did not go on once the flag was enabled")
	}
	h.verified()
}

func TestARefusedChangeIsNotAskedForAgain(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpRollback, Comment: "stop"})
	h.flag("gate", flags.Change{Op: flags.Archive, Reason: "gone", Variant: "gate_30"})
	h.step()
	for range 3 {
		h.step()
	}
	d, _ := h.rollout().Last()
	if len(h.rollout().Decisions) > 4 {
		t.Errorf("%d decisions, the last %+v: want an end to asking", len(h.rollout().Decisions), d)
	}
	h.verified()
}

func ptr[T any](v T) *T { return &v }

// meddler does something just before the first event of a type is appended.
type meddler struct {
	event.Log
	before string
	do     func()
}

func (m *meddler) Append(ctx ctx, e event.Event, expect event.Expect) (uint64, error) {
	if do := m.do; do != nil && e.Type == m.before {
		m.do = nil
		do()
	}
	return m.Log.Append(ctx, e, expect)
}

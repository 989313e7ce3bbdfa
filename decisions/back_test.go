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

// gentlePlan goes back stage by stage.
func gentlePlan() Plan {
	p := catsPlan()
	p.Rollback.To = toPreviousStage
	return p
}

// A breach takes a rollout back to the stage before, where it waits until a
// person has said what happened. What took it back holds it there from then on;
// going further is a person's to decide, and takes it back again.
func TestRollbackToThePreviousStage(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	first := h.served()
	h.do(Command{Op: OpAdvance, Comment: "the canary is fine"})
	h.step()
	tr := newTraffic(harmful)
	h.rounds(tr, 1000, 60, is(Paused))
	r := h.rollout()
	d, _ := r.Last()
	if d.Verdict.Action != Rollback || d.Verdict.Stage != 0 || d.From != 1 || d.Effect == 0 || !strings.HasSuffix(d.Verdict.Text, "; back to canary") {
		t.Fatalf("the breach gives %+v", d)
	}
	if diff := cmp.Diff(first, h.served()); diff != "" || h.forced() != nil || r.Stage != 0 || !r.Locked {
		t.Errorf("it is in stage %d, locked %t, forced %v, and serves -first +now:\n%s", r.Stage, r.Locked, h.forced(), diff)
	}
	if _, _, err := h.try(Command{Op: OpResume}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "nobody has explained why") {
		t.Errorf("resuming what nobody explained: %v", err)
	}
	h.send(tr, 1000)
	h.step()
	if r := h.rollout(); r.Stage != 0 || r.Status != Paused {
		t.Errorf("the same reason takes it further back: stage %d, %s", r.Stage, r.Status)
	}
	h.do(Command{Op: OpExplain, Comment: "the levels are too hard"})
	h.do(Command{Op: OpResume, Comment: "we know"})
	h.send(tr, 1000)
	h.step()
	h.want(Hold, "guardrail day_7_retention breached")
	h.do(Command{Op: OpAdvance, Comment: "we hope"})
	h.rounds(tr, 100, 3, is(Paused))
	if r := h.rollout(); r.Stage != 0 || !r.Locked {
		t.Errorf("the breach that is still there is taken for another: stage %d, locked %t", r.Stage, r.Locked)
	}
	h.verified()
}

// In the first stage there is none before: everybody gets the safe variant, as
// when the flag does not take the way back, and for a second reason.
func TestRollbackToThePreviousStage_endsAtTheSafeVariant(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	h.incident("pager", Critical, false)
	h.step()
	if h.forced() == nil || h.rollout().Status != RolledBack {
		t.Errorf("before the first stage comes none: %s", h.rollout().Status)
	}

	h = newHouse(t)
	h.begin(gentlePlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.incident("pager", Critical, false)
	h.step()
	h.incident("fire", Critical, false)
	h.step()
	if h.forced() == nil || h.rollout().Status != RolledBack {
		t.Errorf("another reason in the first stage leaves it %s", h.rollout().Status)
	}
	h.verified()
}

// A flag that refuses to go to the previous stage goes to the safe variant.
func TestRollbackToThePreviousStage_refused(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	last, _ := h.rollout().Last()
	h.incident("pager", Critical, false)
	archive := &meddler{Log: h.log, before: TypeMade, do: func() {
		h.flag("gate", flags.Change{Op: flags.Force, Environment: "production", Reason: "by hand"})
	}}
	h.must(h.controller(h.part, archive).Step(h.ctx, h.now))
	d, _ := h.rollout().Last()
	if d.ID == last.ID || !strings.Contains(d.Lapsed, "forced") {
		t.Fatalf("a forced flag takes an allocation: %+v", d)
	}
	h.step()
	if d, _ := h.rollout().Last(); d.Verdict.Stage != 1 || d.Effect == 0 || h.rollout().Status != RolledBack {
		t.Errorf("after a refusal: %+v, %s", d, h.rollout().Status)
	}
	h.verified()
}

// A full stage is an epoch of its own: going back from it begins another, in
// which the same units are in the same arms.
func TestGoingBackFromTheFullStage(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	half := h.served()
	h.do(Command{Op: OpAdvance, Comment: "ship it"})
	h.step()
	full := h.served()
	h.incident("pager", Critical, false)
	h.step()
	a := h.served()
	if full.Epoch != 2 || a.Epoch != 3 || h.rollout().Stage != 1 || h.rollout().Laps != 1 {
		t.Fatalf("epochs %d and then %d; stage %d, lap %d", full.Epoch, a.Epoch, h.rollout().Stage, h.rollout().Laps)
	}
	a.Epoch = half.Epoch
	if diff := cmp.Diff(half, a); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
	h.incident("pager", Critical, true)
	h.do(Command{Op: OpExplain, Comment: "a false alarm"})
	h.do(Command{Op: OpResume, Comment: "we know"})
	h.do(Command{Op: OpAdvance, Comment: "ship it again"})
	h.step()
	if a := h.served(); a.Epoch != 4 || h.rollout().Status != Observing {
		t.Errorf("shipped again in epoch %d, %s", a.Epoch, h.rollout().Status)
	}
	h.verified()
}

// An audience that is served goes when the rollout returns to the stage before
// it, and so does the allocation.
func TestGoingBackToAnAudience(t *testing.T) {
	h := newHouse(t)
	p := gentlePlan()
	for _, ring := range []string{"beta", "staff"} {
		p.Stages = slices.Insert(p.Stages, 0, Stage{Name: ring, Serve: treatmentRole, When: &flags.Condition{Attribute: "ring", Op: flags.Eq, Value: ring}})
	}
	h.begin(p)
	h.step()
	h.step()
	if h.rollout().Stage != 2 {
		t.Fatalf("in stage %d", h.rollout().Stage)
	}
	for i, want := range []string{"staff beta", "staff"} {
		h.incident(fmt.Sprint("pager-", i), Critical, false)
		h.step()
		f, _ := h.flags.Flag("gate")
		e := f.Environments["production"]
		var names []string
		for _, rule := range e.Served {
			names = append(names, strings.TrimPrefix(rule.Name, "rollout-1."))
		}
		if got := strings.Join(names, " "); got != want || e.Allocation != nil {
			t.Errorf("audiences %q, allocation %+v; want %q and none", got, e.Allocation, want)
		}
	}
	h.verified()
}

// A person takes a rollout back a little: rules stay on, it waits, and whoever
// had the treatment has it again when it is resumed.
func TestReduce(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	half := h.served()
	for to, want := range map[string]string{
		"": "is missing", "moon": "is not a stage", "experiment": "is not an earlier stage", "full": "is not an earlier stage",
		"50%": "is not less than", "0%": "is nobody", "x%": "is not",
	} {
		_, _, err := h.try(Command{Op: OpReduce, Comment: "so", To: to})
		var faults event.Invalids
		if !errors.As(err, &faults) || faults[0].Path != "to" || !strings.Contains(err.Error(), want) {
			t.Errorf("reducing to %q: %v, want %q", to, err, want)
		}
	}
	if _, _, err := h.try(Command{Op: OpReduce, To: "2%"}); err == nil {
		t.Error("reduced without a reason")
	}
	h.do(Command{Op: OpReduce, To: "20%", Comment: "support is busy", Actor: lee})
	h.flag("gate", flags.Change{Op: flags.SetDescription, Description: "moved"}) // a reduction does not lapse for that
	h.step()
	r := h.rollout()
	if a := h.served(); a.Coverage != 40_000 || a.Stage != "experiment" || a.Epoch != 1 || r.Status != Paused || r.Share != 20_000 || r.Locked {
		t.Errorf("reduced to %+v, %s", a, r.Status)
	}
	h.do(Command{Op: OpReduce, To: "canary", Comment: "very busy"})
	h.step()
	if a := h.served(); a.Coverage != 10_000 || a.Stage != "canary" || h.rollout().Share != 0 || h.rollout().Stage != 0 {
		t.Errorf("reduced to %+v", a)
	}
	h.do(Command{Op: OpReduce, To: "2%", Comment: "extremely busy"})
	h.step()
	if a := h.served(); a.Coverage != 4_000 {
		t.Errorf("reduced to %+v", a)
	}
	h.do(Command{Op: OpResume})
	h.step()
	h.want(Expand, "raised again")
	if a := h.served(); a.Coverage != 10_000 || h.rollout().Share != 0 {
		t.Errorf("raised to %+v", a)
	}
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	if diff := cmp.Diff(half, h.served()); diff != "" {
		t.Errorf("raised again, -before +after:\n%s", diff)
	}
	h.verified()
}

// A share that was reduced is not raised while something fails.
func TestReduce_isNotRaisedWhileSomethingFails(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpReduce, To: "2%", Comment: "busy"})
	h.step()
	h.incident("db", Minor, false)
	h.do(Command{Op: OpResume})
	h.step()
	if v := h.last(); v.Action != Hold || h.rollout().Share != 2000 {
		t.Errorf("it is at %s by a decision to %s (%s)", h.rollout().Share, v.Action, v.Reason)
	}
	h.incident("db", Minor, true)
	h.step()
	h.want(Expand, "raised again")
}

// The exact way back is made when the rollout is started and stays as it was,
// and a rollback does just that.
func TestWayBackIsFrozenAtTheStart(t *testing.T) {
	h := newHouse(t)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	if h.rollout().WayBack != nil {
		t.Error("it is frozen before the start")
	}
	h.do(Command{Op: OpStart})
	h.step()
	want := &WayBack{
		Command: "sluice rollback production/gate/1 -m WHY", Request: `POST /api/v1/rollouts/production/gate/1/rollback {"comment": "WHY"}`,
		Safe: "gate_30", Value: []byte("30"), Changes: []flags.Change{{Op: flags.Force, Environment: "production"}},
	}
	h.flag("gate", flags.Change{Op: flags.AddVariant, Variant: "gate_20", Value: []byte("20")}, flags.Change{Op: flags.SetSafe, Variant: "gate_20"})
	if diff := cmp.Diff(want, h.rollout().WayBack); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	changed := *want
	changed.Safe, changed.Value, changed.Was = "gate_20", []byte("20"), "gate_30"
	if diff := cmp.Diff(&changed, h.state.WayBack(h.rollout())); diff != "" {
		t.Errorf("what is shown leaves out that the flag has another safe variant, -want +got:\n%s", diff)
	}
	h.do(Command{Op: OpRollback, Comment: "now"})
	h.step()
	if q := h.controller(h.part, h.log).exposing(h.rollout(), h.now); q.Safe != "gate_20" {
		t.Errorf("it is proven by who gets %s", q.Safe)
	}
	did := h.lastChange()
	for i := range did {
		did[i].Reason, did[i].Decision = "", ""
	}
	if diff := cmp.Diff(want.Changes, did); diff != "" {
		t.Errorf("it does not what it said, -said +did:\n%s", diff)
	}
}

// Where breaches go back stage by stage, the way back says what each does.
func TestWayBackOfEveryStage(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	steps := h.rollout().WayBack.Steps
	var to []string
	for _, s := range steps {
		to = append(to, s.Stage+" to "+s.To)
	}
	if got := strings.Join(to, ", "); got != "canary to safe, experiment to canary, full to experiment" {
		t.Errorf("it says %s", got)
	}
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.incident("pager", Critical, false)
	h.step()
	if diff := cmp.Diff(steps[1].Changes, h.lastChange()); diff != "" {
		t.Errorf("it does not what it said, -said +did:\n%s", diff)
	}
}

// A new version of the plan makes the way back anew: it has other stages, and the
// flag may have another safe variant.
func TestWayBackOfANewVersion(t *testing.T) {
	h := newHouse(t)
	p := gentlePlan()
	h.begin(p)
	h.flag("gate", flags.Change{Op: flags.AddVariant, Variant: "gate_20", Value: []byte("20")}, flags.Change{Op: flags.SetSafe, Variant: "gate_20"})
	p.Stages = slices.Insert(slices.Clone(p.Stages), 1, Stage{Name: "ramp", Treatment: 20_000, Exclude: map[string]Size{"day_7_retention": {Change: 50_000}}})
	h.do(Command{Op: OpPlan, Plan: &p})
	w := h.rollout().WayBack
	var names []string
	for _, s := range w.Steps {
		names = append(names, s.Stage)
	}
	if got := strings.Join(names, " "); got != "canary ramp experiment full" || w.Safe != "gate_20" || w.Was != "" || h.state.WayBack(h.rollout()) != w {
		t.Errorf("stages %s, %+v", got, w)
	}
	h.verified()
}

// lastChange is what the newest event of the flag did.
func (h *house) lastChange() []flags.Change {
	h.t.Helper()
	var last event.Recorded
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if r.Type == flags.EventType {
			last = r
		}
	}
	return changes(last.Data)
}

// What was rolled back to the safe variant and explained is taken up again by a
// person: the same units have the treatment, what took it back holds it, and
// anything else takes it back again.
func TestRollForward(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	half := h.served()
	tr := newTraffic(harmful)
	h.rounds(tr, 1000, 60, is(RolledBack))
	d, _ := h.rollout().Last()
	if _, err := h.blobs.Load(h.ctx, d.Input); err != nil {
		t.Errorf("its evidence is gone: %v", err)
	}
	if diff := cmp.Diff(half, h.served()); diff != "" {
		t.Errorf("a rollback takes the allocation away, with which its readouts are made:\n%s", diff)
	}
	if _, _, err := h.try(Command{Op: OpForward, Comment: "so"}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "nobody has explained why") {
		t.Errorf("rolling forward what nobody explained: %v", err)
	}
	h.do(Command{Op: OpExplain, Comment: "a cable"})
	h.do(Command{Op: OpForward, Comment: "it is plugged in again", Actor: lee})
	h.step()
	if diff := cmp.Diff(half, h.served()); diff != "" || h.forced() != nil {
		t.Errorf("forced %v, -before +after:\n%s", h.forced(), diff)
	}
	r := h.rollout()
	if r.Stage != 1 || !r.Ended.IsZero() || r.Locked {
		t.Errorf("taken up as %+v", r.Standing)
	}
	h.send(tr, 10)
	h.step()
	h.want(Pause, "guardrail day_7_retention breached")
	h.incident("pager", Critical, false)
	h.step()
	h.want(Rollback, "incidents critical pager")
	if h.forced() == nil {
		t.Error("another reason does not take it back")
	}
	h.verified()
}

// A plan says where it goes back to and how that is proven, in bounds.
func TestPlan_rollback(t *testing.T) {
	for want, change := range map[string]func(*RollbackPlan){
		"rollback.to":                    func(r *RollbackPlan) { r.To = "moon" },
		"rollback.prove.unsafeExposures": func(r *RollbackPlan) { r.Prove = &Proof{UnsafeExposures: All} },
		"rollback.prove.within":          func(r *RollbackPlan) { r.Prove = &Proof{Within: Window(time.Second)} },
	} {
		p := catsPlan()
		change(&p.Rollback)
		var faults event.Invalids
		if err := p.Validate(Known{}); !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	p := catsPlan()
	p.Rollback.Prove = &Proof{Within: Window(48 * time.Hour)}
	if err := p.Validate(Known{}); err == nil {
		t.Error("a proof may take two days")
	}
	if got, want := *catsPlan().Filled().Rollback.Prove, (Proof{DefaultUnsafe, DefaultProve}); got != want {
		t.Errorf("by default %+v", got)
	}
}

// A stage that serves an audience gives no share of the units the treatment: what
// can be reduced to is an earlier stage, also after a ramp was reduced to it.
func TestReduce_whereNoShareHasTheTreatment(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	for _, ring := range []string{"beta", "staff"} {
		p.Stages = slices.Insert(p.Stages, 0, Stage{Name: ring, Serve: treatmentRole, When: &flags.Condition{Attribute: "ring", Op: flags.Eq, Value: ring}})
	}
	p.Stages = slices.Insert(p.Stages, 0, Stage{Name: "dark", Dark: true})
	refused := func(why, fix string) {
		t.Helper()
		_, _, err := h.try(Command{Op: OpReduce, To: "5%", Comment: "so"})
		var faults event.Invalids
		if !errors.As(err, &faults) || faults[0].Why != "is a share, and "+why || faults[0].Fix != fix {
			t.Errorf("got %v, want %q and %q", err, why, fix)
		}
	}
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpStart})
	refused("nobody has the treatment yet", "roll back instead")
	h.step()
	refused("dark gives everybody control", "roll back instead")
	h.do(Command{Op: OpAdvance, Comment: "the dark is fine"})
	for range 4 {
		h.step() // audiences have nothing to wait for
	}
	if stage, _ := h.rollout().Now(); stage.Name != "canary" {
		t.Fatalf("in %s", stage.Name)
	}
	h.do(Command{Op: OpReduce, To: "beta", Comment: "support is busy"})
	h.step()
	refused("beta gives an audience the treatment, and no share of the others", "write dark, staff, or roll back")
	h.verified()
}

// To take up what was rolled back takes the approvals that coming there took:
// those of the stage before, and of policies. They are for the flag as it is.
func TestForward_asksForApproval(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages[0].Approve, p.Stages[0].ApproveBy = 1, "games"
	h.begin(p)
	h.rounds(newTraffic(harmless), 1000, 60, func(r Rollout) bool { d, _ := r.Last(); return d.Verdict.asksApproval() })
	h.do(Command{Op: OpApprove, Actor: lee, Roles: []string{TeamRole("games")}})
	h.step()
	h.do(Command{Op: OpRollback, Comment: "customers call"})
	h.step()
	h.refused(Command{Op: OpApprove, Actor: lee, Roles: []string{TeamRole("games")}}, "does not ask for approval now")
	h.do(Command{Op: OpExplain, Comment: "the wrong flag"})
	h.refused(Command{Op: OpForward, Comment: "on"}, "waits for approval: 0 of 1 (games); they agree with: sluice approve production/gate/1")
	h.refused(Command{Op: OpApprove, Roles: []string{TeamRole("games")}}, "an author's own approval does not count")
	h.refused(Command{Op: OpApprove, Actor: lee, Decision: h.rollout().Decisions[0].ID, Roles: []string{TeamRole("games")}}, "the evidence has changed")
	h.do(Command{Op: OpApprove, Actor: lee, Roles: []string{TeamRole("games")}})
	h.flag("gate", flags.Change{Op: flags.SetDescription, Description: "another one"})
	h.refused(Command{Op: OpForward, Comment: "on"}, "waits for approval: 0 of 1")
	h.do(Command{Op: OpApprove, Actor: lee, Roles: []string{TeamRole("games")}, Comment: "it was the wrong flag"})
	h.do(Command{Op: OpForward, Comment: "on"})
	h.step()
	if r := h.rollout(); r.Status != Running || r.Stage != 1 || h.forced() != nil {
		t.Errorf("in stage %d, %s", r.Stage, r.Status)
	}
	h.verified()
}

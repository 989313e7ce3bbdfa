package decisions

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// careful makes the flag go safe when a critical incident is open.
func (h *house) careful(on flags.OnCritical) {
	h.t.Helper()
	f, _ := h.flags.Flag("gate")
	f.OnCritical = on
	h.flag("gate", flags.Change{Op: flags.Define, Flag: &f.Flag})
}

// A critical incident of a flag that no rollout looks after forces the flag,
// once, and the record says why. A person who lifts it is not overruled.
func TestCriticalIncidentForcesAFlag(t *testing.T) {
	h := newHouse(t)
	h.careful(flags.GoSafe)
	h.incident("slow", Blocking, false)
	h.step()
	if h.forced() != nil {
		t.Fatal("forced by an incident that is not critical")
	}
	h.incident("pager", Critical, false)
	h.step()
	f := h.forced()
	if f == nil || !strings.Contains(f.Reason, "no rollout is under way") || f.Decision == "" {
		t.Fatalf("forced: %+v", f)
	}
	told, _ := h.state.Incident("production", "gate", "pager")
	if a := told.Answer; a == nil || a.Decision != f.Decision || a.Action != Rollback || a.Effect != h.gate().Revision || a.Text != f.Reason || a.Lapsed != "" {
		t.Errorf("the incident says that it was answered by %+v", told.Answer)
	}
	if got := told.What(); got != "pager; the flag went to its safe variant" {
		t.Errorf("told as %q", got)
	}
	if slow, _ := h.state.Incident("production", "gate", "slow"); slow.Answer != nil || slow.What() != "slow" {
		t.Errorf("so does another: %+v", slow.Answer)
	}
	if got := h.state.Health("production", "gate"); got.State != Ailing || got.Source != "incident pager" || !got.Since.Equal(h.now) {
		t.Errorf("health %+v", got)
	}
	seq := h.proj.Seq()
	h.step()
	if h.proj.Seq() != seq {
		t.Error("a second step wrote something")
	}
	h.flag("gate", flags.Change{Op: flags.Unforce, Environment: "production"})
	h.step()
	if h.forced() != nil {
		t.Error("forced again, over a person")
	}
	if r := h.verified(); len(r.Pending) != 0 || r.Recompute.Checked != 1 {
		t.Errorf("report %+v", r)
	}
	if a, b := marks(t, h, h.part), marks(t, h, h.open(h.log)); a != b {
		t.Errorf("running %s, replayed %s", a, b)
	}
}

// Where a flag says to notify, or nothing, and where a rollout is under way, the
// flag stays as it is; the rollout's plan says what an incident does to it.
func TestCriticalIncidentLeftToOthers(t *testing.T) {
	for _, on := range []flags.OnCritical{"", flags.Notify} {
		h := newHouse(t)
		if on != "" {
			h.careful(on)
		}
		h.incident("pager", Critical, false)
		h.step()
		if h.forced() != nil {
			t.Errorf("%q: forced", on)
		}
	}
	h := newHouse(t)
	h.careful(flags.GoSafe)
	p := catsPlan()
	p.Incidents.Critical = Pause
	h.begin(p)
	h.incident("pager", Critical, false)
	h.step()
	h.want(Pause, "incidents critical pager")
	if h.forced() != nil {
		t.Error("forced beside its rollout")
	}
}

// A release that has been started and waits for its first stage exposes nobody,
// and cannot be rolled back: until then the flag answers for itself.
func TestCriticalIncidentBeforeTheFirstStage(t *testing.T) {
	h := newHouse(t)
	h.careful(flags.GoSafe)
	h.incident("pager", Critical, false)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpStart})
	h.step()
	if h.forced() == nil || h.rollout().Stage != -1 {
		t.Fatalf("forced %v, in stage %d", h.forced(), h.rollout().Stage)
	}
	h.flag("gate", flags.Change{Op: flags.Unforce, Environment: "production"})
	h.incident("pager", Critical, true)
	h.step()
	h.want(Expand, "started")
	if h.forced() != nil {
		t.Error("forced once more")
	}
	h.verified()
}

// A flag that cannot be forced gets no effect, and that is on record.
func TestCriticalIncidentOfAnArchivedFlag(t *testing.T) {
	h := newHouse(t)
	h.careful(flags.GoSafe)
	h.incident("pager", Critical, false)
	c := h.controller(h.part, &meddler{Log: h.log, before: flags.EventType, do: func() {
		h.flag("gate", flags.Change{Op: flags.Archive})
	}})
	h.must(c.Step(h.ctx, h.now))
	h.step()
	if len(h.state.unanswered()) != 0 {
		t.Errorf("waiting: %v", h.state.unanswered())
	}
	told, _ := h.state.Incident("production", "gate", "pager")
	if a := told.Answer; a == nil || a.Effect != 0 || !strings.Contains(told.What(), "could not go to its safe variant: changes[0].op") {
		t.Errorf("the incident says that it was answered by %+v", told.Answer)
	}
	h.verified()
}

// Two controllers, and one that was stopped between decision and effect, force a
// flag once.
func TestCriticalIncidentTwoControllers(t *testing.T) {
	h := newHouse(t)
	h.careful(flags.GoSafe)
	h.incident("pager", Critical, false)
	other := h.open(h.log)
	stopped := h.controller(h.part, &meddler{Log: h.log, before: flags.EventType, do: func() {
		h.must(h.controller(other, h.log).Step(h.ctx, h.now))
	}})
	h.must(stopped.Step(h.ctx, h.now))
	if h.forced() == nil {
		t.Error("not forced")
	}
	h.verified()
}

// slowBlobs does something else while a document is stored.
type slowBlobs struct {
	event.Blobs
	meanwhile func()
}

func (b slowBlobs) Put(ctx ctx, doc []byte) (event.Blob, error) {
	b.meanwhile()
	return b.Blobs.Put(ctx, doc)
}

// An incident that ends while the controller writes down what it thinks of it
// forces nothing any more.
func TestCriticalIncidentThatEndsMeanwhile(t *testing.T) {
	h := newHouse(t)
	h.careful(flags.GoSafe)
	h.incident("pager", Critical, false)
	c := h.controller(h.part, h.log)
	c.Blobs = slowBlobs{h.blobs, func() { h.incident("pager", Critical, true) }}
	h.must(c.Step(h.ctx, h.now))
	h.step()
	if h.forced() != nil {
		t.Errorf("forced by what was over: %+v", h.forced())
	}
	h.verified()
}

// What the flag says may change while the controller writes: the record is of
// the moment at which it looked, and holds.
func TestCriticalIncidentOfAFlagThatChangesMeanwhile(t *testing.T) {
	h := newHouse(t)
	h.careful(flags.GoSafe)
	h.incident("pager", Critical, false)
	c := h.controller(h.part, h.log)
	c.Blobs = slowBlobs{h.blobs, func() { h.careful(flags.Notify) }}
	h.must(c.Step(h.ctx, h.now))
	if h.forced() == nil {
		t.Error("not forced")
	}
	h.verified()
}

func TestAnswerIsOfTheRecordAlone(t *testing.T) {
	a := Alarm{Rules: Rules, Flag: "gate", OnCritical: flags.GoSafe, Incident: Incident{ID: "pager", Severity: Critical, Since: noon}}
	for name, c := range map[string]struct {
		change func(*Alarm)
		want   Action
	}{
		"critical":      {func(*Alarm) {}, Rollback},
		"notify":        {func(a *Alarm) { a.OnCritical = flags.Notify }, Hold},
		"not critical":  {func(a *Alarm) { a.Incident.Severity = Blocking }, Hold},
		"unknown rules": {func(a *Alarm) { a.Rules = Rules + 1 }, ""},
		"older rules":   {func(a *Alarm) { a.Rules = 1 }, ""},
	} {
		b := a
		c.change(&b)
		if v, err := Answer(b); v.Action != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %s, %v", name, v.Action, err)
		}
	}
}

// Every flag has a health, and nobody looking is no good health.
func TestFlagHealth(t *testing.T) {
	h := newHouse(t)
	want := func(state HealthState, source string) {
		t.Helper()
		if got := h.state.Health("production", "gate"); got.State != state || got.Source != source || got.Text == "" {
			t.Errorf("health %+v, want %s from %q", got, state, source)
		}
	}
	want(Obscure, "")
	h.incident("db", Minor, false)
	want(Obscure, "incident db")
	h.now = h.now.Add(time.Minute)
	h.incident("db", Minor, true)
	want(Healthy, "incident db")
	h.begin(catsPlan())
	want(Obscure, "rollout production/gate/1") // it has not looked yet
	tr := newTraffic(harmful)
	h.send(tr, 300)
	h.step()
	want(Healthy, "rollout production/gate/1")
	if g := h.state.Grounds("production", "gate"); g.Told != 1 || g.Over.IsZero() || g.Stage == "" || g.Looked.IsZero() || len(g.Checks) == 0 {
		t.Errorf("it is healthy on the grounds of %+v", g)
	}
	h.rounds(tr, 2000, 60, is(RolledBack))
	want(Ailing, "rollout production/gate/1")
	if g := h.state.Grounds("production", "gate"); !g.Locked || len(g.Checks) > 0 {
		t.Errorf("it was rolled back, on the grounds of %+v", g)
	}
	h.do(Command{Op: OpExplain, Comment: "a bug"})
	want(Healthy, "incident db")
	if got := h.state.Health("production", "nobody"); got.State != Obscure {
		t.Errorf("of a flag that is none: %+v", got)
	}
	if g := h.state.Grounds("production", "nobody"); g.Told > 0 || g.Rollout != "" {
		t.Errorf("of a flag that is none there is %+v", g)
	}
}

package decisions

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// second is a moment so many seconds after noon.
func second(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Second))) }

// What is known of a rollback that was decided at noon and took effect a second
// later, at a bound of 10 % within a minute, which has to hold for six seconds.
func TestReturnIsProven(t *testing.T) {
	p := Proof{UnsafeExposures: 10_000, Within: Window(time.Minute)}
	r := Return{Decision: "d", Decided: noon, Effective: second(1), Revision: 7, Forced: true}
	all := Holders{At: second(2), Replicas: 2, Streams: 1000}
	bin := func(at, last float64, n, bad int64) Bin {
		b := Bin{At: second(at), All: n, Unsafe: bad}
		if bad > 0 {
			b.Last = second(last)
		}
		return b
	}
	for name, c := range map[string]struct {
		held  Holders
		bins  []Bin
		until float64
		safe  float64 // 0: it is not
		took  time.Duration
		why   string
		whole bool
	}{
		"nobody was exposed":         {all, nil, 10, 1, 2 * time.Second, "", true},
		"only safe ones":             {all, []Bin{bin(1, 0, 50, 0)}, 10, 1, 2 * time.Second, "", true},
		"a few were late":            {all, []Bin{bin(1, 1.5, 10, 8), bin(4, 4.25, 10, 3), bin(5, 0, 10, 0)}, 20, 4.25, 4250 * time.Millisecond, "", true},
		"within the bound":           {all, []Bin{bin(1, 1.5, 100, 10)}, 20, 1, 2 * time.Second, "", true},
		"it has not settled":         {all, []Bin{bin(1, 1.5, 10, 8), bin(2, 0, 10, 0)}, 7, 1.5, 2 * time.Second, "which is too early to tell", false},
		"it goes on":                 {all, []Bin{bin(1, 1.5, 10, 8), bin(2, 2.5, 10, 5)}, 50, 0, 0, "13 of 20 exposures", false},
		"a replica is behind":        {Holders{Replicas: 2, Behind: []string{"b"}, Streams: 5, Older: 5}, nil, 50, 1, 0, "1 of 2 replicas have not applied it: b", false},
		"an SDK is behind":           {Holders{Replicas: 2, Streams: 5000, Older: 1}, nil, 50, 1, 0, "1 of 5,000 connected SDKs hold an older revision", false},
		"it came late":               {all, []Bin{bin(1, 1.5, 10, 8), bin(70, 70, 10, 10), bin(71, 0, 20, 0)}, 90, 70, 70 * time.Second, "it took longer than 1m", true},
		"who holds it said so early": {Holders{At: noon.Add(-time.Hour), Replicas: 1}, nil, 20, 1, time.Second, "", true},
	} {
		got := r.prove(p, c.held, Exposed{Bins: c.bins, Until: second(c.until)}, second(c.until))
		var safe time.Time
		if c.safe > 0 {
			safe = second(c.safe)
		}
		if !got.Safe.Equal(safe) || time.Duration(got.TimeToSafe) != c.took || (got.Why == "") != (c.why == "") || !strings.Contains(got.Why, c.why) || got.whole(p) != c.whole {
			t.Errorf("%s: safe at %v after %s, whole %t, %q", name, got.Safe, got.TimeToSafe, got.whole(p), got.Why)
		}
	}
}

// A rollback is proven once replicas and SDKs hold it and what was exposed since
// has been safe for a while; the numbers are on record, once.
func TestRollbackIsProven(t *testing.T) {
	h, w := newHouse(t), &MemWitness{}
	h.witness = w
	h.begin(catsPlan())
	h.do(Command{Op: OpRollback, Comment: "customers call"})
	decided := h.now
	w.Tell(h.proj.Seq()+1, Holders{Replicas: 1, Streams: 9, Older: 9})
	h.step()
	r := h.rollout()
	if r.Return == nil || !r.Return.Forced || r.Return.Proven != nil || r.Status != RolledBack {
		t.Fatalf("it is %s, returned %+v", r.Status, r.Return)
	}
	for i := range 100 {
		h.now = h.now.Add(time.Second)
		for range 20 {
			w.Expose("gate", "gate_30", r.Return.Revision, h.now)
		}
		if i < 3 {
			w.Expose("gate", "gate_40", r.Return.Revision-1, h.now) // an SDK that has not heard of it
		}
		if i == 1 {
			w.Tell(r.Return.Revision, Holders{At: h.now, Replicas: 1, Streams: 9})
		}
		h.step()
	}
	got := h.rollout().Return
	if got.Unproven != nil || got.Proven == nil {
		t.Fatalf("proven %+v, unproven %+v", got.Proven, got.Unproven)
	}
	if v := got.Proven; time.Duration(v.TimeToSafe) != 3*time.Second || v.Unsafe != 3 || v.UnsafeSince != 0 || v.Streams != 9 || v.Why != "" || v.At.Sub(decided) != 33*time.Second {
		t.Errorf("proven with %+v", v)
	}
	if text := got.Proven.Text(); !strings.HasPrefix(text, "safe 3s after the decision: held by 1 replica and 9 connected SDKs; 3 of ") {
		t.Errorf("it says %q", text)
	}
	if n := h.counted(TypeProven); n != 1 {
		t.Errorf("proven %d times", n)
	}
	h.verified()
}

// A rollback that does not reach everybody is said to be unproven when its time
// is over, once, with what is missing; and proven late when it does.
func TestRollbackIsUnproven(t *testing.T) {
	h, w := newHouse(t), &MemWitness{}
	h.witness = w
	p := catsPlan()
	p.Rollback.Prove = &Proof{UnsafeExposures: 1000, Within: Window(time.Minute)}
	h.begin(p)
	h.do(Command{Op: OpRollback, Comment: "customers call"})
	behind := Holders{Replicas: 2, Behind: []string{"host-b"}, Streams: 4, Older: 4}
	w.Tell(h.proj.Seq()+1, behind)
	h.step()
	r := h.rollout()
	if r.Return.Revision != h.proj.Seq() {
		t.Fatalf("the flag is at %d of %d", r.Return.Revision, h.proj.Seq())
	}
	for range 10 {
		h.now = h.now.Add(20 * time.Second)
		h.step()
	}
	got := h.rollout().Return
	if got.Proven != nil || got.Unproven == nil || got.Unproven.Why != "1 of 2 replicas have not applied it: host-b" || got.Unproven.TimeToSafe != 0 {
		t.Fatalf("proven %+v, unproven %+v", got.Proven, got.Unproven)
	}
	w.Tell(r.Return.Revision, Holders{At: h.now, Replicas: 1})
	h.now = h.now.Add(time.Minute)
	h.step()
	late := h.rollout().Return.Proven
	if late == nil || late.Why != "it took longer than 1m" || time.Duration(late.TimeToSafe) != 200*time.Second {
		t.Errorf("proven late: %+v", late)
	}
	if n := h.counted(TypeUnproven); n != 1 {
		t.Errorf("unproven %d times", n)
	}
	h.verified()
}

// blind is a witness that cannot count.
type blind struct{ MemWitness }

var errBlind = errors.New("the warehouse is down")

func (*blind) Exposed(context.Context, Exposing) (Exposed, error) { return Exposed{}, errBlind }

// Exposures that cannot be counted prove nothing.
func TestRollbackIsUnproven_withoutCounts(t *testing.T) {
	h := newHouse(t)
	h.witness = &blind{}
	h.begin(catsPlan())
	h.do(Command{Op: OpRollback, Comment: "so"})
	if err := h.controller(h.part, h.log).Step(h.ctx, h.now); !errors.Is(err, errBlind) {
		t.Errorf("the pass says %v", err)
	}
	h.now = h.now.Add(10 * time.Minute)
	h.step()
	if u := h.rollout().Return.Unproven; u == nil || !strings.Contains(u.Why, "the warehouse is down") || u.TimeToSafe != 0 {
		t.Errorf("unproven %+v", u)
	}
	h.now = h.now.Add(time.Hour)
	h.step() // given up: the pass is well again
}

// counted returns how many events of a type the log has.
func (h *house) counted(kind string) (n int) {
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if r.Type == kind {
			n++
		}
	}
	return n
}

// A gentle rollback leaves the treatment to some, which is not unsafe; what an
// older revision gave is.
func TestMemWitness(t *testing.T) {
	w := &MemWitness{}
	for i, e := range []struct {
		variant  string
		revision uint64
	}{{"on", 6}, {"on", 7}, {"off", 6}, {"on", 0}, {"on", 6}} {
		w.Expose("f", e.variant, e.revision, second(float64(i)))
	}
	q := Exposing{Flag: "f", Safe: "off", Revision: 7, Since: second(1), Until: second(9), Step: 2 * time.Second}
	for forced, want := range map[bool][]Bin{
		false: {{At: second(1), All: 2}, {At: second(3), All: 2, Unsafe: 1, Last: second(4)}},
		true:  {{At: second(1), All: 2}, {At: second(3), All: 2, Unsafe: 2, Last: second(4)}},
	} {
		q.Forced = forced
		got, err := w.Exposed(t.Context(), q)
		if diff := cmp.Diff(want, got.Bins); err != nil || diff != "" {
			t.Errorf("forced %t: %v, -want +got:\n%s", forced, err, diff)
		}
	}
}

// The events of rollbacks and drills that were recorded once fold into the state
// that they folded into then.
func TestRecordedReturnsFold(t *testing.T) {
	const recorded = "testdata/returns.json"
	if *update {
		recordReturns(t, recorded)
	}
	var events []event.Recorded
	readJSON(t, recorded, &events)
	s, seen := NewState(Known{}), map[string]bool{}
	for _, e := range events {
		seen[e.Type] = true
		if err := e.Check(); err != nil {
			t.Errorf("the recorded file was edited: %v", err)
		}
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{TypeProven, TypeUnproven, TypeDrillBegun, TypeDrillEnded, TypeStarted} {
		if !seen[kind] {
			t.Errorf("no %s among the recorded events", kind)
		}
	}
	r, _ := s.Newest("production", "gate")
	if r.Return == nil || r.Return.Proven == nil || r.Return.Unproven == nil || r.WayBack == nil || len(r.Reverted) != 1 {
		t.Errorf("folds into %+v, returned %+v", r.Standing, r.Return)
	}
	if len(r.Drills) != 1 || r.Drills[0].Result == nil || r.Drills[0].Result.TimeToSafe == 0 || !r.Drills[0].Archived {
		t.Errorf("drills %+v", r.Drills)
	}
	again := NewState(Known{})
	b, err := json.Marshal(s.Snapshot())
	if err == nil {
		err = again.Restore(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asText(t, s.State()), asText(t, again.State())); diff != "" {
		t.Errorf("restored, -want +got:\n%s", diff)
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// recordReturns tells a story in which a rollout is drilled, reduced, and goes
// back.
func recordReturns(t *testing.T, path string) {
	h, w := newHouse(t), &MemWitness{}
	h.witness = w
	h.begin(gentlePlan())
	h.do(Command{Op: OpDrill, Comment: "before the weekend"})
	for range 4 {
		h.now = h.now.Add(time.Second)
		h.step()
		w.Tell(h.proj.Seq(), Holders{At: h.now.Add(250 * time.Millisecond), Replicas: 2, Streams: 12})
	}
	h.do(Command{Op: OpReduce, To: "2%", Comment: "busy"})
	h.step()
	h.incident("pager", Critical, false)
	w.Tell(h.proj.Seq()+2, Holders{Replicas: 2, Behind: []string{"host-b"}, Streams: 12, Older: 6})
	h.step()
	h.now = h.now.Add(6 * time.Minute)
	h.step()
	w.Tell(h.rollout().Return.Revision, Holders{At: h.now, Replicas: 2, Streams: 12})
	h.now = h.now.Add(time.Minute)
	h.step()
	var events []event.Recorded
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		events = append(events, r)
	}
	writeJSON(t, path, events)
}

package decisions

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// A drill makes a flag of its own, forces it when everybody has it, and says how
// long that took. It never touches the flag of the rollout, and leaves nothing
// behind that answers.
func TestDrill(t *testing.T) {
	h, w := newHouse(t), &MemWitness{}
	h.witness = w
	h.begin(catsPlan())
	h.step()
	real, _ := h.flags.Flag("gate")
	h.do(Command{Op: OpDrill, Actor: lee, Comment: "before the weekend"})
	if _, _, err := h.try(Command{Op: OpDrill}); !errors.Is(err, ErrRefused) {
		t.Errorf("two drills at once: %v", err)
	}
	w.Tell(h.proj.Seq()+1, Holders{Replicas: 1, Streams: 3, Older: 1})
	h.step()
	shadow, ok := h.flags.Flag("gate.drill-1-1")
	if d := h.rollout().Drills[0]; !ok || d.Defined != shadow.Revision || d.By != lee || shadow.Safe != "gate_30" || shadow.Default != "gate_40" {
		t.Fatalf("drill %+v with %+v", d, shadow)
	}
	h.step()
	if h.rollout().Drills[0].Forced != 0 {
		t.Error("it is forced before everybody has it")
	}
	w.Tell(shadow.Revision, Holders{At: h.now, Replicas: 1, Streams: 3})
	w.Tell(h.proj.Seq()+1, Holders{Replicas: 1, Streams: 3, Older: 1})
	h.now = h.now.Add(time.Second)
	h.step()
	d := h.rollout().Drills[0]
	if shadow, _ = h.flags.Flag(d.Flag); shadow.Environments["production"].Forced == nil || d.Forced != shadow.Revision {
		t.Fatalf("drill %+v with %+v", d, shadow)
	}
	w.Tell(d.Forced, Holders{At: h.now.Add(133 * time.Millisecond), Replicas: 1, Streams: 3})
	h.now = h.now.Add(time.Second)
	h.step()
	d = h.rollout().Drills[0]
	want := &Drilled{Held: d.Decided.Add(133 * time.Millisecond), Replicas: 1, Streams: 3, TimeToSafe: event.Duration(133 * time.Millisecond)}
	if diff := cmp.Diff(want, d.Result); diff != "" || !d.Archived {
		t.Errorf("archived %t, -want +got:\n%s", d.Archived, diff)
	}
	if text := d.Result.Text(); text != "safe after 133ms: held by 1 replica and 3 connected SDKs" {
		t.Errorf("it says %q", text)
	}
	shadow, _ = h.flags.Flag(d.Flag)
	if now, _ := h.flags.Flag("gate"); now.Revision != real.Revision || !shadow.Archived {
		t.Errorf("the rollout's flag is at %d after %d; the drill's is archived: %t", now.Revision, real.Revision, shadow.Archived)
	}
	seq := h.proj.Seq()
	h.step()
	if h.proj.Seq() != seq {
		t.Error("a drill that is over goes on")
	}
	h.do(Command{Op: OpDrill})
	if d := h.rollout().Drills[1]; d.Flag != "gate.drill-1-2" {
		t.Errorf("the next drill is with %s", d.Flag)
	}
	h.verified()
}

// A drill that does not reach everybody in time says so, and is archived too.
func TestDrill_fails(t *testing.T) {
	h, w := newHouse(t), &MemWitness{}
	h.witness = w
	h.begin(catsPlan())
	h.step()
	h.do(Command{Op: OpDrill})
	h.step()
	w.Tell(h.proj.Seq()+1, Holders{Replicas: 2, Behind: []string{"host-b"}})
	h.step()
	h.now = h.now.Add(6 * time.Minute)
	h.step()
	d := h.rollout().Drills[0]
	if d.Result == nil || d.Result.Why != "1 of 2 replicas have not applied it: host-b" || d.Result.TimeToSafe != 0 || !d.Archived {
		t.Errorf("drill %+v, result %+v", d, d.Result)
	}
	if !strings.HasPrefix(d.Result.Text(), "not safe: ") {
		t.Errorf("it says %q", d.Result.Text())
	}
	h.verified()
}

// A drill keeps away from a flag that is somebody's.
func TestDrill_takesNobodysFlag(t *testing.T) {
	h := newHouse(t)
	h.witness = &MemWitness{}
	h.begin(catsPlan())
	h.step()
	h.define("gate.drill-1-1")
	h.do(Command{Op: OpDrill})
	if d := h.rollout().Drills[0]; d.Flag != "gate.drill-1-2" {
		t.Errorf("the drill is with %s", d.Flag)
	}
	h.define("gate.drill-1-2") // between the command and the pass
	h.step()
	f, _ := h.flags.Flag("gate.drill-1-2")
	if d := h.rollout().Drills[0]; d.Result == nil || d.Result.Why == "" || d.Defined != 0 || f.Archived || len(f.Tags) > 0 {
		t.Errorf("drill %+v with %+v", d, f)
	}
	h.step()
	h.verified()
}

// The laws know a drill's changes from others: it may do nothing to another flag,
// and only what drills do.
func TestVerify_drill(t *testing.T) {
	for name, c := range map[string]flags.Command{
		"another flag":  {Key: "gate", Changes: []flags.Change{{Op: flags.Force, Environment: "production", Reason: "so"}}},
		"another thing": {Key: "gate.drill-1-1", Changes: []flags.Change{{Op: flags.Disable, Environment: "production"}}},
	} {
		h := newHouse(t)
		h.witness = &MemWitness{}
		h.begin(catsPlan())
		h.step()
		h.do(Command{Op: OpDrill})
		h.step()
		c.ID, c.Expect, c.At, c.Actor, c.Cause = h.id(name), event.Any, h.now, Controlling, h.rollout().Drills[0].ID
		e, expect, err := h.flags.Handle(c)
		h.write(e, expect, err)
		if r, err := Verify(h.ctx, h.log, h.blobs); err != nil || r.Cause.Failed == nil {
			t.Errorf("%s: the laws hold, %v", name, err)
		}
	}
}

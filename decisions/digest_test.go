package decisions

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A digest tells what happened in its time, and nothing before or after.
func TestDigest(t *testing.T) {
	h := newHouse(t)
	begun := h.now
	h.begin(catsPlan())
	h.incident("old", Minor, false)
	h.incident("old", Minor, true)
	h.now = h.now.Add(24 * time.Hour)
	from := h.now
	tr := newTraffic(harmless)
	h.incident("db", Minor, false)
	h.send(tr, 400)
	h.step()
	h.incident("db", Minor, true)
	h.send(tr, 10)
	h.step()
	h.do(Command{Op: OpOverride, Actor: lee, Comment: "we know this change"})
	h.step()
	h.send(tr, 10)
	h.step()
	h.do(Command{Op: OpDrill, Actor: lee})
	h.do(Command{Op: OpShip, Actor: ana, Comment: "the old one is down"})
	h.step()
	until := h.now.Add(time.Second)
	h.now = h.now.Add(time.Hour)
	h.do(Command{Op: OpRollback, Comment: "customers call"})
	h.step()

	d := NewDigest(h.state.Rollouts(), h.state.AllIncidents(), from, until)
	type line struct{ What, Stage, By string }
	lines := func(all []Deed) (out []line) {
		for _, x := range all {
			out = append(out, line{x.What, x.Stage, x.By})
		}
		return out
	}
	if diff := cmp.Diff([]line{{"expand", "experiment", Controlling}, {"ship", "full", ana}}, lines(d.Decisions)); diff != "" {
		t.Errorf("decisions, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]line{{"override", "", lee}, {"ship", "full", ana}}, lines(d.Overrides)); diff != "" {
		t.Errorf("overrides, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]line{{"drill", "", lee}}, lines(d.Drills)); diff != "" {
		t.Errorf("drills, -want +got:\n%s", diff)
	}
	if len(d.Incidents) != 1 || d.Incidents[0].ID != "db" {
		t.Errorf("incidents: %+v", d.Incidents)
	}
	if d.Counts[string(Expand)] != 1 || d.Counts[string(Ship)] != 1 || d.Counts[string(Hold)] == 0 || d.Counts[string(Rollback)] != 0 {
		t.Errorf("counts: %v", d.Counts)
	}
	if before := NewDigest(h.state.Rollouts(), h.state.AllIncidents(), begun, from); len(before.Decisions) != 1 || len(before.Overrides) != 0 {
		t.Errorf("before: %+v", before)
	}
}

// A rejection is told as what it is: before anybody met the change, where there
// is no decision, and later, where it rolls back.
func TestDigest_rejections(t *testing.T) {
	h := newHouse(t)
	from, p := h.now, catsPlan()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpReject, Actor: lee, Comment: "not this quarter"})
	h.now = h.now.Add(time.Hour)
	h.begin(p)
	h.now = h.now.Add(time.Hour)
	h.do(Command{Op: OpReject, Comment: "nobody wants it"})
	h.step()
	d := NewDigest(h.state.Rollouts(), nil, from, h.now.Add(time.Second))
	var got []Deed
	for _, x := range d.Decisions {
		if x.What == "expand" {
			continue
		}
		if x.ID == "" {
			t.Errorf("%+v names no event", x)
		}
		x.ID = ""
		got = append(got, x)
	}
	want := []Deed{
		{At: from, Rollout: "production/gate/1", What: "reject", By: lee, Text: lee + ": not this quarter", Rationale: "not this quarter"},
		{At: h.now, Rollout: "production/gate/2", What: "reject", By: ana, Text: ana + ": nobody wants it", Rationale: "nobody wants it"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if d.Counts["reject"] != 2 || d.Counts[string(Rollback)] != 0 {
		t.Errorf("counts: %v", d.Counts)
	}
	b, err := json.Marshal(d)
	h.must(err)
	var again Digest
	h.must(json.Unmarshal(b, &again))
	if diff := cmp.Diff(d.Counts, again.Counts); diff != "" {
		t.Errorf("read back, -want +got:\n%s", diff)
	}
	if before := NewDigest(h.state.Rollouts(), nil, from.Add(-time.Hour), from); len(before.Decisions) != 0 {
		t.Errorf("before: %+v", before)
	}
}

package decisions

import (
	"fmt"
	"testing"
	"time"
)

// Whoever was compared before the full stage, and is compared again after going
// back from it, is one unit and not two: he counts where he came first. What he
// does then is seen all the same: his silence would be no news of the others.
func TestUnitsOfTwoLapsCountOnce(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.meet(1, 1000)
	h.do(Command{Op: OpAdvance, Comment: "ship it"})
	h.step()
	h.meet(1, 1000)
	h.incident("pager", Critical, false)
	h.step()
	h.incident("pager", Critical, true)
	h.do(Command{Op: OpExplain, Comment: "a false alarm"})
	h.do(Command{Op: OpResume, Comment: "we know"})
	h.now = h.now.Add(time.Hour)
	h.meet(501, 1500) // half of them have been there
	h.step()
	e := h.looks[len(h.looks)-1].Evidence
	if r := h.rollout(); r.Laps != 1 || r.Stage != 1 {
		t.Fatalf("lap %d, stage %d", r.Laps, r.Stage)
	}
	got := map[int]int64{}
	for _, u := range e.Units {
		got[u.Epoch] += u.N
	}
	if want := "map[1:1000 3:500]"; fmt.Sprint(got) != want {
		t.Errorf("units by epoch %v, want %s", got, want)
	}
	m, _ := e.Metric("day_7_retention")
	var n int64
	for _, s := range m.Strata {
		n += s.Control.N + s.Treatment.N
	}
	if n != 1500 {
		t.Errorf("%d units are compared, want 1500", n)
	}
	if !m.Newest.Equal(h.now.Add(-time.Minute)) {
		t.Errorf("the newest event is of %v, want a minute before %v", m.Newest, h.now)
	}
}

// meet lets units come, by their numbers, in equal arms; each comes back.
func (h *house) meet(from, to int) {
	r := h.rollout()
	stage, _ := r.Now()
	epoch, at := r.allocation(stage).Epoch, h.now.Add(-time.Minute)
	for n := from; n <= to; n++ {
		unit := fmt.Sprint("u-", n)
		h.facts.Expose(r.ID, stage.Name, epoch, []string{"gate_30", "gate_40"}[n%2], unit, at)
		for _, key := range r.Plan.Measured() {
			h.facts.Record(r.ID, key, epoch, unit, 1, at)
		}
	}
}

package decisions

import (
	"fmt"
	"testing"
	"time"
)

// Read judges the units that saw two arms by the first of them: forty of the
// treatment, against two of control, are no accident of assignment.
func TestReadJudgesTheQuarantine(t *testing.T) {
	r := Rollout{Plan: catsPlan().Filled()}
	r.ID = "r"
	stage := r.Plan.Stages[0].Name
	for _, tt := range []struct {
		control, treatment int
		lopsided           bool
	}{{2, 40, true}, {20, 22, false}} {
		var f MemFacts
		expose := func(arm, other string, n int) {
			for i := range n {
				unit := fmt.Sprint(arm, other, i)
				f.Expose(r.ID, stage, 1, arm, unit, noon)
				if other != "" {
					f.Expose(r.ID, stage, 1, other, unit, noon.Add(time.Second))
				}
			}
		}
		arms := r.Plan.Arms
		expose(arms.Control, "", 3000)
		expose(arms.Treatment, "", 3000)
		expose(arms.Control, arms.Treatment, tt.control)
		expose(arms.Treatment, arms.Control, tt.treatment)
		e, err := f.Evidence(t.Context(), r, noon)
		if err != nil {
			t.Fatal(err)
		}
		q := Read(r, e).Quarantine
		if q == nil || q.Refused != nil || q.Units != int64(tt.control+tt.treatment) || q.Lopsided != tt.lopsided || q.TooMany || e.TwoArms != q.Units {
			t.Errorf("%d and %d units: %+v", tt.control, tt.treatment, q)
		}
	}
	if e := Read(r, Evidence{}); e.Quarantine != nil {
		t.Errorf("no units: %+v", e.Quarantine)
	}
}

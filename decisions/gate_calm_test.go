package decisions

import "testing"

// A release that is started in the middle of an incident exposes nobody until
// it is over, and is not rolled back before it has begun.
func TestIncidentHoldsTheBeginning(t *testing.T) {
	h := newHouse(t)
	h.incident("pager", Critical, false)
	h.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	h.do(Command{Op: OpStart})
	h.step()
	h.want(Hold, "incidents critical pager")
	if r := h.rollout(); r.Stage != -1 || r.Status != Running {
		t.Errorf("%s in stage %d", r.Status, r.Stage)
	}
	h.incident("pager", Critical, true)
	h.step()
	h.want(Expand, "started")
	h.verified()
}

package decisions

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// More people of the tests.
const kim, mia = "person:kim", "person:mia"

// refused wants a command refused for a reason.
func (h *house) refused(c Command, why string) {
	h.t.Helper()
	_, _, err := h.try(c)
	var faults event.Invalids
	if !errors.Is(err, ErrRefused) && !errors.As(err, &faults) || !strings.Contains(err.Error(), why) {
		h.t.Errorf("%s by %s: got %v, want a refusal with %q", c.Op, or(c.Actor, ana), err, why)
	}
}

// governed writes the policy of production.
func (h *house) governed(asks flags.Releases) {
	h.t.Helper()
	p := flags.Policy{Key: "house", Match: flags.Match{Environments: []string{"production"}}, Rollouts: asks}
	e, expect, err := h.flags.HandlePolicy(flags.PolicyCommand{
		Order: flags.Order{ID: h.id("policy"), Expect: event.Any, At: h.now, Actor: ana}, Key: p.Key, Policy: &p,
	})
	h.write(e, expect, err)
}

// asking brings a rollout of the plan to where it asks for approval.
func asking(t *testing.T, p Plan) (*house, *traffic) {
	t.Helper()
	h := newHouse(t)
	h.begin(p)
	tr := newTraffic(harmless)
	h.rounds(tr, 1000, 60, func(r Rollout) bool { d, _ := r.Last(); return d.Verdict.asksApproval() })
	return h, tr
}

// approved returns a plan whose first stage is left with so many approvals.
func approvedPlan(n int, by string) Plan {
	p := catsPlan()
	p.Stages[0].Approve, p.Stages[0].ApproveBy = n, by
	return p
}

func TestApproval_takesSeveralOfATeam(t *testing.T) {
	h, _ := asking(t, approvedPlan(2, "games"))
	team := []string{"viewer", "editor", "approver", TeamRole("games")}
	h.refused(Command{Op: OpApprove, Actor: ana, Roles: team}, "an author's own approval does not count")
	h.refused(Command{Op: OpApprove, Actor: lee, Roles: []string{"approver", "admin"}}, "asks for 0 of 2 (games), and person:lee is none of these")
	h.refused(Command{Op: OpApprove, Actor: lee}, "none of these")
	h.do(Command{Op: OpApprove, Actor: lee, Roles: team})
	h.refused(Command{Op: OpApprove, Actor: lee, Roles: team}, "person:lee has approved already")
	h.step()
	h.want(Hold, "approval missing")
	h.do(Command{Op: OpApprove, Actor: kim, Roles: team})
	h.step()
	h.want(Expand, "every check passed")
	doc, err := h.blobs.Load(h.ctx, h.rollout().Decisions[len(h.rollout().Decisions)-1].Input)
	h.must(err)
	if in, err := readInput(doc); err != nil || len(in.State.Approvals) != 2 || in.State.Approvals[0].Version != 1 || in.State.Approvals[0].Revision == 0 {
		t.Errorf("the record has the approvals %+v (%v), want two, bound to plan and flag", in.State.Approvals, err)
	}
	h.verified()
}

// A team that is called like a role makes nobody one, and the other way round.
func TestNeed_tellsTeamsFromRoles(t *testing.T) {
	for _, c := range []struct {
		role  string
		roles []string
		want  bool
	}{
		{"", nil, true},
		{"approver", nil, true}, // recorded before roles were
		{"approver", []string{"approver"}, true},
		{"approver", []string{TeamRole("approver")}, false},
		{"admin", nil, false},
		{"admin", []string{TeamRole("admin"), "approver"}, false},
		{"games", []string{"games"}, false},
		{"games", []string{TeamRole("games")}, true},
	} {
		if got := (Need{Count: 1, Role: c.role}).takes(c.roles); got != c.want {
			t.Errorf("%q takes %v: got %t", c.role, c.roles, got)
		}
	}
}

func TestApproval_isVoidWhenTheFlagChanges(t *testing.T) {
	h, tr := asking(t, approvedPlan(2, ""))
	h.do(Command{Op: OpApprove, Actor: lee})
	h.flag("gate", flags.Change{Op: flags.SetDescription, Description: "another one"})
	h.refused(Command{Op: OpApprove, Actor: kim}, "the flag has changed since decision")
	before := len(h.rollout().Decisions)
	h.send(tr, 10)
	h.step()
	h.want(Hold, "approval missing")
	if r := h.rollout(); len(r.Decisions) != before+1 || len(r.Approvals) != 0 {
		t.Errorf("%d decisions after %d, approvals %+v: want a new request", len(r.Decisions), before, r.Approvals)
	}
	h.do(Command{Op: OpApprove, Actor: lee})
	h.do(Command{Op: OpApprove, Actor: kim})
	h.step()
	h.want(Expand, "every check passed")
	h.verified()
}

// Even when the controller has not yet seen that the flag is another, the gate
// counts no approval of what it was.
func TestGate_countsNoApprovalOfAnotherFlag(t *testing.T) {
	all := []Approval{{By: lee, Version: 1, Revision: 7}, {By: kim, Version: 2, Revision: 7}, {By: mia, Version: 2, Revision: 9}, {By: ana}}
	got := binding(all, 2, 9)
	if len(got) != 2 || got[0].By != mia || got[1].By != ana {
		t.Errorf("binding: %+v, want that of this plan and flag, and the one of before", got)
	}
}

// A newer decision that asks for the same leaves the approvals; one of another
// reason does not, and neither does one of before versions were noted.
func TestApproval_lastsWhileTheReasonDoes(t *testing.T) {
	hold := Verdict{Action: Hold, Reason: "approval missing"}
	r := Rollout{Standing: Standing{Version: 2, Approvals: []Approval{{By: lee, Version: 2, Revision: 9}, {By: kim}}}, Decisions: []Decision{{Verdict: hold}}}
	for _, c := range []struct {
		name string
		next made
		want int
	}{
		{"the same", made{Verdict: hold, Revision: 9}, 1},
		{"another flag", made{Verdict: hold, Revision: 10}, 0},
		{"another reason", made{Verdict: Verdict{Action: Hold, Reason: "incidents minor db"}, Revision: 9}, 0},
		{"another action", made{Verdict: Verdict{Action: Pause, Reason: "approval missing"}, Revision: 9}, 0},
	} {
		if got := r.lasting(c.next); len(got) != c.want {
			t.Errorf("%s: got %+v, want %d", c.name, got, c.want)
		}
	}
	if got := (Rollout{}).lasting(made{}); got != nil {
		t.Errorf("before any decision: %+v", got)
	}
}

// What policies ask is asked beside the plan, from the first stage on, and of
// whoever decides by himself.
func TestApproval_ofAPolicy(t *testing.T) {
	h := newHouse(t)
	h.governed(flags.Releases{Approvals: flags.Approvals{Count: 1, Role: "admin"}})
	h.begin(catsPlan())
	h.want(Hold, "approval missing")
	h.refused(Command{Op: OpAdvance, Actor: lee, Comment: "now"}, "waits for approval: 0 of 1 (admin)")
	h.refused(Command{Op: OpApprove, Actor: lee, Roles: []string{"approver"}}, "0 of 1 (admin)")
	h.do(Command{Op: OpApprove, Actor: lee, Roles: []string{"approver", "admin"}})
	h.step()
	h.want(Expand, "started")
	h.refused(Command{Op: OpAdvance, Comment: "now"}, "waits for approval")
	h.send(newTraffic(harmless), 10)
	h.step()
	h.refused(Command{Op: OpAdvance, Comment: "now"}, "override what stands in its way")
	h.do(Command{Op: OpRollback, Comment: "no approval is asked to go back"})
	h.step()
	h.verified()
}

func TestResume_overWhatStillStands(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.send(newTraffic(harmless), 400)
	h.step()
	h.now = h.now.Add(11 * time.Minute)
	h.step()
	h.want(Pause, "telemetry missing")
	h.refused(Command{Op: OpResume}, "comment is missing")
	h.do(Command{Op: OpResume, Comment: "the sender is known"})
}

func TestShip(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.refused(Command{Op: OpShip, Comment: "go"}, "is planned and cannot ship")
	h.do(Command{Op: OpStart})
	h.refused(Command{Op: OpShip, Comment: "go"}, "just beginning")
	h.step()
	h.send(newTraffic(harmless), 10)
	h.step()
	h.refused(Command{Op: OpShip}, "comment is missing")
	h.do(Command{Op: OpShip, Actor: lee, Comment: "the old one is down"})
	h.step()
	r := h.rollout()
	if r.Status != Observing || r.Plan.Stages[r.Stage].Kind() != Full {
		t.Errorf("status %s in stage %d", r.Status, r.Stage)
	}
	for _, d := range r.Decisions {
		if d.By == lee && (d.Verdict.Action != Ship || !strings.HasPrefix(d.Against, "hold: ") || d.Advice == "" || d.Rationale != "the old one is down") {
			t.Errorf("the decision is %+v, want it against a recommendation, with its rationale", d)
		}
	}
	h.verified()
}

func TestShip_withoutAFullStage(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages = p.Stages[:1]
	h.begin(p)
	h.refused(Command{Op: OpShip, Comment: "go"}, "has no stage that serves everybody")
}

// Of two who want the next stage, the second must not take the one behind it.
func TestAdvance_oneStepForTwo(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "tiny", Treatment: 1000, Exclude: p.Stages[0].Exclude}}, p.Stages...)
	h.begin(p)
	h.send(newTraffic(harmless), 10)
	h.step()
	h.do(Command{Op: OpAdvance, Comment: "go on"})
	h.refused(Command{Op: OpAdvance, Actor: lee, Comment: "go on"}, "no further stage to go to now")
	h.must(h.controller(h.part, h.log).act(h.ctx, h.now)) // it is carried out, and not looked at yet
	h.refused(Command{Op: OpAdvance, Actor: lee, Comment: "go on"}, "person:ana went on to canary")
	h.refused(Command{Op: OpShip, Actor: lee, Comment: "go on"}, "nobody has looked at it since")
	h.step()
	h.do(Command{Op: OpAdvance, Actor: lee, Comment: "and on"})
}

// Who was slower learns who was faster, and what he did.
func TestConflict_namesWhoWasFaster(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	seen := h.rollout().Seq
	h.do(Command{Op: OpHold, Actor: lee, Comment: "lunch"})
	c := Command{ID: h.id("late"), Op: OpRollback, Environment: "production", Flag: "gate", Expect: event.Expect(seen), At: h.now, Actor: ana, Comment: "stop"}
	if _, _, err := h.state.Handle(c); !errors.Is(err, event.ErrConflict) || !strings.Contains(err.Error(), "person:lee") || !strings.Contains(err.Error(), "rollout.paused") {
		t.Errorf("got %v, want a conflict that names lee", err)
	}
}

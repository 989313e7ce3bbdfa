package flags

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// guarded returns a house whose policy asks for two approvers in production.
func guarded(t *testing.T) *house {
	h := newHouse(t)
	f := checkout()
	f.Environments["staging"] = Environment{}
	h.define(f)
	h.demand(Policy{Key: "four-eyes", Match: Match{Environments: []string{production}}, Flags: Demands{Approvals: &Approvals{Count: 2}}})
	return h
}

// by returns a command of somebody else than ana, who gives all others.
func (h *house) by(actor string, changes ...Change) Command {
	c := h.command("checkout.express", changes...)
	c.Actor = "person:" + actor
	return c
}

var asApprover, asAdmin = []string{"viewer", "editor", "approver"}, []string{"viewer", "editor", "approver", "admin"}

func (h *house) approve(id event.ID, actors ...string) {
	h.t.Helper()
	for _, actor := range actors {
		h.must(h.state.Approve(h.by(actor), id, asApprover))
	}
}

func TestWhatWaitsForOthers(t *testing.T) {
	const asked = "others have to agree: 2 approvals (approver, production); propose it as a change request"
	for name, c := range map[string]struct {
		changes []Change
		want    string
	}{
		"a rule of production":      {[]Change{in(RemoveRule, func(c *Change) { c.Name = "staff" })}, asked},
		"a definition":              {[]Change{define(func(f *Flag) { f.Owner = "web"; f.Environments["staging"] = Environment{} })}, asked},
		"what is of no environment": {[]Change{{Op: SetDefault, Variant: "on"}}, asked},
		"to archive":                {[]Change{{Op: Archive}}, asked},
		"to copy there":             {[]Change{{Op: Copy, From: "staging", Environment: production}}, asked},
		"beside something free":     {[]Change{in(Disable), {Op: SetDescription, Description: "d"}}, asked},
		"a ramp":                    {[]Change{allocate(canary(2000))}, "others have to agree: 2 approvals (approver, production); a rollout plan asks them stage by stage"},
		"to disable":                {[]Change{in(Disable)}, ""},
		"to force":                  {[]Change{force("slow")}, ""},
		"a rule of staging":         {[]Change{{Op: AddRule, Environment: "staging", Rule: &Rule{Name: "a", Serve: "on"}}}, ""},
		"to copy from there":        {[]Change{{Op: Copy, From: production, Environment: "staging"}}, ""},
	} {
		h := guarded(t)
		_, err := h.try(h.command("checkout.express", c.changes...))
		if got := refusal(err); got != c.want || (c.want != "") != errors.Is(err, ErrApproval) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestWhoActsForADecisionWaitsForNobody(t *testing.T) {
	h := guarded(t)
	c := h.command("checkout.express", allocate(canary(2000)))
	c.Actor, c.Cause = "controller", "0190a3d2"
	if _, err := h.try(c); err != nil {
		t.Error(err)
	}
}

// A policy cannot be shaken off by the change that it is about.
func TestTheTagThatAPolicyGoesByIsGuardedToo(t *testing.T) {
	h := newHouse(t)
	f := checkout()
	f.Tags = []string{"payments"}
	h.define(f)
	h.demand(Policy{Key: "payments", Match: Match{Tags: []string{"payments"}}, Flags: Demands{Approvals: &Approvals{Count: 1, Role: "admin"}}})
	_, err := h.try(h.command("checkout.express", Change{Op: RemoveTag, Tag: "payments"}))
	if want := "others have to agree: 1 approval (admin, production); propose it as a change request"; refusal(err) != want {
		t.Errorf("got %v", err)
	}
}

// To create a flag asks for nobody where it is off, and for approval where it
// is on.
func TestCreatingWhereOthersHaveToAgree(t *testing.T) {
	h := guarded(t)
	f := checkout()
	f.Key = "checkout.next"
	c := h.command(f.Key, Change{Op: Define, Flag: &f})
	if _, err := h.try(c); !errors.Is(err, ErrApproval) {
		t.Errorf("enabled: %v", err)
	}
	f.Environments[production] = Environment{}
	if _, err := h.try(c); err != nil {
		t.Errorf("disabled: %v", err)
	}
}

func TestARequestIsAppliedWhenEnoughOthersAgree(t *testing.T) {
	h := guarded(t)
	id := h.must(h.state.Propose(h.command("checkout.express", in(RemoveRule, func(c *Change) { c.Name = "staff" }))))
	f, _ := h.state.Flag("checkout.express")
	q, err := h.state.Request("checkout.express", id)
	if err != nil || f.Revision != 1 || len(f.Environments[production].Rules) != 1 || q.Base != 1 || q.Standing != Pending {
		t.Fatalf("proposed: %+v of %+v, %v", q, f, err)
	}
	h.approve(id, "ben")
	_, err = h.put(h.state.Enact(h.by("ana"), id))
	if want := "it is refused: request " + id.String() + " still asks for 2 approvals (approver, production), and has 1"; refusal(err) != want {
		t.Errorf("with one approval: %v", err)
	}
	h.approve(id, "cleo")
	g := h.again()
	g.must(g.state.Enact(g.by("ana"), id))
	f, _ = g.state.Flag("checkout.express")
	q, _ = g.state.Request("checkout.express", id)
	if len(f.Environments[production].Rules) != 0 || f.Cause != id.String() || f.Actor != "person:ana" || f.Comment != "test" || q.Standing != Done || q.Revision != f.Revision {
		t.Errorf("applied: %+v of %+v", q, f)
	}
	if _, err := g.put(g.state.Enact(g.by("ana"), id)); !errors.Is(err, ErrEnded) {
		t.Errorf("applied twice: %v", err)
	}
	// The first house has not seen it yet: the log takes it once.
	if _, err := h.put(h.state.Enact(h.by("ben"), id)); !errors.Is(err, event.ErrConflict) {
		t.Errorf("applied by another replica: %v", err)
	}
}

func TestApprovalsThatDoNotCount(t *testing.T) {
	h := guarded(t)
	id := h.must(h.state.Propose(h.command("checkout.express", Change{Op: SetDefault, Variant: "on"})))
	for name, c := range map[string]struct {
		actor string
		roles []string
		is    error
	}{
		"the author's own": {"ana", asAdmin, ErrRefused},
		"an editor's":      {"eve", asApprover[:2], ErrRefused},
	} {
		if _, err := h.put(h.state.Approve(h.by(c.actor), id, c.roles)); !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.approve(id, "ben")
	if _, err := h.put(h.state.Approve(h.by("ben"), id, asAdmin)); !errors.Is(err, ErrUnchanged) {
		t.Errorf("twice: %v", err)
	}
	if _, err := h.put(h.state.Approve(h.by("ben"), event.ID{}, asAdmin)); !errors.Is(err, ErrUnknown) {
		t.Errorf("of nothing: %v", err)
	}
}

func TestARequestIsVoidWhenTheFlagChanges(t *testing.T) {
	h := guarded(t)
	id := h.must(h.state.Propose(h.command("checkout.express", Change{Op: SetDefault, Variant: "on"})))
	h.must(h.state.Schedule(h.command("checkout.express", in(Disable)), later(1)))
	h.approve(id, "ben", "cleo") // neither a schedule nor an approval changes the flag
	h.do("checkout.express", in(Disable))
	q, _ := h.state.Request("checkout.express", id)
	if q.Standing != Void || q.Why != "person:ana changed the flag at revision 7; propose it again" {
		t.Errorf("got %+v", q)
	}
	if _, err := h.put(h.state.Enact(h.by("ana"), id)); !errors.Is(err, ErrEnded) {
		t.Errorf("applied: %v", err)
	}
}

func TestRequestsEnd(t *testing.T) {
	h := guarded(t)
	change := Change{Op: SetDefault, Variant: "on"}
	first := h.must(h.state.Propose(h.command("checkout.express", change)))
	second := h.must(h.state.Propose(h.command("checkout.express", change)))
	if _, err := h.put(h.state.Withdraw(h.by("ben"), first)); !errors.Is(err, ErrRefused) {
		t.Errorf("withdrawn by another: %v", err)
	}
	h.must(h.state.Withdraw(h.by("ana"), first))
	h.must(h.state.Reject(h.by("ben"), second))
	got := map[event.ID]string{}
	for _, q := range h.state.Requests("checkout.express") {
		got[q.ID] = string(q.Standing) + " " + q.Why
	}
	if diff := cmp.Diff(map[event.ID]string{first: "withdrawn person:ana: test", second: "rejected person:ben: test"}, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	for name, err := range map[string]error{
		"approve":  second3(h.state.Approve(h.by("ben"), first, asAdmin)),
		"reject":   second3(h.state.Reject(h.by("ben"), first)),
		"withdraw": second3(h.state.Withdraw(h.by("ana"), second)),
		"apply":    second3(h.state.Enact(h.by("ana"), second)),
	} {
		if !errors.Is(err, ErrEnded) {
			t.Errorf("%s what has ended: %v", name, err)
		}
	}
}

func second3(_ event.Event, _ event.Expect, err error) error { return err }

// Policies that came since are asked too.
func TestAStricterPolicyIsAskedWhenARequestIsApplied(t *testing.T) {
	h := guarded(t)
	id := h.must(h.state.Propose(h.command("checkout.express", Change{Op: SetDefault, Variant: "on"})))
	h.approve(id, "ben", "cleo")
	h.demand(Policy{Key: "admins", Rank: 1, Flags: Demands{Approvals: &Approvals{Count: 1, Role: "admin"}}})
	if _, err := h.put(h.state.Enact(h.by("ana"), id)); !errors.Is(err, ErrRefused) {
		t.Fatalf("without an admin: %v", err)
	}
	h.must(h.state.Approve(h.by("dan"), id, asAdmin))
	h.must(h.state.Enact(h.by("ana"), id))
}

// Whoever asks though no policy makes him waits for one other person.
func TestARequestThatNobodyAskedFor(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	id := h.must(h.state.Propose(h.command("checkout.express", owner("web"))))
	if _, err := h.put(h.state.Enact(h.by("ana"), id)); !errors.Is(err, ErrRefused) {
		t.Errorf("alone: %v", err)
	}
	h.approve(id, "ben")
	h.must(h.state.Enact(h.by("ana"), id))
}

func TestRefusedProposals(t *testing.T) {
	h := guarded(t)
	for want, changes := range map[string][]Change{
		"changes[0].op: is not a change that can be asked for here": {force("slow")},
		"changes: is missing":                                   {},
		"changes[0].variant: is not a variant":                  {{Op: SetDefault, Variant: "blue"}},
		"it is already so: flag checkout.express at revision 1": {{Op: SetDefault, Variant: "off"}},
	} {
		if _, err := h.put(h.state.Propose(h.command("checkout.express", changes...))); refusal(err) != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	if _, err := h.put(h.state.Propose(h.command("moon", define(nil)))); !errors.Is(err, ErrUnknown) {
		t.Errorf("of no flag: %v", err)
	}
	for range waitingMost {
		h.must(h.state.Propose(h.command("checkout.express", owner("web"))))
	}
	if _, err := h.put(h.state.Propose(h.command("checkout.express", owner("web")))); refusal(err) != "changes: is refused: 100 requests wait for the flag already" {
		t.Errorf("too many: %v", err)
	}
}

func TestEndedRequestsAreForgotten(t *testing.T) {
	h := guarded(t)
	waits := h.must(h.state.Propose(h.command("checkout.express", owner("web"))))
	for range endedMost + 5 {
		id := h.must(h.state.Propose(h.command("checkout.express", owner("web"))))
		h.must(h.state.Reject(h.by("ben"), id))
	}
	if list := h.state.Requests("checkout.express"); len(list) != endedMost+1 || list[0].ID != waits {
		t.Errorf("%d left, the first is %+v", len(list), list[0])
	}
}

// A schedule gets past no policy: it is a change that is made now, for later.
func TestASchedulesChangeWaitsForOthersToo(t *testing.T) {
	h := guarded(t)
	if _, err := h.put(h.state.Schedule(h.command("checkout.express", in(Enable), Change{Op: SetDefault, Variant: "on"}), later(1))); !errors.Is(err, ErrApproval) {
		t.Errorf("got %v", err)
	}
}

// demand puts a policy down.
func (h *house) demand(p Policy) {
	h.t.Helper()
	h.n++
	data, err := json.Marshal(policyChanged{Policy: &p})
	if err != nil {
		h.t.Fatal(err)
	}
	h.must(event.Event{
		ID: event.Derive(h.t.Name(), "policy", p.Key), Source: "sluice/flags", Type: PolicyEventType, Subject: PolicySubject + p.Key,
		Time: noon, Actor: "person:ana", Data: data,
	}, 0, nil)
}

// TestCheckAsked_environmentOfTheWholeFlag: a change of the whole flag that
// names an environment would look like a change of that one alone.
func TestCheckAsked_environmentOfTheWholeFlag(t *testing.T) {
	faults := CheckAsked([]Change{{Op: AddRule, Environment: "staging"}, {Op: SetDefault, Environment: "staging", Variant: "on"}, {Op: Copy, Environment: "staging", From: production}})
	if len(faults) != 1 || faults[0].Path != "changes[1].environment" {
		t.Errorf("got %v", faults)
	}
}

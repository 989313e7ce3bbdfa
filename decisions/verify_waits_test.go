package decisions

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

var web = flags.Change{Op: flags.SetOwner, Owner: "web"}

func (h *house) order(kind, actor string, changes ...flags.Change) flags.Command {
	return flags.Command{ID: h.id(kind), Key: "gate", Expect: event.Any, At: h.now, Actor: actor, Comment: "test", Changes: changes}
}

// scheduled has ana's change wait for an hour.
func (h *house) scheduled(changes ...flags.Change) event.ID {
	h.t.Helper()
	e, expect, err := h.flags.Schedule(h.order("schedule", ana, changes...), h.now.Add(time.Hour))
	h.write(e, expect, err)
	return e.ID
}

// propose has ana's change wait for others.
func (h *house) propose(change flags.Change) event.ID {
	h.t.Helper()
	e, expect, err := h.flags.Propose(h.order("propose", ana, change))
	h.write(e, expect, err)
	return e.ID
}

func TestVerifyKnowsWhatWaited(t *testing.T) {
	h := newHouse(t)
	soon := flags.Rule{Name: "soon", Serve: "gate_40", Until: flags.Date(h.now.Add(2 * time.Hour).Format(time.RFC3339))}
	h.scheduled(web, flags.Change{Op: flags.AddRule, Environment: "production", Rule: &soon})
	h.scheduled(flags.Change{Op: flags.RemoveRule, Environment: "production", Name: "soon"})
	e, expect, err := h.flags.Cancel(h.order("cancel", ana), h.scheduled(web))
	h.write(e, expect, err)
	h.now = h.now.Add(time.Hour)
	first := h.flags.Due(h.now)[0]
	e, expect, err = h.flags.Handle(first)
	h.write(e, expect, err)
	h.now = h.now.Add(time.Hour)
	e, expect, err = h.flags.Handle(h.flags.Expired(h.now)[0]) // of a rule that a schedule wrote
	h.write(e, expect, err)
	due := h.flags.Due(h.now)[0]
	_, _, refused := h.flags.Handle(due)
	e, expect, err = h.flags.Lapse(due, refused)
	h.write(e, expect, err)
	id := h.propose(flags.Change{Op: flags.SetOwner, Owner: "lab"})
	e, expect, err = h.flags.Approve(h.order("approve", lee), id, []string{"approver"})
	h.write(e, expect, err)
	e, expect, err = h.flags.Enact(h.order("apply", ana), id)
	h.write(e, expect, err)
	if r := h.verified(); r.Cause.Checked != 3 {
		t.Errorf("%d causes checked, want the schedule, the rule that was over and the request", r.Cause.Checked)
	}
}

func TestVerifyRefusesWhatDidNotWait(t *testing.T) {
	body := func(changes ...flags.Change) any { return map[string]any{"changes": changes} }
	change := func(h *house, actor string, cause event.ID, changes ...flags.Change) event.Recorded {
		return h.forge(flags.EventType, "flag.gate", actor, cause.String(), body(changes...))
	}
	hour := func(h *house) { h.now = h.now.Add(time.Hour) }
	for name, c := range map[string]struct {
		do  func(h *house) event.Recorded
		why string
	}{
		"before its time": {func(h *house) event.Recorded { return change(h, Controlling, h.scheduled(web), web) }, "waits until 2026-11-02T10:"},
		"another change": {func(h *house) event.Recorded {
			id := h.scheduled(web)
			hour(h)
			return change(h, Controlling, id, web, flags.Change{Op: flags.Disable, Environment: "production"})
		}, "asks for another change"},
		"another flag": {func(h *house) event.Recorded {
			id := h.scheduled(web)
			hour(h)
			return h.forge(flags.EventType, "flag.other", Controlling, id.String(), body(web))
		}, "asks for a change of flag.gate"},
		"a person in the controller's place": {func(h *house) event.Recorded {
			id := h.scheduled(web)
			hour(h)
			return change(h, lee, id, web)
		}, "nobody but the controller"},
		"twice": {func(h *house) event.Recorded {
			id := h.scheduled(web)
			hour(h)
			e, expect, err := h.flags.Handle(h.flags.Due(h.now)[0])
			h.write(e, expect, err)
			return change(h, Controlling, id, web)
		}, "waits no longer"},
		"after it was cancelled": {func(h *house) event.Recorded {
			id := h.scheduled(web)
			e, expect, err := h.flags.Cancel(h.order("cancel", ana), id)
			h.write(e, expect, err)
			hour(h)
			return change(h, Controlling, id, web)
		}, "waits no longer"},
		"a schedule that the controller wrote for itself": {func(h *house) event.Recorded {
			r := h.forge(flags.TypeScheduled, "flag.gate", Controlling, "", map[string]any{"at": h.now, "changes": []flags.Change{web}})
			return change(h, Controlling, r.ID, web)
		}, "names no decision"},
		"a request that nobody approved": {func(h *house) event.Recorded { return change(h, ana, h.propose(web), web) }, "not enough people"},
		"a request that its author approved": {func(h *house) event.Recorded {
			id := h.propose(web)
			h.forge(flags.TypeApproved, "flag.gate", ana, "", map[string]any{"of": id, "roles": []string{"approver"}})
			return change(h, ana, id, web)
		}, "not enough people"},
		"a request that was approved in another role": {func(h *house) event.Recorded {
			id := h.propose(web)
			h.forge(flags.TypeApproved, "flag.gate", lee, "", map[string]any{"of": id, "roles": []string{"editor"}})
			return change(h, ana, id, web)
		}, "not enough people"},
		"a request about an older flag": {func(h *house) event.Recorded {
			id := h.propose(web)
			r := h.forge(flags.TypeApproved, "flag.gate", lee, "", map[string]any{"of": id, "roles": []string{"approver"}})
			h.must(h.proj.Wait(h.ctx, r.Seq))
			h.flag("gate", flags.Change{Op: flags.SetDescription, Description: "d"})
			return change(h, ana, id, web)
		}, "has changed since the request"},
		"a person's cause that is none": {func(h *house) event.Recorded { return change(h, ana, event.ID{}, web) }, "no change request before it"},
	} {
		h := newHouse(t)
		bad := c.do(h)
		r, err := Verify(h.ctx, h.log, h.blobs)
		h.must(err)
		if failed := r.Cause.Failed; failed == nil || failed.Seq != bad.Seq || !strings.Contains(failed.Why, c.why) {
			t.Errorf("%s: %+v, want event %d to fail because %s", name, failed, bad.Seq, c.why)
		}
	}
}

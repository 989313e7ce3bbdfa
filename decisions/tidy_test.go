package decisions

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

const day = 24 * time.Hour

// gate returns the flag of the house.
func (h *house) gate() flags.Recorded {
	f, _ := h.flags.Flag("gate")
	return f
}

// end carries an ending out, as a server does.
func (h *house) end(w Ending) error {
	r, f := h.rollout(), h.gate()
	changes, cause, err := r.End(w, f, r.Readiness(f, h.uses(), h.now))
	if err != nil {
		return err
	}
	e, expect, err := h.flags.Handle(flags.Command{
		ID: h.id("end"), Key: "gate", Expect: event.Any, At: h.now, Actor: lee, Cause: cause, Changes: changes,
	})
	h.write(e, expect, err)
	return nil
}

// uses is what the house knows: nobody asks for the flag any more.
func (h *house) uses() Uses {
	none := 0
	r := h.rollout()
	return Uses{
		Seen:       map[string]flags.Seen{"production": {Since: h.now.Add(-60 * day)}},
		References: &none, Newest: []Rollout{r},
	}
}

func (h *house) count(kind string) (n int) {
	h.t.Helper()
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if e.Type == kind {
			n++
		}
	}
	return n
}

// TestCleanup is the end of a release: due with time to spare, reminders once a
// week, the end state for the decision that it was over with, and the archive.
func TestCleanup(t *testing.T) {
	h, _ := shipped(t, func(*Plan) {})
	due := h.rollout().CleanupDue()
	if s := h.rollout().CleanupState(h.now); s != CleanupWaiting || !due.Equal(h.rollout().Ended.Add(30*day)) {
		t.Errorf("it is %s, due %s", s, due)
	}
	for _, c := range []struct {
		at   time.Duration // after it is due
		want int           // reminders by then
	}{{-time.Second, 0}, {0, 1}, {time.Hour, 1}, {7*day - 1, 1}, {7 * day, 2}, {29 * day, 3}, {30 * day, 3}} {
		h.now = due.Add(c.at).Truncate(time.Millisecond)
		h.step()
		h.must(h.controller(h.open(h.log), h.log).Step(h.ctx, h.now)) // another controller
		if got := h.count(TypeReminded); got != c.want {
			t.Errorf("%v after it was due: %d reminders, want %d", c.at, got, c.want)
		}
	}
	if n := h.rollout().Reminded; n != 5 {
		t.Errorf("the last reminder is number %d; those of weeks in which nobody ran are not made up for", n)
	}
	h.must(h.end(Ending{}))
	f := h.gate()
	if f.Default != "gate_40" || f.Environments["production"].Allocation != nil {
		t.Errorf("everybody gets %s, by %+v", f.Default, f.Environments["production"])
	}
	if c := h.rollout().Carried; c == nil || c.By != lee || c.Seq != f.Revision {
		t.Errorf("carried out %+v", c)
	}
	h.step()
	if s := h.rollout().CleanupState(h.now); s != CleanupOverdue {
		t.Errorf("the code is not clean yet, and the cleanup is %s", s)
	}
	h.flag("gate", flags.Change{Op: flags.Archive})
	h.step()
	h.step()
	if c := h.rollout().Closed; c == nil || c.How != ByArchive || c.By != Controlling || h.count(TypeClosed) != 1 {
		t.Errorf("closed %+v", c)
	}
	h.now = h.now.Add(21 * day)
	h.step()
	if h.count(TypeReminded) != 3 {
		t.Error("it reminds of what is closed")
	}
	if report := h.verified(); report.Cause.Checked < 4 {
		t.Errorf("the end state has a cause that nobody checked: %+v", report)
	}
}

// A reminder names what becomes of the flag as it is now: what was rolled back is
// not promoted. A plan of before, which had no end, is not reminded of another.
func TestReminderOfARollback(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpRollback, Comment: "a bug"})
	h.step()
	h.now = h.rollout().CleanupDue().Truncate(time.Millisecond)
	h.step()
	var told reminded
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if e.Type == TypeReminded {
			h.must(json.Unmarshal(e.Data, &told))
		}
	}
	if told.EndState != flags.Remove || !strings.Contains(told.Text, "its end state (remove)") {
		t.Errorf("reminded of %q: %s", told.EndState, told.Text)
	}
	r := h.rollout()
	r.Plan.Cleanup = nil
	if m := r.remind(1, h.now); m.EndState != flags.Remove {
		t.Errorf("a plan without a cleanup: %+v", m)
	}
}

// TestCleanup_endStates carries out each end in its own way.
func TestCleanup_endStates(t *testing.T) {
	stays := Ending{Why: "a kill switch for the gate", Review: "2027-06-30"}
	for end, c := range map[string]struct {
		w      Ending
		change func(flags.Recorded) bool
		leaves string
		closes CloseWay
	}{
		"promote": {Ending{}, func(f flags.Recorded) bool { return f.Purpose == flags.Release }, "gate_40", ""},
		"remove":  {Ending{}, func(f flags.Recorded) bool { return f.Cleanup.EndState == flags.Promote }, "gate_30", ""},
		"keep":    {stays, func(f flags.Recorded) bool { return f.Cleanup.Why == stays.Why && f.Cleanup.Review == "2027-06-30" }, "gate_40", ByKeeping},
		"convert": {Ending{Purpose: flags.KillSwitch, Why: stays.Why, Review: stays.Review}, func(f flags.Recorded) bool { return f.Purpose == flags.KillSwitch }, "gate_40", ByKeeping},
	} {
		t.Run(end, func(t *testing.T) {
			h, _ := shipped(t, func(p *Plan) { p.Cleanup.EndState = end })
			if c.w.Deviates(h.rollout()) != (c.closes != "") {
				t.Error("whether others have to agree")
			}
			h.must(h.end(c.w))
			f := h.gate()
			if f.Default != c.leaves || f.Environments["production"].Allocation != nil || !c.change(f) {
				t.Errorf("it leaves %+v", f)
			}
			h.step()
			var how CloseWay
			if closed := h.rollout().Closed; closed != nil {
				how = closed.How
			}
			if how != c.closes {
				t.Errorf("closed by %q, want %q", how, c.closes)
			}
			h.verified()
		})
	}
}

// TestCleanup_ofARollback removes what was tried, and ends the forced state.
func TestCleanup_ofARollback(t *testing.T) {
	h, _, _ := rolledBack(t)
	if err := h.end(Ending{}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "nobody has explained why") {
		t.Errorf("before anybody has explained it: %v", err)
	}
	if err := h.end(Ending{Reason: "never mind"}); !errors.Is(err, ErrRefused) {
		t.Errorf("a reason overrules a lock: %v", err)
	}
	h.do(Command{Op: OpExplain, Comment: "they leave at the gate"})
	if r := h.rollout(); r.EndState() != flags.Remove || r.Winner(h.gate()) != "gate_30" {
		t.Errorf("what was rolled back is %s, with %s for all", r.EndState(), r.Winner(h.gate()))
	}
	h.must(h.end(Ending{}))
	if e := h.gate().Environments["production"]; e.Forced != nil || e.Allocation != nil || h.gate().Default != "gate_30" {
		t.Errorf("it leaves %+v", h.gate())
	}
	h.verified()
}

// TestCleanup_superseded: the next rollout of a flag takes over what the last one
// left to do.
func TestCleanup_superseded(t *testing.T) {
	h, _, _ := rolledBack(t)
	h.do(Command{Op: OpExplain, Comment: "fixed"})
	h.flag("gate", flags.Change{Op: flags.Unforce, Environment: "production"})
	p := catsPlan()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.step()
	if all := h.state.Cleanups(); len(all) != 2 || all[0].Closed != nil {
		t.Errorf("a plan alone takes nothing over: %+v", all)
	}
	h.do(Command{Op: OpStart})
	h.step()
	old, _ := h.state.Rollout("production/gate/1")
	if old.Closed == nil || old.Closed.How != BySuccessor {
		t.Errorf("closed %+v", old.Closed)
	}
	if all := h.state.Cleanups(); len(all) != 1 || all[0].Number != 2 || all[0].CleanupState(h.now) != CleanupOpen {
		t.Errorf("got %+v", all)
	}
	h.verified()
}

func TestCloseByHand(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	close := func(rollout, why string) error {
		e, expect, err := h.state.HandleClose(CloseCommand{ID: h.id("close", why), Rollout: rollout, Comment: why, At: h.now, Actor: lee})
		if err == nil {
			h.write(e, expect, err)
		}
		return err
	}
	const id = "production/gate/1"
	if err := close("production/gate/9", "done"); !errors.Is(err, ErrUnknown) {
		t.Errorf("of no rollout: %v", err)
	}
	if err := close(id, " "); err == nil || !strings.Contains(err.Error(), "comment is missing") {
		t.Errorf("without a word: %v", err)
	}
	if err := close(id, "done"); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "is running") {
		t.Errorf("while it goes on: %v", err)
	}
	h.do(Command{Op: OpRollback, Comment: "no"})
	h.step()
	h.must(close(id, "done by hand"))
	if c := h.rollout().Closed; c.How != ByPerson || c.By != lee || c.Comment != "done by hand" {
		t.Errorf("got %+v", c)
	}
	if err := close(id, "again"); !errors.Is(err, ErrRefused) {
		t.Errorf("twice: %v", err)
	}
	if err := h.end(Ending{}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "is closed") {
		t.Errorf("the end of what is closed: %v", err)
	}
}

func TestEnding_refuses(t *testing.T) {
	h, _ := shipped(t, func(*Plan) {})
	for want, w := range map[string]Ending{
		`endState "burn" is not an end state`:              {EndState: "burn"},
		"why is missing":                                   {EndState: flags.Keep, Review: "2027-06-30"},
		"review is missing":                                {EndState: flags.Keep, Why: "x"},
		`purpose "release" is not what a flag`:             {EndState: flags.Convert, Why: "x", Review: "2027-06-30", Purpose: flags.Release},
		`purpose "kill-switch" has no meaning for promote`: {Purpose: flags.KillSwitch},
	} {
		if err := h.end(w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", w, err, want)
		}
	}
	if !(Ending{EndState: flags.Remove}).Deviates(h.rollout()) || (Ending{}).Deviates(h.rollout()) {
		t.Error("whether others have to agree")
	}
}

// TestVerify_endings: a person's change may name the decision that a rollout was
// over with, of its own flag, and only to end it.
func TestVerify_endings(t *testing.T) {
	for name, c := range map[string]struct {
		subject string
		change  string
		cause   func(*house) string
	}{
		"another flag":        {"flag.other", `{"op":"set-default","variant":"gate_40"}`, func(h *house) string { return h.rollout().final() }},
		"another decision":    {"flag.gate", `{"op":"set-default","variant":"gate_40"}`, func(h *house) string { return h.rollout().Decisions[0].ID }},
		"more than an ending": {"flag.gate", `{"op":"set-owner","owner":"eve"}`, func(h *house) string { return h.rollout().final() }},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, _ := rolledBack(t)
			h.append(event.Event{Type: flags.EventType, Subject: c.subject, Actor: lee, Cause: c.cause(h), Data: json.RawMessage(`{"changes":[` + c.change + `]}`)})
			r, err := Verify(h.ctx, h.log, h.blobs)
			if err != nil || r.Cause.Failed == nil || !strings.Contains(r.Cause.Failed.Why, "names as its cause") {
				t.Errorf("got %+v, %v", r.Cause, err)
			}
		})
	}
}

// TestRecordedAftermathFolds: what comes after rollouts folds into the state that
// it folded into when it was recorded.
func TestRecordedAftermathFolds(t *testing.T) {
	const events, state = "testdata/aftermath.json", "testdata/aftermath_state.json"
	if *update {
		writeJSON(t, events, aftermath(t))
	}
	var recorded []event.Recorded
	readJSON(t, events, &recorded)
	f, s := flags.NewState(), NewState(Known{})
	seen := map[string]bool{}
	for _, e := range recorded {
		seen[e.Type] = true
		if err := e.Check(); err != nil {
			t.Errorf("the recorded file was edited: %v", err)
		}
		for _, fold := range []event.Fold{f, s} {
			if err := fold.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, kind := range []string{TypeOutcome, TypeFollowedUp, TypeReminded, TypeClosed} {
		if !seen[kind] {
			t.Errorf("no %s among the recorded events", kind)
		}
	}
	r, _ := s.Rollout("production/gate/1")
	got := map[string]any{"learned": r.Learned, "tidied": r.Tidied}
	if *update {
		writeJSON(t, state, got)
	}
	var want any
	readJSON(t, state, &want)
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// aftermath is the log of a release to its very end.
func aftermath(t *testing.T) (all []event.Recorded) {
	h, _ := shipped(t, func(p *Plan) { p.FollowUp = Window(20 * day) })
	h.must(h.learn(Outcome{Happened: "more came back", Confirmed: Yes, Why: "the gate comes later", Next: "no gate at all"}))
	h.now = h.rollout().Ended.Add(20 * day)
	h.step()
	h.now = h.rollout().CleanupDue()
	h.step()
	h.must(h.end(Ending{}))
	h.flag("gate", flags.Change{Op: flags.Archive})
	h.step()
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		if e.Type != TypeFrozen { // one look of many is enough
			all = append(all, e)
		}
	}
	return thinned(all)
}

// thinned leaves out decisions to hold, which are most of a log.
func thinned(all []event.Recorded) []event.Recorded {
	return slices.DeleteFunc(all, func(e event.Recorded) bool {
		m, err := load[made](e)
		return e.Type == TypeMade && err == nil && m.Verdict.Action == Hold
	})
}

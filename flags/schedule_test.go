package flags

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// put appends what a command became.
func (h *house) put(e event.Event, expect event.Expect, err error) (uint64, error) {
	h.t.Helper()
	if err != nil {
		return 0, err
	}
	seq, err := h.log.Append(context.Background(), e, expect)
	if err != nil {
		return 0, err
	}
	if err := h.p.Catch(context.Background(), h.log); err != nil {
		h.t.Fatalf("an event that the state made is refused by Apply: %v", err)
	}
	return seq, nil
}

// must is put for what has to succeed.
func (h *house) must(e event.Event, expect event.Expect, err error) event.ID {
	h.t.Helper()
	if _, err := h.put(e, expect, err); err != nil {
		h.t.Fatal(err)
	}
	return e.ID
}

// later returns a time that many days after noon.
func later(days int) time.Time { return noon.AddDate(0, 0, days) }

// again returns a house with the log folded from its first event.
func (h *house) again() *house {
	h.t.Helper()
	g := &house{t: h.t, log: h.log, state: NewState(), n: h.n + 1000}
	g.p = event.NewProjection(g.state)
	if err := g.p.Catch(context.Background(), h.log); err != nil {
		h.t.Fatal(err)
	}
	return g
}

func owner(name string) Change { return Change{Op: SetOwner, Owner: name} }

// carry does what whoever runs the house does with commands that are due.
func (h *house) carry(now time.Time) {
	h.t.Helper()
	for _, c := range h.state.Due(now) {
		e, expect, err := h.state.Handle(c)
		if err != nil {
			e, expect, err = h.state.Lapse(c, err)
		}
		h.must(e, expect, err)
	}
}

func TestAScheduleIsCarriedOutOnceWhenItsTimeHasCome(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	id := h.must(h.state.Schedule(h.command("checkout.express", owner("web")), later(2)))
	f, _ := h.state.Flag("checkout.express")
	if due := h.state.Due(later(2).Add(-time.Second)); f.Owner != "payments" || f.Revision != 1 || len(due) != 0 {
		t.Errorf("before its time: %+v, due %v", f, due)
	}
	again := h.again()
	first, second := h.state.Due(later(3)), again.state.Due(later(4))
	if len(first) != 1 || len(second) != 1 || first[0].ID != second[0].ID {
		t.Fatalf("due: %v, after a restart: %v", first, second)
	}
	e, expect, err := h.state.Handle(first[0])
	h.must(e, expect, err)
	// The second replica decided on the state before, a second later.
	e, expect, err = again.state.Handle(second[0])
	if _, err := again.put(e, expect, err); err != nil {
		t.Error(err)
	}
	if last, _ := h.log.Last(context.Background()); last != 3 {
		t.Errorf("the log has %d events", last)
	}
	f, _ = again.state.Flag("checkout.express")
	if f.Owner != "web" || f.Revision != 3 || f.Cause != id.String() || f.Actor != "controller" || len(again.again().state.Due(later(9))) != 0 {
		t.Errorf("afterwards: %+v", f)
	}
	if got := again.state.Schedules("checkout.express"); len(got) != 1 || got[0].Standing != Done || got[0].Revision != 3 {
		t.Errorf("the schedule is %+v", got)
	}
}

func TestAScheduleThatIsRefusedLapsesWithTheReason(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.must(h.state.Schedule(h.command("checkout.express", in(RemoveRule, func(c *Change) { c.Name = "staff" })), later(2)))
	h.do("checkout.express", in(RemoveRule, func(c *Change) { c.Name = "staff" }))
	h.carry(later(2))
	again := h.again().state
	got := again.Schedules("checkout.express")
	if len(got) != 1 || got[0].Standing != Lapsed || got[0].Why != `changes[0].name "staff" is not a rule of production` || len(again.Due(later(3))) != 0 {
		t.Errorf("the schedule is %+v", got)
	}
	if f, _ := again.Flag("checkout.express"); f.Revision != 3 {
		t.Errorf("the flag is at revision %d", f.Revision)
	}
}

// One replica sees that a command is refused, the other carries it out: the log
// takes one of the two.
func TestAScheduleEndsInOneWay(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.must(h.state.Schedule(h.command("checkout.express", owner("web")), later(2)))
	c := h.state.Due(later(2))[0]
	done, expect, err := h.state.Handle(c)
	if err != nil {
		t.Fatal(err)
	}
	lapse, expectLapse, err := h.state.Lapse(c, errors.New("another view"))
	if err != nil {
		t.Fatal(err)
	}
	h.must(done, expect, nil)
	if _, err := h.put(lapse, expectLapse, nil); !errors.Is(err, event.ErrConflict) {
		t.Errorf("the second end: %v", err)
	}
	if _, _, err := h.state.Lapse(c, errors.New("late")); !errors.Is(err, ErrEnded) {
		t.Errorf("a late lapse: %v", err)
	}
}

func TestSchedulesComeInTheOrderOfTheirTime(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	for _, day := range []int{5, 2, 9, 2} {
		h.must(h.state.Schedule(h.command("checkout.express", owner("web"), Change{Op: SetDescription, Description: "d"}), later(day)))
	}
	h.must(h.state.Cancel(h.command("checkout.express"), h.state.Schedules("checkout.express")[2].ID))
	var got []string
	for _, p := range h.state.Schedules("checkout.express") {
		got = append(got, string(p.Standing)+" "+p.At.Format("02"))
	}
	if diff := cmp.Diff([]string{"cancelled 07", "pending 04", "pending 04", "pending 11"}, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if first := h.state.Due(later(9))[0]; first.Cause != h.state.Schedules("checkout.express")[1].ID.String() {
		t.Errorf("first due: %+v", first)
	}
}

// What ended is forgotten in the state, not in the log.
func TestEndedSchedulesAreForgotten(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	for i := range endedMost + 5 {
		id := h.must(h.state.Schedule(h.command("checkout.express", owner("web")), later(i+1)))
		h.must(h.state.Cancel(h.command("checkout.express"), id))
	}
	h.must(h.state.Schedule(h.command("checkout.express", owner("web")), later(1)))
	list := h.state.Schedules("checkout.express")
	if len(list) != endedMost+1 || list[0].At != later(6) || list[endedMost].Standing != Pending {
		t.Errorf("%d left, the first is %+v", len(list), list[0])
	}
}

// A schedule may build on what is scheduled before it.
func TestASchedulesChangesFollowEarlierOnes(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	more := Change{Op: AddVariant, Variant: "more", Value: raw("true")}
	asDefault := Change{Op: SetDefault, Variant: "more"}
	if _, err := h.put(h.state.Schedule(h.command("checkout.express", asDefault), later(3))); refusal(err) != "changes[0].variant: is not a variant" {
		t.Errorf("got %v", err)
	}
	h.must(h.state.Schedule(h.command("checkout.express", more), later(2)))
	if _, err := h.put(h.state.Schedule(h.command("checkout.express", asDefault), later(1))); refusal(err) != "changes[0].variant: is not a variant" {
		t.Errorf("before the other: %v", err)
	}
	h.must(h.state.Schedule(h.command("checkout.express", asDefault), later(3)))
	h.carry(later(2))
	h.carry(later(3))
	if f, _ := h.state.Flag("checkout.express"); f.Default != "more" {
		t.Errorf("default is %s", f.Default)
	}
}

func TestRefusedSchedules(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	schedule := func(key string, at time.Time, changes ...Change) error {
		_, err := h.put(h.state.Schedule(h.command(key, changes...), at))
		return err
	}
	for want, err := range map[string]error{
		"there is nothing of that name: flag moon":                  schedule("moon", later(1), define(nil)),
		"at: is not in the future":                                  schedule("checkout.express", noon.AddDate(-1, 0, 0), owner("web")),
		"changes[0].op: is not a change that can be asked for here": schedule("checkout.express", later(1), force("slow")),
		"changes[0].op: is missing":                                 schedule("checkout.express", later(1), Change{}),
		"owner: is missing":                                         schedule("checkout.express", later(1), owner("")),
		"changes: is missing":                                       schedule("checkout.express", later(1)),
	} {
		if got := refusal(err); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	c := h.command("checkout.express", owner("web"))
	c.Expect = 7
	if _, err := h.put(h.state.Schedule(c, later(1))); !errors.Is(err, event.ErrConflict) {
		t.Errorf("another revision: %v", err)
	}
	if _, err := h.put(h.state.Cancel(h.command("checkout.express"), event.ID{})); !errors.Is(err, ErrUnknown) {
		t.Errorf("no such schedule: %v", err)
	}
	id := h.must(h.state.Schedule(h.command("checkout.express", owner("web")), later(1)))
	h.must(h.state.Cancel(h.command("checkout.express"), id))
	if _, err := h.put(h.state.Cancel(h.command("checkout.express"), id)); !errors.Is(err, ErrEnded) {
		t.Errorf("cancelled twice: %v", err)
	}
	for range waitingMost {
		h.must(h.state.Schedule(h.command("checkout.express", owner("web")), later(1)))
	}
	if got, want := refusal(schedule("checkout.express", later(1), owner("web"))), "at: is refused: 100 commands wait for the flag already"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestApplyRefusesWaitingEventsItCannotUnderstand(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	for want, e := range map[string]event.Event{
		"reading a flag.scheduled event: it has no time":                {Type: TypeScheduled, Subject: "flag.checkout.express", Data: raw(`{}`)},
		"flag moon was not defined before a flag.change.approved event": {Type: TypeApproved, Subject: "flag.moon", Data: raw(`{}`)},
		"reading a flag.change.rejected event: invalid UUID length: 1":  {Type: TypeRejected, Subject: "flag.checkout.express", Data: raw(`{"of":"x"}`)},
	} {
		if err := h.state.Apply(event.Recorded{Event: e, Seq: 9}); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// wait writes every event of schedules and change requests to the log.
func (h *house) wait() {
	h.t.Helper()
	h.must(h.state.Cancel(h.command("checkout.express"), h.must(h.state.Schedule(h.command("checkout.express", owner("none")), later(1)))))
	h.must(h.state.Schedule(h.command("checkout.express", Change{Op: RemoveTag, Tag: "web"}), later(1)))
	h.must(h.state.Schedule(h.command("checkout.express", owner("shop")), later(1)))
	h.do("checkout.express", Change{Op: RemoveTag, Tag: "web"})
	h.carry(later(1))
	h.must(h.state.Withdraw(h.by("ana"), h.must(h.state.Propose(h.command("checkout.express", owner("web"))))))
	h.must(h.state.Reject(h.by("ben"), h.must(h.state.Propose(h.command("checkout.express", owner("web"))))))
	h.must(h.state.Propose(h.command("checkout.express", owner("lab"))))
	id := h.must(h.state.Propose(h.command("checkout.express", owner("web"))))
	h.approve(id, "ben")
	h.must(h.state.Enact(h.by("ana"), id))
	h.must(h.state.Schedule(h.command("checkout.express", in(Disable)), later(9)))
	h.must(h.state.Propose(h.command("checkout.express", owner("shop"))))
}

// What others have to agree to by the time it is due waits for them: a schedule
// is no way around a policy, be it because the policy is newer or because what
// was scheduled made no difference then.
func TestWhatIsDueAsksThePoliciesThatHold(t *testing.T) {
	policy := Policy{Key: "four-eyes", Match: Match{Environments: []string{production}}, Flags: Demands{Approvals: &Approvals{Count: 1}}}
	copied := in(Copy, func(c *Change) { c.From = "staging" })
	for name, c := range map[string]struct {
		before   bool // the policy holds when the change is scheduled
		schedule Change
		between  []Change
	}{
		"a newer policy":     {false, Change{Op: SetDefault, Variant: "on"}, nil},
		"a copy of the same": {true, copied, []Change{{Op: AddRule, Environment: "staging", Rule: &Rule{Name: "all", Serve: "on"}}}},
	} {
		h := newHouse(t)
		f := checkout()
		f.Environments["staging"] = f.Environments[production]
		h.define(f)
		if c.before {
			h.demand(policy)
		}
		h.must(h.state.Schedule(h.command(f.Key, c.schedule), later(1)))
		if !c.before {
			h.demand(policy)
		}
		if c.between != nil {
			h.do(f.Key, c.between...)
		}
		was, _ := h.state.Flag(f.Key)
		h.carry(later(1))
		is, _ := h.state.Flag(f.Key)
		p := h.state.Schedules(f.Key)[0]
		if was.Revision != is.Revision || p.Standing != Lapsed || !strings.HasPrefix(p.Why, "others have to agree") {
			t.Errorf("%s: the flag went from revision %d to %d, and the schedule is %s (%s)", name, was.Revision, is.Revision, p.Standing, p.Why)
		}
	}
}

package decisions

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// over is a rollout that was decided for good at noon, and its flag.
func over() (Rollout, flags.Recorded) {
	r := Rollout{
		Standing: Standing{ID: "production/gate/1", Status: CleanupDue, Stage: 2}, Number: 1, Plan: catsPlan().Filled(), Ended: noon,
	}
	f := flags.Recorded{Flag: flags.Flag{
		Key: "gate", Purpose: flags.Release, Owner: "games", Default: "gate_30", Safe: "gate_30",
		Variants:     flags.Variants{"gate_30": []byte("30"), "gate_40": []byte("40")},
		Cleanup:      &flags.Cleanup{Due: event.Duration(30 * day), EndState: flags.Promote},
		Environments: map[string]flags.Environment{"production": {Enabled: true}},
	}}
	return r, f
}

// TestReadiness: each thing that can speak against the end of a flag, alone.
func TestReadiness(t *testing.T) {
	now := noon.Add(40 * day)
	quiet := flags.Seen{Since: noon}
	for name, c := range map[string]struct {
		change func(r *Rollout, f *flags.Recorded, u *Uses)
		state  Ready
		step   CleanupStep
		why    string
	}{
		"nothing":       {func(*Rollout, *flags.Recorded, *Uses) {}, Safe, "", ""},
		"it goes on":    {func(r *Rollout, _ *flags.Recorded, _ *Uses) { r.Ended, r.Status = time.Time{}, Observing }, Blocked, StepEnd, "production/gate/1 is observing"},
		"not explained": {func(r *Rollout, _ *flags.Recorded, _ *Uses) { r.Locked, r.Status = true, RolledBack }, Blocked, StepEnd, "nobody has explained why"},
		"elsewhere": {func(_ *Rollout, _ *flags.Recorded, u *Uses) {
			u.Newest = []Rollout{{Standing: Standing{ID: "staging/gate/4", Status: Running}, Plan: Plan{Environment: "staging"}}}
		}, Blocked, StepEnd, "staging/gate/4 is running, and a flag has one default"},
		"a part": {func(r *Rollout, _ *flags.Recorded, _ *Uses) { r.Plan.Eligible = "payers" }, Blocked, StepEnd, "the plan was for the segment payers alone"},
		"held back": {func(r *Rollout, f *flags.Recorded, _ *Uses) {
			r.Plan.Stages[2].Holdback = 1000
			f.Environments["production"] = flags.Environment{Enabled: true, Allocation: &flags.Allocation{Rollout: r.ID}}
		}, Caution, StepEnd, "1 % of the units are held back, and get gate_40"},
		"held back for a look": {func(r *Rollout, f *flags.Recorded, _ *Uses) {
			r.Plan.Stages[2].Holdback, r.Plan.FollowUp = 1000, Window(60*day)
			f.Environments["production"] = flags.Environment{Enabled: true, Allocation: &flags.Allocation{Rollout: r.ID}}
		}, Blocked, StepEnd, "whether the effect held"},
		"another default": {func(_ *Rollout, f *flags.Recorded, _ *Uses) {
			f.Environments["staging"] = flags.Environment{Enabled: true}
		}, Caution, StepEnd, "the default becomes gate_40 (is gate_30) in staging too"},
		"needed": {func(_ *Rollout, _ *flags.Recorded, u *Uses) { u.Dependants = []string{"bonus"} }, Blocked, StepArchive, "it is a prerequisite of bonus"},
		"asked for": {func(_ *Rollout, _ *flags.Recorded, u *Uses) {
			u.Seen["production"] = flags.Seen{Since: noon, Asked: now.Add(-6 * day)}
		}, Blocked, StepArchive, "production last asked for it at "},
		"not counted": {func(_ *Rollout, _ *flags.Recorded, u *Uses) { delete(u.Seen, "production") }, Caution, StepArchive, "it cannot be told whether production still asks for it"},
		"not scanned": {func(_ *Rollout, _ *flags.Recorded, u *Uses) { u.References = nil }, Caution, StepArchive, "no source tree has been scanned"},
		"in the code": {func(_ *Rollout, _ *flags.Recorded, u *Uses) { *u.References = 3 }, Caution, StepArchive, "code uses it in 3 places"},
	} {
		t.Run(name, func(t *testing.T) {
			none := 0
			r, f := over()
			u := Uses{Seen: map[string]flags.Seen{"production": quiet, "staging": quiet}, References: &none}
			c.change(&r, &f, &u)
			got := r.Readiness(f, u, now)
			if got.State != c.state || c.why == "" && len(got.Reasons) != 0 {
				t.Fatalf("got %+v, want %s", got, c.state)
			}
			if c.why != "" && (len(got.Reasons) != 1 || got.Reasons[0].Step != c.step || !strings.Contains(got.Reasons[0].Why, c.why)) {
				t.Errorf("got %+v, want %s %q", got.Reasons, c.step, c.why)
			}
			refused := got.refuses("")
			if blocked := c.state == Blocked && c.step == StepEnd; (refused != nil) != blocked {
				t.Errorf("the end state is refused: %v", refused)
			}
		})
	}
}

// TestReadiness_worst: one that blocks outweighs those that ask for caution,
// whatever comes first; a reason overrules what is a matter of judgement.
func TestReadiness_worst(t *testing.T) {
	r, f := over()
	r.Plan.Eligible = "payers"
	hidden := r.Readiness(f, Uses{}, noon).Within(func(string) bool { return false })
	if hidden.State != Blocked || len(hidden.Reasons) != 3 || hidden.Reasons[1].Why != "another environment stands against it" || hidden.Reasons[1].State != Caution {
		t.Errorf("as one may know it who sees no environment: %+v", hidden)
	}
	got := r.Readiness(f, Uses{}, noon)
	if got.State != Blocked || len(got.Reasons) != 3 {
		t.Errorf("got %+v", got)
	}
	if got.refuses("") == nil || got.refuses("the others were asked") != nil {
		t.Error("a person's reason overrules it, and nothing else does")
	}
}

// TestTicket is the text for whoever takes the flag out of the code.
func TestTicket(t *testing.T) {
	r, f := over()
	r.Plan.Hypothesis, r.Plan.Cleanup.Ticket = "A later gate brings players back", "https://tickets.example/7"
	r.Plan.Links = []string{"https://docs.example/gates"}
	used := 2
	if open := (Rollout{Plan: r.Plan}); open.EndState() != flags.Promote || open.Winner(f) != "gate_40" {
		t.Errorf("before it is over it ends as %s, with %s", open.EndState(), open.Winner(f))
	}
	ready := r.Readiness(f, Uses{Seen: map[string]flags.Seen{"production": {Since: noon}}, References: &used}, noon.Add(40*day))
	goldenText(t, "testdata/ticket.md", r.Ticket(f, ready, []Scanned{
		{Repository: "github.com/acme/game", Revision: "0123456789abcdef0123456789abcdef01234567", Places: []flags.Place{
			{Path: "gate/gate.go", Line: 12}, {Path: "gate/gate_test.go", Line: 40, Alias: "GateLevel"},
		}},
		{Repository: "github.com/acme/shop", Revision: "main"},
	}))
	r.Plan.Cleanup.EndState = "keep"
	if text := r.Ticket(f, ready, nil); !strings.Contains(text, "# Decide how the flag `gate` stays") || strings.Contains(text, "## Where") {
		t.Errorf("of a flag that stays:\n%s", text)
	}
	r.Plan.Cleanup.EndState = "promote"
	r.Carried = &Carried{By: lee, At: noon}
	if text := r.Ticket(f, Readiness{State: Safe}, nil); !strings.Contains(text, "1. Done on ") || !strings.Contains(text, "No source tree has been scanned") || !strings.Contains(text, "Nothing speaks against it") {
		t.Errorf("of one that is half done:\n%s", text)
	}
	r.Plan.Hypothesis = "A later gate\n\n# brings players back"
	if text := r.Ticket(f, Readiness{State: Safe}, nil); !strings.Contains(text, "\n- Hypothesis: A later gate  # brings players back\n") {
		t.Errorf("what others wrote stays in its line:\n%s", text)
	}
	if got := code("a `b` c"); got != "`` a `b` c ``" {
		t.Errorf("got %q", got)
	}
}

// TestDebt counts flags that were past due at the end of each week.
func TestDebt(t *testing.T) {
	at := func(days int) time.Time { return noon.Add(time.Duration(days) * day) }
	all := []Debt{
		{Flag: "a", Since: at(-20)},
		{Flag: "a", Environment: "staging", Since: at(-3)},
		{Flag: "b", Since: at(-20), Until: at(-10)},
		{Flag: "c", Since: at(-5)},
	}
	got := DebtByWeek(all, 3, noon)
	want := []DebtWeek{
		{Until: at(-14), Flags: 2, Oldest: 6, Mean: 6, Came: 2, Month: 2},
		{Until: at(-7), Flags: 1, Oldest: 13, Mean: 13, Went: 1, Month: 1},
		{Until: noon, Flags: 2, Oldest: 20, Mean: 12.5, Came: 1, Month: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	old := DebtByWeek([]Debt{{Flag: "a", Since: at(-30)}, {Flag: "b", Since: at(-31)}, {Flag: "c", Since: at(-90)}, {Flag: "d", Since: at(-91)}}, 1, noon)[0]
	if old.Month != 1 || old.Season != 2 || old.Older != 1 {
		t.Errorf("by age: %+v", old)
	}
	var order []string
	for _, d := range ByAge(all) {
		order = append(order, d.Flag)
	}
	if strings.Join(order, "") != "acab" {
		t.Errorf("order %v", order)
	}
}

// The list of debts is the same however often it is asked for.
func TestDebtInOrder(t *testing.T) {
	var all []Debt
	for _, id := range []string{"production/b/1", "", "staging/a/1", "production/a/2"} {
		d := Debt{Flag: "b", Rollout: id, Since: noon}
		if strings.Contains(id, "/a/") {
			d.Flag = "a"
		}
		all = append(all, d)
	}
	var got []string
	for _, d := range ByAge(all) {
		got = append(got, d.Flag+" "+d.Rollout)
	}
	if diff := cmp.Diff([]string{"a production/a/2", "a staging/a/1", "b ", "b production/b/1"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDebts: a rollout's debt begins when its cleanup is due and ends when it is
// closed, or another rollout begins; a flag's own with its dates.
func TestDebts(t *testing.T) {
	h, _ := shipped(t, func(*Plan) {})
	due := h.rollout().CleanupDue()
	if got := h.state.Debts(due); len(got) != 0 {
		t.Errorf("on the day: %+v", got)
	}
	if got := h.state.Debts(due.Add(day)); len(got) != 1 || !got[0].Since.Equal(due) || !got[0].Until.IsZero() || got[0].Owner != "games" {
		t.Errorf("a day later: %+v", got)
	}
	h.now = due.Add(10 * day)
	h.flag("gate", flags.Change{Op: flags.Archive, Reason: "it is over"})
	h.step()
	if got := h.state.Debts(due.Add(20 * day)); len(got) != 1 || !got[0].Until.Equal(h.now) {
		t.Errorf("after it was closed: %+v", got)
	}

	f := flags.Recorded{Flag: flags.Flag{Key: "a", Dates: &flags.Dates{Off: "2026-03-01"}, Cleanup: &flags.Cleanup{Review: "2026-02-01"}}}
	if d, ok := FlagDebt(f, noon); !ok || d.Why != "its review was due on 2026-02-01" {
		t.Errorf("got %+v", d)
	}
	f.Cleanup = nil
	if d, ok := FlagDebt(f, noon); !ok || d.Why != "its last day was 2026-03-01" {
		t.Errorf("got %+v", d)
	}
	f.Archived, f.Changed = true, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	if d, ok := FlagDebt(f, noon); ok {
		t.Errorf("of one that was archived in time: %+v", d)
	}
	if _, ok := FlagDebt(flags.Recorded{}, noon); ok {
		t.Error("a flag without dates is due")
	}
}

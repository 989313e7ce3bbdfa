package decisions

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

func escalating(p Plan) Plan {
	p.Escalation = []Escalation{{To: "on-call", After: Window(time.Hour)}, {To: "lead", After: Window(4 * time.Hour)}}
	return p
}

// Who is asked grows while nobody answers.
func TestAsk_escalates(t *testing.T) {
	h, _ := asking(t, escalating(approvedPlan(1, "games")))
	d, _ := h.rollout().Last()
	since := d.At
	for _, c := range []struct {
		after time.Duration
		of    []string
		next  *NextAsk
	}{
		{0, []string{"games"}, &NextAsk{"on-call", since.Add(time.Hour)}},
		{time.Hour, []string{"games", "on-call"}, &NextAsk{"lead", since.Add(4 * time.Hour)}},
		{5 * time.Hour, []string{"games", "on-call", "lead"}, nil},
	} {
		got, ok := h.rollout().Ask(since.Add(c.after))
		want := Ask{What: WantsApproval, Of: c.of, Since: since, Why: d.Verdict.Text, Next: c.next}
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("after %s: %t, -want +got:\n%s", c.after, ok, diff)
		}
	}
	h.do(Command{Op: OpApprove, Actor: lee, Roles: []string{TeamRole("games")}})
	h.step()
	if got, ok := h.rollout().Ask(h.now); ok {
		t.Errorf("nothing is asked any more, and it says %+v", got)
	}
}

// Whatever waits for people says for whom, and since when.
func TestAsk_ofWhom(t *testing.T) {
	h := newHouse(t)
	p := escalating(catsPlan())
	p.Rollback.Owners = []string{"gates"}
	h.begin(p)
	if _, ok := h.rollout().Ask(h.now); ok {
		t.Error("a running rollout asks nobody")
	}
	h.now = h.now.Add(time.Minute)
	held := h.now
	h.do(Command{Op: OpHold, Actor: lee, Comment: "dinner"})
	h.now = h.now.Add(30 * time.Minute)
	h.step()
	if a, _ := h.rollout().Ask(h.now); a.What != WantsResume || !a.Since.Equal(held) || a.Of[0] != "games" || a.Why != lee+": dinner" {
		t.Errorf("held: %+v", a)
	}
	h.do(Command{Op: OpRollback, Comment: "stop"})
	h.step()
	if a, _ := h.rollout().Ask(h.now); a.What != WantsExplanation || !a.Since.Equal(h.now) || a.Of[0] != "gates" {
		t.Errorf("rolled back: %+v", a)
	}
	h.do(Command{Op: OpExplain, Comment: "it was Friday"})
	if a, ok := h.rollout().Ask(h.now); ok {
		t.Errorf("explained: %+v", a)
	}
}

func TestAsk_inReview(t *testing.T) {
	r := Rollout{Standing: Standing{Status: Running}, Plan: Plan{Owner: "games"}}
	hold, review := Verdict{Action: Hold, Reason: "a"}, Verdict{Action: Review, Reason: "b", Text: "Decide."}
	for i, v := range []Verdict{review, hold, review, review} {
		r.Decisions = append(r.Decisions, Decision{At: noon.Add(time.Duration(i) * time.Minute), Verdict: v})
	}
	want := Ask{What: WantsDecision, Of: []string{"games"}, Since: noon.Add(2 * time.Minute), Why: "Decide."}
	if got, _ := r.Ask(noon); !cmp.Equal(want, got) {
		t.Errorf("got %+v, want since the review of the last stretch", got)
	}
}

func TestPlan_refusesPeople(t *testing.T) {
	p := catsPlan()
	p.Stages[0].ApproveBy = "games"
	p.Stages[1].Approve, p.Stages[1].ApproveBy = 1, "editor"
	p.Escalation = []Escalation{{To: "on-call", After: Window(time.Hour)}, {After: Window(time.Hour)}, {To: "lead"}}
	err := p.Validate(Known{})
	for _, want := range []string{
		`stages[0].approveBy "games" says who approves, and nobody has to`,
		`stages[1].approveBy "editor" is not a role that approves`,
		`escalation[1].to is missing`,
		`escalation[1].after "1h" is not after the one before`,
		`escalation[2].after is missing`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among: %v", want, err)
		}
	}
	p = approvedPlan(1, "not a key")
	if err := p.Validate(Known{}); err == nil || !strings.Contains(err.Error(), "stages[0].approveBy") {
		t.Errorf("got %v", err)
	}
}

// Whoever is asked when nobody answers hears of it, once for each thing that the
// rollout waits for, also when nobody ran at the time.
func TestEscalation_isTold(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Escalation = []Escalation{{To: "games", After: Window(time.Minute)}, {To: "on-call", After: Window(time.Hour)}, {To: "head-of-games", After: Window(4 * time.Hour)}}
	h.begin(p)
	h.do(Command{Op: OpHold, Comment: "lunch"})
	tell := func() (told []string) {
		t.Helper()
		h.step()
		h.step() // says nothing again
		for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
			h.must(err)
			if words, ok := h.state.Tell(r); ok && r.Type == TypeEscalated && r.Time.Equal(h.now) {
				told = append(told, words.Title+"|"+words.Text)
			}
		}
		return told
	}
	line := func(to, why string) string {
		return "production/gate waits for an answer: " + to + " is asked as well|" + why
	}
	for _, c := range []struct {
		after time.Duration
		want  []string
	}{
		{30 * time.Minute, nil}, // the owner is asked already
		{30 * time.Minute, []string{line("on-call", ana+": lunch")}},
		{24 * time.Hour, []string{line("head-of-games", ana+": lunch")}},
	} {
		h.now = h.now.Add(c.after)
		if diff := cmp.Diff(c.want, tell()); diff != "" {
			t.Errorf("after %s, -want +got:\n%s", c.after, diff)
		}
	}
	h.do(Command{Op: OpResume, Comment: "back"})
	h.do(Command{Op: OpHold, Comment: "another lunch"})
	h.now = h.now.Add(5 * time.Hour)
	if diff := cmp.Diff([]string{line("on-call", ana+": another lunch"), line("head-of-games", ana+": another lunch")}, tell()); diff != "" {
		t.Errorf("of another thing, -want +got:\n%s", diff)
	}
	if e := h.rollout().Escalated; e == nil || e.What != WantsResume || !slices.Equal(e.To, []string{"on-call", "head-of-games"}) {
		t.Errorf("%+v", e)
	}
	h.do(Command{Op: OpResume, Comment: "back"})
	h.now = h.now.Add(time.Hour)
	if told := tell(); len(told) > 0 {
		t.Errorf("it waits for nobody, and says %v", told)
	}
	h.verified()
}

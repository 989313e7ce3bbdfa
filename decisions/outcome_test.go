package decisions

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// learn records the outcome of the house's rollout.
func (h *house) learn(o Outcome) error {
	e, expect, err := h.state.HandleOutcome(OutcomeCommand{ID: h.id("outcome", o.Why), Rollout: "production/gate/1", Outcome: o, At: h.now, Actor: lee})
	if err == nil {
		h.write(e, expect, err)
	}
	return err
}

// TestOutcome records what was learnt, and again when more is known.
func TestOutcome(t *testing.T) {
	h, d, in := rolledBack(t)
	h.must(h.learn(Outcome{Happened: " fewer came back ", Confirmed: No, Why: "the gate is where they leave", Next: "a gate at 35"}))
	got := *h.rollout().Outcome
	want := Outcome{
		Changed: "gate gives every user gate_40 in the place of gate_30 in production", Happened: "fewer came back", Confirmed: No,
		Why: "the gate is where they leave", Next: "a gate at 35", By: lee, At: h.now,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	h.must(h.learn(Outcome{Changed: "the gate", Happened: "they came back later", Confirmed: Unclear, Why: "it was a holiday", By: "person:eve"}))
	if o := h.rollout().Outcome; o.Changed != "the gate" || o.Confirmed != Unclear || o.By != lee {
		t.Errorf("got %+v", o)
	}
	if text := h.rollout().Happened(in.Evidence); !strings.HasPrefix(text, d.Verdict.Text) || !strings.Contains(text, "day_7_retention: −") {
		t.Errorf("what happened, for whoever writes it down: %s", text)
	}
	h.verified()
}

func TestOutcome_refuses(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	if err := h.learn(Outcome{Happened: "a", Confirmed: Yes, Why: "b"}); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "is running, and an outcome is of a rollout that is over") {
		t.Errorf("while it goes on: %v", err)
	}
	if _, _, err := h.state.HandleOutcome(OutcomeCommand{Rollout: "production/gate/9"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("of no rollout: %v", err)
	}
	h.do(Command{Op: OpRollback, Comment: "no"})
	h.step()
	err := h.learn(Outcome{Confirmed: "maybe", Happened: " "})
	var faults event.Invalids
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	var paths []string
	for _, f := range faults {
		paths = append(paths, f.Path)
	}
	if !slices.Equal(paths, []string{"happened", "why", "confirmed"}) {
		t.Errorf("faults at %v", paths)
	}
}

// shipped returns a house whose rollout gives everybody the treatment for good.
func shipped(t *testing.T, change func(*Plan)) (*house, *traffic) {
	h := newHouse(t)
	p := catsPlan()
	change(&p)
	h.begin(p)
	tr := newTraffic(better)
	h.rounds(tr, 2000, 90, is(Observing))
	for h.rollout().Status == Observing {
		h.now = h.now.Add(4 * time.Hour)
		h.send(tr, 200)
		h.step()
	}
	if s := h.rollout().Status; s != CleanupDue {
		t.Fatalf("it is %s", s)
	}
	return h, tr
}

// TestFollowUp looks once more when the plan says so, and once: at what came
// since everybody has the treatment, beside what it was shipped on.
func TestFollowUp(t *testing.T) {
	h, tr := shipped(t, func(p *Plan) { p.FollowUp = Window(30 * 24 * time.Hour) })
	h.send(tr, 8000) // the traffic goes on in both arms, as with a holdback
	ended := h.rollout().Ended
	h.now = ended.Add(30*24*time.Hour - time.Second)
	h.step()
	if f := h.rollout().Followed; f != nil {
		t.Fatalf("before its time: %+v", f)
	}
	h.now = ended.Add(30 * 24 * time.Hour)
	h.step()
	f := h.rollout().Followed
	if f == nil || time.Duration(f.After) != 30*24*time.Hour || !f.At.Equal(h.now) || len(f.Metrics) != 2 {
		t.Fatalf("got %+v", f)
	}
	if m := f.Metrics[0]; m.Metric != "day_1_retention" || m.Held != HeldOn || m.Then == nil || m.Now == nil || !strings.Contains(m.Text, " then; now ") {
		t.Errorf("got %+v", m)
	}
	if _, err := h.blobs.Load(h.ctx, f.Evidence); err != nil {
		t.Errorf("the evidence: %v", err)
	}
	last := h.proj.Seq()
	h.now = h.now.Add(24 * time.Hour)
	h.step()
	if h.proj.Seq() != last && h.rollout().Reminded == 0 {
		t.Error("it looked again")
	}
	h.verified()
}

func TestHeld(t *testing.T) {
	effect := func(lift, low, high float64) *Effect { return &Effect{Lift: &lift, Low: &low, High: &high} }
	for name, c := range map[string]struct {
		then, now *Effect
		want      Held
	}{
		"still up":          {effect(0.05, 0.01, 0.09), effect(0.04, 0.01, 0.07), HeldOn},
		"still down":        {effect(-0.05, -0.09, -0.01), effect(-0.04, -0.07, -0.01), HeldOn},
		"smaller":           {effect(0.10, 0.08, 0.12), effect(0.03, 0.01, 0.05), Faded},
		"smaller below":     {effect(-0.10, -0.12, -0.08), effect(-0.03, -0.05, -0.01), Faded},
		"gone over":         {effect(0.05, 0.01, 0.09), effect(-0.04, -0.07, -0.01), Reversed},
		"gone over upwards": {effect(-0.05, -0.09, -0.01), effect(0.04, 0.01, 0.07), Reversed},
		"wide":              {effect(0.05, 0.01, 0.09), effect(0.04, -0.02, 0.10), Untold},
		"nobody came":       {effect(0.05, 0.01, 0.09), nil, Untold},
		"nothing then":      {nil, effect(0.04, 0.01, 0.07), Untold},
		"no control":        {effect(0.05, 0.01, 0.09), &Effect{Treatment: 100}, Untold},
		"open":              {effect(0.05, 0.01, 0.09), &Effect{Lift: new(float64)}, Untold},
	} {
		if got := held(c.then, c.now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestFollowUp_says what there is to compare with, and what not.
func TestFollowUp_says(t *testing.T) {
	r := Rollout{Plan: catsPlan().Filled()}
	then := Evidence{Metrics: []Measured{{Metric: "day_1_retention", Strata: []stats.Stratum{{Stage: "experiment", Control: stats.Proportion(9000, 3600), Treatment: stats.Proportion(9000, 4200)}}}}}
	since := func(control, treatment stats.Sample) Evidence {
		return Evidence{Metrics: []Measured{{Metric: "day_1_retention", Strata: []stats.Stratum{
			{Stage: "experiment", Control: stats.Proportion(9000, 3600), Treatment: stats.Proportion(9000, 4200)}, {Stage: "full", Control: control, Treatment: treatment},
		}}}}
	}
	for want, now := range map[string]Evidence{
		"no unit came since": since(stats.Proportion(0, 0), stats.Proportion(0, 0)),
		"5,000 units came since and nobody kept gate_30, so that there is nothing to compare with": since(stats.Proportion(0, 0), stats.Proportion(5000, 2500)),
		"now 12.5 % (": since(stats.Proportion(4000, 1600), stats.Proportion(4000, 1800)),
	} {
		if got := r.FollowUp(then, now).Metrics[0]; !strings.Contains(got.Text, want) || !strings.HasPrefix(got.Text, "day_1_retention was 16.7 % (") {
			t.Errorf("got %q, want %q", got.Text, want)
		}
	}
	if got := r.FollowUp(Evidence{}, since(stats.Proportion(1, 0), stats.Proportion(1, 1))).Metrics[0]; !strings.Contains(got.Text, "was not compared then") {
		t.Errorf("got %q", got.Text)
	}
}

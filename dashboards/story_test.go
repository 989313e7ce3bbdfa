package dashboards

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// ended is the rollout after its rollback, with its decisions.
func ended() Seen {
	s := catSeen()
	s.Verdict.Stage = 1 // it gives everybody the safe variant from where it is
	s.Rollout.Status, s.Rollout.Locked, s.Rollout.Ended = decisions.RolledBack, true, at
	s.Rollout.Decisions = []decisions.Decision{
		{ID: "d1", Seq: 4, At: at.Add(-time.Hour), By: "controller", From: -1, Verdict: decisions.Verdict{Action: decisions.Expand, Stage: 0, Text: "Started by ana."}, Effect: 5},
		{ID: "d2", Seq: 8, At: at.Add(-time.Minute), By: "person:ana", From: 0, Verdict: decisions.Verdict{Action: decisions.Expand, Stage: 1, Text: "A person advances."}, Rationale: "enough seen", Effect: 9},
		{ID: "d3", Seq: 12, At: at, By: "controller", From: 1, Verdict: *s.Verdict, Input: event.Blob{SHA256: event.Sum([]byte("x")), Size: 1}, Revision: 7},
	}
	return s
}

// A decision that goes back a little says where to.
func TestMoved(t *testing.T) {
	p := decisions.Plan{Stages: []decisions.Stage{{Name: "canary"}, {Name: "experiment"}}}
	for want, d := range map[string]decisions.Decision{
		"experiment → safe variant":      {From: 1, Verdict: decisions.Verdict{Action: decisions.Rollback, Stage: 1}},
		"experiment → canary":            {From: 1, Verdict: decisions.Verdict{Action: decisions.Rollback, Stage: 0}},
		"experiment → canary at 2%":      {From: 1, Verdict: decisions.Verdict{Action: decisions.Reduce, Stage: 0, Share: 2000}},
		"experiment → experiment at 20%": {From: 1, Verdict: decisions.Verdict{Action: decisions.Reduce, Stage: 1, Share: 20_000}},
	} {
		if got := moved(p, d); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNewRollout(t *testing.T) {
	p := NewRollout(Frame{Path: "/rollouts/production/game.gate/1"}, ended(), "/json", at)
	if p.Title.Status != RolledBack || p.Title.Stages[1].Step != Left || p.Title.Stages[2].Step != Ahead {
		t.Errorf("title is %+v", p.Title)
	}
	if p.Banner == nil || p.Banner.Kind != GuardrailBreached {
		t.Errorf("banner is %+v", p.Banner)
	}
	if !strings.HasSuffix(p.Lead, "The rollout was rolled back: nobody gets gate_40.") {
		t.Errorf("lead is %q", p.Lead)
	}
	want := []Decision{
		{Number: 3, Mark: RolledBack, At: at, Change: "experiment → safe variant", Reason: "day_7 is breached. It is being carried out.", Who: "controller",
			Hash: event.Sum([]byte("x")).String(), Link: "/decisions/d3"},
		{Number: 2, Mark: Expanded, At: at.Add(-time.Minute), Change: "canary → experiment", Reason: "A person advances. “enough seen”", Who: "person:ana", Link: "/decisions/d2"},
		{Number: 1, Mark: Expanded, At: at.Add(-time.Hour), Change: "start → canary", Reason: "Started by ana.", Who: "controller", Link: "/decisions/d1"},
	}
	if diff := cmp.Diff(want, p.Decisions); diff != "" {
		t.Error(diff)
	}
	if want := (Cleanup{EndState: "remove", Due: at.Add(30 * 24 * time.Hour), State: "in 30" + space + "d", Link: "/cleanup/production/game.gate/1"}); p.Cleanup != want {
		t.Errorf("cleanup is %+v", p.Cleanup)
	}
	if p.AsOf.Seq != "1 412" || p.AsOf.Lag != 2*time.Second || p.AsOf.Rules != "plan v1" || len(p.AsOf.Queries) != 1 {
		t.Errorf("as of %+v", p.AsOf)
	}
	html(t, p)
}

// plannedSeen is the rollout before anybody started it.
func plannedSeen() Seen {
	s := Seen{Rollout: catRollout()}
	s.Rollout.Status, s.Rollout.Stage, s.Rollout.Started, s.Rollout.Since = decisions.Planned, -1, time.Time{}, time.Time{}
	return s
}

func TestNewRollout_beforeTheStart(t *testing.T) {
	p := NewRollout(Frame{}, plannedSeen(), "", at)
	if p.Lead != "" || p.Banner != nil || p.Gate.Title != "Before the first stage" || p.Cleanup.State != "30d after the final decision" {
		t.Errorf("page is %+v", p)
	}
	html(t, p)
}

func TestNewRecord(t *testing.T) {
	s := ended()
	p := NewRecord(Frame{}, s, decisions.Record{Decision: s.Rollout.Decisions[2]}, "")
	if p.Number != 3 || p.Action != "rollback" || len(p.Checks) != 2 || len(p.Rows) != 3 {
		t.Errorf("record is %+v", p)
	}
	html(t, p)
	s.Evidence = nil
	p = NewRecord(Frame{}, s, decisions.Record{Decision: s.Rollout.Decisions[1]}, "")
	if text := html(t, p); strings.Contains(text, "Readout") || !strings.Contains(text, "enough seen") {
		t.Error("a person's decision shows a readout that it does not rest on, or hides its rationale")
	}
}

// TestLoudest: what others rest on is said first, and one thing only.
func TestLoudest(t *testing.T) {
	checks := []decisions.Check{
		{Name: decisions.CheckUnits, State: decisions.Wait}, {Name: decisions.CheckGuardrail, Metric: "m", State: decisions.Fail},
		{Name: decisions.CheckSRM, State: decisions.Fail}, {Name: decisions.CheckTelemetry, State: decisions.Fail, Text: "no exposure for 12 m"},
	}
	for _, want := range []BannerKind{TelemetryMissing, RatioMismatch, GuardrailBreached, UnitsMissing} {
		b := Loudest(banners(checks))
		if b == nil || b.Kind != want || b.Kind.Loud() != (want != UnitsMissing) || b.Kind.Title() == "" {
			t.Errorf("the banner is %+v, want %d", b, want)
		}
		checks = checks[:len(checks)-1]
	}
	if b := Loudest(banners(nil)); b != nil {
		t.Errorf("nothing is wrong, yet the banner is %+v", b)
	}
}

func TestChecks_labels(t *testing.T) {
	for _, c := range []struct {
		check decisions.Check
		want  string
	}{
		{decisions.Check{Name: decisions.CheckGuardrail, Metric: "day_7"}, "day_7"},
		{decisions.Check{Name: decisions.CheckExclusion, Metric: "day_7"}, "day_7 exclusion"},
		{decisions.Check{Name: decisions.CheckSRM}, "sample ratio"},
		{decisions.Check{Name: "somethingNew"}, "somethingNew"},
	} {
		if got := label(c.check); got != c.want {
			t.Errorf("%v is %q, want %q", c.check.Name, got, c.want)
		}
	}
}

// TestBanners_sayNoMoreThanIsKnown: harm is not a breach, and one look is none.
func TestBanners_sayNoMoreThanIsKnown(t *testing.T) {
	for code, want := range map[string]string{"breached": "A guardrail is breached", "harmed": "A guardrail is harmed", "breachedOnce": "A guardrail looks breached"} {
		b := Loudest(banners([]decisions.Check{{Name: decisions.CheckGuardrail, Metric: "m", State: decisions.Fail, Code: code}}))
		if b == nil || b.Title() != want {
			t.Errorf("%s: the banner is %+v, want %q", code, b, want)
		}
	}
}

// TestFollows: what is asked for, what was done, and what was asked for then.
func TestFollows(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Seen)
		want   string
	}{
		"under way":   {func(s *Seen) { s.Rollout.Status = decisions.Running }, "The plan says: roll back."},
		"rolled back": {func(s *Seen) { s.Rollout.Status = decisions.RolledBack }, "The rollout was rolled back: nobody gets gate_40."},
		"in the past": {func(s *Seen) { s.Rollout.Status, s.Past = decisions.RolledBack, true }, "The plan said: roll back."},
		"shipped": {func(s *Seen) {
			s.Rollout.Status, s.Verdict = decisions.Observing, &decisions.Verdict{Action: decisions.Hold}
		}, "It has been let in everywhere, and is still watched."},
		"harm behind it": {func(s *Seen) { s.Rollout.Status = decisions.Observing }, "The plan says: roll back."},
		"rejected":       {func(s *Seen) { s.Rollout.Status = decisions.Rejected }, ""},
	} {
		s := catSeen()
		c.change(&s)
		if got := s.follows(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestAsDecided: a record keeps the plan, the baselines and the definitions that
// the decision rests on, whatever became of the plan.
func TestAsDecided(t *testing.T) {
	then := ended()
	in := decisions.Input{State: then.Rollout.Standing, Plan: then.Rollout.Plan, Evidence: *then.Evidence}
	now := then.Rollout
	now.Version, now.Plan.Metrics, now.Plan.Arms.Treatment = 2, decisions.Metrics{}, "gate_50"
	now.Versions = []decisions.VersionNote{{Revision: decisions.Revision{Version: 2}, At: at.Add(time.Hour)}}
	d := now.Decisions[2]
	p := NewRecord(Frame{}, AsDecided(now, in), decisions.Record{Decision: d}, "")
	if len(p.Rows) != 3 || p.Number != 3 || p.Exposures.Arms[0].Name != "treatment (gate_40)" {
		t.Errorf("%d rows, number %d, arms %+v", len(p.Rows), p.Number, p.Exposures.Arms)
	}
	if got := p.Facts[3]; got != (Fact{"Plan", "v1"}) {
		t.Errorf("the plan was %+v", got)
	}
}

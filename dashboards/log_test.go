package dashboards

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

func filed(n int) (all []Filed, r decisions.Rollout) {
	r = ended().Rollout
	for len(all) < n {
		for _, d := range slices.Backward(r.Decisions) {
			all = append(all, Filed{d, r})
		}
	}
	return all, r
}

func sampleReported() []decisions.Reported {
	i := decisions.Incident{ID: "alert-1", Severity: decisions.Blocking, Since: at.Add(-time.Hour), Text: "Error rate of checkout is 4 %", Particulars: decisions.Particulars{Source: "alertmanager", Segment: "region=eu", Link: "https://alerts.example/1"}}
	open := decisions.Reported{Environment: "production", Flag: "checkout.payments.express-pay", Incident: i, By: "service:alerts"}
	resolved := open
	resolved.Resolved, resolved.ResolvedBy, resolved.Comment = at, "person:ana", "a deployment was taken back"
	return []decisions.Reported{open, resolved}
}

func sampleDigest() decisions.Digest {
	deed := decisions.Deed{ID: "1", At: at, Rollout: "production/game.gate/1", What: "rollback", By: "controller", Text: "day_7 is breached"}
	override := decisions.Deed{ID: "2", At: at, Rollout: "production/game.gate/1", What: "override", By: "person:ana", Text: "overruled", Rationale: "the alert is known", Against: "hold: units open"}
	return decisions.Digest{From: at.Add(-7 * 24 * time.Hour), Until: at, Counts: map[string]int{string(decisions.Rollback): 1},
		Decisions: []decisions.Deed{deed}, Overrides: []decisions.Deed{override}, Incidents: sampleReported()}
}

func logSamples() map[string]Page {
	f := sampleFrame(InDecisions)
	f.Path, f.Rights.Report = "/decisions?by=people&environment=production", true
	f.Log = 918
	list, r := filed(60)
	sum := decisions.NewTally([]decisions.Rollout{r}, func(decisions.Rollout, decisions.Decision) bool { return true })
	learnt := r
	learnt.Outcome = &decisions.Outcome{Changed: "The gate moved to level 40", Happened: "Retention fell", Confirmed: decisions.No, Why: "Players left at the gate", Next: "A gate at 30 with a gift", By: "person:ana", At: at}
	learnt.Followed = &decisions.FollowUp{Metrics: []decisions.Followed{{Metric: "day_7", Held: "held", Text: "−4.1 % then, −4.0 % now: it held"}}}
	record := recomputed(f, learnt)
	query := url.Values{"by": {"people"}, "environment": {"production"}}
	told, tried := f, f
	told.Section, tried.Section = InIncidents, InExperiments
	incidents := NewIncidents(told, url.Values{}, sampleReported(), "", func() string { return "018f" })
	incidents.Told = sampleReceivers()
	return map[string]Page{
		"decisions": NewDecisionLog(f, query, list, sum, "next", "/api/v1/decisions"), "decisions-empty": NewDecisionLog(f, query, nil, decisions.Tally{}, "", "/api/v1/decisions"),
		"record-again": record, "review": NewWeekReview(f, sampleDigest(), []Overdue{{"search.old", "/flags/search.old", "search-team", "nobody asked for it in 31 d"}}, "7d"),
		"incidents":         incidents,
		"record-person":     NewRecord(f, Seen{Rollout: ended().Rollout}, personal(), "/api/v1/decisions/d2"),
		"record-many":       recordMany(f),
		"incidents-empty":   NewIncidents(sampleFrame(InIncidents), url.Values{}, nil, "", func() string { return "018f" }),
		"experiments":       NewExperiments(tried, url.Values{}, []Seen{{Rollout: learnt}, ended()}),
		"experiments-empty": NewExperiments(tried, url.Values{"words": {"nothing"}}, nil),
	}
}

// sampleReceivers are webhooks in every state.
func sampleReceivers() (all []Receiver) {
	earlier := at.Add(-26 * time.Hour)
	sent := []Message{{Made, at, "rollout.decided", "checkout.payments.express-pay in production", ""}, {Pending, at, "flag.changed", "", "the receiver answered 503"}}
	for _, d := range []Deliveries{
		{Webhook: "grafana", Delivered: 1204, Heard: &earlier, Newest: sent}, {Webhook: "release-channel", Delivered: 12, Waiting: 3, GivenUp: 1, Failing: &earlier, Why: "the receiver answered 503"},
		{Webhook: "audit", Suspended: "the receiver said that it is gone"}, {Webhook: "new"}, {Webhook: "just-declared", Waiting: 1},
	} {
		all = append(all, NewReceiver(d))
	}
	return all
}

// TestNewReceiver: what keeps messages back is said first.
func TestNewReceiver(t *testing.T) {
	want := []string{"passed 1,204 delivered, 0 waiting, 0 given up, the last one on 2026-11-20 12:00:02 UTC.", "failed Every try has failed since 2026-11-20 12:00:02 UTC: the receiver answered 503. 12 delivered, 3 waiting, 1 given up.",
		"paused Nothing is sent to it: the receiver said that it is gone. 0 delivered, 0 waiting, 0 given up.", "waiting Nothing was sent to it yet.", "waiting 0 delivered, 1 waiting, 0 given up."}
	for i, r := range sampleReceivers() {
		if got := strings.ReplaceAll(string(r.Mark)+" "+r.Text, space, " "); got != want[i] {
			t.Errorf("%s: %q, want %q", r.Name, got, want[i])
		}
	}
}

// personal is the record of a person's decision against what was recommended.
func personal() decisions.Record {
	r := ended().Rollout
	d := r.Decisions[1]
	d.Against = "hold: 412 of 1,000 units in the smaller arm"
	return decisions.Record{Decision: d, Recommended: &r.Decisions[0]}
}

// recordMany is a record with sixty metrics, one screen of which is enough.
func recordMany(f Frame) Record {
	r := recomputed(f, ended().Rollout)
	r.Readout = manyRows()
	r.Rows = r.Rows[:60]
	for range 60 {
		r.Checks = append(r.Checks, Check{Mark: Waiting, Name: "service_with_a_rather_long_name.latency_of_the_99th_percentile", Have: "412 of 1,000 units in the smaller arm"})
	}
	return r
}

// recomputed is the page of a decision that was made again, whose rollout is
// over and learnt from.
func recomputed(f Frame, r decisions.Rollout) Record {
	s := ended()
	s.Rollout = r
	d := r.Decisions[2]
	p := NewRecord(f, s, decisions.Record{Decision: d, Links: []string{"https://tickets.example/GAME-17"},
		Approvals: []decisions.Approval{{By: "person:lee", At: at, Roles: []string{"approver"}, Comment: "fine"}}}, "/api/v1/decisions/d3")
	late := &decisions.Recounted{Late: true, SameVerdict: true, Verdict: d.Verdict, Differences: []decisions.Difference{{Of: "lift of day_7", Recorded: "−4.31 %", Now: "−4.29 %", Change: "+0.02 pp"}}}
	p.Recompute = p.Recompute.Made(decisions.Recomputed{Same: true, Verdict: d.Verdict}, &decisions.Proven{}, &decisions.Recounted{Same: true}, late)
	p.Recompute.Forgot, p.Plan, p.Metrics = 2, "flag: game.gate\nstages:\n  - name: canary\n", "day_7:\n  aggregate: retention\n"
	p.Learning = NewLearning(r, f, "/decisions/d3/outcome", "day_7 fell by 4.3 %", "018f")
	return p
}

// TestDecisionLog_linksKeepTheFilters: the next page and the files are of the
// same decisions.
func TestDecisionLog_linksKeepTheFilters(t *testing.T) {
	list, _ := filed(3)
	p := NewDecisionLog(Frame{Path: "/decisions?by=people&cursor=x"}, url.Values{"by": {"people"}, "cursor": {"x"}}, list, decisions.Tally{}, "y", "")
	if p.Pager.Older != "/decisions?by=people&cursor=y" || p.Pager.Newer != "/decisions?by=people" {
		t.Errorf("the pager leads to %+v", p.Pager)
	}
	for _, e := range p.Exports {
		if !strings.Contains(e.Link, "by=people") {
			t.Errorf("the export %s forgets the filter", e.Link)
		}
	}
}

// TestRecompute_says: what holds is told apart from what does not.
func TestRecompute_says(t *testing.T) {
	other := decisions.Verdict{Action: decisions.Hold, Reason: "units open"}
	broken := Recompute{}.Made(decisions.Recomputed{Why: "the record gives hold", Faults: []string{"query 1 is forged"}}, &decisions.Proven{Chain: "event 7 is changed"},
		&decisions.Recounted{Verdict: other, Differences: make([]decisions.Difference, 1)}, &decisions.Recounted{Late: true, Verdict: other, Differences: make([]decisions.Difference, 3)})
	want := []struct {
		mark Mark
		text string
	}{{Failed, "forged"}, {Failed, "event 7"}, {Failed, "One number differs. They would have given: Hold"}, {Passed, "3 numbers differ. They would have given"}}
	for i, p := range broken.Proofs {
		if p.Mark != want[i].mark || !strings.Contains(strings.ToLower(p.Text), strings.ToLower(want[i].text)) {
			t.Errorf("%s: %s %q, want %s with %q", p.Name, p.Mark, p.Text, want[i].mark, want[i].text)
		}
	}
	verdict := decisions.Verdict{Action: decisions.Rollback, Reason: "breach", Text: "worse by 4 %"}
	now := verdict
	now.Text = "worse by 5 %"
	if p := proofOfData(decisions.Recounted{Late: true, Verdict: now, Differences: make([]decisions.Difference, 2)}, verdict); !strings.HasSuffix(p.Text, "The verdict is the same.") {
		t.Errorf("the same verdict for other numbers: %q", p.Text)
	}
	whole := Recompute{}.Made(decisions.Recomputed{Same: true}, &decisions.Proven{}, &decisions.Recounted{Same: true}, &decisions.Recounted{Same: true, Late: true})
	for _, p := range whole.Proofs {
		if p.Mark != Passed {
			t.Errorf("%s of a decision that holds: %s", p.Name, p.Text)
		}
	}
}

// TestRecord_advice: a person's decision says whether it followed.
func TestRecord_advice(t *testing.T) {
	s := ended()
	advice := s.Rollout.Decisions[0]
	for want, d := range map[Mark]decisions.Decision{
		Overruled: {ID: "x", By: "person:ana", Against: "hold: units open", Advice: "d1"}, Passed: {ID: "x", By: "person:ana", Advice: "d1", Verdict: advice.Verdict},
		NotApplicable: {ID: "x", By: "person:ana", Advice: "d1", Verdict: decisions.Verdict{Action: decisions.Rollback}}, "": {ID: "x", By: "controller"},
	} {
		if got := NewRecord(Frame{}, s, decisions.Record{Decision: d, Recommended: &advice}, ""); got.Advice.Mark != want {
			t.Errorf("%+v: %q, want %q", d, got.Advice, want)
		}
	}
}

// TestExperiments_search: every word has to be found, in whatever was written.
func TestExperiments_search(t *testing.T) {
	s := Seen{Rollout: ended().Rollout}
	s.Rollout.Plan.Hypothesis = "A later gate keeps players"
	s.Rollout.Outcome = &decisions.Outcome{Confirmed: decisions.No, Why: "They left there"}
	for query, want := range map[string]int{"words=gate+LEFT": 1, "words=gate+never": 0, "result=no": 1, "result=open": 0, "metric=none": 0, "": 1} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewExperiments(Frame{}, q, []Seen{s}); got.Found != want {
			t.Errorf("%q finds %d, want %d", query, got.Found, want)
		}
	}
	var many []Seen
	for i := range 300 {
		o := s
		o.Rollout.ID = fmt.Sprintf("production/f%d/1", i)
		many = append(many, o)
	}
	if got := NewExperiments(Frame{}, nil, many); got.Found != 300 || len(got.Rows) != mostExperiments {
		t.Errorf("%d of %d are shown", len(got.Rows), got.Found)
	}
}

// TestLearning: it is asked for when the rollout is over, of those who may.
func TestLearning(t *testing.T) {
	r := ended().Rollout
	if NewLearning(decisions.Rollout{Standing: decisions.Standing{Status: decisions.Running}}, Frame{}, "", "", "") != nil {
		t.Error("a rollout under way is asked what was learnt")
	}
	if l := NewLearning(r, Frame{}, "", "", ""); l == nil || l.Form != nil {
		t.Error("whoever may not write is asked")
	}
	l := NewLearning(r, Frame{Rights: Rights{Write: true}}, "/x", "fell by 4 %", "k")
	if l.Form == nil || l.Form.Fields[1].Value != "fell by 4 %" {
		t.Errorf("the numbers are not at hand: %+v", l)
	}
}

package dashboards

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Experiments is what was tried, what came of it, and what was learnt.
type Experiments struct {
	Frame
	Filter Form
	Tiles  []Tile
	Rows   []Experiment
	Found  int // how many match; more than Rows when the list is cut
	Empty  *Empty
	AsOf   AsOf
}

func (Experiments) template() string { return "experiments" }

// Experiment is one rollout as something that was tried.
type Experiment struct {
	Flag, Environment, Owner string
	N                        int
	Link, Readout            string
	Status                   Mark
	Hypothesis               string
	Metrics                  []string // success first, then guardrails
	Confirmed                string   // yes, no, unclear; empty: nobody has said
	Learnt                   string   // why it came out so
	Next                     string   // hypothesis
	When                     time.Time
}

// mostExperiments is how many a page shows.
const mostExperiments = 200

// NewExperiments makes the page of those rollouts that an address asks for: by
// words of hypothesis, outcome, flag and owner, by metric and by result.
func NewExperiments(f Frame, query url.Values, all []Seen) Experiments {
	p := Experiments{Frame: f, Filter: experimentFilter(f, query), AsOf: AsOf{Log: f.Log, JSON: "/api/v1/rollouts"}}
	results := map[string]int{}
	for _, s := range all {
		e := newExperiment(s)
		if !e.matches(f.Environment, query) {
			continue
		}
		results[e.Confirmed]++
		p.Rows = append(p.Rows, e)
	}
	slices.SortStableFunc(p.Rows, func(a, b Experiment) int { return cmp.Or(b.When.Compare(a.When), cmp.Compare(a.Link, b.Link)) })
	p.Found = len(p.Rows)
	p.Rows = p.Rows[:min(len(p.Rows), mostExperiments)]
	p.Tiles = []Tile{{count(int64(p.Found)), "tried"}, {count(int64(results["yes"])), "confirmed"}, {count(int64(results["no"])), "refuted"},
		{count(int64(results["unclear"])), "unclear"}, {count(int64(results[""])), "without an outcome"}}
	if p.Found == 0 {
		p.Empty = &Empty{Title: "No experiment matches", Text: "Every rollout is one: its plan says the hypothesis, and its outcome is recorded when it is over:",
			Command: "sluice rollout outcome production/checkout.payments.express-pay/1 --happened 'what' --confirmed yes --why 'why'"}
	}
	return p
}

func newExperiment(s Seen) Experiment {
	r := s.Rollout
	e := Experiment{Flag: r.Plan.Flag, Environment: r.Plan.Environment, Owner: r.Plan.Owner, N: r.Number, Link: link(r), Readout: "/readouts/" + r.ID, Status: status(s),
		Hypothesis: r.Plan.Hypothesis, When: since(r)}
	for _, m := range r.Plan.Metrics.Success {
		e.Metrics = append(e.Metrics, m.Metric)
	}
	for _, g := range r.Plan.Metrics.Guardrails {
		if !slices.Contains(e.Metrics, g.Metric) { // one with several bounds stands several times
			e.Metrics = append(e.Metrics, g.Metric)
		}
	}
	if o := r.Outcome; o != nil {
		e.Confirmed, e.Learnt, e.Next = string(o.Confirmed), o.Why, o.Next
	}
	return e
}

func (e Experiment) matches(environment string, q url.Values) bool {
	text := strings.ToLower(strings.Join([]string{e.Hypothesis, e.Learnt, e.Next, e.Flag, e.Owner}, "\n"))
	for _, word := range strings.Fields(strings.ToLower(q.Get("words"))) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	result := q.Get("result")
	return (environment == "" || environment == e.Environment) &&
		(q.Get("metric") == "" || slices.Contains(e.Metrics, q.Get("metric"))) &&
		(result == "" || result == e.Confirmed || result == "open" && e.Confirmed == "")
}

func experimentFilter(f Frame, q url.Values) Form {
	return Form{ID: "filter", Action: "/experiments", Get: true, Button: "Show", Fields: []Field{
		{Name: "environment", Kind: AsHidden, Value: f.Environment},
		{Name: "words", Label: "Words, flag or owner", Kind: AsLine, Value: q.Get("words")},
		{Name: "metric", Label: "Metric", Kind: AsLine, Value: q.Get("metric"), Hint: "checkout_conversion"},
		{Name: "result", Label: "Hypothesis", Kind: AsChoice, Value: q.Get("result"), Options: []Option{{"", "all"}, {"yes", "confirmed"}, {"no", "refuted"}, {"unclear", "unclear"}, {"open", "without an outcome"}}},
	}}
}

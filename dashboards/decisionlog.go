package dashboards

import (
	"net/url"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// DecisionLog is every decision of every rollout, newest first, as far as the
// filters select it.
type DecisionLog struct {
	Frame
	Filter  Form
	Tiles   []Tile
	Rows    []Logged
	Exports []Tab // the same as files
	Pager   Pager
	Empty   *Empty
	AsOf    AsOf
}

func (DecisionLog) template() string { return "decisions" }

// Tile is one number that sums something up.
type Tile struct{ Value, Name string }

// Logged is a decision with the rollout that it is about.
type Logged struct {
	Decision
	Flag, Environment string
	Rollout           string // address of its page
	Rule              string // why, in a word: "breach day_7_retention"
	Against           string // what was recommended instead; empty: it was followed
}

// Filed is a decision and its rollout, as lists have them.
type Filed struct {
	decisions.Decision
	Rollout decisions.Rollout
}

// NewDecisionLog makes the page of those decisions that an address asks for.
// query holds the filters as they were sent; calls is the address of the same as
// JSON.
func NewDecisionLog(f Frame, query url.Values, list []Filed, sum decisions.Tally, next, calls string) DecisionLog {
	p := DecisionLog{Frame: f, Filter: decisionFilter(f, query), Tiles: tally(sum), AsOf: AsOf{Log: f.Log, JSON: calls}}
	for _, d := range list {
		p.Rows = append(p.Rows, logged(d))
	}
	if next != "" {
		p.Pager.Older = address(f.Here(), query, "cursor", next)
	}
	if query.Get("cursor") != "" {
		p.Pager.Newer = address(f.Here(), query, "cursor", "")
	}
	if len(list) == 0 {
		p.Empty = &Empty{Title: "No decision matches", Text: "The first decision of a rollout starts its first stage. Take a filter away, or start one:", Command: "sluice apply --start rollout.yaml"}
	}
	for _, form := range []string{"csv", "jsonl"} {
		p.Exports = append(p.Exports, Tab{Name: map[string]string{"csv": "CSV", "jsonl": "JSON lines"}[form], Link: address("/decisions/export", query, "form", form)})
	}
	return p
}

// address returns an address with one word of its query replaced, or taken away
// for an empty one.
func address(path string, query url.Values, name, value string) string {
	q := url.Values{}
	for k, v := range query {
		if k != name && len(v) > 0 && v[0] != "" {
			q[k] = v
		}
	}
	if value != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func logged(d Filed) Logged {
	r := d.Rollout
	number := 0
	for i, o := range r.Decisions {
		if o.ID == d.ID {
			number = i + 1
		}
	}
	return Logged{
		Decision: Decision{Number: number, Mark: decided(d.Verdict.Action), At: d.At, Change: moved(r.Plan, d.Decision), Reason: reason(d.Decision),
			Who: d.By, Hash: d.Input.SHA256.String(), Link: recordLink(d.Decision)},
		Flag: r.Plan.Flag, Environment: r.Plan.Environment, Rollout: link(r), Rule: string(d.Verdict.Reason), Against: d.Against,
	}
}

func tally(t decisions.Tally) []Tile {
	share, stage, safe := "—", "—", "—"
	if t.Decisions > 0 {
		share = percent(float64(t.Automatic) / float64(t.Decisions))
	}
	if t.InStage > 0 {
		stage = length(t.InStage)
	}
	if t.ToSafe > 0 {
		safe = length(t.ToSafe.Round(time.Millisecond))
	}
	return []Tile{
		{count(int64(t.Decisions)), "decisions, " + number(t.PerWeek) + " a week"}, {share, "made by the controller"}, {count(int64(t.Overrides)), "against the recommendation"},
		{count(int64(t.Rollbacks)), "rollbacks"}, {stage, "in a stage (median)"}, {safe, "until proven safe (median)"},
	}
}

func decisionFilter(f Frame, q url.Values) Form {
	all := Option{"", "all"}
	return Form{ID: "filter", Action: f.Here(), Get: true, Button: "Show", Fields: []Field{
		{Name: "environment", Kind: AsHidden, Value: f.Environment},
		{Name: "rollout", Label: "Rollout", Kind: AsLine, Value: q.Get("rollout"), Hint: "production/my-flag/1"},
		{Name: "flag", Label: "Flag", Kind: AsLine, Value: q.Get("flag")},
		{Name: "owner", Label: "Owner", Kind: AsLine, Value: q.Get("owner")},
		{Name: "action", Label: "Decision", Kind: AsChoice, Value: q.Get("action"), Options: []Option{all, {"expand", "expand"}, {"pause", "pause"}, {"rollback", "rollback"}, {"reduce", "reduce"},
			{"ship", "ship"}, {"review", "review"}, {"cleanup", "cleanup"}}},
		{Name: "by", Label: "By", Kind: AsChoice, Value: q.Get("by"), Options: []Option{all, {"controller", "the controller"}, {"people", "people"}}},
		{Name: "since", Label: "Since", Kind: AsLine, Value: q.Get("since"), Hint: "7d"},
		{Name: "overridden", Label: "Against the recommendation", Kind: AsTick, Value: strconv.FormatBool(q.Get("overridden") == "true")},
	}}
}

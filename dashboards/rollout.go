package dashboards

import (
	"net/url"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
)

// Rollout is the page of one rollout: where it stands and why, what it waits
// for and of whom, what was decided, and how to take it back. What was measured
// has a page of its own.
type Rollout struct {
	Frame
	Title      Title
	Tabs       []Tab
	Buttons    []Button // what this person can do now, the most urgent first
	Asked      *Awaited // nil: it waits for nobody
	Lead       string   // the result in one sentence
	Next       string   // what happens next, or what it waits for; empty: nothing
	Banner     *Banner  // at most one, see Loudest; nil: none
	Gate       Gate
	Ramp       chart.Chart
	Deployed   []Deployed
	Guards     []Guard // the worst first
	Calm       []Guard // those that there is no room for at first sight
	Others     string  // how the metrics stand that guard nothing
	Readout    string  // address of all that was measured
	Exposures  Exposures
	Traffic    []Traffic
	Wrongs     []Wrong // incidents that are open
	Conditions []Condition
	Agreeing   *Agreeing // nil: nobody has to agree
	Safety     Safety
	Plan       *PlanText  // the tab of the plan, alone; nil: another tab
	Decisions  []Decision // the newest first
	Before     []Decision // those that there is no room for at first sight, likewise
	Earlier    string     // address of all of them, when there are more
	Acts       []Act      // commands for those who have no buttons, the most urgent first
	Cleanup    Cleanup
	AsOf       AsOf
}

func (Rollout) template() string { return "rollout" }

// Drawn reports whether there is anything to draw over time.
func (r Rollout) Drawn() bool { return len(r.Ramp.Shapes) > 0 }

// NewRollout makes the page of a rollout. json is the address of the same
// values as JSON, empty for none.
func NewRollout(f Frame, s Seen, json string, now time.Time) Rollout {
	v, _ := s.verdict()
	out, deployed := measure(s), deployments(s.Evidence)
	x := exposures(s)
	page := Rollout{
		Frame: f, Title: newTitle(s), Tabs: tabs(s.Rollout, false), Asked: awaits(s.Ask), Lead: lead(s, out), Next: upNext(s), Banner: Loudest(banners(v.Checks)), Gate: newGate(s),
		Ramp: ramp{s.Rollout, now, deployed}.chart(), Deployed: deployed, Guards: guards(out), Others: others(out), Readout: "/readouts/" + s.Rollout.ID,
		Exposures: x, Traffic: traffic(x, s.Rollout.Plan.Arms, s.Counted), Wrongs: wrongs(s.Incidents), Conditions: conditions(s, f.Rights.Decide),
		Agreeing: agreeing(s.Agreement), Safety: newSafety(s), Cleanup: newCleanup(s.Rollout, now), AsOf: newAsOf(s, json, now),
	}
	if len(page.Guards) > mostGuards {
		page.Guards, page.Calm = page.Guards[:mostGuards], page.Guards[mostGuards:]
	}
	page.list(s.Rollout)
	page.act(s)
	return page
}

// list puts the newest decisions first, and keeps as many as there is room for.
func (r *Rollout) list(of decisions.Rollout) {
	r.Decisions = history(of)
	slices.Reverse(r.Decisions)
	if len(r.Decisions) > mostListed {
		r.Decisions, r.Earlier = r.Decisions[:mostListed], "/decisions?"+url.Values{"rollout": {of.ID}}.Encode()
	}
	if len(r.Decisions) > mostShown {
		r.Decisions, r.Before = r.Decisions[:mostShown], r.Decisions[mostShown:]
	}
}

// What the page of a rollout has room for at first sight.
const (
	mostListed = 50 // decisions
	mostShown  = 8  // of them without unfolding anything
	mostGuards = 8  // guardrails
)

// NewRolloutPlan makes the tab with the plan of a rollout, which yaml holds.
func NewRolloutPlan(f Frame, s Seen, yaml, json string, now time.Time) Rollout {
	page := Rollout{
		Frame: f, Title: newTitle(s), Tabs: tabs(s.Rollout, true), Plan: newPlanText(s, yaml, f.Rights.Write), AsOf: newAsOf(s, json, now),
	}
	page.act(s)
	return page
}

// act offers what can be done: buttons to those who may, commands to others.
func (r *Rollout) act(s Seen) {
	if !r.Rights.Decide {
		r.Acts = acts(s)
		if slices.ContainsFunc(r.Acts, func(a Act) bool { return a.Command == r.Safety.Command }) {
			r.Safety.Command = "" // it stands there already
		}
		return
	}
	var wants decisions.Wanted
	if s.Ask != nil {
		wants = s.Ask.What
	}
	r.Buttons = buttons(s.Rollout, s.Can, wants)
}

func tabs(r decisions.Rollout, plan bool) []Tab {
	return []Tab{{"Now", link(r), !plan}, {"Plan", link(r) + "?tab=plan", plan}, {"Readout", "/readouts/" + r.ID, false}}
}

// Act is something that a person can do about a rollout, with the command that
// does it.
type Act struct {
	Title   string // "Roll back"
	Text    string // what it does
	Command string
}

// Title is the head of a rollout's pages.
type Title struct {
	Flag        string
	Environment string
	N           int    // the n-th rollout of this flag here
	Link        string // of the rollout's page
	Owner       string
	Unit        string
	Hypothesis  string
	Links       []string // addresses of what the plan refers to
	Status      Mark
	Since       time.Time // when it got this status; zero: unknown
	Stages      []Stage
	Reach       string // who gets the treatment: "5 % of units get gate_40"
}

// Gate is the way to the next stage: every check in the order it is asked.
type Gate struct {
	Title     string // "Gate from canary to experiment"
	Sentence  string // the verdict in words
	Evaluated time.Time
	Next      time.Time // when it is looked at again; zero: when a person acts
	Left      string    // how long it waits for time and traffic: "about 3 h"; empty: nothing of that is open, or nobody knows
	Checks    []Check
}

// Check is one item of a gate.
type Check struct {
	Mark Mark
	Name string // "minimum units"
	Have string // "8 412 of 8 000 per arm", with its units
}

// Exposures counts who saw what.
type Exposures struct {
	Arms    []Arm
	Ratio   Mark     // Passed, Failed or Waiting: is the split as planned?
	P       float64  // of the sample ratio; NaN: not tested yet
	TwoArms int64    // units that saw two arms, kept out of the analysis
	Total   int64    // exposure events counted
	Astray  []string // what to do about exposures of units of other kinds, one sentence each
}

// Arm is one arm with its units.
type Arm struct {
	Name     string // "control (gate_30)"
	Units    int64
	Expected float64 // share that the allocation gives it, 0 to 1
}

// Units returns how many units all arms have together.
func (e Exposures) Units() int64 {
	var n int64
	for _, a := range e.Arms {
		n += a.Units
	}
	return n
}

// Share returns which part of all units an arm has; 0 when there are none.
func (e Exposures) Share(a Arm) float64 {
	if n := e.Units(); n > 0 {
		return float64(a.Units) / float64(n)
	}
	return 0
}

// Decision is one line of the history.
type Decision struct {
	Number int // from 1, in the order of the log
	Mark   Mark
	At     time.Time
	Change string // "canary → experiment"; empty: the stage stayed
	Reason string
	Who    string // "controller" or a person
	Hash   string // SHA-256 of the evidence, hexadecimal digits; empty: none
	Link   string // of its record; empty: none
}

// Cleanup says what remains to be done when the rollout is over.
type Cleanup struct {
	EndState string // "promote"; empty: none was agreed
	Due      time.Time
	Ticket   string // URL
	State    string // "due 30 days after the final decision"
	Link     string // of the page of it
}

package dashboards

import "time"

// Rollout is the page of one rollout: where it stands and why, what was
// measured, what was decided, and how to take it back.
type Rollout struct {
	Frame
	Title  Title
	Lead   string  // the result in one sentence
	Banner *Banner // at most one, see Loudest; nil: none
	Gate   Gate
	Readout
	Exposures Exposures
	Decisions []Decision // in the order they were made
	Acts      []Act      // what a person can do now, the most urgent first
	Cleanup   Cleanup
	AsOf      AsOf
}

func (Rollout) template() string { return "rollout" }

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
}

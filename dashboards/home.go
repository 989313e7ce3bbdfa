package dashboards

import "time"

// Home is the board of rollouts: lanes by who must act next.
type Home struct {
	Frame
	Lanes []Lane // always the four of NewHome, in order, when there is any rollout
	Empty string // the command that fills an empty board
	AsOf  AsOf
}

func (Home) template() string { return "home" }

// Lane is one column of the board.
type Lane struct {
	ID    Anchor // "needs-you"
	Name  string // "Needs you"
	Hint  string // what belongs here, shown while it is empty
	Cards []Card
}

// Card is one rollout on the board.
type Card struct {
	Flag        string
	Environment string
	Owner       string
	Unit        string // what is assigned: "player"
	Link        string // of the rollout's page
	Status      Mark
	Need        string // what is asked of a person; empty: nothing
	Stages      []Stage
	Reach       string // who gets the treatment: "5 % of units get gate_40"
	Lights      []Light
	Gate        string        // why it is where it is, and how long
	Age         time.Duration // since it started
}

// Stage is one step of a plan, as a pip.
type Stage struct {
	Name string // "canary"
	Step Step
}

// Step says where a stage stands.
type Step string

// The steps of a stage.
const (
	Done  Step = "done"
	Now   Step = "now"
	Ahead Step = "ahead"
	Left  Step = "stopped" // the rollout ended here
)

// Glyph returns the pip of a stage.
func (s Step) Glyph() string {
	switch s {
	case Done:
		return "●"
	case Now:
		return "◐"
	case Left:
		return "✕"
	}
	return "○"
}

// Light is one guardrail on a card, in words.
type Light struct {
	Metric string
	Mark   Mark
}

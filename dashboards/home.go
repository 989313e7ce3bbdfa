package dashboards

import (
	"strconv"
	"strings"
	"time"
)

// Home is the board of rollouts: lanes by who must act next.
type Home struct {
	Frame
	Lanes []Lane   // always the four of NewHome, in order, when there is any rollout
	Empty []string // the commands that fill an empty board
	CSV   string   // address of the same as a table
	AsOf  AsOf
}

// Table is the board as rows with a head: those cards that it shows.
func (h Home) Table() [][]string {
	rows := [][]string{{"lane", "environment", "flag", "rollout", "owner", "unit", "status", "stage", "reach", "guardrails", "gate", "need", "asked", "age_seconds"}}
	for _, l := range h.Lanes {
		for _, c := range l.Cards {
			var lights []string
			for _, g := range c.Lights {
				lights = append(lights, g.Metric+": "+string(g.Mark))
			}
			rows = append(rows, []string{l.Name, c.Environment, c.Flag, strconv.Itoa(c.N), c.Owner, c.Unit, string(c.Status), c.stage(), c.Reach,
				strings.Join(lights, "; "), c.Gate, c.Need, c.Asked, strconv.Itoa(int(c.Age.Seconds()))})
		}
	}
	return rows
}

// stage names the stage that a card is in.
func (c Card) stage() string {
	for _, s := range c.Stages {
		if s.Step == Now || s.Step == Left {
			return s.Name
		}
	}
	return ""
}

func (Home) template() string { return "home" }

// Lane is one column of the board.
type Lane struct {
	ID    Anchor // "needs-you"
	Name  string // "Needs you"
	Hint  string // what belongs here, shown while it is empty
	Cards []Card // those that will need a person next first
	Tally int    // how many there are
	More  string // address that shows them all; empty: it does
}

// Card is one rollout on the board.
type Card struct {
	Flag        string
	Environment string
	N           int // the n-th rollout of this flag here
	Owner       string
	Unit        string // what is assigned: "player"
	Link        string // of the rollout's page
	Status      Mark
	Need        string // what is asked of a person; empty: nothing
	Stages      []Stage
	Reach       string        // who gets the treatment: "5 % of units get gate_40"
	Lights      []Light       // the guardrails that matter most now
	Unlit       int           // how many more there are
	Gate        string        // why it is where it is, and how long
	Age         time.Duration // since it started
	Asked       string        // who is asked for what it needs; empty: nobody
	Turn        time.Time     // when it needs a person next, as far as that can be told
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

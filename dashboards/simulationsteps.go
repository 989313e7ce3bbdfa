package dashboards

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// StageChoice is the stages that one flag can be put into.
type StageChoice struct {
	Flag   string
	Name   string // what the address calls the stage
	Back   Fact   // what is shown now, for the next question; without a value: no stage
	Stages []Slider
}

// None reports whether the flag is shown as it is.
func (c StageChoice) None() bool {
	return !slices.ContainsFunc(c.Stages, func(s Slider) bool { return s.Here })
}

// OfFlag is what the address calls a thing of the flag in a place: stage, then
// b.stage, c.stage. What is of the first has no prefix, so that the address of one
// flag is short.
func OfFlag(place int, thing string) string {
	if place == 0 {
		return thing
	}
	return string(rune('a'+place)) + "." + thing
}

func newStageChoice(place int, t Tried) StageChoice {
	return StageChoice{Flag: t.Flag, Name: OfFlag(place, "stage"), Back: Fact{OfFlag(place, "was"), t.Was}, Stages: newSliders(place, t)}
}

// Slider is one stage of a plan, with the share of units that get the treatment
// where that can be moved.
type Slider struct {
	Stage string
	Place int    // in the plan
	Name  string // what the address calls the share of the stage
	Here  bool   // it is shown
	Says  string
	ID    Anchor  // of the slider; empty: the stage has no share
	Share float64 // in percent, as the slider stands
	Fine  bool    // finer than tenths of a percent
}

// MostTreated is where a slider ends: beyond it there would be no control as
// large as the treatment.
func (Slider) MostTreated() int { return 50 }

// Grain is the smallest step of the slider, and its smallest share.
func (s Slider) Grain() float64 {
	if s.Fine {
		return 0.001
	}
	return 0.1
}

func shareName(place, stage int) string { return OfFlag(place, "share"+strconv.Itoa(stage)) }

// newSliders are the stages of the plan of a flag, with their shares.
func newSliders(place int, t Tried) (all []Slider) {
	for i, stage := range t.Rollout.Plan.Stages {
		s := Slider{Stage: stage.Name, Place: i, Name: shareName(place, i), Here: i == t.Stage, Says: promised(stage)}
		if stage.Compares() && i < len(t.Shares) {
			s.ID, s.Share, s.Fine = Anchor(strings.ReplaceAll(s.Name, ".", "-")), inPercent(t.Shares[i]), t.Shares[i]%100 != 0
		}
		all = append(all, s)
	}
	return all
}

// promised is what the plan says of who gets the treatment in a stage.
func promised(s decisions.Stage) string {
	switch s.Kind() {
	case decisions.Serve:
		return "an audience"
	case decisions.Dark:
		return "nobody: it runs in the shadow of control"
	case decisions.Full:
		if s.Holdback > 0 {
			return "everybody but " + s.Holdback.String()
		}
		return "everybody"
	case decisions.Ramp, decisions.Decide:
	}
	return s.Treatment.String() + " by the plan"
}

// inPercent writes a share as a number of percent.
func inPercent(p decisions.Percent) float64 { return float64(p) * 100 / flags.Whole }

// Passage is one way to what is shown: from the stage before, or from where the
// slider was.
type Passage struct {
	From, To string
	Falls    bool // the share gets smaller, so that units are meant to lose the treatment
	Before   []flags.Result
}

// Sticky is what a step does to the treated units.
type Sticky struct {
	Of                string // flag; empty: the only one
	From, To          string
	Stay, Join, Leave int
	Swap              int  // units that changed between the arms
	Falls             bool // it is meant to take the treatment from some
}

// Mark says whether the step moves nobody who was to stay: between the arms
// never, out of the treatment only where the share falls.
func (s Sticky) Mark() Mark {
	if s.Swap > 0 || !s.Falls && s.Leave > 0 || s.Falls && s.Join > 0 {
		return Failed
	}
	return Passed
}

// Text says so in a sentence.
func (s Sticky) Text() string {
	n := func(units int) string { return count(int64(units)) }
	of := "From"
	if s.Of != "" {
		of = s.Of + ", from"
	}
	return fmt.Sprintf("%s %s to %s: %s units keep the treatment, %s get it, %s lose it, and %s move between treatment and control.", of, s.From, s.To, n(s.Stay), n(s.Join), n(s.Leave), n(s.Swap))
}

func newSticky(t Tried, step Passage) Sticky {
	s := Sticky{From: step.From, To: step.To, Falls: step.Falls}
	for i, now := range t.Results {
		was, is := t.treats(step.Before[i]), t.treats(now)
		switch {
		case was && is:
			s.Stay++
		case is && t.lotOf(step.Before[i]) == Control:
			s.Swap++
		case is:
			s.Join++
		case was && t.lotOf(now) == Control:
			s.Swap++
		case was:
			s.Leave++
		}
	}
	return s
}

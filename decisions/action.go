package decisions

import (
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Action is what a verdict says to do, and what a plan asks for when a check
// fails. Its text form is the lower-case word.
type Action string

// The actions, from the mildest.
const (
	Hold     Action = "hold"     // keep the exposure and look again by itself
	Cleanup  Action = "cleanup"  // the release is over; the flag is due for its end state
	Expand   Action = "expand"   // go to the next stage
	Ship     Action = "ship"     // serve the treatment to all
	Review   Action = "review"   // keep the exposure; a person must decide
	Pause    Action = "pause"    // keep the exposure until a person resumes
	Rollback Action = "rollback" // the safe variant for everybody, now; or the previous stage, where the plan says so
	Reduce   Action = "reduce"   // to an earlier stage or a smaller share; people's alone
)

// Actuating reports whether the action changes a flag, so that a decision that
// takes it has exactly one effect.
func (a Action) Actuating() bool { return a == Expand || a == Ship || a.retreats() }

// outranks orders what failing checks ask for: Rollback before Pause before
// Review before Hold.
func (a Action) outranks(b Action) bool { return a.rank() > b.rank() }

func (a Action) rank() int {
	switch a {
	case Rollback:
		return 3
	case Pause:
		return 2
	case Review:
		return 1
	}
	return 0
}

// UnmarshalText implements encoding.TextUnmarshaler. It refuses a word that is
// not an action.
func (a *Action) UnmarshalText(b []byte) error {
	all := []string{string(Hold), string(Cleanup), string(Expand), string(Ship), string(Review), string(Pause), string(Rollback), string(Reduce)}
	for _, word := range all {
		if word == string(b) {
			*a = Action(word)
			return nil
		}
	}
	return event.Invalid{Value: string(b), Why: "is not an action", Fix: "write one of " + strings.Join(all, ", ")}
}

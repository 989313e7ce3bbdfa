package notify

import (
	"context"

	"github.com/sluice-hq/sluice/event"
)

// Teller knows what events mean. Whoever builds the house makes it of the rooms
// whose events they are.
type Teller interface {
	// About says what an event is about, false when nobody is ever told of it:
	// it changes nothing that people care for. The state that it asks is at
	// least as new as the event.
	About(r event.Recorded) (About, bool)
	// Say finds the words, of those environments alone; nil is all. It returns
	// false when there is nothing to say of them.
	Say(ctx context.Context, r event.Recorded, environments []string) (Words, bool, error)
}

// About is what decides who is told of an event.
type About struct {
	Types        []string // the event's own, and what it comes to: "decision.made", "decision.rollback"
	Environments []string // none: all
	Flag         string   // key; empty: it is about none
	Tags         []string // of the flag
	To           []string // webhooks that are told whatever they listen to, as a plan has it
	Effect       bool     // it carries out a decision, which was told itself
}

// Words are what is said of an event.
type Words struct {
	Title string // one line: "production/checkout: rolled back"
	Text  string // why, in sentences; may be empty
	Path  string // of the page that shows it, below the address of this installation
}

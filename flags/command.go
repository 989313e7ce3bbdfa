package flags

import (
	"errors"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// EventType is the type of the one event that flags are changed by, and
// SubjectPrefix what its subject has before the flag's key.
const (
	EventType     = "flag.changed"
	SubjectPrefix = "flag."
)

// Errors of Handle that callers test with errors.Is, next to event.Invalids
// and event.ErrConflict.
var (
	// ErrUnknown says that there is no flag with that key.
	ErrUnknown = errors.New("there is no such flag")
	// ErrUnchanged says that a person's command would change nothing. A
	// command with a Cause is never answered so: it is the effect of a
	// decision and gets recorded.
	ErrUnchanged = errors.New("the flag is already so")
)

// Command asks for changes to one flag that happen together or not at all.
type Command struct {
	ID      event.ID     // of the event; derived when the command answers something
	Key     string       // of the flag
	Expect  event.Expect // revision the author saw; event.Any when it does not matter
	At      time.Time    // when the command was given
	Actor   string       // principal
	Cause   string       // ID of the decision or event behind it; empty when a person acts
	Comment string       // why, for people
	Changes []Change     // carried out in order
}

// Op names what a change does.
type Op string

// The changes there are. Beside Define, Archive and Restore each is of one
// Environment, which the flag's definition must have.
const (
	Define     Op = "define"     // Flag: the whole definition; served audiences, allocations and forced states stay
	Enable     Op = "enable"     //
	Disable    Op = "disable"    // everybody gets the safe variant; Define can enable again
	Force      Op = "force"      // Reason, Decision: the safe variant for everybody until Unforce
	Unforce    Op = "unforce"    //
	Allocate   Op = "allocate"   // Allocation
	Deallocate Op = "deallocate" //
	Serve      Op = "serve"      // Rule: an audience behind the rules; replaces the one of that name
	Unserve    Op = "unserve"    // Name of the served rule
	Expire     Op = "expire"     // Name of the rule whose Until has come; see State.Expired
	Archive    Op = "archive"    // Variant to answer from now on (empty: safe for end state remove, else default); Reason overrides dependants
	Restore    Op = "restore"    //
)

// Change is one semantic change of a command. Op says which fields it reads.
type Change struct {
	Op          Op          `json:"op"`
	Environment string      `json:"environment,omitempty"`
	Flag        *Flag       `json:"flag,omitempty"`
	Allocation  *Allocation `json:"allocation,omitempty"`
	Rule        *Rule       `json:"rule,omitempty"`
	Name        string      `json:"name,omitempty"`
	Reason      string      `json:"reason,omitempty"`
	Decision    string      `json:"decision,omitempty"` // ID; empty when a person forces
	Variant     string      `json:"variant,omitempty"`
}

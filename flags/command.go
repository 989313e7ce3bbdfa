package flags

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
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
	// ErrUnknown says that there is nothing with that key.
	ErrUnknown = errors.New("there is nothing of that name")
	// ErrUnchanged says that a person's command would change nothing. A
	// command with a Cause is never answered so: it is the effect of a
	// decision and gets recorded.
	ErrUnchanged = errors.New("it is already so")
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

// The changes of a flag as a whole and of how it answers. Beside Define, Archive
// and Restore each is of one Environment, which the flag's definition must have.
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
	Adopt      Op = "adopt"      // Name: the set of files that keeps the flag from now on; see Recorded.Set
)

// The changes of a definition, each of one part of it. What they leave is
// checked as a definition is.
const (
	SetDescription    Op = "set-description"    // Description
	SetOwner          Op = "set-owner"          // Owner
	SetPurpose        Op = "set-purpose"        // Purpose
	SetUnit           Op = "set-unit"           // Unit
	SetDefault        Op = "set-default"        // Variant
	SetSafe           Op = "set-safe"           // Variant
	SetDates          Op = "set-dates"          // Dates; none takes them away
	SetCleanup        Op = "set-cleanup"        // Cleanup; none takes it away
	AddTag            Op = "add-tag"            // Tag
	RemoveTag         Op = "remove-tag"         // Tag
	AddVariant        Op = "add-variant"        // Variant, Value
	ChangeVariant     Op = "change-variant"     // Variant, Value
	RemoveVariant     Op = "remove-variant"     // Variant
	AddEnvironment    Op = "add-environment"    // Environment, disabled until it is enabled
	RemoveEnvironment Op = "remove-environment" // Environment
)

// The changes of what a definition says of one Environment.
const (
	AddUnits           Op = "add-units"           // Variant, Units: targeted with it
	RemoveUnits        Op = "remove-units"        // Variant, Units
	AddRule            Op = "add-rule"            // Rule, Place
	ChangeRule         Op = "change-rule"         // Name, Rule: what the rule of that name becomes
	RemoveRule         Op = "remove-rule"         // Name
	MoveRule           Op = "move-rule"           // Name, Place
	AddPrerequisite    Op = "add-prerequisite"    // Prerequisite
	RemovePrerequisite Op = "remove-prerequisite" // Name: key of the other flag
	Copy               Op = "copy"                // From: all that the definition says of that environment; what rollouts left stays
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

	Description  string          `json:"description,omitempty"`
	Owner        string          `json:"owner,omitempty"`
	Purpose      Purpose         `json:"purpose,omitempty"`
	Tag          string          `json:"tag,omitempty"`
	Unit         string          `json:"unit,omitempty"`
	Units        []string        `json:"units,omitempty"` // ids
	Value        json.RawMessage `json:"value,omitempty"` // of the variant, of the flag's type
	Place        int             `json:"place,omitempty"` // of the rule, from 1; 0: last
	Prerequisite *Prerequisite   `json:"prerequisite,omitempty"`
	Dates        *Dates          `json:"dates,omitempty"`
	Cleanup      *Cleanup        `json:"cleanup,omitempty"`
	From         string          `json:"from,omitempty"` // environment that is copied
}

// Reaches returns the environment that the change is made in, "" for one of the
// whole flag, which is a change of all of them whatever environment it names.
func (c Change) Reaches() string {
	switch c.Op {
	case Enable, Disable, Force, Unforce, Allocate, Deallocate, Serve, Unserve, Expire, AddEnvironment, RemoveEnvironment, Copy:
		return c.Environment
	}
	if _, ok := environmentEdits[c.Op]; ok {
		return c.Environment
	}
	return ""
}

// switches are the changes beside edits that people ask for.
var switches = []Op{Define, Enable, Disable, Archive, Restore}

// Ops returns the names of all changes that people ask for, in the order in
// which a person would look for them. What a rollout does is not among them.
func Ops() []string {
	ops := slices.Clone(switches)
	for _, edits := range []map[Op]edit{flagEdits, environmentEdits} {
		ops = append(ops, slices.Sorted(maps.Keys(edits))...)
	}
	names := make([]string, len(ops))
	for i, op := range ops {
		names[i] = string(op)
	}
	return names
}

// asked reports whether the change is one that people ask for.
func (o Op) asked() bool {
	_, edits := editOf(o)
	return edits || slices.Contains(switches, o)
}

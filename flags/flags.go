// Package flags holds what a flag is, how it changes, and what a unit gets.
// It never reads a clock, a file or a network, and it knows nothing of
// rollouts beyond what they leave on a flag: an allocation, served audiences,
// and the forced state.
//
// A flag is defined by a document (Flag), changed by commands, and folded from
// events by State; so is what flags share: segments of units, environments with
// the rules that flags inherit, and policies. A Set is everything that one environment needs to answer,
// compiled:
//
//	state := flags.NewState()
//	e, expect, err := state.Handle(flags.Command{
//		ID: id, Key: "checkout", Actor: "person:ana", At: now, Expect: event.Any,
//		Changes: []flags.Change{{Op: flags.Define, Flag: &flag}},
//	})
//	_, err = log.Append(ctx, e, expect) // then a projection applies it to state
//
//	set := state.Compile("production", nil)
//	r := set.Evaluate("checkout", &flags.Context{TargetingKey: "u-1"})
//
// The order of evaluation is: unknown, archived, disabled, forced,
// prerequisites, targets, rules, imported targeting, allocation, default. Only an allocation's
// answer is analysed.
package flags

import (
	"github.com/sluice-hq/sluice/event"
)

// Flag is the document that defines a flag in all its environments.
type Flag struct {
	Key          string                 `json:"key" yaml:"key"`                                     // letters, digits, '-', '_', '.'; by convention namespace.service.feature
	Description  string                 `json:"description,omitempty" yaml:"description,omitempty"` // what it switches, for people
	Purpose      Purpose                `json:"purpose" yaml:"purpose"`                             // why it exists; decides what cleanup is asked for
	Owner        string                 `json:"owner" yaml:"owner"`                                 // person or team
	Tags         []string               `json:"tags,omitempty" yaml:"tags,omitempty"`
	Type         Type                   `json:"type" yaml:"type"`                                   // of every variant's value
	Variants     Variants               `json:"variants" yaml:"variants"`                           // name -> value
	Default      string                 `json:"default,omitempty" yaml:"default,omitempty"`         // variant for whoever nothing else decides; empty: Safe
	Safe         string                 `json:"safe" yaml:"safe"`                                   // variant when disabled, forced or short of a prerequisite
	CodeDefault  bool                   `json:"codeDefault,omitempty" yaml:"codeDefault,omitempty"` // an imported flag: where Default or Safe is unset nobody gets a variant, and the code decides
	Metadata     map[string]any         `json:"metadata,omitempty" yaml:"metadata,omitempty"`       // texts, numbers and booleans that go out with every answer
	Unit         string                 `json:"unit,omitempty" yaml:"unit,omitempty"`               // what is hashed and analysed; empty: user
	OnCritical   OnCritical             `json:"onCritical,omitempty" yaml:"onCritical,omitempty"`   // what a critical incident does where no rollout is under way; empty: Notify
	Dates        *Dates                 `json:"dates,omitempty" yaml:"dates,omitempty"`
	Cleanup      *Cleanup               `json:"cleanup,omitempty" yaml:"cleanup,omitempty"` // required for release, experiment and permission flags
	Environments map[string]Environment `json:"environments,omitempty" yaml:"environments,omitempty"`
}

// Purpose says why a flag exists.
type Purpose string

// The purposes a flag can have.
const (
	Release     Purpose = "release"     // separates deploying from releasing; ends
	Experiment  Purpose = "experiment"  // answers a question; ends
	Operational Purpose = "operational" // a control that operators keep
	Permission  Purpose = "permission"  // an entitlement; says why it stays
	KillSwitch  Purpose = "kill-switch" // stops something in an emergency
)

// OnCritical says what a critical incident of a flag does while no rollout of it
// is under way; a rollout's plan says it for itself.
type OnCritical string

// What a critical incident can do.
const (
	GoSafe OnCritical = "safe"   // force the safe variant for everybody, at once
	Notify OnCritical = "notify" // tell, and leave the flag to people
)

// Type is the type of every value that a flag can have.
type Type string

// The four value types.
const (
	Boolean Type = "boolean"
	String  Type = "string"
	Number  Type = "number"
	Object  Type = "object"
)

// DefaultUnit is the unit of a flag that names none. Its id is the context's
// targeting key unless the context has an attribute of that name.
const DefaultUnit = "user"

// Dates are the days between which a flag is meant to be on.
type Dates struct {
	On  Date `json:"on,omitempty" yaml:"on,omitempty"`
	Off Date `json:"off,omitempty" yaml:"off,omitempty"`
}

// Cleanup says, before a flag is used, how it will end.
type Cleanup struct {
	Due      event.Duration `json:"due,omitempty" yaml:"due,omitempty"` // after the final decision
	EndState EndState       `json:"endState" yaml:"endState"`
	Why      string         `json:"why,omitempty" yaml:"why,omitempty"`       // keep and permission flags: why it stays
	Review   Date           `json:"review,omitempty" yaml:"review,omitempty"` // keep and permission flags: when that is asked again
	Ticket   string         `json:"ticket,omitempty" yaml:"ticket,omitempty"` // link
}

// EndState says what becomes of a flag.
type EndState string

// The ends a flag can have.
const (
	Promote EndState = "promote" // the winner becomes the code
	Remove  EndState = "remove"  // the new branch is taken out
	Keep    EndState = "keep"    // stays, with a reason and a review date
	Convert EndState = "convert" // becomes another kind of flag or an entitlement
)

// Environment is what a flag does in one environment. Served, Allocation and
// Forced belong to rollouts: defining a flag leaves them as they are.
type Environment struct {
	Enabled       bool           `json:"enabled" yaml:"enabled"` // false: everybody gets Safe
	Prerequisites []Prerequisite `json:"prerequisites,omitempty" yaml:"prerequisites,omitempty"`
	Targets       []Target       `json:"targets,omitempty" yaml:"targets,omitempty"`
	Rules         []Rule         `json:"rules,omitempty" yaml:"rules,omitempty"`           // the first that matches decides
	Targeting     Logic          `json:"targeting,omitempty" yaml:"targeting,omitempty"`   // an imported rule, looked at behind Rules and the inherited ones; no rollout beside it
	Served        []Rule         `json:"served,omitempty" yaml:"served,omitempty"`         // audiences of serve stages, looked at behind Rules
	Allocation    *Allocation    `json:"allocation,omitempty" yaml:"allocation,omitempty"` // nil: no rollout splits this environment
	Forced        *Forced        `json:"forced,omitempty" yaml:"forced,omitempty"`         // nil: not forced
}

// Prerequisite asks that another flag answers a variant.
type Prerequisite struct {
	Flag    string `json:"flag" yaml:"flag"`
	Variant string `json:"variant" yaml:"variant"`
}

// Target gives named units one variant.
type Target struct {
	Variant string   `json:"variant" yaml:"variant"`
	Units   []string `json:"units" yaml:"units"` // ids of the flag's unit
}

// Rule gives whoever its condition matches one variant or a split.
type Rule struct {
	Name  string     `json:"name" yaml:"name"`                       // unique in its environment; part of a split's salt
	When  *Condition `json:"when,omitempty" yaml:"when,omitempty"`   // nil: everybody
	Serve string     `json:"serve,omitempty" yaml:"serve,omitempty"` // variant; either this or Split
	Split []Arm      `json:"split,omitempty" yaml:"split,omitempty"` // weights add up to Whole
	Hash  *HashInput `json:"hash,omitempty" yaml:"hash,omitempty"`   // of an imported split; nil: the split's own salt and the unit's id
	Until Date       `json:"until,omitempty" yaml:"until,omitempty"` // when the rule is taken out: see State.Expired
}

// Condition is a node of a rule's condition tree: either one of All, Any and
// None, or one test of an attribute.
type Condition struct {
	All  []Condition `json:"all,omitempty" yaml:"all,omitempty"`   // every one is met
	Any  []Condition `json:"any,omitempty" yaml:"any,omitempty"`   // at least one is met
	None []Condition `json:"none,omitempty" yaml:"none,omitempty"` // not one is met

	Attribute  string   `json:"attribute,omitempty" yaml:"attribute,omitempty"` // of the context; "targetingKey", or a path with dots into objects
	Op         Operator `json:"op,omitempty" yaml:"op,omitempty"`
	Value      any      `json:"value,omitempty" yaml:"value,omitempty"`           // the one value; either this or Values
	Values     []any    `json:"values,omitempty" yaml:"values,omitempty"`         // any of them, for operators that take several
	IgnoreCase bool     `json:"ignoreCase,omitempty" yaml:"ignoreCase,omitempty"` // operators on text only

	Hash *HashInput `json:"hash,omitempty" yaml:"hash,omitempty"` // of bucket, which has no attribute
}

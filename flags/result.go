package flags

import "encoding/json"

// Reason is OpenFeature's word for how a value came about.
type Reason string

// The reasons that Evaluate gives.
const (
	Static         Reason = "STATIC"          // nothing in the flag depends on the context
	DefaultReason  Reason = "DEFAULT"         // nothing decided for this context
	TargetingMatch Reason = "TARGETING_MATCH" // a target or a rule
	Split          Reason = "SPLIT"           // an allocation, or a rule's split
	Disabled       Reason = "DISABLED"        // disabled or forced
	Errored        Reason = "ERROR"           // see ErrorCode
)

// ErrorCode is OpenFeature's word for what went wrong.
type ErrorCode string

// The error codes that this package gives.
const (
	FlagNotFound   ErrorCode = "FLAG_NOT_FOUND"
	ParseError     ErrorCode = "PARSE_ERROR"
	InvalidContext ErrorCode = "INVALID_CONTEXT"
	General        ErrorCode = "GENERAL" // an imported targeting names no variant, or a list of units is not there
)

// Step is the place in the order of evaluation that decided.
type Step string

// The steps, in order.
const (
	AtUnknown      Step = "unknown"
	AtArchived     Step = "archived"
	AtDisabled     Step = "disabled"
	AtForced       Step = "forced"
	AtPrerequisite Step = "prerequisite" // one is not met
	AtTarget       Step = "target"
	AtRule         Step = "rule"
	AtTargeting    Step = "targeting" // imported JSONLogic
	AtList         Step = "list"      // a list of units that the flag asks for is not there
	AtAllocation   Step = "allocation"
	AtDefault      Step = "default"
)

// Unenrolled says why an allocation left a unit out.
type Unenrolled string

// Why a unit is not enrolled; "" when it is, or when there is no allocation to
// ask.
const (
	NoUnit          Unenrolled = "no_unit"          // the context has no usable unit id
	OutsideAudience Unenrolled = "outside_audience" // not eligible
	OutsideSlice    Unenrolled = "outside_slice"    // its layer gave it to another experiment, or to the holdout
	OutsideCoverage Unenrolled = "outside_coverage" // its enrolment bucket is not below the coverage
)

// Result is what one unit gets for one flag.
type Result struct {
	Key        string          `json:"key"`
	Value      json.RawMessage `json:"value,omitempty"` // shared: do not change; nil when Error is set, and when the code decides
	Variant    string          `json:"variant,omitempty"`
	Reason     Reason          `json:"reason"`
	Error      ErrorCode       `json:"errorCode,omitempty"`
	Type       Type            `json:"type,omitempty"`
	Revision   uint64          `json:"revision,omitempty"` // of the flag
	Step       Step            `json:"step"`
	Rule       string          `json:"rule,omitempty"`       // name, at AtRule
	Rollout    string          `json:"rollout,omitempty"`    // of the allocation in force, also when it left the unit out
	Stage      string          `json:"stage,omitempty"`      //
	Epoch      int             `json:"epoch,omitempty"`      //
	Enrolled   bool            `json:"enrolled"`             // the answer is the allocation's, and analysed
	Unenrolled Unenrolled      `json:"unenrolled,omitempty"` //
	Shadow     string          `json:"shadow,omitempty"`     // variant to run beside this one, whose results nobody sees
	Unit       string          `json:"unit,omitempty"`       // kind
	UnitID     string          `json:"unitId,omitempty"`     // empty when the context has none
	Metadata   map[string]any  `json:"metadata,omitempty"`   // the flag's own; shared: do not change
}

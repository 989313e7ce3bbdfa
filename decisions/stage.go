package decisions

import "github.com/sluice-hq/sluice/flags"

// Stage is one step of a plan: who gets the treatment, and what must hold
// before the next step. Its kind follows from what it says.
type Stage struct {
	Name      string           `json:"name" yaml:"name"`
	Serve     string           `json:"serve,omitempty" yaml:"serve,omitempty"`         // "treatment"
	To        string           `json:"to,omitempty" yaml:"to,omitempty"`               // segment of an audience; with treatment or dark: of those whom the stage is about
	When      *flags.Condition `json:"when,omitempty" yaml:"when,omitempty"`           // audience by condition, likewise
	Units     []string         `json:"units,omitempty" yaml:"units,omitempty"`         // audience by unit: regions, plans
	Treatment Percent          `json:"treatment,omitempty" yaml:"treatment,omitempty"` // share of units; as many get control
	Ramp      *Steps           `json:"ramp,omitempty" yaml:"ramp,omitempty"`           // several stages in one
	Dark      bool             `json:"dark,omitempty" yaml:"dark,omitempty"`           // answers control, runs the treatment in its shadow
	Decide    bool             `json:"decide,omitempty" yaml:"decide,omitempty"`       // the success rule is asked here
	Arms      *Arms            `json:"arms,omitempty" yaml:"arms,omitempty"`           // other variants than the plan's; an arm that is left out is the plan's

	MinWindow Window          `json:"minWindow,omitempty" yaml:"minWindow,omitempty"`
	MaxWindow Window          `json:"maxWindow,omitempty" yaml:"maxWindow,omitempty"` // after it, what is still open goes to Review
	MinUnits  int64           `json:"minUnits,omitempty" yaml:"minUnits,omitempty"`   // per arm
	Exclude   map[string]Size `json:"exclude,omitempty" yaml:"exclude,omitempty"`     // harm to exclude, by metric
	Approve   int             `json:"approve,omitempty" yaml:"approve,omitempty"`     // approvals before the stage is left
	ApproveBy string          `json:"approveBy,omitempty" yaml:"approveBy,omitempty"` // role or team of each: approver, admin, payments-team; empty: whoever may decide

	Holdback Percent `json:"holdback,omitempty" yaml:"holdback,omitempty"` // share that keeps control in the full stage
	Observe  Window  `json:"observe,omitempty" yaml:"observe,omitempty"`   // how long a rollback stays one step away; default 72h

	AdvanceWhen  []Condition `json:"advanceWhen,omitempty" yaml:"advanceWhen,omitempty"`
	PauseWhen    []Condition `json:"pauseWhen,omitempty" yaml:"pauseWhen,omitempty"`
	RollbackWhen []Condition `json:"rollbackWhen,omitempty" yaml:"rollbackWhen,omitempty"`
	Requires     []string    `json:"requires,omitempty" yaml:"requires,omitempty"` // external checks
}

// Steps is a ramp in one line: from, to, and what is done to the share at each
// step.
type Steps struct {
	From  Percent `json:"from" yaml:"from"`
	To    Percent `json:"to" yaml:"to"`
	Times float64 `json:"times,omitempty" yaml:"times,omitempty"`
	Plus  Percent `json:"plus,omitempty" yaml:"plus,omitempty"`
	Every Window  `json:"every,omitempty" yaml:"every"`
}

// Condition is one more reason to advance, pause or roll back. Exactly one
// field is set.
type Condition struct {
	Guardrail string `json:"guardrail,omitempty" yaml:"guardrail,omitempty"`
	Incident  string `json:"incident,omitempty" yaml:"incident,omitempty"` // severity
	Check     string `json:"check,omitempty" yaml:"check,omitempty"`       // external
	Manual    string `json:"manual,omitempty" yaml:"manual,omitempty"`     // owner
}

// Kind says what a stage does.
type Kind string

// The kinds of stages.
const (
	Serve  Kind = "serve"  // the treatment for an audience, outside the analysis
	Ramp   Kind = "ramp"   // a share of units, next to as large a control
	Decide Kind = "decide" // a ramp stage that asks whether to ship
	Full   Kind = "full"   // the treatment for all, but for a holdback
	Dark   Kind = "dark"   // the treatment in the shadow of control
)

// Kind returns what the stage does, "" when it says nothing of it.
func (s Stage) Kind() Kind {
	audience := s.To != "" || s.When != nil || len(s.Units) > 0
	switch {
	case s.Dark:
		return Dark
	case s.Serve != "" && audience:
		return Serve
	case s.Serve != "":
		return Full
	case s.Decide:
		return Decide
	case s.Treatment > 0 || s.Ramp != nil:
		return Ramp
	}
	return ""
}

// Compares reports whether the stage enrols units into equal arms.
func (s Stage) Compares() bool { return s.Kind() == Ramp || s.Kind() == Decide }

// Exposure returns the share of all units that the stage gives the treatment;
// serve stages have none that could be told.
func (s Stage) Exposure() Percent {
	switch s.Kind() {
	case Ramp, Decide:
		return s.Treatment
	case Full:
		return All - s.Holdback
	}
	return 0
}

// shares returns the relative sizes of treatment and control in the stage. In
// the dark everybody answers control, and is watched in the place of treatment.
func (s Stage) shares() (treatment, control Percent) {
	switch s.Kind() {
	case Full:
		return All - s.Holdback, s.Holdback
	case Dark:
		return All, 0
	}
	return All / 2, All / 2
}

package dashboards

import "math"

// Readout is what was measured, one row per metric and treatment arm.
type Readout struct {
	Rows  []Row
	Level float64 // confidence level of all intervals, 0 to 1
}

// Role says what a metric is asked for.
type Role string

// The roles of a metric.
const (
	Success    Role = "success"
	Guardrail  Role = "guardrail"
	Diagnostic Role = "diagnostic"
)

// Row is one metric of one treatment arm against control.
type Row struct {
	Metric    string
	Link      string // of what is told of the metric; empty: nothing more is
	Group     string // what is said of the metric above its arms; empty: nothing
	Role      Role
	Arm       string // the treatment's variant, shown when a readout has several; else empty
	Share     bool   // values are shares of units: shown in percent, differences in percentage points
	Measure   string // unit of measure of the values: "ms"; empty: a plain number
	Lower     bool   // less is better
	Cap       *Cap   // nil: values are not cut
	Control   Level
	Treatment Level
	Lift      *Lift    // nil: nothing can be compared yet, or Counted
	Counted   bool     // failures are compared one by one: there is a verdict and no lift
	Margin    *float64 // how much worse a guardrail tolerates, relative, >= 0; nil: it has none
	Verdict   Mark
	Note      string // the verdict in its own words: "beyond the margin is excluded"
}

// Cap is what the values of units are cut to, from below and from above.
type Cap struct {
	At   float64
	Kept bool // since the first look that could take it; else it is that of the units at hand
}

// Level is the value of one arm.
type Level struct {
	Units int64   // that the value is made of; 0: none
	Value float64 // mean per unit
}

// Lift is treatment against control. Relative values are shares of control's
// mean (0.05 is +5 %) and NaN when control's mean is zero.
type Lift struct {
	Relative float64
	Always   Interval // relative, holds however often one looks
	Fixed    Interval // relative, holds for one look alone
	Bounds   Interval // relative, what the test that decides excludes; zero: the row has no such test
	Absolute float64  // in the metric's unit
}

// Interval is a range of values; an end may be infinite.
type Interval struct{ Lo, Hi float64 }

// Known reports whether both ends are numbers.
func (i Interval) Known() bool { return !math.IsNaN(i.Lo) && !math.IsNaN(i.Hi) }

// Bound returns where on the lift's axis the margin of a row lies: below zero
// when more is better, above when less is better.
func (r Row) Bound() (at float64, ok bool) {
	if r.Margin == nil {
		return 0, false
	}
	if r.Lower {
		return *r.Margin, true
	}
	return -*r.Margin, true
}

// Wanted says in words which direction is better.
func (r Row) Wanted() string {
	if r.Lower {
		return "lower is better"
	}
	return "higher is better"
}

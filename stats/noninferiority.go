package stats

import (
	"math"
	"time"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// ExcludeAlpha is the one-sided error of each test that lets a rollout go on:
// a false ship must pass them all.
const ExcludeAlpha = 0.05

// NonInferiority asks whether the data exclude harm of a size: what a stage
// demands before it advances, and what Ship demands of every guardrail at its
// margin.
//
// Look spends its error over the information planned for that size, Anytime
// may be asked at every batch and needs more data for the same answer. A test
// uses one of them from its start to its end.
type NonInferiority struct {
	Size      float64   `json:"size"` // harm to exclude, above 0: a share of the control mean, or in the metric's unit when Absolute
	Absolute  bool      `json:"absolute,omitempty"`
	Direction Direction `json:"direction"`       // which way is better; empty means Increase
	Alpha     float64   `json:"alpha,omitempty"` // one-sided; zero means ExcludeAlpha
	Power     float64   `json:"power,omitempty"` // at no harm at all; zero means DefaultPower

	Spending groupseq.Spending `json:"spending,omitzero"` // of Look; zero spends next to nothing early
}

// Exclude returns the test that harm of the size is excluded, as one of so many
// tests of a plan. Its error is ExcludeAlpha whatever the guardrail's is; its
// power is such that a harmless change passes all of them with 1 - missed.
func (g Guardrail) Exclude(size float64, tests int) NonInferiority {
	return NonInferiority{Size: size, Absolute: g.Absolute, Direction: g.Direction,
		Power: 1 - missed/float64(max(tests, 1))}
}

// missed is the share of harmless changes that the exclusion tests of a plan may
// fail to pass, all together. At least 80 % are to come through undisturbed, and
// the stop tests take their 5 % of the others first, and success metrics that
// look worse half of theirs.
const missed = 0.2 - 0.05 - 0.05/2

// Exclusion is what the data say about harm of a size.
type Exclusion struct {
	Size     float64    `json:"size"`
	Excluded bool       `json:"excluded"`
	Ended    bool       `json:"ended"`              // the planned information is used up: a further Look changes nothing
	Z        float64    `json:"z"`                  // of "harm is less than the size"
	Critical float64    `json:"critical"`           // that Z must reach now
	LogE     float64    `json:"logE"`               // log e-value against "harm is at least the size"; Anytime only
	Fraction float64    `json:"fraction"`           // of the planned information
	Next     float64    `json:"next,omitempty"`     // clock at which the next look is due; 0 when there is none
	Expected *time.Time `json:"expected,omitempty"` // when the planned information will be there, at the pace so far; whoever knows the time fills it in
	Taken    *Look      `json:"taken,omitempty"`    // the look that this call was, to be recorded; nil when none was due
	Reading             // Bounds of Look are those of the last look, so that they never contradict its answer; before the first they are those of Anytime
}

// Look is one use of a part of the error. The looks of a test are recorded, in
// order, and given back at the next call.
type Look struct {
	Clock    float64 `json:"clock"` // V
	Bound    float64 `json:"bound"` // that Z had to reach
	Z        float64 `json:"z"`
	Excluded bool    `json:"excluded"`

	Bounds *Interval `json:"bounds,omitempty"` // effects that it left, each side at alpha; nil in looks of earlier versions
}

// needed returns the information that Look plans for, at the mixture of arms so
// far: which mixture that will be depends on nothing that is observed, so that
// looks at its twentieths keep their error.
func (n NonInferiority) needed(y yardstick, f Frozen) float64 {
	harm := n.Direction.harm()
	return math.Min(n.inflation()*y.course(harm*n.Size, 0, unit(n.Absolute, f), f).once(n.Alpha, n.Power), mostInformation)
}

const methodAnytime = "non-inferiority by a one-sided mixture e-process, sound at every look"

// Anytime says whether the data exclude the size. It may be asked at every
// batch, without a plan and without memory.
func (n NonInferiority) Anytime(strata []Stratum, f Frozen) Exclusion {
	n = n.defaults()
	e, y, ok := n.start(methodAnytime, strata, f)
	if !ok {
		return e
	}
	t, p := y.beyond(n.Size, n.Direction.harm()), n.process(y, f)
	e.LogE, e.Critical = p.one(t.mirrored()), p.critical(t, n.Alpha)
	e.Excluded = e.LogE >= -math.Log(n.Alpha)
	return e
}

// start checks the question and reads the data. The score is that of harm in
// excess of the size.
func (n NonInferiority) start(method string, strata []Stratum, f Frozen) (Exclusion, yardstick, bool) {
	e := Exclusion{Reading: nothing(method, nil)}
	if e.Refused = first(n.fault(), fault(strata), f.ready()); e.Refused != nil {
		return e, yardstick{}, false
	}
	e.Size = n.Size
	y := measured(tallied(strata, f), n.Absolute, f)
	t := y.beyond(n.Size, n.Direction.harm())
	switch {
	case unit(n.Absolute, f) == 0:
		e.Refused = refuse(Unbounded, "control", "the control mean was 0 when it was frozen, so that a relative size has no meaning")
	case t.V == 0:
		e.Refused = noVariance
	}
	if e.Refused != nil {
		return e, yardstick{}, false
	}
	e.Reading = y.shown(f).read(n.process(y, f), n.Alpha)
	e.Clock, e.Information, e.Needed = t.V, t.V, n.needed(y, f)
	e.Doubt = Doubt{Method: method, Assumptions: []string{assumeUnits, assumeNormal, assumeFrozen}}
	e.weigh(strata, f)
	e.Z = t.mirrored().z()
	e.Fraction = t.V / e.Needed
	return e, y, true
}

// planned is the information that Anytime is sharpest at, which must not move
// with the mixture of arms: about what one look needs of equal arms, in the clock
// of the contrast with the size.
func (n NonInferiority) planned(y yardstick, f Frozen) float64 {
	return needed(n.Size*unit(n.Absolute, f), n.Alpha, n.Power) * y.spread(n.Direction.harm()*n.Size)
}

func (n NonInferiority) process(y yardstick, f Frozen) process {
	return tuned(n.planned(y, f), 2*n.Alpha)
}

func (n NonInferiority) defaults() NonInferiority {
	n.Alpha, n.Power = or(n.Alpha, ExcludeAlpha), or(n.Power, DefaultPower)
	if n.Direction == "" {
		n.Direction = Increase
	}
	return n
}

func (n NonInferiority) fault() *Refusal {
	switch {
	case !(n.Size > 0) || !finite(n.Size):
		return refuse(BadInput, "margin", "a size to exclude is a number above 0: a margin of 0 can only stop, never prove")
	case n.Direction != Increase && n.Direction != Decrease:
		return refuse(BadInput, "direction", "a direction is increase or decrease")
	}
	return first(sensible(n.Alpha, n.Power), worded(n.Spending.Fault()))
}

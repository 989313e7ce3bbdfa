package stats

import (
	"errors"
	"math"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// Sequence is the looks of a comparison at planned times. Its times must not
// depend on what the looks before said.
type Sequence struct {
	// Information is that at the looks so far, the present one last, as fractions
	// of what was planned; from 1 on the looks are over.
	Information []float64 `json:"information"`

	// Spending says how the error is spent. Design, when it is given, is a
	// classical form instead, for so many equally spaced Looks.
	Spending groupseq.Spending `json:"spending,omitzero"`
	Design   string            `json:"design,omitempty"` // "pocock" or "obrien-fleming"; empty: Spending
	Looks    int               `json:"looks,omitempty"`  // that were planned, of Design
}

// Looked is a comparison at a look of a Sequence.
type Looked struct {
	Interval Interval `json:"interval"` // effects that no look so far excludes by its bound: the repeated confidence interval
	P        float64  `json:"p"`        // the least error at which this look would have excluded zero
	Z        float64  `json:"z"`
	Critical float64  `json:"critical"` // that Z has to reach
	Spent    float64  `json:"spent"`    // error used up by the looks so far
	Crossed  bool     `json:"crossed"`
}

const (
	methodSequence = "group-sequential looks at planned information; "
	warnOpenLook   = "at this look the control mean cannot be told from 0: its interval has no bounds yet"
	assumeLooks    = "the times of the looks did not depend on what the looks before said"
)

// looked fills in the answer of a look [JT, chapter 9].
func (k contrast) looked(c *Comparison, o Options) {
	b, err := o.Sequence.boundary(o.Alpha, o.sides())
	if err != nil {
		return // unreachable unless fault has let a sequence pass that is none
	}
	last := len(o.Sequence.Information) - 1
	l := Looked{Critical: b.Z[last], Spent: b.Spent[last], P: 1}
	radius := denormalized(l.Critical, c.DF)
	l.Z = normalized(k.statistic(c, o), c.DF)
	l.Interval = k.interval(c, o, radius)
	if k.unbounded(o, radius) {
		c.warn(warnOpenLook)
	} else {
		z := o.toward(l.Z)
		l.Crossed, l.P = z >= l.Critical, o.Sequence.p(z, o.sides(), last)
	}
	c.Looked = &l
	c.Method = methodSequence + c.Method
	c.Assumptions = append(c.Assumptions, assumeLooks)
}

// toward returns z in the direction that the options look in.
func (o Options) toward(z float64) float64 {
	switch o.Side {
	case Greater:
		return z
	case Less:
		return -z
	}
	return math.Abs(z)
}

func (o Options) sides() int {
	if o.Side == TwoSided {
		return 2
	}
	return 1
}

// boundary returns the bounds of the looks so far, and of a classical design
// those of the looks to come.
func (s Sequence) boundary(alpha float64, sides int) (groupseq.Boundary, error) {
	c := s.classical(alpha, sides)
	if c == nil {
		return groupseq.Design{Alpha: alpha, Sides: sides, Information: s.Information, Spending: s.Spending}.Boundary()
	}
	b, _, err := c.Boundary()
	return b, err
}

// classical returns the classical design, nil when the error is spent otherwise.
func (s Sequence) classical(alpha float64, sides int) *groupseq.Classical {
	if s.Design == "" {
		return nil
	}
	c := groupseq.Classical{Alpha: alpha, Sides: sides, Looks: s.Looks}
	if s.Design == "pocock" {
		c.Delta = 0.5
	}
	return &c
}

// p returns the least error at which the present look would have excluded zero:
// the p-value that never contradicts the interval [JT, section 9.3].
func (s Sequence) p(z float64, sides, look int) float64 {
	most := 0.5*float64(sides) - 1e-9
	if c := s.classical(most, sides); c != nil {
		return math.Min(1, c.Error(z, look))
	}
	excess := func(logAlpha float64) float64 {
		b, err := s.boundary(math.Exp(logAlpha), sides)
		if err != nil {
			return 0 // unreachable unless fault has let a sequence pass that is none
		}
		return z - b.Z[look]
	}
	switch {
	case excess(math.Log(most)) < 0:
		return 1
	case excess(leastLogP) >= 0:
		return math.Exp(leastLogP)
	}
	return math.Exp(root(leastLogP, math.Log(most), excess))
}

// leastLogP is the logarithm of the least p-value that is told.
const leastLogP = -35

// worded returns a fault of a design in the words of refusals.
func worded(err error) *Refusal {
	var f *groupseq.Fault
	if errors.As(err, &f) {
		return refuse(BadInput, f.Field, f.Why)
	}
	return nil
}

// fault says what is wrong with the looks of a comparison, or returns nil.
func (s *Sequence) fault(o Options) *Refusal {
	switch {
	case o.Inference != GroupSequential:
		return nil
	case s == nil || len(s.Information) == 0:
		return refuse(BadInput, "information", "a group-sequential answer needs the information of its looks so far")
	case s.Design == "":
		_, err := s.boundary(o.Alpha, o.sides())
		return worded(err)
	case s.Design != "pocock" && s.Design != "obrien-fleming":
		return refuse(BadInput, "design", "a classical design is pocock or obrien-fleming")
	case len(s.Information) > s.Looks || s.Looks > mostClassicalLooks:
		return refuse(BadInput, "looks", "a classical design has as many looks as it takes at least, and at most 100")
	}
	_, err := s.boundary(o.Alpha, o.sides())
	return worded(err)
}

// mostClassicalLooks keeps the search for a constant within half a second.
const mostClassicalLooks = 100

package calculator

import (
	"errors"
	"math"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/groupseq"
)

// boundaryJSON is the question of boundary: a design that spends its error, or
// a classical one.
type boundaryJSON struct {
	Alpha       *float64  `json:"alpha"`
	Sides       *int      `json:"sides"`
	Information []float64 `json:"information"`
	Looks       *int      `json:"looks"`
	Spending    string    `json:"spending"`
	Rho         *float64  `json:"rho"`
	Gamma       *float64  `json:"gamma"`
	Design      string    `json:"design"`
	Beta        *float64  `json:"beta"`
	Stopped     *stopJSON `json:"stopped"`
}

// stopJSON is where a test ended: at a look, counted from 1, with a Z.
type stopJSON struct {
	Look int      `json:"look"`
	Z    *float64 `json:"z"`
}

type boundaryAnswer struct {
	Information []float64      `json:"information"`
	Z           []float64      `json:"z"`
	Spent       []float64      `json:"spent"`
	Constant    *float64       `json:"constant,omitempty"`  // of a classical design
	Inflation   *float64       `json:"inflation,omitempty"` // with beta
	Stopped     *stoppedAnswer `json:"stopped,omitempty"`
	doubtful
}

// stoppedAnswer is what a test says that ended early: by the stage-wise order,
// and in units of the drift, which is what Z is expected to be at the end.
type stoppedAnswer struct {
	P        float64 `json:"p_value"`
	Estimate float64 `json:"estimate"` // median unbiased
	Low      float64 `json:"ci_low"`
	High     float64 `json:"ci_high"`
}

const (
	assumeIncrements = "the score grows by independent increments, as that of units that come in does"
	assumeTimes      = "the times of the looks do not depend on what was seen"
)

func boundary(in []byte) (any, *stats.Refusal) {
	var q boundaryJSON
	if r := decode(in, &q); r != nil {
		return nil, r
	}
	if r := q.fault(); r != nil {
		return nil, r
	}
	b, a, err := q.bounds()
	if err != nil {
		return nil, faulty(err)
	}
	a.Information, a.Z, a.Spent = b.Information, b.Z, b.Spent
	a.Assumptions, a.Warnings = []string{assumeIncrements, assumeTimes}, []string{}
	if q.Beta != nil {
		inflation := b.Inflation(*q.Beta)
		a.Inflation = &inflation
	}
	if a.Stopped, err = q.Stopped.at(b); err != nil {
		return nil, faulty(err)
	}
	return a, nil
}

// bounds returns the design that was asked for, and what is said of its kind.
func (q boundaryJSON) bounds() (groupseq.Boundary, boundaryAnswer, error) {
	alpha, sides := or(given(q.Alpha), stats.DefaultAlpha), 0
	if q.Sides != nil {
		sides = *q.Sides
	}
	if q.Design == "" {
		s := groupseq.Spending{Family: groupseq.Family(q.Spending), Rho: or(given(q.Rho), 2)}
		if q.Gamma != nil {
			s.Gamma = *q.Gamma
		}
		b, err := groupseq.Design{Alpha: alpha, Sides: sides, Information: q.times(), Spending: s}.Boundary()
		return b, boundaryAnswer{doubtful: doubtful{Method: "alpha spending by numerical integration"}}, err
	}
	c := groupseq.Classical{Alpha: alpha, Sides: sides, Information: q.times()}
	if q.Design == "pocock" {
		c.Delta = 0.5
	}
	b, constant, err := c.Boundary()
	return b, boundaryAnswer{Constant: &constant, doubtful: doubtful{Method: "classical group-sequential design by numerical integration"}}, err
}

// times returns the fractions of the information at the looks: equal steps
// where they are only counted.
func (q boundaryJSON) times() []float64 {
	if q.Looks == nil {
		return q.Information
	}
	t := make([]float64, *q.Looks)
	for i := range t {
		t[i] = float64(i+1) / float64(*q.Looks)
	}
	return t
}

// fault refuses what would be ignored, and what no bounds can be made for.
func (q boundaryJSON) fault() *stats.Refusal {
	switch {
	case q.Design != "" && q.Spending != "":
		return bad("design", "bounds follow from a design or from spending, not both")
	case q.Rho != nil && q.Spending != string(groupseq.Power):
		return bad("rho", "is of the spending power")
	case q.Gamma != nil && q.Spending != string(groupseq.HSD):
		return bad("gamma", "is of the spending hsd")
	case q.Spending == string(groupseq.HSD) && q.Gamma == nil:
		return bad("gamma", "is missing")
	case q.Looks != nil && q.Information != nil:
		return bad("looks", "the looks are counted, or their information is given, not both")
	case q.Looks != nil && (*q.Looks < 1 || *q.Looks > groupseq.MostLooks):
		return bad("looks", "looks are counted from 1 to 1,000")
	case q.Sides != nil && *q.Sides == 0:
		return bad("sides", "a test has one side or two")
	case q.Beta != nil && !(*q.Beta > 0 && *q.Beta < 0.5):
		return bad("beta", "the chance of missing what is there is above 0 and below 0.5")
	}
	return uncarried("design", q.Design, "pocock", "obrien-fleming")
}

// at returns what a test says that ended there.
func (s *stopJSON) at(b groupseq.Boundary) (*stoppedAnswer, error) {
	switch {
	case s == nil:
		return nil, nil
	case s.Look < 1 || s.Look > len(b.Z):
		return nil, &groupseq.Fault{Field: "stopped.look", Why: "is one of the looks, counted from 1"}
	case s.Z == nil || !(math.Abs(*s.Z) <= 40):
		return nil, &groupseq.Fault{Field: "stopped.z", Why: "is a number between -40 and 40"}
	case b.Alpha/float64(b.Sides) >= 0.5:
		return nil, &groupseq.Fault{Field: "alpha", Why: "an interval has an error below 0.5 on each side"}
	}
	look := s.Look - 1
	low, high := b.Interval(look, *s.Z, b.Alpha*2/float64(b.Sides))
	return &stoppedAnswer{P: b.P(look, *s.Z), Estimate: b.Estimate(look, *s.Z), Low: low, High: high}, nil
}

// faulty words what is wrong with a design.
func faulty(err error) *stats.Refusal {
	var f *groupseq.Fault
	if errors.As(err, &f) {
		return bad(f.Field, f.Why)
	}
	return bad("", err.Error())
}

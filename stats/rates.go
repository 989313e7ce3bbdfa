package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

const (
	methodRates  = "exact test of two counts given their sum, with the Clopper-Pearson interval of their ratio"
	methodRated  = "exact test of two counts given their sum, with the normal interval of the difference of the rates"
	assumeCounts = "events fall independently of each other, at a constant rate in each arm"
	warnCounts   = "fewer than ten events in an arm: the normal interval of the difference is coarse"
)

// CompareRates compares the rates of two counts at one look, Traffic being what
// they come from: units, requests, hours. Given their sum, the count of
// treatment is binomial with a share that tells the ratio of the rates
// (Przyborowski & Wilenski 1940), so that test and interval of that ratio are
// exact for the smallest counts. A count of 0 has no ratio; Events judges that.
func CompareRates(c EventCounts, o Options) Comparison {
	o = o.defaults()
	out := Comparison{Relative: o.Relative, Inference: o.Inference, P: 1, BandP: 1, Fixed: Open(), Band: Open()}
	if out.Refused = first(o.fault(), Events{}.defaults().fault([]EventCounts{c.scaled()}), c.empty(o)); out.Refused != nil {
		return out
	}
	x, y := float64(c.Treatment), float64(c.Control)
	yt, yc := x/c.Traffic[1], y/c.Traffic[0]
	out.Control, out.Treatment = Arm{c.Control, yc}, Arm{c.Treatment, yt}
	out.P = c.exact(o.Side)
	out.Doubt = Doubt{Assumptions: []string{assumeCounts, assumeOneLook}}
	if o.Relative {
		out.Method = methodRates
		out.Estimate, out.SE = yt/yc-1, yt/yc*math.Sqrt(1/x+1/y)
		out.Fixed = c.clopper(o)
	} else {
		out.Method = methodRated
		out.Estimate, out.SE = yt-yc, math.Hypot(math.Sqrt(x)/c.Traffic[1], math.Sqrt(y)/c.Traffic[0])
		out.Fixed = o.Side.around(out.Estimate, quantiles{alpha: o.Alpha, side: o.Side}.critical()*out.SE)
		if min(x, y) < 10 {
			out.warn(warnCounts)
		}
	}
	out.Statistic = out.Estimate / out.SE
	if (out.P < o.Alpha) == out.Fixed.Contains(0) {
		out.warn(warnBorderline)
	}
	return out
}

// scaled returns the counts with traffic in shares.
func (c EventCounts) scaled() EventCounts {
	all := c.Traffic[0] + c.Traffic[1]
	c.Traffic[0], c.Traffic[1] = c.Traffic[0]/all, c.Traffic[1]/all
	return c
}

// empty refuses counts without a ratio, and answers that counts do not have.
func (c EventCounts) empty(o Options) *Refusal {
	switch {
	case o.Inference != FixedHorizon && o.Inference != "":
		return refuse(BadInput, "inference", "two counts are compared at one look; at every look they are judged by events")
	case c.Control == 0:
		return refuse(ZeroVariance, "control.count", "no events in an arm: there is no ratio; counts of failures are judged by events")
	case c.Treatment == 0:
		return refuse(ZeroVariance, "treatment.count", "no events in an arm: there is no ratio; counts of failures are judged by events")
	}
	return nil
}

// exact returns the p-value of equal rates: with two sides twice that of the
// side that the counts are on, as the interval has it.
func (c EventCounts) exact(s Side) float64 {
	x, y, share := float64(c.Treatment), float64(c.Control), c.share(1)
	more, fewer := mathext.RegIncBeta(x, y+1, share), mathext.RegIncBeta(y, x+1, 1-share)
	switch s {
	case Greater:
		return more
	case Less:
		return fewer
	}
	return math.Min(1, 2*math.Min(more, fewer))
}

// clopper returns the relative changes of the rate that the counts do not
// exclude (Clopper & Pearson 1934).
func (c EventCounts) clopper(o Options) Interval {
	x, y, tail := float64(c.Treatment), float64(c.Control), o.Alpha
	if o.Side == TwoSided {
		tail /= 2
	}
	change := func(share float64) float64 { return share/(1-share)*c.Traffic[0]/c.Traffic[1] - 1 }
	i := Open()
	if o.Side != Less {
		i.Low = change(mathext.InvRegIncBeta(x, y+1, tail))
	}
	if o.Side != Greater {
		i.High = change(1 - mathext.InvRegIncBeta(y, x+1, tail))
	}
	return i
}

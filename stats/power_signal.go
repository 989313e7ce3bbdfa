package stats

import "math"

// signal is how far the truth is from the hypothesis that a test shall reject,
// and how noisy the estimate of that is with one unit of control.
type signal struct {
	distance    float64 // in the direction that rejects; not above 0: the test cannot see it
	null, truth float64 // standard deviation of the estimate as the test takes it, and as it is
	vc, vt      float64 // parts of truth² that control and treatment have
	share       float64 // treated units for each of control
	cluster     float64 // units of a cluster
	t           bool    // the test takes its noise from the data
}

// signal returns that of an effect, or of a margin to exclude. Effects are
// shares of control's level unless the design is absolute.
func (d Design) signal(size float64) signal {
	if d.Margin != 0 {
		return d.excluding(size)
	}
	level, moved, r := d.Metric.Level, d.moved(size), 1.0
	if !d.Absolute {
		// By the delta method [DKL, section 2]. Where control is known poorly the
		// comparison takes Fieller's interval, which is less sharp for a loss.
		r = math.Max(1, moved/level)
	}
	s := d.noise(r, moved)
	s.distance = d.Side.along(size) * d.unit()
	if d.Absolute && d.Metric.Kind == KindProportion { // the test takes both arms for one
		both := d.Metric.variance((level + s.share*moved) / (1 + s.share))
		s.null = math.Sqrt(both * (1 + 1/s.share))
	}
	return s
}

// excluding returns the signal of harm that is less than a margin, where the
// true effect is the design's: the contrast of a gate, y_t − r y_c. The test
// takes the noise of proportions from the margin.
func (d Design) excluding(margin float64) signal {
	harm := d.Direction.harm()
	r := 1.0
	if !d.Absolute {
		r += harm * margin
	}
	moved := d.moved(d.Effect)
	s := d.noise(r, moved)
	s.distance = (margin - harm*d.Effect) * d.unit()
	if d.Metric.Kind == KindProportion {
		pc, pt := counts{xc: d.Metric.Level, nc: 1, xt: moved * s.share, nt: s.share}.atMargin(harm*margin, r)
		s.null = math.Sqrt(r*r*d.Metric.variance(pc) + d.Metric.variance(pt)/s.share)
	}
	return s
}

// noise is that of y_t − r y_c.
func (d Design) noise(r, moved float64) signal {
	s := signal{share: d.share(), cluster: 1, t: d.Metric.Kind != KindProportion}
	if d.Metric.Cluster != nil {
		s.cluster = d.Metric.Cluster.Mean
	}
	s.vc, s.vt = r*r*d.Metric.variance(d.Metric.Level), d.Metric.variance(moved)/s.share
	s.truth = math.Sqrt(s.vc + s.vt)
	s.null = s.truth
	return s
}

// unit is what an effect of 1 means in the metric's unit.
func (d Design) unit() float64 {
	if d.Absolute {
		return 1
	}
	return math.Abs(d.Metric.Level)
}

// moved is the level of treatment under an effect.
func (d Design) moved(effect float64) float64 { return d.Metric.Level + effect*d.unit() }

// along returns how large an effect is on the side that is looked for.
func (s Side) along(effect float64) float64 {
	switch s {
	case Greater:
		return effect
	case Less:
		return -effect
	}
	return math.Abs(effect)
}

// shift is the mean of the test statistic with n units of control.
func (s signal) shift(n float64) float64 { return s.distance / s.truth * math.Sqrt(n) }

// df are the degrees of freedom that Welch's test has (Satterthwaite 1946), 0
// for a test that needs none, −1 where an arm has too few units.
func (s signal) df(n float64) float64 {
	if !s.t {
		return 0
	}
	nc, nt := n/s.cluster, n*s.share/s.cluster
	if min(nc, nt) < 2 {
		return -1
	}
	v := s.vc + s.vt
	df := v * v / (s.vc*s.vc/(nc-1) + s.vt*s.vt/(nt-1))
	if df > 1e6 {
		return 0
	}
	return df
}

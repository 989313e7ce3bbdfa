package stats

import "math"

// A quantile is known as well as the share of events below it is [WOO]: q̂ lies
// between the quantiles at ν ± z σ, with σ the standard error of that share.
// Events of one unit are alike, so that σ is that of a ratio over units ([DKL,
// section 4]; Yao, Li & Lu 2024, arXiv 2401.14549, algorithm 1). [WOO]: Woodruff
// 1952, J. Am. Stat. Assoc. 47:635.

// woodruff is how many σ the share is moved to see how much the quantile does.
const woodruff = 1.959963984540054

// beyond is how many σ of the share must fit between a quantile and the ends:
// about nine events beyond it, fewer leave it biased.
const beyond = 3

// tied are the distances in σ of which the one with the widest quantiles is taken
// where many events share a bucket: nearer ones may not leave it, and the
// quantile would look certain just before it jumps.
var tied = [...]float64{1, 1.5, 2, 2.5, 3, 3.5, 4, 5}

// QuantileEstimate returns the sample of a quantile that is known by its
// estimate over n units, and the standard error of that.
func QuantileEstimate(n int64, estimate, se float64) Sample {
	m := Moments{N: n, Mean: estimate}
	if n > 1 {
		m.M2 = se * se * float64(n) * float64(n-1)
	}
	return Sample{Kind: KindQuantile, N: n, Moments: m}
}

// share returns the standard error of the share of events that lie below the
// quantile, events being clustered in units.
func (s Sample) share() float64 {
	nu := s.Distribution.Nu
	return math.Sqrt(nu * (1 - nu) * s.design() / float64(s.Distribution.Events))
}

// design returns by how much the clustering multiplies the variance of a share,
// seen at the upper end of the estimate's bucket. Where that is the last bucket
// nothing is seen, and the events of a unit are taken to be all alike.
func (s Sample) design() float64 {
	f, events := s.ratio(), s.Distribution.Events
	if independent := f * (1 - f) / float64(events); independent > 0 {
		return s.linearised() / float64(s.N) / independent
	}
	n := s.Joint.Means[1]
	return (s.Joint.Of(1, 1)/float64(s.N) + n*n) / n
}

// locatable reports whether enough events lie on both sides of the quantile.
func (s Sample) locatable() bool {
	d := s.Distribution
	if d == nil {
		return s.N >= 2
	}
	if d.Events == 0 || s.N < 2 || s.Joint == nil || s.Joint.Means[1] <= 0 {
		return false
	}
	far := beyond * s.share()
	return d.Nu-far > 0 && d.Nu+far < 1
}

// located returns the variance of the quantile times the units, as the variance
// of a mean's values is. Half a bucket is what the middle may be off by.
func (s Sample) located() float64 {
	d, sd := s.Distribution, 0.0
	at, _ := d.At()
	if len(d.Buckets) > 1 {
		sd = d.moved(at, s.share())
	}
	half := (width(at) - 1) / 2 * d.Scale
	return float64(s.N) * (sd*sd + half*half)
}

// moved returns how much the quantile moves with the share, for one standard
// error of that.
func (d Distribution) moved(at int, share float64) float64 {
	span := func(z float64) float64 { return (d.Quantile(d.Nu+z*share) - d.Quantile(d.Nu-z*share)) / (2 * z) }
	if d.held(at) <= share*float64(d.Events) {
		return span(woodruff)
	}
	widest := 0.0
	for _, z := range tied {
		widest = max(widest, span(z))
	}
	return widest
}

// held returns how many events are in a bucket.
func (d Distribution) held(bucket int) float64 {
	for _, b := range d.Buckets {
		if b.I == bucket {
			return float64(b.N)
		}
	}
	return 0
}

// Quantile returns the value that a share of the events do not exceed, the
// events of a bucket spread evenly over it.
func (d Distribution) Quantile(share float64) float64 {
	left := share * float64(d.Events)
	for i, b := range d.Buckets {
		n := float64(b.N)
		if left <= n || i == len(d.Buckets)-1 {
			within := min(max(left/n, 0), 1)
			return (Middle(b.I) + (within-0.5)*width(b.I)) * d.Scale
		}
		left -= n
	}
	return 0
}

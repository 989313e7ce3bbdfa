package stats

import "math"

// watch is the way of an e-process over failures, one after the other: each is
// the suspected arm's with the same probability. kept[j] is the probability
// that j failures have not reached the threshold.
type watch struct {
	rule    EventCounts // traffic alone: of the suspected arm and the other
	margin  float64
	events  Events
	share   float64 // probability that a failure is of the suspected arm
	kept    []float64
	mass    []float64 // of so many failures of the suspected arm, from low on
	low     int
	reached int64 // failures of the suspected arm that reach the threshold now
}

// watch returns the watch of a design: of treatment against the margin, or of
// control against the ratio to exclude.
func (d EventDesign) watch() *watch {
	w := &watch{events: Events{Alpha: d.Alpha, K: d.K}, margin: d.Margin, kept: []float64{1}, mass: []float64{1}}
	w.rule.Traffic = [2]float64{d.Weights[0], d.Weights[1]}
	treated := d.Weights[1] * d.treated()
	if all := treated + d.Weights[0]*d.Rate; all > 0 {
		w.share = treated / all
	}
	w.reached = d.Floor
	if d.Exclude != 0 { // the mirrored test, which has no floor
		w.rule.Traffic = [2]float64{d.Weights[1], d.Weights[0]}
		w.margin, w.share, w.reached = 1/d.Exclude, 1-w.share, 1
	}
	return w
}

// hopeless reports whether the truth is no worse than what is tolerated, so
// that the threshold is reached by mistake alone.
func (w *watch) hopeless() bool { return !(w.share > w.rule.share(w.margin)+1e-12) }

// follow goes on to n failures.
func (w *watch) follow(n int) {
	for j := len(w.kept); j <= n; j++ {
		w.step()
		w.absorb(int64(j))
		total := 0.0
		for _, m := range w.mass {
			total += m
		}
		w.kept = append(w.kept, total)
	}
}

// step is one more failure.
func (w *watch) step() {
	w.mass = append(w.mass, 0)
	for i := len(w.mass) - 1; i > 0; i-- {
		w.mass[i] = w.mass[i]*(1-w.share) + w.mass[i-1]*w.share
	}
	w.mass[0] *= 1 - w.share
	for len(w.mass) > 1 && w.mass[0] < 1e-18 { // too few of the suspected arm to matter
		w.mass, w.low = w.mass[1:], w.low+1
	}
}

// absorb takes out what has reached the threshold with j failures in all. How
// many of them must be the suspected arm's never falls.
func (w *watch) absorb(j int64) {
	for w.reached <= j && !w.fires(w.reached, j-w.reached) {
		w.reached++
	}
	if keep := w.reached - int64(w.low); keep < int64(len(w.mass)) {
		w.mass = w.mass[:max(keep, 0)]
	}
	if len(w.mass) == 0 {
		w.mass = []float64{0}
	}
}

func (w *watch) fires(suspected, other int64) bool {
	c := EventCounts{Control: other, Treatment: suspected, Traffic: w.rule.Traffic}
	return c.logOne(w.margin, w.events.K) >= -math.Log(w.events.Alpha)
}

// power returns the probability of having reached the threshold, where the
// number of failures is a Poisson variable of mean λ.
func (w *watch) power(λ float64) float64 {
	last := len(w.kept) - 1
	sum, seen := 0.0, 0.0
	for j, kept := range w.kept {
		p := math.Exp(float64(j)*math.Log(λ) - λ - logGamma(float64(j)+1))
		sum, seen = sum+p*(1-kept), seen+p
	}
	return math.Min(1, sum+math.Max(0, 1-seen)*(1-w.kept[last]))
}

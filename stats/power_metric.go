package stats

import "math"

// Expected is what a metric is like in control: as it was in the past, or as
// somebody guesses.
type Expected struct {
	Kind      Kind     `json:"kind"`                // proportion, mean, ratio, cluster or quantile
	Level     float64  `json:"mean"`                // mean of the units' values, share of units, ratio or quantile
	SD        float64  `json:"sd,omitempty"`        // of one unit's value; of a ratio or clusters that of (m − R d)/d̄; of a quantile zero with Density; none of a proportion
	Nu        float64  `json:"nu,omitempty"`        // which quantile, above 0 and below 1; with Density
	Density   float64  `json:"density,omitempty"`   // of the values at the quantile, per unit of measure
	Cluster   *Cluster `json:"cluster,omitempty"`   // that units are assigned in; nil: each by itself, or SD is that of a cluster
	Explained float64  `json:"explained,omitempty"` // share of the variance that a covariate explains, below 1
}

// Cluster is the groups that units are assigned in: users of a workspace,
// requests of a device.
type Cluster struct {
	Mean float64 `json:"mean"`         // units of a cluster
	CV   float64 `json:"cv,omitempty"` // coefficient of variation of that number
	ICC  float64 `json:"icc"`          // share of the variance that is between clusters
}

// DesignEffect returns how many times the units that are needed when each is
// assigned by itself are needed in clusters (Eldridge, Ashby & Kerry 2006, Int. J. Epidemiol. 35:1292).
func (c *Cluster) DesignEffect() float64 {
	if c == nil {
		return 1
	}
	return 1 + (c.Mean*(1+c.CV*c.CV)-1)*c.ICC
}

// Expect returns what the units of a sample say of the metric, and of what is
// known before about them.
func Expect(s Sample) (Expected, *Refusal) {
	if r := s.fault("metric"); r != nil {
		return Expected{}, r
	}
	e := Expected{Kind: s.Kind, Level: s.Center(), SD: math.Sqrt(s.Variance())}
	switch {
	case s.N < 2:
		return Expected{}, refuse(TooFewUnits, "metric", "a metric is known from two units on")
	case s.Variance() == 0:
		return Expected{}, noVariance
	case s.Kind == KindProportion:
		e.SD = 0
	}
	e.Explained = s.explained()
	return e, nil
}

// explained is the share of the variance that the sample's own covariates
// explain, as they will for a comparison.
func (s Sample) explained() float64 {
	if s.regressors() == 0 {
		return 0
	}
	r, normal := s.regression(), newNormal(s.regressors())
	normal.add(r)
	slopes, _ := normal.solve()
	return math.Max(0, math.Min(1-1e-9, 1-r.left(slopes)/r.yy)) // a little is always left
}

// variance returns that of one unit's value where the level is another.
func (e Expected) variance(level float64) float64 {
	v := e.SD * e.SD
	switch {
	case e.Kind == KindProportion:
		v = level * (1 - level)
	case e.Kind == KindQuantile && e.SD == 0: // the asymptotic variance of a sample quantile
		v = e.Nu * (1 - e.Nu) / (e.Density * e.Density)
	}
	return v * e.Cluster.DesignEffect() * (1 - e.Explained)
}

func (e Expected) fault() *Refusal {
	switch {
	case !within(e.Level, largestMean):
		return refuse(BadInput, "metric.mean", "a level is 0, or a number between 1e-50 and 1e50")
	case e.Kind == KindProportion && !(e.Level > 0 && e.Level < 1):
		return refuse(BadInput, "metric.rate", "a share of units is above 0 and below 1; failures that control does not have are planned by events")
	case !(e.Explained >= 0 && e.Explained < 1):
		return refuse(BadInput, "metric.explained", "a covariate explains from nothing to less than all of the variance")
	}
	return first(e.spreadFault(), e.Cluster.fault())
}

func (e Expected) spreadFault() *Refusal {
	density := e.Kind == KindQuantile && e.SD == 0
	switch {
	case e.Kind != KindQuantile && e.Nu != 0:
		return refuse(BadInput, "metric.nu", "is of a quantile")
	case !density && e.Density != 0:
		return refuse(BadInput, "metric.density", "is of a quantile without an sd")
	case e.Kind == KindProportion && e.SD != 0:
		return refuse(BadInput, "metric.sd", "follows from the rate of a proportion")
	case e.Kind == KindProportion:
		return nil
	case e.Kind != KindMean && e.Kind != KindRatio && e.Kind != KindCluster && e.Kind != KindQuantile:
		return refuse(BadInput, "metric.kind", "a metric is a proportion, mean, ratio, cluster or quantile")
	case density && !(e.Nu > 0 && e.Nu < 1):
		return refuse(BadInput, "metric.nu", "a quantile is above 0 and below 1")
	case density && !(e.Density > 0 && within(e.Density, largestMean)):
		return refuse(BadInput, "metric.density", "a quantile has an sd, or the density of the values there, above 0")
	case !density && !(e.SD > 0 && within(e.SD, largestMean)):
		return refuse(BadInput, "metric.sd", "a standard deviation is a number above 0")
	}
	return nil
}

func (c *Cluster) fault() *Refusal {
	switch {
	case c == nil:
		return nil
	case !(c.Mean >= 1) || c.Mean > mostUnits:
		return refuse(BadInput, "metric.cluster.mean", "a cluster has one unit or more")
	case !(c.CV >= 0) || c.CV > mostUnits:
		return refuse(BadInput, "metric.cluster.cv", "a coefficient of variation is a number from 0")
	case !(c.ICC >= 0 && c.ICC <= 1):
		return refuse(BadInput, "metric.cluster.icc", "a share of the variance is from 0 to 1")
	}
	return nil
}

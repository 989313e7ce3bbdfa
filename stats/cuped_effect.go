package stats

// CUPED is what covariates did to a comparison: controlled by the units' own
// data from before the experiment.
type CUPED struct {
	Covariate Covariate `json:"covariate"`
	Theta     float64   `json:"theta"`     // what the difference of the arms before was multiplied by and taken off: between the slopes of the arms
	Control   float64   `json:"control"`   // mean of control, at the covariate's mean of both arms
	Treatment float64   `json:"treatment"` // mean of treatment, likewise
	Reduction float64   `json:"reduction"` // share of the variance of the difference that is gone
}

const (
	assumeBefore   = "what adjusts was known before the first exposure, so that the change cannot have moved it"
	warnNoBaseline = "no stratum can be adjusted by what was known before: its units are too few"
	warnOneSlope   = "fewer than 200 units in an arm: what was known before adjusts both arms with one slope, and neither is taken to vary less around it than both do"
	warnOwnSlopes  = "fewer than 200 units in an arm: slopes of its own promise too much; without a setting of the covariate both arms have one"
	adjustedOwn    = "; adjusted by what was known before, each arm with its own slopes"
	adjustedPooled = "; adjusted by what was known before, both arms with one slope"
)

// cuped returns what the covariates did over all strata, nil when they
// did nothing.
func cuped(seen []view, c Covariate) *CUPED {
	a := CUPED{Covariate: c}
	var weight, raw, left float64
	used := false
	for _, v := range seen {
		w := v.overlap()
		used, weight = used || v.adjusted, weight+w
		if v.one {
			a.Covariate = Pooled
		}
		a.Theta += w * v.theta
		a.Control += w * v.yc
		a.Treatment += w * v.yt
		raw += w * w * v.raw()
		left += w * w * (v.ownc + v.ownt)
	}
	if !used {
		return nil
	}
	if a.Covariate == "" {
		a.Covariate = ArmSpecific
	}
	a.Theta, a.Control, a.Treatment = a.Theta/weight, a.Control/weight, a.Treatment/weight
	if raw > 0 {
		a.Reduction = 1 - left/raw
	}
	return &a
}

// method says in words how the comparison was adjusted.
func (a *CUPED) method() string {
	switch {
	case a == nil:
		return ""
	case a.Covariate == Pooled:
		return adjustedPooled
	}
	return adjustedOwn
}

// covered reports whether any sample has a covariate.
func covered(strata []Stratum) bool {
	for _, s := range strata {
		if s.Control.regressors() > 0 || s.Treatment.regressors() > 0 {
			return true
		}
	}
	return false
}

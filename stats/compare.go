package stats

import "math"

// Side says which effects a comparison looks for.
type Side string

// The sides of a comparison.
const (
	TwoSided Side = "two"     // any change; the zero Side means this
	Greater  Side = "greater" // treatment has more: the interval is open above
	Less     Side = "less"    // treatment has less: the interval is open below
)

// Options says how to compare. The zero Options is a two-sided comparison of
// means at 95 %.
type Options struct {
	Alpha    float64 `json:"alpha,omitempty"`    // zero means 0.05
	Side     Side    `json:"side,omitempty"`     // empty means TwoSided
	Relative bool    `json:"relative,omitempty"` // effect as a share of the control mean
	Margin   float64 `json:"margin,omitempty"`   // effect that the always-valid interval is sharpest for, on the scale of the estimate; zero: see Units
	Power    float64 `json:"power,omitempty"`    // with Margin; zero means DefaultPower
	Units    float64 `json:"units,omitempty"`    // units of both arms that it is sharpest at; zero means 5,000

	Covariate Covariate `json:"covariate,omitempty"` // how what was known before adjusts; empty means ArmSpecific, of 200 units an arm and more
	Inference Inference `json:"inference,omitempty"` // which answer is asked for; empty means FixedHorizon
	Prior     *Prior    `json:"prior,omitempty"`     // of Bayes; nil: none
	Sequence  *Sequence `json:"sequence,omitempty"`  // of GroupSequential

	tunedTo float64 // error that the band is sharpest for; zero: Alpha
}

// Arm is one side of a comparison, its strata weighted by their overlap.
type Arm struct {
	N    int64   `json:"n"`
	Mean float64 `json:"mean"`
}

// Comparison is treatment against control, for people to look at: the interval
// of one look, and the one that holds at every look. It is not what gates ask;
// see Guardrail.
type Comparison struct {
	Estimate  float64  `json:"estimate"` // treatment minus control, or that over the absolute control mean
	Relative  bool     `json:"relative"`
	SE        float64  `json:"se"`
	Statistic float64  `json:"statistic"`    // z, or t with DF degrees of freedom
	DF        float64  `json:"df,omitempty"` // zero: normal
	Fixed     Interval `json:"fixed"`        // valid at one look
	P         float64  `json:"p"`            // of Statistic, valid at one look
	Band      Interval `json:"band"`         // always valid
	BandP     float64  `json:"bandP"`        // always valid: min(1, 1/e)
	LogE      float64  `json:"logE"`         // log e-value against no effect
	Control   Arm      `json:"control"`
	Treatment Arm      `json:"treatment"`

	CUPED *CUPED `json:"cuped,omitempty"` // by what was known before; nil: not

	PostStratified *PostStratified `json:"postStratified,omitempty"` // the same over all units; nil below two strata
	Inference      Inference       `json:"inference,omitempty"`      // which Answer is
	Posterior      *Posterior      `json:"posterior,omitempty"`      // of Bayes
	Looked         *Looked         `json:"looked,omitempty"`         // of GroupSequential
	Doubt
}

const (
	methodWelch     = "Welch's t over strata"
	methodPooled    = "pooled z for the test, unpooled standard error for the interval"
	methodDelta     = "relative change by the delta method"
	methodFieller   = "relative change by Fieller's interval"
	assumeOneLook   = "the fixed interval and its p-value hold at one look only"
	assumeTuned     = "the always-valid band is sharpest for the stated effect or number of units, and holds at every look"
	warnFew         = "fewer than ten units with, or without, the outcome in an arm: the normal approximation is coarse"
	warnOneConstant = "all values of one arm are equal: it is taken to vary as the units of both arms do"
	warnOpenBand    = "at every look the control mean cannot be told from 0, or there are too few units: the always-valid band has no bounds yet"
	warnBorderline  = "test and interval disagree about zero: the evidence is on the border"
)

// Compare compares treatment with control within each stratum and over them,
// each stratum weighted by its overlap n_t n_c/(n_t+n_c).
func Compare(strata []Stratum, o Options) Comparison {
	o = o.defaults()
	c := Comparison{Relative: o.Relative, Inference: o.Inference, P: 1, BandP: 1, Fixed: Open(), Band: Open()}
	if c.Refused = first(o.fault(), fault(strata)); c.Refused != nil {
		return c
	}
	k := contrasted(strata, o.Covariate)
	if c.Refused = k.fault(o); c.Refused != nil {
		return c
	}
	c.Control, c.Treatment = Arm{k.nc, k.rawc}, Arm{k.nt, k.rawt}
	c.CUPED = k.cuped
	if o.Inference == LinearModel {
		k = k.linear(strata)
	}
	k.fixed(&c, o)
	if c.Refused == nil {
		k.always(&c, o)
		k.doubt(&c, o)
		c.PostStratified = poststratified(strata, o)
	}
	switch {
	case c.Refused != nil:
	case o.Inference == Bayes:
		k.believe(&c, o)
	case o.Inference == LinearModel:
		k.exact(&c)
	case o.Inference == GroupSequential:
		k.looked(&c, o)
	}
	c.LogE = math.Max(c.LogE, leastLog) // tuned for next to nothing, the band knows next to nothing
	return c
}

// resolution is the variance, as a share of a squared mean, below which the
// means themselves are rounded more than they vary.
const resolution = 1e-33

func (k contrast) fault(o Options) *Refusal {
	switch {
	case k.nc < 2:
		return refuse(TooFewUnits, "control.n", "an arm needs two units or more")
	case k.nt < 2:
		return refuse(TooFewUnits, "treatment.n", "an arm needs two units or more")
	case k.clusters && min(k.nc, k.nt) < MinClusters:
		return refuse(TooFewUnits, "clusters", "an arm needs ten clusters or more: fewer do not tell how much clusters differ")
	case k.weight == 0 && k.quotients:
		return refuse(TooFewUnits, "den_sum", "so few units of an arm have a denominator that its mean cannot be told from 0: there is no ratio yet")
	case k.weight == 0:
		return refuse(TooFewUnits, "strata", "no stratum has two units or more in each arm")
	case k.against(1) <= resolution*(k.yc*k.yc+k.yt*k.yt):
		if k.yc == 0 && k.yt == 0 && k.rates {
			return refuse(ZeroVariance, "sum", "no unit of either arm has the outcome; counts of failures are judged by events")
		}
		return noVariance
	case o.Relative && k.yt == 0 && k.vt == 0:
		return refuse(ZeroVariance, "treatment", "all treatment values are 0, so that the relative change is -100 % without any spread")
	case o.Relative && k.yc == 0:
		return refuse(Unbounded, "control", "the control mean is 0, so that a relative change does not exist; counts of failures are judged by events")
	}
	return nil
}

// fixed fills in what holds at one look.
func (k *contrast) fixed(c *Comparison, o Options) {
	q := quantiles{alpha: o.Alpha, side: o.Side}
	c.Method = methodWelch
	if k.proportion {
		c.Method = methodPooled
	} else if q.df = k.own * k.own / k.free; q.df < 1e7 {
		c.DF = q.df
	} else {
		q.df = 0
	}
	k.test(c, o, q.critical())
	c.Method += k.cuped.method()
	if c.Refused == nil {
		c.P = q.p(c.Statistic)
		c.Fixed = k.interval(c, o, q.critical())
	}
}

// test fills in the estimate, its standard error and the test statistic.
func (k *contrast) test(c *Comparison, o Options, q float64) {
	d := k.effect
	c.Estimate, c.SE = d, math.Sqrt(k.against(1))
	c.Statistic = d / c.SE
	if k.proportion {
		c.Statistic = d / math.Sqrt(k.pooled)
	}
	if !o.Relative {
		c.measurable()
		return
	}
	c.Estimate = d / math.Abs(k.yc)
	c.SE = math.Sqrt(k.against(k.yt/k.yc)) / math.Abs(k.yc) // [DKL, section 2]
	c.Method = methodDelta
	if k.vanishing = k.poor(q); k.vanishing {
		c.Method = methodFieller
	}
	c.Statistic = k.statistic(c, o)
	c.measurable()
	if k.unbounded(o, q) {
		c.refuse(refuse(Unbounded, "control", "the control mean cannot be told from 0, so that a relative change has no bounds"))
	}
}

// measurable refuses an effect without noise: parts of a variance that differ by
// more than a float can tell may cancel to none.
func (c *Comparison) measurable() {
	if !(c.SE > 0) || !finite(c.SE) || !finite(c.Statistic) {
		c.refuse(noVariance)
	}
}

// refuse takes back what was computed.
func (c *Comparison) refuse(why *Refusal) {
	*c = Comparison{Relative: c.Relative, Inference: c.Inference, P: 1, BandP: 1, Fixed: Open(), Band: Open(), Control: c.Control, Treatment: c.Treatment}
	c.Refused = why
}

// poor reports whether the control mean is known so poorly (to worse than
// about 5 %) that the delta method's interval would be off.
func (k contrast) poor(q float64) bool { return q*q*k.vc > 0.01*k.yc*k.yc }

// interval returns the effects within q standard errors, with the sides that
// the options leave open.
func (k contrast) interval(c *Comparison, o Options, q float64) Interval {
	i := Interval{Low: c.Estimate - q*c.SE, High: c.Estimate + q*c.SE}
	if o.Relative && k.vanishing {
		i = k.fieller(q)
		i.Low, i.High = min(i.Low, c.Estimate), max(i.High, c.Estimate) // where the arms vary as one, its parts cancel to rounding
	}
	switch o.Side {
	case Greater:
		i.High = math.Inf(1)
	case Less:
		i.Low = math.Inf(-1)
	}
	return i
}

// fieller inverts the test that yt equals R times yc (Fieller 1954). An
// interval whose g reaches 1 is open on both sides.
func (k contrast) fieller(q float64) Interval {
	g := q * q * k.vc / (k.yc * k.yc)
	if g >= 1 {
		return Open()
	}
	r := k.yt / k.yc
	common := q * q * k.shared / (k.yc * k.yc)
	within := k.vt*(1-g) + r*r*k.vc - 2*r*k.shared + common*k.shared
	h := q / math.Abs(k.yc) * math.Sqrt(math.Max(within, 0))
	ratio := Interval{Low: (r - common - h) / (1 - g), High: (r - common + h) / (1 - g)}
	lift := Interval{Low: ratio.Low - 1, High: ratio.High - 1}
	if k.yc < 0 {
		return lift.scale(-1)
	}
	return lift
}

// always fills in what holds at every look, in the information time of the
// estimate's own scale. A small arm beside one of twice its size takes the t
// version with the degrees of freedom of the small one: Satterthwaite's are many
// just when its units vary little by chance. Where both are small the band,
// which is tuned by the units of both, is wide anyway.
func (k contrast) always(c *Comparison, o Options) {
	i := 1 / (c.SE * c.SE)
	at := band{process: o.process(i, float64(k.nc+k.nt)), information: i, side: o.Side}
	switch small := min(k.nc, k.nt); {
	case o.Inference == LinearModel:
		at.df = c.DF
	case small < smallArm && max(k.nc, k.nt) >= 2*small:
		at.df = float64(small - 1)
	}
	radius := at.radius(o.Alpha)
	c.Band = k.interval(c, o, radius)
	if k.unbounded(o, radius) {
		c.warn(warnOpenBand)
		return
	}
	c.LogE = at.logE(k.statistic(c, o))
	c.BandP = math.Min(1, math.Exp(-c.LogE))
}

// band is the e-process of a comparison's statistic at its information: of a
// normal one where df is 0, else of Student's t.
type band struct {
	process
	information, df float64
	side            Side
}

// radius returns how many standard errors of the estimate an e-value of 1/alpha
// is away.
func (b band) radius(alpha float64) float64 {
	s, sd := b.at(b.information, b.df), math.Sqrt(b.information)
	switch {
	case b.df > 0 && b.side == TwoSided:
		return s.radiusTwo(alpha)
	case b.df > 0:
		return s.radiusOne(alpha)
	case b.side == TwoSided:
		return b.radiusTwo(b.information, alpha) / sd
	}
	return b.radiusOne(b.information, alpha) / sd
}

// logE returns the log e-value of a statistic.
func (b band) logE(t float64) float64 {
	if b.side == Less {
		t = -t
	}
	z := score{S: t * math.Sqrt(b.information), V: b.information, W: b.information, DF: b.df}
	if b.side == TwoSided {
		return b.two(z)
	}
	return b.one(z)
}

// statistic returns the statistic of the test whose inversion the intervals are.
func (k contrast) statistic(c *Comparison, o Options) float64 {
	if o.Relative && k.vanishing {
		return k.effect / math.Sqrt(k.against(1))
	}
	return c.Estimate / c.SE
}

// unbounded reports whether so many standard errors reach a control mean of 0
// that is known poorly, or are more than there are.
func (k contrast) unbounded(o Options, q float64) bool {
	return math.IsInf(q, 1) || o.Relative && k.vanishing && q*q*k.vc >= k.yc*k.yc
}

// process tunes the band: for an effect when the options name one, else for a
// number of units, which is N rho² = I/r of [WSR, section 5].
func (o Options) process(i, n float64) process {
	alpha := or(o.tunedTo, o.Alpha)
	both := alpha
	if o.Side != TwoSided {
		both = 2 * alpha
	}
	if o.Margin > 0 {
		return tuned(needed(o.Margin, alpha, o.Power), both)
	}
	return tuned(i/n*o.Units, both)
}

func (k contrast) doubt(c *Comparison, o Options) {
	c.Assumptions = []string{assumeUnits, assumeOneLook, assumeTuned}
	switch {
	case k.cuped != nil:
		c.Assumptions = append(c.Assumptions, assumeBefore)
		c.sloped(o.Covariate, min(k.nc, k.nt))
	case k.covered && o.Covariate != Unadjusted:
		c.warn(warnNoBaseline)
	}
	if k.thin {
		c.warn(warnFew)
	}
	switch n := min(k.nc, k.nt); {
	case k.clusters && n < fewClusters:
		c.warn(warnClusters)
	case !k.proportion && !k.clusters && n < smallArm:
		c.warn(warnSmall)
	}
	if k.vague {
		c.warn(warnDenominator)
	}
	if k.constant {
		c.warn(warnOneConstant)
	}
	if (c.P < o.Alpha) == c.Fixed.Contains(0) {
		c.warn(warnBorderline)
	}
}

// sloped warns of slopes that come from few units.
func (c *Comparison) sloped(asked Covariate, units int64) {
	switch {
	case asked == ArmSpecific && units < smallArm:
		c.warn(warnOwnSlopes)
	case asked == "" && c.CUPED.Covariate == Pooled:
		c.warn(warnOneSlope)
	}
}

func (o Options) defaults() Options {
	o.Alpha, o.Power, o.Units = or(o.Alpha, bandAlpha), or(o.Power, DefaultPower), or(o.Units, tuneUnits)
	if o.Side == "" {
		o.Side = TwoSided
	}
	return o
}

func (o Options) fault() *Refusal {
	switch {
	case o.Side != TwoSided && o.Side != Greater && o.Side != Less:
		return refuse(BadInput, "side", "a side is two, greater or less")
	case o.Side == TwoSided && !(o.Alpha > 0 && o.Alpha < 1):
		return refuse(BadInput, "alpha", "an error is above 0 and below 1")
	case !(o.Margin >= 0) || !finite(o.Margin):
		return refuse(BadInput, "margin", "an effect to be sharpest for is a number above 0")
	case !(o.Units > 0) || !finite(o.Units):
		return refuse(BadInput, "n_star", "units to be sharpest at are a number above 0")
	case o.Covariate.fault() != nil:
		return o.Covariate.fault()
	case o.Inference.fault() != nil:
		return o.Inference.fault()
	case o.Prior.fault() != nil:
		return o.Prior.fault()
	}
	alpha := o.Alpha
	if o.Side == TwoSided {
		alpha = DefaultAlpha
	}
	return first(sensible(alpha, o.Power), o.Sequence.fault(o))
}

// quantiles is the reference distribution of a fixed-horizon test: Student's t,
// or the normal where df is 0.
type quantiles struct {
	alpha, df float64
	side      Side
}

func (q quantiles) critical() float64 {
	tail := q.alpha
	if q.side == TwoSided {
		tail /= 2
	}
	if q.df == 0 {
		return upper(tail)
	}
	return studentUpper(tail, q.df)
}

// p returns the p-value of a statistic.
func (q quantiles) p(t float64) float64 {
	switch q.side {
	case Greater:
		return q.above(t)
	case Less:
		return q.above(-t)
	}
	return math.Min(1, 2*q.above(math.Abs(t)))
}

// above returns P(T > t), to full precision in the tail.
func (q quantiles) above(t float64) float64 {
	if q.df == 0 {
		return survival(t)
	}
	return studentAbove(t, q.df)
}

package groupseq

import "math"

// Family names a form of spending.
type Family string

// The families of spending functions.
const (
	OBrienFleming Family = "obrien-fleming" // next to nothing early [LD]; the zero Family means this
	Pocock        Family = "pocock"         // about the same at every look [LD]
	Power         Family = "power"          // alpha t^Rho [KD]
	HSD           Family = "hsd"            // the gamma family [HSD]: −4 is near OBrienFleming, 1 near Pocock
)

// Spending says how much of the error may be used up at a fraction of the
// planned information.
type Spending struct {
	Family Family  `json:"family,omitempty"`
	Rho    float64 `json:"rho,omitempty"`   // of Power, above 0
	Gamma  float64 `json:"gamma,omitempty"` // of HSD; zero spends in proportion to information
}

// Spent returns the error that one side may have used up at a fraction of the
// information. From the fraction 1 on that is all of it.
func (s Spending) Spent(alpha, fraction float64) float64 {
	t := math.Min(fraction, 1)
	switch s.Family {
	case Pocock:
		return alpha * math.Log1p((math.E-1)*t)
	case Power:
		return alpha * math.Pow(t, s.Rho)
	case HSD:
		if s.Gamma == 0 {
			return alpha * t
		}
		return alpha * math.Expm1(-s.Gamma*t) / math.Expm1(-s.Gamma)
	}
	return 2 * survival(upper(alpha/2)/math.Sqrt(t))
}

// Fault says why s is no spending, or returns nil.
func (s Spending) Fault() error {
	switch s.Family {
	case "", OBrienFleming, Pocock:
		return nil
	case Power:
		if !(s.Rho > 0 && s.Rho <= 1000) {
			return &Fault{"rho", "the power of a power family is above 0, and at most 1,000"}
		}
		return nil
	case HSD:
		if !(math.Abs(s.Gamma) <= 500) {
			return &Fault{"gamma", "the shape of a gamma family is a number from -500 to 500"}
		}
		return nil
	}
	return &Fault{"spending", "a spending is obrien-fleming, pocock, power or hsd"}
}

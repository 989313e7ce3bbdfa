package stats

// Inference says which answer of a comparison is asked for. The same call
// gives each of them, so that nothing else changes with it.
type Inference string

// The inferences of a comparison.
const (
	FixedHorizon    Inference = "fixed"            // Welch's t, or z: valid at one look, whose time the data did not choose
	AlwaysValid     Inference = "always-valid"     // the mixture e-process in information time: valid at every look
	LinearModel     Inference = "linear-model"     // the same, exact for few units of about normal values
	GroupSequential Inference = "group-sequential" // valid at the looks of a plan
	Bayes           Inference = "bayes"            // a posterior, from a normal prior or from none
)

// Answer returns the interval and the p-value of the inference that was asked
// for: those of one look, unless the answer is to hold at every look. A posterior
// has no p-value; that of one look stands beside its interval, with a warning
// where a prior may have it disagree.
func (c Comparison) Answer() (Interval, float64) {
	switch c.Inference {
	case AlwaysValid, LinearModel:
		return c.Band, c.BandP
	case GroupSequential:
		if c.Looked != nil {
			return c.Looked.Interval, c.Looked.P
		}
	case Bayes:
		if c.Posterior != nil {
			return c.Posterior.Credible, c.P
		}
	}
	return c.Fixed, c.P
}

// everyLook reports whether the answer holds at every look, so that it has an
// e-value.
func (i Inference) everyLook() bool { return i == AlwaysValid || i == LinearModel }

func (i Inference) fault() *Refusal {
	switch i {
	case "", FixedHorizon, AlwaysValid, LinearModel, GroupSequential, Bayes:
		return nil
	}
	return refuse(BadInput, "inference", "an inference is fixed, always-valid, linear-model, group-sequential or bayes")
}

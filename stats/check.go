package stats

// Check says why a comparison of the strata would be refused whatever its
// formula: samples that no units can have, options that make no sense. It is
// nil for what may be compared. The formulae of other programs, which are in a
// room of their own, ask it first.
func Check(strata []Stratum, o Options) *Refusal {
	return first(o.defaults().fault(), fault(strata))
}

package stats

// FreezeNow returns what Freeze would, for data that are looked at once: there
// is no earlier look to keep anything from, so whatever variance these show is
// the one, and no outcomes are waited for.
func FreezeNow(strata []Stratum) (Frozen, *Refusal) {
	if r := fault(strata); r != nil {
		return Frozen{}, r
	}
	control, treatment, cells := pooled(strata)
	switch {
	case control.all.N < FreezeUnits:
		return Frozen{}, refuse(TooFewUnits, "control.n", "a guardrail needs 100 units in each arm")
	case treatment.all.N < FreezeUnits:
		return Frozen{}, refuse(TooFewUnits, "treatment.n", "a guardrail needs 100 units in each arm")
	}
	f := cells.frozen(control)
	if !(f.Variance > 0) {
		return Frozen{}, noVariance
	}
	return f, nil
}

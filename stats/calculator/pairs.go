package calculator

import (
	"encoding/json"
	"fmt"

	"github.com/sluice-hq/sluice/stats"
)

// pairs is the part of a question that holds the data: two arms, or strata of
// two arms.
type pairs struct {
	Control   json.RawMessage `json:"control"`
	Treatment json.RawMessage `json:"treatment"`
	Strata    []pair          `json:"strata"`
}

// pair is the two arms of one stratum, within which the mixture of the arms was
// constant.
type pair struct {
	Control   json.RawMessage `json:"control"`
	Treatment json.RawMessage `json:"treatment"`
}

// samples returns the strata of a question.
func (p pairs) samples() ([]stats.Stratum, *stats.Refusal) {
	given, at := p.Strata, func(i int) string { return fmt.Sprintf("strata[%d].", i) }
	if p.Control != nil || p.Treatment != nil {
		if len(given) > 0 {
			return nil, bad("strata", "the data are two arms or strata, not both")
		}
		given, at = []pair{{p.Control, p.Treatment}}, func(int) string { return "" }
	}
	if len(given) == 0 {
		return nil, bad("control", "a comparison needs control and treatment, or strata")
	}
	var nu float64
	strata := make([]stats.Stratum, len(given))
	for i, g := range given {
		strata[i].Epoch = i + 1
		r := first(read(g.Control, at(i)+"control", &strata[i].Control, &nu), read(g.Treatment, at(i)+"treatment", &strata[i].Treatment, &nu))
		if r != nil {
			return nil, r
		}
	}
	return strata, nil
}

// read reads one arm. nu is the quantile of the arms before, which all have to
// be of one.
func read(raw json.RawMessage, at string, into *stats.Sample, nu *float64) *stats.Refusal {
	a, r := newArm(raw, at)
	if r != nil {
		return r
	}
	if *into, r = a.sample(); r != nil {
		return r
	}
	if *nu != 0 && a.nu != 0 && a.nu != *nu {
		return bad(a.field("nu"), "all arms of a comparison are of one quantile")
	}
	*nu = max(*nu, a.nu)
	return a.whole()
}

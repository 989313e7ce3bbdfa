package growthbook

import (
	"fmt"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// experiment adds a rule that deals variations out.
func (im *importer) experiment(m *peers.Maker, key, name string, when peers.Cond, r rule) error {
	if len(r.Variations) < 2 {
		return nil // which GrowthBook passes over
	}
	if r.Key != "" {
		key = r.Key
	}
	seed := r.Seed
	if seed == "" {
		seed = key
	}
	h, steps, err := im.hash(seed, r.HashAttribute, r.HashVersion)
	if err != nil {
		return err
	}
	if len(r.Filters) == 0 {
		space, err := namespace(r.Namespace, h.By)
		if err != nil {
			return err
		}
		when = peers.And(when, space)
	}
	ranges, err := r.ranges(m, steps)
	if err != nil {
		return err
	}
	m.Spread(name, when, h, ranges)
	return nil
}

// ranges returns the places of each variation. Units of one that is passed
// through go on to the next rule, as whoever is in no range does.
func (r rule) ranges(m *peers.Maker, steps int) ([]peers.Range, error) {
	shares := r.Ranges
	if shares == nil {
		shares = bucketRanges(len(r.Variations), r.Coverage, r.Weights)
	}
	var out []peers.Range
	for i, share := range shares {
		if i == len(r.Variations) {
			return nil, fmt.Errorf("has more ranges than variations")
		}
		if i < len(r.Meta) && r.Meta[i].Passthrough {
			continue
		}
		if peers.IsNull(r.Variations[i]) {
			return nil, fmt.Errorf("has null for a variation, which no flag has here")
		}
		from, to := between(share, steps)
		out = append(out, peers.Range{Variant: m.Variant(r.Variations[i]), From: from, To: to})
	}
	return out, nil
}

// namespace asks for the part of units that an experiment has among others.
func namespace(n []any, by string) (peers.Cond, error) {
	if n == nil {
		return peers.Always, nil
	}
	if len(n) != 3 {
		return peers.Never, fmt.Errorf("has a namespace that is not a name and two numbers")
	}
	id, isText := n[0].(string)
	from, isFrom := n[1].(float64)
	to, isTo := n[2].(float64)
	if !isText || !isFrom || !isTo {
		return peers.Never, fmt.Errorf("has a namespace that is not a name and two numbers")
	}
	h := flags.HashInput{Version: flags.GrowthBook1, Salt: "__" + id, By: by}
	a, b := between([2]float64{from, to}, 1000)
	return peers.Between(h, a, b), nil
}

// bucketRanges deals a coverage out by weights, as GrowthBook's SDKs do: each
// variation's range begins where it would at full coverage.
func bucketRanges(n int, coverage *float64, weights []float64) [][2]float64 {
	of := 1.0
	if coverage != nil {
		of = min(max(*coverage, 0), 1)
	}
	total := 0.0
	for _, w := range weights {
		total += w
	}
	if len(weights) != n || total < 0.99 || total > 1.01 {
		weights = make([]float64, n)
		for i := range weights {
			weights[i] = 1 / float64(n)
		}
	}
	out, at := make([][2]float64, n), 0.0
	for i, w := range weights {
		out[i] = [2]float64{at, at + of*w}
		at += w
	}
	return out
}

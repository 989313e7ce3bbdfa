package warehouse

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// capped puts the caps of a metric into the parameters: those of the question,
// or of the units at hand. Every answer says which they were.
func (w *Warehouse) capped(ctx context.Context, r *reading, m stats.Metric, p Params) error {
	if m.Cap == 0 {
		return nil
	}
	caps, ok := r.Caps[m.Key]
	if !ok {
		var err error
		if caps, err = w.readCaps(ctx, r, m, p); err != nil {
			return fmt.Errorf("finding the cap: %w", err)
		}
	}
	for _, a := range r.answers {
		a.Caps[m.Key] = caps
	}
	p[capValue] = or(caps.Value, uncapped)
	if m.Aggregate == stats.Ratio {
		p[capDivisor] = or(caps.Denominator, uncapped)
	}
	return nil
}

// uncapped is beyond every total of a unit.
var uncapped = new(big.Int).Lsh(big.NewInt(1), 126)

func or(x, otherwise *big.Int) *big.Int {
	if x == nil {
		return otherwise
	}
	return x
}

// capSQL takes the percentile of the sizes of a value, of the units of all arms
// and strata that have one other than 0: with those that did nothing, a metric
// of a few buyers would be capped at nothing. The rank is that of stats.Rank.
func capSQL(values []string) string {
	columns := make([]string, len(values))
	for i, v := range values {
		columns[i] = fmt.Sprintf(`countIf(%s != 0) AS n%d,
  arraySort(groupArrayIf(abs(%[1]s), %[1]s != 0))[greatest(1, intDiv(n%[2]d * {percentile:UInt64} + 999999, 1000000))]`, v, i)
	}
	return strings.Join(columns, ",\n  ")
}

// readCaps returns what the values of the units at hand are cut to.
func (w *Warehouse) readCaps(ctx context.Context, r *reading, m stats.Metric, known Params) (Caps, error) {
	p := known.with("percentile", stats.Millionths(m.Cap))
	m.Cap, m.Lookback = 0, 0 // the values as they are
	s, err := shapeOf(m)
	if err != nil {
		return Caps{}, err
	}
	asked := r.ask(m.Key, "SELECT "+capSQL(s.values)+"\nFROM ("+r.totals(m, s.needs, anyBucket, p)+"\n)", p)
	n, caps := make([]uint64, len(s.values)), make([]*big.Int, len(s.values))
	var dest []any
	for i := range s.values {
		caps[i] = new(big.Int)
		dest = append(dest, &n[i], caps[i])
	}
	if err := one(ctx, w.reader, asked.SQL, asked.Params, dest...); err != nil {
		return Caps{}, err
	}
	for i := range caps {
		if n[i] == 0 { // nobody has a value to take a percentile of
			caps[i] = nil
		}
	}
	out := Caps{Value: caps[0]}
	if len(caps) > 1 {
		out.Denominator = caps[1]
	}
	return out, nil
}

// CapScale is what 1 of a metric's caps stands for, in its unit.
func CapScale(m stats.Metric) float64 {
	switch m.Aggregate {
	case stats.Count:
		return 1
	case stats.Average:
		return m.FixedPoint() / finer
	}
	return m.FixedPoint()
}

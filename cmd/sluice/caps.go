package main

import (
	"math/big"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// capOf returns what the values of a metric were cut to, as evidence says it;
// nil where nothing was, also for want of values to take a percentile of.
func capOf(m stats.Metric, a warehouse.Answer) *decisions.Cap {
	c, ok := a.Caps[m.Key]
	if !ok || c.Value == nil {
		return nil
	}
	out := decisions.Cap{Value: bound(m, c.Value)}
	if c.Denominator != nil {
		b := bound(m, c.Denominator)
		out.Denominator = &b
	}
	return &out
}

func bound(m stats.Metric, parts *big.Int) decisions.Bound {
	at, _ := new(big.Float).SetInt(parts).Float64()
	return decisions.Bound{At: at * warehouse.CapScale(m), Exact: parts.String()}
}

// frozenCaps returns the caps that a rollout keeps, as the warehouse takes them.
func frozenCaps(r decisions.Rollout) map[string]warehouse.Caps {
	out := map[string]warehouse.Caps{}
	for key, c := range r.Caps {
		caps := warehouse.Caps{Value: parts(c.Value)}
		if c.Denominator != nil {
			caps.Denominator = parts(*c.Denominator)
		}
		out[key] = caps
	}
	return out
}

// parts returns the exact number; nil if the record holds none that can be read,
// which cuts nothing.
func parts(b decisions.Bound) *big.Int {
	n, ok := new(big.Int).SetString(b.Exact, 10)
	if !ok {
		return nil
	}
	return n
}

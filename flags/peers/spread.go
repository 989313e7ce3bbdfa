package peers

import (
	"math"
	"slices"
	"sort"

	"github.com/sluice-hq/sluice/flags"
)

// Range gives whoever's place lies in it a variant.
type Range struct {
	Variant  string
	From, To int // places of flags.Whole; From is in it, To is not
}

// Spread adds rules that deal the units that meet a condition out by ranges of
// a hash. Of overlapping ranges the first has a unit. Who is in none goes on to
// the next rule.
func (m *Maker) Spread(name string, when Cond, h flags.HashInput, ranges []Range) {
	ranges = slices.DeleteFunc(merged(ranges), func(r Range) bool { return r.From >= r.To })
	switch {
	case len(ranges) == 0:
	case !splittable(ranges):
		for _, r := range ranges {
			m.Rule(name, And(when, Between(h, r.From, r.To)), flags.Rule{Serve: r.Variant})
		}
	case len(ranges) == 1:
		m.Rule(name, And(when, within(h, ranges)), flags.Rule{Serve: ranges[0].Variant})
	default:
		m.Rule(name, And(when, within(h, ranges)), flags.Rule{Split: arms(ranges), Hash: &h})
	}
}

// merged makes one of neighbours that have the same variant.
func merged(ranges []Range) []Range {
	var out []Range
	for _, r := range ranges {
		if last := len(out) - 1; last >= 0 && out[last].Variant == r.Variant && out[last].To == r.From {
			out[last].To = r.To
			continue
		}
		out = append(out, r)
	}
	return out
}

// splittable reports whether the ranges are in order, apart, and each of
// another variant: what a split can say.
func splittable(ranges []Range) bool {
	seen := map[string]bool{}
	for i, r := range ranges {
		if seen[r.Variant] || i > 0 && r.From < ranges[i-1].To {
			return false
		}
		seen[r.Variant] = true
	}
	return true
}

// within asks for a place in one of the ranges: for the whole, only for
// something that can be hashed. LaunchDarkly and FeatBit give a place to who
// lacks the attribute, too.
func within(h flags.HashInput, ranges []Range) Cond {
	var any []Cond
	for i, r := range ranges {
		if last := len(any) - 1; last >= 0 && ranges[i-1].To == r.From {
			any[last] = Between(h, any[last].is.Values[0].(int), r.To)
			continue
		}
		any = append(any, Between(h, r.From, r.To))
	}
	if len(any) > 1 || any[0].is.Values[0] != 0 || any[0].is.Values[1] != flags.Whole {
		return Or(any...)
	}
	if h.Version == flags.LaunchDarkly || h.Version == flags.FeatBit {
		return Always
	}
	return There(h.By)
}

// arms makes a split of ranges. Units in the gaps between them do not get
// there: within keeps them out.
func arms(ranges []Range) []flags.Arm {
	out, at := make([]flags.Arm, len(ranges)), 0
	for i, r := range ranges {
		end := flags.Whole
		if i+1 < len(ranges) {
			end = ranges[i+1].From
		}
		out[i] = flags.Arm{Variant: r.Variant, Weight: end - at}
		at = end
	}
	return out
}

// Steps returns how many of the steps 0, 1 … of-1 of a hash come before the
// first that is no longer below a bound. below must hold for the first ones
// alone.
func Steps(of int, below func(step float64) bool) int {
	return sort.Search(of, func(i int) bool { return !below(float64(i)) })
}

// Thousandths returns a share as thousandths of a percent, and false when it is
// not a whole number of those.
func Thousandths(share float64) (int, bool) {
	n := math.Round(share * flags.Whole)
	return int(n), math.Abs(share*flags.Whole-n) < 1e-6
}

// Package groupseq computes group-sequential tests: bounds for looks at a
// growing set of data, which together keep the error of one look. Floats go in
// and come out; it knows nothing of metrics, arms or plans, and it looks at no
// data.
//
// Time is the fraction of the planned information, which need not be that of
// the units. An effect is a drift: what Z is expected to be when all of the
// planned information is there, so that Z at the fraction t is normal with mean
// drift √t and variance 1.
//
//	b, err := groupseq.Design{Alpha: 0.025, Information: []float64{0.2, 0.4, 0.6, 0.8, 1}}.Boundary()
//	fmt.Printf("%.3f", b.Z)              // [4.877 3.357 2.680 2.290 2.031]
//	fmt.Printf("%.3f", b.Inflation(0.2))   // 1.025
//
// Who takes looks as they come, at times that nobody knew, walks a Path.
//
// Formulae carry their source in the code: [AMR] Armitage, McPherson & Rowe
// 1969; [LD] Lan & DeMets 1983; [KD] Kim & DeMets 1987; [HSD] Hwang, Shih &
// DeCani 1990; [WT] Wang & Tsiatis 1987; [JT] Jennison & Turnbull 2000.
package groupseq

import (
	"fmt"
	"math"
)

// Fault says what is wrong with a question. Field is named as in Design.
type Fault struct {
	Field string // "alpha", "sides", "information", "spending", "rho", "gamma", "looks", "design"
	Why   string
}

// Error implements error.
func (f *Fault) Error() string { return f.Field + ": " + f.Why }

// MostLooks is how many looks a design may have.
const MostLooks = 1000

// NoBound is the bound of a look that spends nothing: the chance of a Z
// beyond it is 6e-16.
const NoBound = 8.0

// least is an error not worth a bound: what was due then stays due.
const least = 1e-15

// Same is the growth of information, as a fraction of it, below which a look
// is no new one: it has the bound of the one before and spends nothing.
const Same = 1e-5

// levels says why an error and a number of sides are none, or returns nil.
func levels(alpha float64, sides int) error {
	switch {
	case sides != 1 && sides != 2:
		return &Fault{"sides", "a test has 1 or 2 sides"}
	case !(alpha > 0 && alpha < 0.5*float64(sides)):
		return &Fault{"alpha", "an error is above 0, and below 0.5 for each side"}
	}
	return nil
}

// growing says why fractions are not those of looks, or returns nil.
func growing(information []float64) error {
	if len(information) == 0 || len(information) > MostLooks {
		return &Fault{"information", fmt.Sprintf("a design has 1 to %d looks", MostLooks)}
	}
	last := 0.0
	for i, t := range information {
		if !(t > last) || math.IsInf(t, 0) {
			return &Fault{"information", fmt.Sprintf("fractions are numbers above 0 that grow, and number %d is %v", i+1, t)}
		}
		last = t
	}
	return nil
}

package groupseq

import (
	"fmt"
	"math"
)

// Classical is a test with a form of bound that was chosen with its number of
// looks: c t^(Delta−1/2) at the fraction t [WT].
type Classical struct {
	Alpha       float64   // error of all sides together
	Sides       int       // 1 or 2; zero means 2, as the tables have it
	Looks       int       // equally spaced; zero: see Information
	Information []float64 // at the looks, as fractions of what is planned; the last is 1
	Delta       float64   // 0 is the test of O'Brien & Fleming (1979), 0.5 that of Pocock (1977)
}

// Boundary returns the bounds, and the constant c, which is the bound of the
// last look.
func (c Classical) Boundary() (b Boundary, constant float64, err error) {
	if c.Sides == 0 {
		c.Sides = 2
	}
	if err := c.fault(); err != nil {
		return Boundary{}, 0, err
	}
	if c.Looks > 0 {
		c.Information = Equal(c.Looks)
	}
	constant = falling(0, NoBound, func(x float64) float64 {
		b := c.with(x)
		return b.Spent[len(b.Spent)-1] - c.Alpha
	})
	return c.with(constant), constant, nil
}

// Equal returns the fractions of so many equally spaced looks.
func Equal(looks int) []float64 {
	t := make([]float64, looks)
	for i := range t {
		t[i] = float64(i+1) / float64(looks)
	}
	return t
}

// Error returns the error of the form whose bound at a look, counted from 0, is
// z: the p-value of that look, for a design with Looks.
func (c Classical) Error(z float64, look int) float64 {
	c.Information = Equal(c.Looks)
	b := c.with(z * math.Pow(c.Information[look], 0.5-c.Delta))
	return b.Spent[len(b.Spent)-1]
}

// with returns the bounds of a constant.
func (c Classical) with(constant float64) Boundary {
	var p Path
	b := Boundary{Alpha: c.Alpha, Sides: c.Sides}
	for _, t := range c.Information {
		if !b.again(t) {
			p = b.add(p.To(t), constant*math.Pow(t, c.Delta-0.5))
		}
	}
	return b
}

// mostClassical keeps the search for a constant, which walks all looks some
// ten times, short.
const mostClassical = 200

func (c Classical) fault() error {
	if err := levels(c.Alpha, c.Sides); err != nil {
		return err
	}
	if !(math.Abs(c.Delta) <= 1) {
		return &Fault{"design", "the shape of a bound is from -1 to 1: 0 is O'Brien and Fleming's, 0.5 Pocock's"}
	}
	n := c.Looks
	if n == 0 {
		if err := growing(c.Information); err != nil {
			return err
		}
		n = len(c.Information)
		if math.Abs(c.Information[n-1]-1) > 1e-9 {
			return &Fault{"information", "the last look of a classical design has all of the information: 1"}
		}
	}
	if n < 1 || n > mostClassical {
		return &Fault{"looks", fmt.Sprintf("a classical design has 1 to %d looks", mostClassical)}
	}
	return nil
}

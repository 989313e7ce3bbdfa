package dashboards

import (
	"math"
	"slices"
)

// Geometry of the forest plot in CSS pixels. The plot is not scaled, so that
// its lines stay sharp and its text has the size of the page's text.
const (
	plotWidth  = 320.0
	plotHeight = 52.0
	plotInset  = 16.0 // left and right of the axis: room for arrows and for half a tick's text
)

// Axis is the scale of relative lift that all rows of a readout share. It
// always holds zero.
type Axis struct {
	Lo, Hi float64 // ends, relative lift; both are ticks
	Step   float64 // between ticks
}

// NewAxis makes the axis for a readout. One metric with few units must not
// press all others into a dot, so what lies beyond two and a half times the
// middle reach is cut and drawn as an arrow.
func NewAxis(rows []Row) Axis {
	var reaches []float64
	lo, hi := 0.0, 0.0
	for _, r := range rows {
		if reach := r.reach(); reach > 0 {
			reaches = append(reaches, reach)
		}
	}
	if len(reaches) == 0 {
		return round(-0.1, 0.1)
	}
	slices.Sort(reaches)
	limit := 2.5 * reaches[(len(reaches)-1)/2]
	for _, r := range rows {
		for _, v := range r.shown() {
			lo, hi = min(lo, max(v, -limit)), max(hi, min(v, limit))
		}
	}
	// A side that holds nothing still gets some room, so that zero is never the
	// frame of the plot.
	room := 0.12 * (hi - lo)
	return round(min(lo, -room), max(hi, room))
}

// shown returns the relative values of a row that the axis should hold.
func (r Row) shown() []float64 {
	var all []float64
	if at, ok := r.Bound(); ok {
		all = append(all, at)
	}
	if r.Lift != nil {
		l := r.Lift
		all = append(all, l.Relative, l.Fixed.Lo, l.Fixed.Hi, l.Always.Lo, l.Always.Hi)
	}
	return slices.DeleteFunc(all, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// reach returns how far from zero a row extends.
func (r Row) reach() float64 {
	most := 0.0
	for _, v := range r.shown() {
		most = max(most, math.Abs(v))
	}
	return most
}

// round widens the range to whole ticks of 1, 2 or 5 times a power of ten,
// about six of them.
func round(lo, hi float64) Axis {
	raw := (hi - lo) / 6
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw {
			step = m * power
			break
		}
	}
	return Axis{Lo: math.Floor(lo/step) * step, Hi: math.Ceil(hi/step) * step, Step: step}
}

// X returns the place of a relative lift, cut at the ends of the axis.
func (a Axis) X(v float64) float64 {
	v = min(max(v, a.Lo), a.Hi)
	x := plotInset + (v-a.Lo)/(a.Hi-a.Lo)*(plotWidth-2*plotInset)
	return math.Round(x*10) / 10
}

// Zero returns the place of no change.
func (a Axis) Zero() float64 { return a.X(0) }

// Tick is one mark of the axis.
type Tick struct {
	X    float64
	Text string
}

// Ticks returns the marks of the axis from left to right.
func (a Axis) Ticks() []Tick {
	n := int(math.Round((a.Hi - a.Lo) / a.Step))
	first := math.Round(a.Lo / a.Step)
	ticks := make([]Tick, 0, n+1)
	for i := range n + 1 {
		// Counting in steps keeps zero exactly zero.
		v := (first + float64(i)) * a.Step
		ticks = append(ticks, Tick{X: a.X(v), Text: a.label(v)})
	}
	return thin(ticks)
}

func (a Axis) label(v float64) string {
	digits := max(0, -int(math.Floor(math.Log10(a.Step*100)+1e-9)))
	text := signed(v*100, digits)
	if v == 0 {
		text = "0"
	}
	return text + space + "%"
}

// thin drops every second text while they would touch, keeping zero's.
func thin(ticks []Tick) []Tick {
	const perCharacter = 8.5
	widest := 0
	for _, t := range ticks {
		widest = max(widest, len([]rune(t.Text)))
	}
	if len(ticks) < 2 || ticks[1].X-ticks[0].X >= perCharacter*float64(widest) {
		return ticks
	}
	zero := slices.IndexFunc(ticks, func(t Tick) bool { return t.Text == "0"+space+"%" })
	for i := range ticks {
		if (i-zero)%2 != 0 {
			ticks[i].Text = ""
		}
	}
	return ticks
}

// Strip is one row of the forest plot, in pixels.
type Strip struct {
	ID     string // prefix of the ids inside
	Title  string
	Desc   string // the conclusion in a sentence
	Tone   Tone
	Margin float64 // place of the margin's line
	Danger Bar     // what lies beyond the margin
	Always *Bar    // nil: not known
	Fixed  *Bar
	Bounds []float64 // ends of what the deciding test leaves open
	Point  *float64  // nil: the lift has no relative value, or lies beyond the axis
	Hollow bool      // outline only: nothing is known beyond doubt
	Bound  bool      // Margin and Danger are drawn
}

// Bar is a horizontal range in pixels.
type Bar struct {
	X, Width     float64
	CutLo, CutHi bool // it goes on beyond the axis
}

// Strip draws one row on the axis.
func (a Axis) Strip(id string, r Row, level float64) Strip {
	s := Strip{ID: id, Title: r.title(), Desc: r.conclusion(level), Tone: r.Verdict.Tone(),
		Hollow: r.Verdict.Tone() == ToneUnknown}
	if at, ok := r.Bound(); ok && a.holds(at) {
		s.Bound, s.Margin, s.Danger = true, a.X(at), a.danger(at, r.Lower)
	}
	if r.Lift == nil || math.IsNaN(r.Lift.Relative) {
		return s
	}
	s.Always, s.Fixed = a.bar(r.Lift.Always), a.bar(r.Lift.Fixed)
	s.Bounds = a.bounds(r.Lift.Bounds)
	if a.holds(r.Lift.Relative) {
		x := a.X(r.Lift.Relative)
		s.Point = &x
	}
	return s
}

// bounds returns the places of those ends of an interval that the axis holds.
func (a Axis) bounds(i Interval) []float64 {
	var at []float64
	for _, v := range []float64{i.Lo, i.Hi} {
		if i != (Interval{}) && a.holds(v) {
			at = append(at, a.X(v))
		}
	}
	return at
}

// holds reports whether a value lies on the axis. Rounding of the ends to
// ticks must not lose a value that lies on one.
func (a Axis) holds(v float64) bool {
	slack := a.Step / 1e6
	return v >= a.Lo-slack && v <= a.Hi+slack
}

// danger returns the range beyond a margin, to the end of the axis.
func (a Axis) danger(at float64, lower bool) Bar {
	if lower {
		return a.between(at, a.Hi)
	}
	return a.between(a.Lo, at)
}

func (a Axis) bar(i Interval) *Bar {
	if !i.Known() {
		return nil
	}
	b := a.between(i.Lo, i.Hi)
	b.CutLo, b.CutHi = i.Lo < a.Lo && !a.holds(i.Lo), i.Hi > a.Hi && !a.holds(i.Hi)
	return &b
}

func (a Axis) between(lo, hi float64) Bar {
	x := a.X(lo)
	return Bar{X: x, Width: math.Round((a.X(hi)-x)*10) / 10}
}

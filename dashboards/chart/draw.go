package chart

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Room around the frame, in pixels: for the texts of the ticks, and for the
// heads of marks.
const (
	left, right = 56.0, 16.0 // more on the left where a tick has a longer text
	top, bottom = 12.0, 30.0
	headHeight  = 20.0 // of the head of a mark
	headWidth   = 20.0
	label       = 18.0 // height of an axis label
	letter      = 7.0  // width of a letter of a tick, about
	between     = 6.0  // from a tick's text to the frame
)

// Draw places a plot in a rectangle of Width by its height. A plot without a
// single point has its frame and its levels alone.
func (p Plot) Draw() Chart {
	c := Chart{ID: p.ID, Title: p.Title, Desc: p.Desc, Width: Width, Height: cmp.Or(p.Height, Height),
		XLabel: p.X.Label, YLabel: p.Y.Label, Table: p.Table}
	lo, hi, yTicks := linear(p.ys(), 5)
	x := scale{from: p.left(yTicks), to: Width - right}
	xs, ticks, format := p.xAxis()
	x.lo, x.hi = xs[0], xs[1]
	rows := p.flags(&c, x)
	c.Frame = Frame{Left: x.from, Right: Width - right, Top: top + rows*headHeight, Bottom: c.Height - bottom}
	if p.X.Label != "" {
		c.Frame.Bottom -= label
	}
	if p.Y.Label != "" {
		c.Frame.Top += label
	}
	y := scale{from: c.Frame.Bottom, to: c.Frame.Top}
	y.lo, y.hi = lo, hi
	c.XTicks, c.YTicks = place(x, ticks, format), place(y, yTicks, cmpFormat(p.Y.Format))
	p.shapes(&c, x, y)
	c.Legend = p.legend()
	return c
}

// left is where the frame begins, so that the texts beside it are whole.
func (p Plot) left(ticks []float64) float64 {
	room := left
	for _, v := range ticks {
		room = max(room, letter*float64(utf8.RuneCountInString(cmpFormat(p.Y.Format)(v)))+between)
	}
	return room
}

// Empty reports whether nothing but axes and levels is drawn.
func (p Plot) Empty() bool {
	for _, l := range p.Lines {
		if len(l.Points) > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(p.Bands, func(b Band) bool { return len(b.Points) > 0 })
}

func (p Plot) xAxis() (ends [2]float64, ticks []float64, format func(float64) string) {
	if p.X.Time {
		ends[0], ends[1], ticks, format = times(p.xs(), 8)
		return ends, ticks, cmpFormat(p.X.Format, format)
	}
	ends[0], ends[1], ticks = linear(p.xs(), 8)
	return ends, ticks, cmpFormat(p.X.Format)
}

func cmpFormat(first func(float64) string, others ...func(float64) string) func(float64) string {
	for _, f := range append([]func(float64) string{first}, others...) {
		if f != nil {
			return f
		}
	}
	return plain
}

func (p Plot) xs() []float64 {
	all := slices.Clone(p.X.Holds)
	for _, l := range p.Lines {
		for _, at := range l.Points {
			all = append(all, at.X)
		}
	}
	for _, b := range p.Bands {
		for _, at := range b.Points {
			all = append(all, at.X)
		}
	}
	return all
}

// ys are the values that the axis has to hold. A band's first ranges are often
// ten times as wide as its last ones; what they have beyond three times the
// middle width is cut at the frame, so that the rest can be read.
func (p Plot) ys() []float64 {
	all := slices.Clone(p.Y.Holds)
	for _, l := range p.Levels {
		all = append(all, l.Y)
	}
	for _, l := range p.Lines {
		for _, at := range l.Points {
			all = append(all, at.Y)
		}
	}
	for _, b := range p.Bands {
		all = append(all, b.shown()...)
	}
	return all
}

func (b Band) shown() []float64 {
	var widths []float64
	for _, r := range b.Points {
		if w := r.Hi - r.Lo; finite(w) {
			widths = append(widths, w)
		}
	}
	if len(widths) == 0 {
		return nil
	}
	slices.Sort(widths)
	most := 3 * widths[len(widths)/2]
	var all []float64
	for _, r := range b.Points {
		if r.Hi-r.Lo <= most {
			all = append(all, r.Lo, r.Hi)
		}
	}
	return all
}

func place(s scale, values []float64, format func(float64) string) []Tick {
	var all []Tick
	for _, v := range values {
		if math.Abs(v) < 1e-12*(s.hi-s.lo) {
			v = 0
		}
		all = append(all, Tick{At: s.at(v), Text: format(v)})
	}
	return all
}

// flags places the heads of marks, in as many rows as keep them apart, and
// returns the number of rows.
func (p Plot) flags(c *Chart, x scale) float64 {
	var ends []float64 // of the last head of each row
	marks := slices.Clone(p.Marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.X, b.X) })
	first := top / 2
	if p.Y.Label != "" {
		first += label // which stands above them
	}
	for _, m := range marks {
		if m.X < x.lo || m.X > x.hi {
			continue
		}
		at := x.at(m.X)
		row := slices.IndexFunc(ends, func(end float64) bool { return at-headWidth/2 >= end })
		if row < 0 {
			row, ends = len(ends), append(ends, 0)
		}
		ends[row] = at + headWidth/2 + 2
		c.Flags = append(c.Flags, Flag{X: at, Row: first + (float64(row)+0.5)*headHeight, Text: m.Text, Class: m.Class})
	}
	return float64(len(ends))
}

func (p Plot) shapes(c *Chart, x, y scale) {
	for _, b := range p.Bands {
		c.Shapes = append(c.Shapes, Shape{"band " + b.Class, b.path(x, y)})
	}
	for _, l := range p.Levels {
		c.Shapes = append(c.Shapes, Shape{"level " + l.Class, Path("M" + coordinate(x.from, y.at(l.Y)) + "H" + short(x.to))})
	}
	for _, f := range c.Flags {
		c.Shapes = append(c.Shapes, Shape{"at " + f.Class, Path("M" + coordinate(f.X, f.Row+headHeight/2) + "V" + short(y.from))})
	}
	for _, l := range p.Lines {
		c.Shapes = append(c.Shapes, Shape{"line " + l.Class, l.path(x, y)})
	}
}

func (l Line) path(x, y scale) Path {
	var b strings.Builder
	pen := "M"
	for _, at := range l.Points {
		switch {
		case !finite(at.Y) || !finite(at.X):
			pen = "M"
			continue
		case pen == "L" && l.Step:
			b.WriteString("H" + short(x.at(at.X)) + "V" + short(y.at(at.Y)))
		default:
			b.WriteString(pen + coordinate(x.at(at.X), y.at(at.Y)))
		}
		pen = "L"
	}
	return Path(b.String())
}

// path draws each uninterrupted run of a band along its upper ends and back
// along its lower ones.
func (b Band) path(x, y scale) Path {
	var out strings.Builder
	run := func(points []Range) {
		for i, r := range points {
			out.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + coordinate(x.at(r.X), y.at(r.Hi)))
		}
		for _, r := range slices.Backward(points) {
			out.WriteString("L" + coordinate(x.at(r.X), y.at(r.Lo)))
		}
		if len(points) > 0 {
			out.WriteString("Z")
		}
	}
	from := 0
	for i, r := range b.Points {
		if math.IsNaN(r.Lo) || math.IsNaN(r.Hi) || !finite(r.X) {
			run(b.Points[from:i])
			from = i + 1
		}
	}
	run(b.Points[min(from, len(b.Points)):])
	return Path(out.String())
}

func (p Plot) legend() []Key {
	var all []Key
	for _, b := range p.Bands {
		all = append(all, Key{b.Name, b.Class, true})
	}
	for _, l := range p.Lines {
		all = append(all, Key{l.Name, l.Class, false})
	}
	for _, l := range p.Levels {
		all = append(all, Key{l.Name, l.Class, false})
	}
	return slices.DeleteFunc(all, func(k Key) bool { return k.Name == "" })
}

// Spark returns the path of a small line without axes in a rectangle.
func Spark(values []float64, width, height float64) Path {
	lo, hi, ok := reach(values)
	if !ok || len(values) < 2 {
		return ""
	}
	if hi == lo {
		hi = lo + 1
	}
	l := Line{}
	for i, v := range values {
		l.Points = append(l.Points, Point{float64(i), v})
	}
	return l.path(scale{0, float64(len(values) - 1), 1, width - 1}, scale{lo, hi, height - 1, 1})
}

func coordinate(x, y float64) string { return short(x) + " " + short(y) }

func short(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Package chart draws the charts of the pages: lines, steps and bands over a
// linear or a time axis, with levels and numbered marks, as paths in pixels
// that a template writes as SVG. It knows nothing of what is drawn: words and
// numbers come from the caller, and so does the table that stands beside every
// chart for those who do not see it.
//
//	p := chart.Plot{ID: "lift", Title: "Lift over time", Desc: "Day-7 retention fell …",
//		X: chart.Axis{Time: true}, Y: chart.Axis{Format: percent},
//		Bands: []chart.Band{{Class: "always", Points: band}}, Lines: …, Table: …}
//	c := p.Draw() // c.Shapes, c.Ticks, c.Flags: what the template "chart" writes
package chart

// Plot is what is to be drawn, in the units of the data.
type Plot struct {
	ID    string // prefix of the ids inside, unique on its page
	Title string // what is drawn: "Lift over time"
	Desc  string // the conclusion in a sentence, which the chart is an illustration of
	X, Y  Axis

	Bands  []Band // behind the lines, in this order
	Lines  []Line
	Levels []Level // horizontal: zero, a margin, a target
	Marks  []Mark  // vertical: decisions, deployments, stages

	Table  Table
	Height float64 // pixels; 0: Height
}

// Axis says how one direction is scaled.
type Axis struct {
	Label  string               // with its unit; empty: none
	Time   bool                 // values are seconds since 1970, ticks fall on whole hours and days in UTC
	Format func(float64) string // text of a tick; nil: the shortest decimal number
	Holds  []float64            // values that the axis reaches even where no series does
}

// Point is one value of a line. A Y that is NaN interrupts the line.
type Point struct{ X, Y float64 }

// Line is a series.
type Line struct {
	Name   string // for the legend
	Class  string // of the style sheet: "treatment", "control", "planned"
	Step   bool   // the value holds until the next point
	Points []Point
}

// Range is one value of a band. Ends that are infinite reach the frame; NaN
// interrupts the band.
type Range struct{ X, Lo, Hi float64 }

// Band is an area between two values.
type Band struct {
	Name   string
	Class  string
	Points []Range
}

// Level is a horizontal line.
type Level struct {
	Name  string
	Class string
	Y     float64
}

// Mark is a vertical line with a short text on its head, such as the number of
// a decision.
type Mark struct {
	X     float64
	Text  string // a number or a letter
	Class string
}

// Table holds the numbers of a chart as text.
type Table struct {
	Head []string
	Rows [][]string
	Note string // which rows these are, when they are not all
}

// Chart is what the template writes. All places are in pixels from the upper
// left corner.
type Chart struct {
	ID, Title, Desc string
	Width, Height   float64
	Frame           Frame
	XLabel, YLabel  string
	XTicks, YTicks  []Tick
	Shapes          []Shape // in the order in which they are drawn
	Flags           []Flag
	Legend          []Key
	Table           Table
}

// Frame is the inner rectangle that the data lie in.
type Frame struct{ Left, Top, Right, Bottom float64 }

// Tick is a place on an axis with its text.
type Tick struct {
	At   float64
	Text string
}

// Shape is one path.
type Shape struct {
	Class string
	D     Path
}

// Path is the d attribute of an SVG path. It is made of numbers by this package
// alone.
type Path string

// Flag is the head of a mark.
type Flag struct {
	X     float64
	Row   float64 // height of its middle: flags that would touch stand below each other
	Text  string
	Class string
}

// Key explains a class in the legend.
type Key struct {
	Name, Class string
	Band        bool // an area rather than a line
}

// Size of a chart in pixels, before the page scales it to the room it has.
const (
	Width  = 720.0
	Height = 260.0
)

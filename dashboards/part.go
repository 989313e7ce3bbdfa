package dashboards

import "github.com/sluice-hq/sluice/dashboards/chart"

// Tab is one of several views of the same thing, each with an address of its
// own.
type Tab struct {
	Name, Link string
	Here       bool
}

// Pager leads through a long list.
type Pager struct {
	Newer, Older string // addresses; empty: there is no more
}

// Empty is what stands where nothing is: why, and the command that fills it.
type Empty struct {
	Title   string // "No rollout yet"
	Text    string
	Command string // exactly what to type; empty: none
}

// Spark is a small line in a row of text.
type Spark struct {
	Width, Height float64
	Path          chart.Path
	Words         string // what the line says, for those who do not see it
}

// NewSpark draws values from left to right.
func NewSpark(values []float64, words string) Spark {
	const width, height = 96, 20
	return Spark{Width: width, Height: height, Path: chart.Spark(values, width, height), Words: words}
}

// slot is a field with the id that it has in its form.
type slot struct {
	ID    string
	Field Field
}

func newSlot(f Form, i Field) slot { return slot{ID: f.Of(i), Field: i} }

package chart

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDraw_placesPointsOnTheScale(t *testing.T) {
	c := Plot{Lines: []Line{{Class: "a", Points: []Point{{0, 0}, {10, 1}}}}}.Draw()
	want := []Shape{{"line a", "M56 230L704 12"}}
	if diff := cmp.Diff(want, c.Shapes); diff != "" {
		t.Error(diff)
	}
	if first, last := c.XTicks[0], c.XTicks[len(c.XTicks)-1]; first != (Tick{56, "0"}) || last != (Tick{704, "10"}) {
		t.Errorf("ticks run from %v to %v", first, last)
	}
}

func TestDraw_stepHoldsUntilTheNextPoint(t *testing.T) {
	c := Plot{Lines: []Line{{Step: true, Points: []Point{{0, 0}, {5, 1}, {10, 1}}}}}.Draw()
	if got, want := c.Shapes[0].D, Path("M56 230H380V12H704V12"); got != want {
		t.Errorf("the step is %s, want %s", got, want)
	}
}

func TestDraw_interruptions(t *testing.T) {
	nan := math.NaN()
	c := Plot{
		Lines: []Line{{Points: []Point{{0, 0}, {4, nan}, {5, 1}, {10, 1}}}},
		Bands: []Band{{Points: []Range{{0, 0, 1}, {4, nan, nan}, {5, 0, 1}, {10, math.Inf(-1), 1}}}},
	}.Draw()
	band, line := string(c.Shapes[0].D), string(c.Shapes[1].D)
	if strings.Count(line, "M") != 2 || strings.Count(band, "M") != 2 || strings.Count(band, "Z") != 2 {
		t.Errorf("nothing is interrupted: %s and %s", line, band)
	}
	if strings.Contains(band+line, "NaN") || strings.Contains(band+line, "Inf") {
		t.Errorf("a path holds no number: %s and %s", line, band)
	}
}

// TestDraw_wideBeginning: the first ranges of a band are cut, so that the last
// ones can be read.
func TestDraw_wideBeginning(t *testing.T) {
	var band []Range
	for i := range 20 {
		w := 1.0
		if i == 0 {
			w = 1000
		}
		band = append(band, Range{float64(i), -w, w})
	}
	c := Plot{Bands: []Band{{Points: band}}}.Draw()
	if last := c.YTicks[len(c.YTicks)-1]; last.Text != "1" {
		t.Errorf("the axis ends at %s, want 1", last.Text)
	}
}

func TestDraw_timeAxisHasWholeDays(t *testing.T) {
	const start = 1795219200 // 21 Nov 2026 00:00 UTC
	c := Plot{X: Axis{Time: true}, Lines: []Line{{Points: []Point{{start + 3600, 1}, {start + 5*86400, 2}}}}}.Draw()
	var texts []string
	for _, tick := range c.XTicks {
		texts = append(texts, tick.Text)
	}
	if diff := cmp.Diff([]string{"22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov"}, texts); diff != "" {
		t.Error(diff)
	}
}

func TestDraw_headsOfMarksDoNotTouch(t *testing.T) {
	p := Plot{X: Axis{Holds: []float64{0, 1000}}}
	for i := range 5 {
		p.Marks = append(p.Marks, Mark{X: 500 + float64(i), Text: "1"})
	}
	p.Marks = append(p.Marks, Mark{X: 5000, Text: "beyond"})
	c := p.Draw()
	if len(c.Flags) != 5 {
		t.Fatalf("%d heads, want 5: one lies beyond the axis", len(c.Flags))
	}
	for i, a := range c.Flags {
		for _, b := range c.Flags[i+1:] {
			if a.Row == b.Row && math.Abs(a.X-b.X) < headWidth {
				t.Errorf("heads at %v and %v touch", a, b)
			}
		}
		if a.Row > c.Frame.Top {
			t.Errorf("the head at %v lies inside the frame, which begins at %v", a, c.Frame.Top)
		}
	}
}

func TestDraw_nothing(t *testing.T) {
	p := Plot{}
	if !p.Empty() {
		t.Error("a plot of nothing is not empty")
	}
	c := p.Draw()
	for _, tick := range append(c.XTicks, c.YTicks...) {
		if !finite(tick.At) {
			t.Errorf("a tick is nowhere: %v", tick)
		}
	}
}

// TestDraw_oneValue: a constant has an axis around it, whatever its size.
func TestDraw_oneValue(t *testing.T) {
	for _, v := range []float64{0, 1e-12, 1e15, -3} {
		c := Plot{Lines: []Line{{Points: []Point{{v, v}}}}}.Draw()
		if len(c.YTicks) < 2 || strings.Contains(string(c.Shapes[0].D), "NaN") {
			t.Errorf("%v: ticks %v, path %s", v, c.YTicks, c.Shapes[0].D)
		}
	}
}

// TestDraw_longLabels: the text of a tick has room beside the frame, and a short
// one takes no more than ever.
func TestDraw_longLabels(t *testing.T) {
	for text, want := range map[string]float64{"5 %": 56, "+1,234,567 ms": 97} {
		c := Plot{Y: Axis{Format: func(float64) string { return text }}, Lines: []Line{{Points: []Point{{0, 0}, {1, 1}}}}}.Draw()
		if c.Frame.Left != want || !strings.HasPrefix(string(c.Shapes[0].D), "M"+short(want)+" ") {
			t.Errorf("beside %q the frame begins at %v, want %v, and the line is %s", text, c.Frame.Left, want, c.Shapes[0].D)
		}
	}
}

func TestSpark(t *testing.T) {
	if got, want := Spark([]float64{0, 1, 0}, 12, 12), Path("M1 11L6 1L11 11"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := Spark([]float64{1}, 12, 12); got != "" {
		t.Errorf("one value is no line: %s", got)
	}
}

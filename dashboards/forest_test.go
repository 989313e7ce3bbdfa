package dashboards

import (
	"math"
	"testing"
)

// axis is -10 % to +10 % with ticks every 5 %.
func tenPercent() Axis { return Axis{Lo: -0.1, Hi: 0.1, Step: 0.05} }

func TestAxis_X(t *testing.T) {
	for _, c := range []struct{ v, want float64 }{
		{-0.1, 16}, {0, 160}, {0.1, 304}, {0.05, 232},
		{-3, 16}, {math.Inf(1), 304}, // cut at the ends
	} {
		if got := tenPercent().X(c.v); got != c.want {
			t.Errorf("X(%v) = %v, want %v", c.v, got, c.want)
		}
	}
}

func lifted(v Mark, l Lift, lower bool, margin *float64) Row {
	return Row{Metric: "m", Role: Guardrail, Verdict: v, Lift: &l, Lower: lower, Margin: margin}
}

func TestAxis_Strip(t *testing.T) {
	r := lifted(Worse, Lift{Relative: -0.05, Always: Interval{-0.2, 0.05}, Fixed: Interval{-0.075, -0.025}, Bounds: Interval{-0.09, -0.01}}, false, share(0.025))
	s := tenPercent().Strip("x", r, 0.95)
	if tenPercent().Zero() != 160 || *s.Point != 88 {
		t.Errorf("zero at %v, point at %v", tenPercent().Zero(), *s.Point)
	}
	if got, want := *s.Always, (Bar{X: 16, Width: 216, CutLo: true}); got != want {
		t.Errorf("always = %+v, want %+v", got, want)
	}
	if got, want := *s.Fixed, (Bar{X: 52, Width: 72}); got != want {
		t.Errorf("fixed = %+v, want %+v", got, want)
	}
	if !s.Bound || s.Margin != 124 || s.Danger != (Bar{X: 16, Width: 108}) {
		t.Errorf("margin at %v, danger %+v", s.Margin, s.Danger)
	}
	if len(s.Bounds) != 2 || s.Bounds[0] != 30.4 || s.Bounds[1] != 145.6 {
		t.Errorf("bounds at %v", s.Bounds)
	}
}

func TestAxis_Strip_inverseMetric(t *testing.T) {
	r := lifted(Within, Lift{Relative: 0.01}, true, share(0.05))
	s := tenPercent().Strip("x", r, 0.95)
	if s.Margin != 232 || s.Danger != (Bar{X: 232, Width: 72}) {
		t.Errorf("when less is better, harm lies to the right: margin at %v, danger %+v", s.Margin, s.Danger)
	}
}

func TestAxis_Strip_marginOfZero(t *testing.T) {
	s := tenPercent().Strip("x", lifted(Worse, Lift{Relative: -0.05}, false, share(0)), 0.95)
	if !s.Bound || s.Margin != tenPercent().Zero() {
		t.Errorf("a margin of 0 is at %v, zero at %v", s.Margin, tenPercent().Zero())
	}
}

func TestAxis_Strip_outOfSight(t *testing.T) {
	s := tenPercent().Strip("x", lifted(Inconclusive, Lift{Relative: 3, Always: Interval{math.Inf(-1), math.Inf(1)}}, true, share(2)), 0.95)
	if s.Point != nil || s.Bound {
		t.Error("a point or a margin beyond the axis was drawn on it")
	}
	if !s.Always.CutLo || !s.Always.CutHi || s.Always.Width != 288 {
		t.Errorf("an open interval is %+v", *s.Always)
	}
}

func TestAxis_Strip_unknownIsHollow(t *testing.T) {
	for _, m := range []Mark{Inconclusive, NoData} {
		if !tenPercent().Strip("x", Row{Verdict: m}, 0.95).Hollow {
			t.Errorf("%s is drawn as if it were known", m)
		}
	}
	for _, m := range []Mark{Better, Worse, Within} {
		if tenPercent().Strip("x", Row{Verdict: m}, 0.95).Hollow {
			t.Errorf("%s is drawn as unknown", m)
		}
	}
}

func TestAxis_Strip_noRelativeLift(t *testing.T) {
	s := tenPercent().Strip("x", lifted(Inconclusive, Lift{Relative: math.NaN(), Always: unknown(), Fixed: unknown()}, true, nil), 0.95)
	if s.Point != nil || s.Always != nil || s.Fixed != nil {
		t.Error("something was drawn of a lift that has no relative value")
	}
}

func TestNewAxis(t *testing.T) {
	row := func(lo, hi float64) Row {
		return lifted(Inconclusive, Lift{Relative: (lo + hi) / 2, Always: Interval{lo, hi}, Fixed: Interval{lo, hi}}, false, nil)
	}
	for _, c := range []struct {
		name   string
		rows   []Row
		lo, hi float64
	}{
		{"nothing", nil, -0.1, 0.1},
		{"no data", []Row{{Metric: "m"}}, -0.1, 0.1},
		{"one side keeps room for zero", []Row{row(0.01, 0.05)}, -0.01, 0.05},
		{"one wild row does not press the others", []Row{row(-0.05, 0.05), row(-3, 3)}, -0.15, 0.15},
		{"only open intervals", []Row{row(math.Inf(-1), math.Inf(1))}, -0.1, 0.1},
		{"tiny", []Row{row(-1e-7, 2e-7)}, -1e-7, 2e-7},
	} {
		a := NewAxis(c.rows)
		if math.Abs(a.Lo-c.lo) > 1e-12 || math.Abs(a.Hi-c.hi) > 1e-12 {
			t.Errorf("%s: %v to %v, want %v to %v", c.name, a.Lo, a.Hi, c.lo, c.hi)
		}
		ticks := a.Ticks()
		if len(ticks) < 3 || len(ticks) > 12 {
			t.Errorf("%s: %d ticks", c.name, len(ticks))
		}
	}
}

func TestAxis_Ticks(t *testing.T) {
	var got []string
	for _, tick := range tenPercent().Ticks() {
		got = append(got, tick.Text)
	}
	if len(got) != 5 || got[0] != minus+"10"+space+"%" || got[2] != "0"+space+"%" || got[3] != "+5"+space+"%" {
		t.Errorf("ticks are %q", got)
	}
}

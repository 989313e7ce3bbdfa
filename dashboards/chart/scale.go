package chart

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// scale maps values between lo and hi to pixels between from and to.
type scale struct{ lo, hi, from, to float64 }

// at returns the place of a value, cut at the ends of the axis and rounded to
// a tenth of a pixel.
func (s scale) at(v float64) float64 {
	v = min(max(v, s.lo), s.hi)
	return math.Round((s.from+(v-s.lo)/(s.hi-s.lo)*(s.to-s.from))*10) / 10
}

// reach returns the smallest and largest finite value.
func reach(values []float64) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi, lo <= hi
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// linear widens a range to whole ticks of 1, 2 or 5 times a power of ten,
// about n of them.
func linear(values []float64, n int) (lo, hi float64, ticks []float64) {
	lo, hi, ok := reach(values)
	if !ok {
		lo, hi = 0, 1
	}
	if hi-lo < 1e-12*max(math.Abs(lo), math.Abs(hi), 1e-300) {
		pad := max(math.Abs(lo)/2, 1e-9)
		lo, hi = lo-pad, hi+pad
	}
	step := niceStep((hi - lo) / float64(n))
	first, last := math.Floor(lo/step), math.Ceil(hi/step)
	for i := first; i <= last; i++ {
		ticks = append(ticks, i*step)
	}
	return first * step, last * step, ticks
}

func niceStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// spans are the distances that a time axis may have between its ticks.
var spans = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
	12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 182 * day, 365 * day,
}

const day = 24 * time.Hour

// times places ticks on whole spans since 1970 in UTC, at most n of them. The
// ends of the axis are those of the data.
func times(values []float64, n int) (lo, hi float64, ticks []float64, format func(float64) string) {
	lo, hi, ok := reach(values)
	if !ok {
		lo, hi = 0, 1
	}
	if hi-lo < 1 {
		lo, hi = lo-30, hi+30
	}
	span := spans[len(spans)-1]
	if i := slices.IndexFunc(spans, func(d time.Duration) bool { return (hi-lo)/d.Seconds() <= float64(n) }); i >= 0 {
		span = spans[i]
	}
	for v := math.Ceil(lo/span.Seconds()) * span.Seconds(); v <= hi; v += span.Seconds() {
		ticks = append(ticks, v)
	}
	return lo, hi, ticks, func(v float64) string { return clock(v, span) }
}

// clock writes a time as finely as the ticks are apart.
func clock(v float64, span time.Duration) string {
	t := time.Unix(int64(v), 0).UTC()
	switch {
	case span < time.Minute:
		return t.Format("15:04:05")
	case span < day && t.Hour() == 0 && t.Minute() == 0 && span >= 3*time.Hour:
		return t.Format("2 Jan")
	case span < day:
		return t.Format("15:04")
	case span < 182*day:
		return t.Format("2 Jan")
	}
	return t.Format("Jan 2006")
}

func plain(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

package decisions

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// words is a status as people say it.
func (s Status) words() string {
	switch s {
	case RolledBack:
		return "rolled back"
	case CleanupDue:
		return "decided for good"
	case Planned, Running, Paused, Observing, Rejected:
	}
	return string(s)
}

// percent writes a share for people: "4.3 %", with a true minus.
func percent(x float64) string {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return "any"
	}
	digits := 1
	if a := math.Abs(100 * x); a != 0 && a < 0.095 {
		digits = 3
	}
	s := strconv.FormatFloat(100*x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return minus(s) + " %"
}

// minus writes the sign as typographers do, and no sign on a zero.
func minus(s string) string {
	if s == "-0" {
		return "0"
	}
	return strings.Replace(s, "-", "−", 1)
}

// count writes a number of units with thin groups: "45,489".
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// clock writes a moment, in UTC.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// quantity writes a level in its unit of measure.
func quantity(x float64, unit string) string {
	s := minus(strconv.FormatFloat(x, 'g', 4, 64))
	if unit == "" {
		return s
	}
	return s + " " + unit
}

// sizeText writes a size of harm: "30 %", or "5x" as it was written.
func sizeText(z Size) string {
	if z.Factor {
		return z.String()
	}
	return percent(z.Relative())
}

// lift writes how a metric differs, and what the test's own interval leaves
// open: "day_7_retention is 4.3 % worse (95 % interval −6.9 % to −1.7 %, valid
// at every look)". The interval is the one the answer rests on, so that it can
// never contradict the answer.
func lift(m Measured, r stats.Reading, level float64) string {
	show := percent
	if !r.Relative {
		show = func(x float64) string { return quantity(x, m.Unit) }
	}
	word := "better"
	if (r.Estimate > 0) == (m.Direction == stats.Decrease) && r.Estimate != 0 {
		word = "worse"
	}
	if r.Estimate == 0 {
		word = "different"
	}
	return fmt.Sprintf("%s is %s %s (%s interval %s to %s, valid at every look)", m.Metric,
		show(math.Abs(r.Estimate)), word, percent(level), side(r.Bounds.Low, show), side(r.Bounds.High, show))
}

// oneSided and twoSided return the level of an interval whose bounds are those
// of a test at the threshold −log(alpha): each side at alpha, or both together.
func oneSided(threshold float64) float64 { return 1 - 2*math.Exp(-threshold) }
func twoSided(threshold float64) float64 { return 1 - math.Exp(-threshold) }

func side(x float64, show func(float64) string) string {
	switch {
	case math.IsInf(x, -1):
		return "−∞"
	case math.IsInf(x, 1):
		return "∞"
	}
	return show(x)
}

// reading returns the numbers of a reading by name, leaving out what JSON
// cannot hold: an open side.
func reading(r stats.Reading) map[string]float64 {
	out := map[string]float64{"lift": r.Estimate, "information": r.Information, "needed": r.Needed}
	for name, x := range map[string]float64{
		"low": r.Bounds.Low, "high": r.Bounds.High, "bandLow": r.Band.Low, "bandHigh": r.Band.High,
		"fixedLow": r.Fixed.Low, "fixedHigh": r.Fixed.High,
	} {
		if !math.IsInf(x, 0) && !math.IsNaN(x) {
			out[name] = x
		}
	}
	return out
}

// judgement adds what a judgement says to its reading.
func judgement(j stats.Judgement) map[string]float64 {
	out := reading(j.Reading)
	out["logBreach"], out["logHarm"], out["logSafe"], out["threshold"] = j.LogBreach, j.LogHarm, j.LogSafe, j.Threshold
	return out
}

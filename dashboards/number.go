package dashboards

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The space before a unit never breaks a line.
const (
	space = "\u00a0" // before a unit
	comma = ","      // between groups of three digits, as the sentences of decisions have it
	minus = "\u2212"
)

// number writes v with three significant digits: enough to judge, few enough
// to compare at a glance.
func number(v float64) string { return fixed(v, decimals(v)) }

// decimals returns how many digits after the point show three significant
// ones; negative for 1 000 and above.
func decimals(v float64) int {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	// Formatting rounds first, so that 9.996 counts as 10.0 and gets one digit.
	_, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'e', 2, 64), "e")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		panic(err) // unreachable unless strconv changes its format
	}
	return 2 - e
}

// fixed writes v with that many digits after the point; what rounds to zero
// has no sign.
func fixed(v float64, digits int) string {
	switch {
	case math.IsNaN(v):
		return "—"
	case math.IsInf(v, 0):
		return sign(v, false) + "∞"
	case digits > 9 || digits < -13:
		return strings.ReplaceAll(strconv.FormatFloat(v, 'e', 2, 64), "-", minus)
	case digits < 0:
		unit := math.Pow10(-digits)
		v, digits = math.Round(v/unit)*unit, 0
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	whole, part, _ := strings.Cut(text, ".")
	if part != "" {
		part = "." + part
	}
	if strings.Trim(text, "0.") == "" {
		return text
	}
	return sign(v, false) + group(whole) + part
}

// signed writes a change: with its sign, except for zero.
func signed(v float64, digits int) string {
	text := fixed(v, digits)
	if v > 0 && !math.IsInf(v, 0) && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	if math.IsInf(v, 1) {
		return "+∞"
	}
	return text
}

func sign(v float64, plus bool) string {
	switch {
	case v < 0:
		return minus
	case plus:
		return "+"
	}
	return ""
}

// group puts a comma between groups of three digits. Four digits stay
// together with their group too, so that columns line up.
func group(digits string) string {
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(comma)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// count writes a whole number.
func count(n int64) string {
	if n < 0 {
		return minus + group(strings.TrimPrefix(strconv.FormatInt(n, 10), "-"))
	}
	return group(strconv.FormatInt(n, 10))
}

// percent writes a share, 0.05 as 5.00 %.
func percent(v float64) string { return number(v*100) + space + "%" }

// chance writes a p-value. Below one in ten thousand nobody acts on the digits.
func chance(p float64) string {
	if p < 1e-4 {
		return "< 0.0001"
	}
	return number(p)
}

// equals writes a p-value behind its letter.
func equals(p float64) string {
	if p < 1e-4 {
		return chance(p)
	}
	return "= " + chance(p)
}

// short writes a share that somebody chose, without digits that say nothing:
// 0.05 as 5 %.
func short(v float64) string {
	text := strconv.FormatFloat(math.Round(v*1e7)/1e5, 'f', -1, 64)
	return strings.Replace(text, "-", minus, 1) + space + "%"
}

// change writes a relative change: +5.00 %.
func change(v float64) string {
	if math.IsNaN(v) {
		return "—"
	}
	return signed(v*100, decimals(v*100)) + space + "%"
}

// span writes an interval of relative change; both ends get the digits of the
// larger one, so that they can be compared.
func span(i Interval) string {
	if !i.Known() {
		return "not known"
	}
	digits := decimals(100 * larger(i))
	return end(i.Lo, digits) + " to " + end(i.Hi, digits)
}

func end(v float64, digits int) string {
	if math.IsInf(v, 0) {
		return signed(v, 0)
	}
	return signed(v*100, digits) + space + "%"
}

// larger returns the finite end that is further from zero.
func larger(i Interval) float64 {
	lo, hi := math.Abs(i.Lo), math.Abs(i.Hi)
	switch {
	case math.IsInf(lo, 0):
		return hi
	case math.IsInf(hi, 0):
		return lo
	}
	return max(lo, hi)
}

// value writes the value of an arm in the metric's unit.
func (r Row) value(v float64) string {
	if r.Share {
		return percent(v)
	}
	return r.withUnit(number(v))
}

// difference writes an absolute change in the metric's unit.
func (r Row) difference(v float64) string {
	if r.Share {
		return signed(v*100, decimals(v*100)) + space + "pp"
	}
	return r.withUnit(signed(v, decimals(v)))
}

func (r Row) withUnit(text string) string {
	if r.Measure == "" {
		return text
	}
	return text + space + clip(r.Measure, 16)
}

// length writes a length of time with its two largest parts: 31 h 10 m.
func length(d time.Duration) string {
	switch d = max(d, 0); {
	case d >= 24*time.Hour:
		return parts(d, 24*time.Hour, "d", time.Hour, "h")
	case d >= time.Hour:
		return parts(d, time.Hour, "h", time.Minute, "m")
	case d >= time.Minute:
		return parts(d, time.Minute, "m", time.Second, "s")
	case d > 0 && d < time.Second:
		return "< 1" + space + "s"
	}
	return strconv.Itoa(int(d/time.Second)) + space + "s"
}

// roughly writes a length of time in one unit, of which there is more than one
// and a half, for what is estimated.
func roughly(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= u.unit*3/2 {
			return group(strconv.Itoa(int((d+u.unit/2)/u.unit))) + space + u.name
		}
	}
	return "a minute"
}

func parts(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	text := strconv.Itoa(int(d/large)) + space + largeName
	if rest := d % large / small; rest > 0 {
		text += space + strconv.Itoa(int(rest)) + space + smallName
	}
	return text
}

// moment writes a time in UTC, to the second, digits in columns.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + space + "UTC" }

// clock writes only the time of day, in UTC.
func clock(t time.Time) string { return t.UTC().Format("15:04:05") + space + "UTC" }

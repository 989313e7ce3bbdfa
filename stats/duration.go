package stats

import "math"

// Traffic is how many different units come with time. It is taken from a part
// of the past as a rollout would have met it: whoever comes again is not new, so
// that the first days bring more than the later ones.
type Traffic struct {
	Reach []float64 `json:"reach"` // different units met within the first day, the first two, …; never falling
}

// Daily returns the traffic of so many new units every day.
func Daily(perDay float64) Traffic { return Traffic{Reach: []float64{perDay}} }

// week is how many of the last days tell how traffic goes on.
const week = 7

// rate is how many new units come on each day beyond those that were counted.
func (t Traffic) rate() float64 {
	n := len(t.Reach)
	last := min(week, n)
	return (t.at(n) - t.at(n-last)) / float64(last)
}

// at returns the units of so many whole days.
func (t Traffic) at(day int) float64 {
	if day == 0 {
		return 0
	}
	return t.Reach[day-1]
}

// By returns how many different units come within so many days, none before the
// first. Beyond what was counted it goes on as in its last week.
func (t Traffic) By(days float64) float64 {
	n := len(t.Reach)
	switch {
	case n == 0 || !(days > 0):
		return 0
	case days >= float64(n):
		return t.at(n) + (days-float64(n))*t.rate()
	}
	whole, part := math.Modf(days)
	return t.at(int(whole)) + part*(t.at(int(whole)+1)-t.at(int(whole)))
}

// Days returns how many days it takes until so many different units have come,
// infinity when they never do.
func (t Traffic) Days(units float64) float64 { return Until(units, t.By) }

// never is a time that nobody waits: in days.
const never = 36_500

// Until returns the first day at which units, which never fall, are so many:
// infinity when that takes a hundred years.
func Until(units float64, by func(days float64) float64) float64 {
	switch {
	case by(0) >= units:
		return 0
	case !(by(never) >= units):
		return math.Inf(1)
	}
	high := 1.0
	for by(high) < units {
		high *= 2
	}
	return bisect(0, high, func(days float64) bool { return by(days) < units })
}

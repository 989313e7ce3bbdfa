package stats

import "time"

// Pace is how much information came within a time.
type Pace struct {
	Information float64       `json:"information"`
	Over        time.Duration `json:"over"`
}

// longestWait is the longest time that is told: what takes longer has no date.
const longestWait = 3650 * 24 * time.Hour

// Left returns how long it takes until a test has the information that it needs,
// at that pace: 0 when it is there. It is not known without a pace or a need,
// nor beyond ten years.
func (p Pace) Left(r Reading) (left time.Duration, known bool) {
	switch {
	case r.Needed > 0 && r.Information >= r.Needed:
		return 0, true
	case !(r.Needed > 0) || !(p.Information > 0) || p.Over <= 0:
		return 0, false
	}
	share := (r.Needed - r.Information) / p.Information
	if share > float64(longestWait)/float64(p.Over) {
		return 0, false
	}
	return time.Duration(share * float64(p.Over)), true
}

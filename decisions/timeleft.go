package decisions

import "time"

// TimeLeft estimates how long a gate waits for what time and traffic bring: its
// shortest window, its units at the pace of the stage, the information of its
// exclusions as they expect it. ok is false when nothing of that is open, or one
// of it cannot be told.
func (r Rollout) TimeLeft(v Verdict, e Evidence) (left time.Duration, ok bool) {
	for _, c := range v.Checks {
		if !c.open() {
			continue
		}
		took, known := time.Duration(0), true
		switch c.Name {
		case CheckWindow:
			stage, _ := r.Now()
			took = r.Since.Add(windowTime(stage.MinWindow)).Sub(e.At)
		case CheckUnits:
			took, known = r.filled(c, e)
		case CheckExclusion, CheckMargin:
			took, known = expectedAt(e, c)
		default:
			continue
		}
		if !known {
			return 0, false
		}
		left, ok = max(left, took), true
	}
	return left, ok
}

// filled is when the smaller arm has its units, if they come as they came since
// the stage began.
func (r Rollout) filled(c Check, e Evidence) (time.Duration, bool) {
	stage, _ := r.Now()
	arms, elapsed := r.Arms(), e.At.Sub(r.Since)
	came := min(e.UnitsOf(stage.Name, arms.Control), e.UnitsOf(stage.Name, arms.Treatment))
	if came <= 0 || elapsed <= 0 {
		return 0, false
	}
	lacks := c.Numbers["need"] - c.Numbers["have"]
	days := lacks / float64(came) * elapsed.Hours() / 24
	if days > 3650 {
		return 0, false // that is no time that anybody waits
	}
	return time.Duration(days * 24 * float64(time.Hour)), true
}

func expectedAt(e Evidence, c Check) (time.Duration, bool) {
	m, _ := e.Metric(c.Metric)
	x := m.Exclusion
	if c.Name == CheckMargin {
		x = m.AtMargin
	}
	if x == nil || x.Expected == nil {
		return 0, false
	}
	return max(x.Expected.Sub(e.At), 0), true
}

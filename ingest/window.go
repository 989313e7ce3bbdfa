package ingest

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Window says how far from now an event's time may be. A resend meets its twin
// however late it comes; the window keeps out clocks that are wrong, and old
// events that nobody meant to send any more.
type Window struct {
	Late  time.Duration // how old; zero: 7 days
	Ahead time.Duration // how far in the future; zero: an hour
}

func (w Window) late() time.Duration { return orElse(w.Late, 7*24*time.Hour) }

// Tolerance is how far in the future a time may be.
func (w Window) Tolerance() time.Duration { return orElse(w.Ahead, time.Hour) }

// Windows tells which times environments take.
type Windows interface {
	Window(environment string) Window
}

// checkTimes puts the time of the ID for an event without one, and keeps both
// within the window.
func (v *visit) checkTimes() []Rejection {
	made := timeOf(v.w.id)
	faults := v.checkTime("id", made)
	if v.w.has&fAt == 0 {
		v.w.at = made
		return faults
	}
	return append(faults, v.checkTime("at", v.w.at)...)
}

func (v *visit) checkTime(field string, t time.Time) []Rejection {
	late, ahead := v.window.late(), v.window.Tolerance()
	switch {
	case t.After(v.now.Add(ahead)):
		return v.reject(TimeWindow, field, t.Format(time.RFC3339), fmt.Sprintf("is more than %v in the future", event.Duration(ahead)), "set the sender's clock")
	case t.Before(time.Unix(0, 0)):
		return v.reject(TimeWindow, field, t.Format(time.RFC3339), "is before 1970", "send the time at which it happened")
	case t.Before(v.now.Add(-late)) && !v.door.Replay:
		return v.reject(TimeWindow, field, t.Format(time.RFC3339), fmt.Sprintf("is older than the late window of %v", event.Duration(late)), "import old events instead")
	}
	return nil
}

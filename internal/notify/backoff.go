package notify

import (
	"math"
	"time"
)

// A delivery is tried again after 5 seconds, then four times as late each time,
// up to once an hour, for 3 days: a receiver that was restarted hears of a
// rollback within seconds, and one that was down over a weekend hears of it
// still, within the hour. The specification recommends a schedule of some days.
const (
	firstPause = 5 * time.Second
	pauseGrows = 4
	mostPause  = time.Hour
	lifetime   = 72 * time.Hour
)

// pause returns how long to wait after the nth failure, from 1. jitter in [0,1)
// spreads it by a fifth to either side, so that what failed together does not
// come back together.
func pause(failures int, jitter float64) time.Duration {
	p := float64(firstPause) * math.Pow(pauseGrows, float64(max(failures, 1)-1))
	return time.Duration(min(p, float64(mostPause)) * (0.8 + 0.4*jitter))
}

// mostRest bounds what a receiver may ask for in Retry-After.
const mostRest = time.Hour

package notify

import (
	"testing"
	"time"
)

// TestPause: 5 seconds, then four times as long, up to an hour, spread by a
// fifth to either side.
func TestPause(t *testing.T) {
	for i, want := range []time.Duration{5 * time.Second, 20 * time.Second, 80 * time.Second, 320 * time.Second} {
		if got := pause(i+1, 0.5); got != want {
			t.Errorf("behind try %d: got %v, want %v", i+1, got, want)
		}
	}
	for tries := range 100 {
		least, middle, most := pause(tries, 0), pause(tries, 0.5), pause(tries, 0.999)
		if middle > mostPause || least != middle*4/5 || most > middle*6/5 || most <= middle {
			t.Errorf("behind try %d: %v to %v around %v", tries, least, most, middle)
		}
	}
	// Within the lifetime of a delivery there are not many tries.
	tries, at := 1, time.Duration(0)
	for ; at < lifetime; tries++ {
		at += pause(tries, 0)
	}
	if tries < 70 || tries > 110 {
		t.Errorf("%d tries in %v", tries, lifetime)
	}
}

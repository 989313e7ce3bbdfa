package stats

import (
	"math"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		p     Pace
		r     Reading
		want  time.Duration
		known bool
	}{
		"half of it in two days": {Pace{50, 2 * day}, Reading{Information: 50, Needed: 100}, 2 * day, true},
		"three tenths, faster":   {Pace{20, day}, Reading{Information: 30, Needed: 100}, 84 * time.Hour, true},
		"there":                  {Pace{}, Reading{Information: 100, Needed: 100}, 0, true},
		"nothing yet":            {Pace{0, day}, Reading{Needed: 100}, 0, false},
		"no time":                {Pace{1, 0}, Reading{Information: 1, Needed: 100}, 0, false},
		"no need":                {Pace{1, day}, Reading{Information: 1}, 0, false},
		"centuries":              {Pace{1, 365 * day}, Reading{Information: 1, Needed: 100}, 0, false},
		"NaN":                    {Pace{math.NaN(), day}, Reading{Information: 1, Needed: 100}, 0, false},
	} {
		if got, known := tt.p.Left(tt.r); got != tt.want || known != tt.known {
			t.Errorf("%s: %v, %v, want %v, %v", name, got, known, tt.want, tt.known)
		}
	}
}

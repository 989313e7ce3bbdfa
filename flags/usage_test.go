package flags

import (
	"testing"
	"time"
)

func TestLastAsked(t *testing.T) {
	long, lately := noon.Add(-30*24*time.Hour), noon.Add(-time.Hour)
	for name, c := range map[string]struct {
		seen []Seen
		want string // of what Lifecycle is told
	}{
		"nobody counts":                   {nil, "untold"},
		"counting has just begun":         {[]Seen{{Since: lately}}, "untold"},
		"one environment is not counted":  {[]Seen{{Since: long}, {}}, "untold"},
		"asked where counting has begun":  {[]Seen{{Since: lately, Asked: lately}, {}}, lately.String()},
		"never asked":                     {[]Seen{{Since: long}, {Since: long}}, time.Time{}.String()},
		"asked long ago":                  {[]Seen{{Since: long, Asked: long}}, long.String()},
		"asked long ago, listed lately":   {[]Seen{{Since: long, Asked: long, Listed: lately}}, "untold"},
		"asked lately in another":         {[]Seen{{Since: long, Asked: long}, {Since: long, Asked: lately}}, lately.String()},
		"listed long ago and never asked": {[]Seen{{Since: long, Listed: long}}, time.Time{}.String()},
	} {
		got := "untold"
		if last := LastAsked(c.seen, noon); last != nil {
			got = last.String()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

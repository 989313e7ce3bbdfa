package flags

import "time"

// Usage is how often a flag gave one answer on one day, by who counted it.
type Usage struct {
	Day       Date   `json:"day"`
	Variant   string `json:"variant"`
	Reason    Reason `json:"reason"`
	Asked     int64  `json:"asked"`     // evaluations one by one, by replicas and by SDKs that report them
	Listed    int64  `json:"listed"`    // answers of all flags that it was part of
	Exposures int64  `json:"exposures"` // sent by SDKs
}

// Seen is when a flag was last used in an environment, as far as anybody has
// told. Who only fetches rules and evaluates them without a report is unseen.
type Seen struct {
	Asked  time.Time `json:"asked,omitzero"`  // newest evaluation or exposure; zero when there was none since Since
	Listed time.Time `json:"listed,omitzero"` // newest answer of all flags, which proves no use
	Since  time.Time `json:"since,omitzero"`  // when counting began; zero: nobody counts
}

// Asking reports whether a flag that was last asked for then is in use.
func Asking(last, now time.Time) bool { return !last.IsZero() && now.Sub(last) <= Quiet }

// Doubt says why it cannot be told that a flag which nobody asks for is not in
// use, or returns "".
func (s Seen) Doubt(now time.Time) string {
	switch {
	case Asking(s.Asked, now):
		return ""
	case s.Since.IsZero():
		return "evaluations are not counted there, or not known yet"
	case now.Sub(s.Since) <= Quiet:
		return "evaluations are counted since " + s.Since.UTC().Format(time.RFC3339) + " alone"
	case Asking(s.Listed, now):
		return "clients fetch it with all other flags"
	}
	return ""
}

// LastAsked returns when a flag was last evaluated in any of its environments,
// as Lifecycle asks for it: nil while it cannot be told, because some
// environment has not been counted for as long as a flag may go unseen, or
// because clients fetch the flag with all others and may read it unseen.
func LastAsked(list []Seen, now time.Time) *time.Time {
	var last time.Time
	untold := len(list) == 0
	for _, s := range list {
		if s.Asked.After(last) {
			last = s.Asked
		}
		untold = untold || s.Since.IsZero() || now.Sub(s.Since) <= Unseen || now.Sub(s.Listed) <= Unseen
	}
	if untold && now.Sub(last) > Unseen {
		return nil
	}
	return &last
}

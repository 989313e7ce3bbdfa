package flags

import "time"

// Date is a day ("2027-01-01", from its beginning in UTC) or a moment in RFC
// 3339, kept as it was written.
type Date string

// Time returns the moment, and whether the date is one.
func (d Date) Time() (time.Time, bool) {
	if d == "" { // to ask the parser takes a thousand times as long
		return time.Time{}, false
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, string(d)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

package stats

import (
	"encoding/json"
	"math"
)

// Interval is a range of effects that the data do not exclude. An open side is
// infinite here and null in JSON.
type Interval struct {
	Low, High float64
}

// Open is the interval that excludes nothing.
func Open() Interval { return Interval{Low: math.Inf(-1), High: math.Inf(1)} }

// Contains reports whether x is within the interval, ends included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// scale returns the interval in another unit of measure.
func (i Interval) scale(by float64) Interval {
	if by < 0 {
		return Interval{Low: i.High * by, High: i.Low * by}
	}
	return Interval{Low: i.Low * by, High: i.High * by}
}

type interval struct {
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// MarshalJSON implements json.Marshaler.
func (i Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal(interval{Low: bounded(i.Low), High: bounded(i.High)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Interval) UnmarshalJSON(b []byte) error {
	var v interval
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*i = Open()
	if v.Low != nil {
		i.Low = *v.Low
	}
	if v.High != nil {
		i.High = *v.High
	}
	return nil
}

// bounded returns x for JSON, which has no infinity.
func bounded(x float64) *float64 {
	if !finite(x) {
		return nil
	}
	return &x
}

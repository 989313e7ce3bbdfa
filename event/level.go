package event

import (
	"math"
	"strconv"
	"strings"
)

// ParseLevel takes a level such as "200ms" apart: a number, and the unit that it
// is measured in, which may be empty.
func ParseLevel(s string) (value float64, unit string, err error) {
	end := strings.LastIndexAny(s, "0123456789.") + 1
	value, err = strconv.ParseFloat(s[:end], 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) {
		return 0, "", Invalid{Value: s, Why: "is not a number with a unit", Fix: "write one such as 200ms"}
	}
	return value, strings.TrimSpace(s[end:]), nil
}

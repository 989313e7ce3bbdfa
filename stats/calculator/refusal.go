package calculator

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// bad refuses a field of the question.
func bad(field, message string) *stats.Refusal {
	return &stats.Refusal{Code: stats.BadInput, Field: field, Message: message}
}

// first returns the first refusal that is one.
func first(refusals ...*stats.Refusal) *stats.Refusal {
	for _, r := range refusals {
		if r != nil {
			return r
		}
	}
	return nil
}

// uncarried refuses a setting that is not among the values that are carried
// out. Nothing given is always carried out.
func uncarried(field, value string, carried ...string) *stats.Refusal {
	for _, c := range append(carried, "") {
		if value == c {
			return nil
		}
	}
	return bad(field, fmt.Sprintf("%q is not carried out here", value))
}

// given returns the value of a setting, NaN for one that was given as 0: the
// zero value means the default in Go, and nonsense in a question.
func given(v *float64) float64 {
	switch {
	case v == nil:
		return 0
	case *v == 0:
		return math.NaN()
	}
	return *v
}

// or returns x, or the default where it is not given.
func or(x, otherwise float64) float64 {
	if x == 0 {
		return otherwise
	}
	return x
}

// bounded returns x for JSON, which has no infinity.
func bounded(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// Package limit holds how much of something may come from somebody: a bucket
// for each key, in bounded memory. It never reads a clock or a request; whoever
// asks says who it is, how much, and when.
//
//	rate, err := limit.Parse("100/s")
//	pool := limit.NewPool(rate, 10_000)
//	if wait := pool.Take("token-1", 1, now); wait > 0 {
//		// too much; come back after wait
//	}
package limit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is how much may come: N at once, and as much again in every Per. The
// zero Rate has no limit.
type Rate struct {
	N   int64
	Per time.Duration
}

// None reports whether there is no limit.
func (r Rate) None() bool { return r.N == 0 }

// String writes the rate as Parse reads it.
func (r Rate) String() string {
	if r.None() {
		return "none"
	}
	n := strconv.FormatInt(r.N, 10)
	for _, u := range sizes {
		if r.N%u.n == 0 {
			n = strconv.FormatInt(r.N/u.n, 10) + u.name
			break
		}
	}
	for _, u := range spans {
		if r.Per == u.per {
			return n + "/" + u.name
		}
	}
	return n + "/" + r.Per.String()
}

var (
	sizes = []struct {
		name string
		n    int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
	spans = []struct {
		name string
		per  time.Duration
	}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}}
)

// ErrSyntax says that a text is no rate.
var ErrSyntax = errors.New("is not a rate; write one such as 100/s, 10/m, 8MiB/s or none")

// Parse reads "100/s", "10/m", "8MiB/s" or "none".
func Parse(s string) (Rate, error) {
	if s == "none" {
		return Rate{}, nil
	}
	amount, span, ok := strings.Cut(s, "/")
	r := Rate{}
	for _, u := range spans {
		if u.name == span {
			r.Per = u.per
		}
	}
	unit := int64(1)
	for _, u := range sizes {
		if rest, found := strings.CutSuffix(amount, u.name); found {
			amount, unit = rest, u.n
			break
		}
	}
	n, err := strconv.ParseInt(amount, 10, 32)
	if !ok || r.Per == 0 || err != nil || n <= 0 {
		return Rate{}, fmt.Errorf("%q %w", s, ErrSyntax)
	}
	r.N = n * unit
	return r, nil
}

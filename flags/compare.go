package flags

import (
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// test compares one scalar of the context with a condition's values. applies
// is false when the operator has nothing to say about that kind of scalar.
type test func(s scalar) (met, applies bool)

// fault says what is wrong with one of a condition's values.
type fault struct {
	at       int // place among the values
	why, fix string
}

func (f fault) none() bool { return f.why == "" }

// equal compares texts, numbers and booleans with a set of them.
func equal(_ Operator, values []any, fold bool) (test, fault) {
	var set scalarSet
	for i, v := range values {
		s := scalarOf(v)
		switch {
		case s.kind == text:
			set.addText(s.text, fold)
		case fold:
			return nil, fault{i, "is not text, which ignoreCase needs", "write text, or take ignoreCase away"}
		case s.kind == number && math.Abs(s.number) > 1<<53:
			return nil, fault{i, "is a number that cannot be compared exactly", "send and write it as text"}
		case s.kind == number:
			set.numbers = append(set.numbers, s.number)
		case s.kind == truth:
			set.truths = append(set.truths, s.truth)
		default:
			return nil, fault{i, "is not text, a number or a boolean", "write one of those"}
		}
	}
	return func(s scalar) (bool, bool) { return set.has(s, fold), s.kind != other }, fault{}
}

// order compares numbers.
func order(op Operator, values []any, _ bool) (test, fault) {
	bound := scalarOf(values[0])
	if bound.kind != number {
		return nil, fault{0, "is not a number", "write a number"}
	}
	return func(s scalar) (bool, bool) {
		return s.kind == number && ordered(op, compare(s.number, bound.number)), s.kind == number
	}, fault{}
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// ordered says whether a comparison (negative, zero, positive) satisfies op.
func ordered(op Operator, c int) bool {
	switch op {
	case Lt, SemverLt, Before:
		return c < 0
	case Lte, SemverLte:
		return c <= 0
	case Gt, SemverGt, After:
		return c > 0
	case Gte, SemverGte:
		return c >= 0
	}
	return c == 0 // semver_eq, and semver_ne before it is negated
}

// part looks for pieces of text.
func part(op Operator, values []any, fold bool) (test, fault) {
	parts, f := textsOf(values, fold)
	if !f.none() {
		return nil, f
	}
	find := strings.Contains
	switch op {
	case StartsWith:
		find = strings.HasPrefix
	case EndsWith:
		find = strings.HasSuffix
	}
	return func(s scalar) (bool, bool) {
		in := folded(s.text, fold)
		return s.kind == text && slices.ContainsFunc(parts, func(p string) bool { return find(in, p) }), s.kind == text
	}, fault{}
}

// pattern matches expressions in RE2's syntax, which Go's regexp is.
func pattern(_ Operator, values []any, fold bool) (test, fault) {
	var list []*regexp.Regexp
	texts, f := textsOf(values, false)
	if !f.none() {
		return nil, f
	}
	for i, expr := range texts {
		if fold {
			expr = "(?i)" + expr
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, fault{i, "is not a regular expression: " + err.Error(), "write RE2 syntax, which has no look-around and no back-references"}
		}
		list = append(list, re)
	}
	return func(s scalar) (bool, bool) {
		return s.kind == text && slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(s.text) }), s.kind == text
	}, fault{}
}

// versioned compares versions.
func versioned(op Operator, values []any, _ bool) (test, fault) {
	bound, ok := parseVersion(scalarOf(values[0]).text)
	if !ok {
		return nil, fault{0, "is not a version", "write one such as \"1.2.3\", in quotes"}
	}
	return func(s scalar) (bool, bool) {
		v, ok := parseVersion(s.text)
		return ok && ordered(op, v.compare(bound)), ok
	}, fault{}
}

// dated compares moments.
func dated(op Operator, values []any, _ bool) (test, fault) {
	bound, ok := Date(scalarOf(values[0]).text).Time()
	if !ok {
		return nil, fault{0, "is not a date", "write one such as 2027-01-31 or 2027-01-31T09:00:00Z"}
	}
	return func(s scalar) (bool, bool) {
		t, ok := s.moment()
		return ok && ordered(op, t.Compare(bound)), ok
	}, fault{}
}

// moment reads a scalar as a date, or as Unix time: milliseconds above 1e11,
// which is the year 5138 in seconds, else seconds.
func (s scalar) moment() (time.Time, bool) {
	switch {
	case s.kind == text:
		return Date(s.text).Time()
	case s.kind == number && math.Abs(s.number) > 1e11 && math.Abs(s.number) < 1e17:
		return time.UnixMilli(int64(s.number)), true
	case s.kind == number && math.Abs(s.number) <= 1e11:
		whole, part := math.Modf(s.number)
		return time.Unix(int64(whole), int64(part*1e9)), true
	}
	return time.Time{}, false
}

// ranged looks for an address in ranges.
func ranged(_ Operator, values []any, _ bool) (test, fault) {
	var list []netip.Prefix
	for i, v := range values {
		p, err := netip.ParsePrefix(scalarOf(v).text)
		if err != nil {
			return nil, fault{i, "is not an address range", "write one such as 10.0.0.0/8 or 2001:db8::/32"}
		}
		list = append(list, p.Masked())
	}
	return func(s scalar) (bool, bool) {
		ip, err := netip.ParseAddr(s.text)
		ip = ip.Unmap()
		return err == nil && slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(ip) }), err == nil
	}, fault{}
}

// modulo divides a whole number.
func modulo(_ Operator, values []any, _ bool) (test, fault) {
	for i, v := range values {
		if s := scalarOf(v); s.kind != number || s.number != math.Trunc(s.number) || s.number < float64(1-i) {
			return nil, fault{i, "is not a divisor and a remainder", "write two whole numbers: a divisor from 1 and a remainder from 0 below it"}
		}
	}
	divisor, remainder := scalarOf(values[0]).number, scalarOf(values[1]).number
	if remainder >= divisor {
		return nil, fault{1, "is a remainder that never comes", "write one below the divisor"}
	}
	return func(s scalar) (bool, bool) {
		applies := s.kind == number && s.number == math.Trunc(s.number)
		return applies && math.Mod(math.Mod(s.number, divisor)+divisor, divisor) == remainder, applies
	}, fault{}
}

func textsOf(values []any, fold bool) ([]string, fault) {
	out := make([]string, len(values))
	for i, v := range values {
		s := scalarOf(v)
		if s.kind != text || s.text == "" {
			return nil, fault{i, "is not text", "write text, in quotes if it looks like a number"}
		}
		out[i] = folded(s.text, fold)
	}
	return out, fault{}
}

func folded(s string, fold bool) string {
	if fold {
		return strings.ToLower(s)
	}
	return s
}

package flags

import "strings"

// version is a semantic version (semver.org 2.0.0) as people write it: a
// leading v, a missing minor or patch number (taken as 0) and build metadata
// (passed over) are allowed.
type version struct {
	numbers    [3]uint64 // major, minor, patch
	prerelease string    // "rc.1"
}

func parseVersion(s string) (version, bool) {
	var v version
	if strings.HasPrefix(s, "v") || strings.HasPrefix(s, "V") {
		s = s[1:]
	}
	s, _, _ = strings.Cut(s, "+")
	core, pre, dash := strings.Cut(s, "-")
	if dash && !identifiers(pre) {
		return v, false
	}
	v.prerelease = pre
	for i := 0; ; i++ {
		first, rest, more := strings.Cut(core, ".")
		n, ok := whole(first)
		if !ok || i == len(v.numbers) {
			return v, false
		}
		v.numbers[i] = n
		if !more {
			return v, true
		}
		core = rest
	}
}

// identifiers checks the parts of a prerelease.
func identifiers(s string) bool {
	for {
		first, rest, more := strings.Cut(s, ".")
		if first == "" || strings.IndexFunc(first, notIdentifier) >= 0 {
			return false
		}
		if !more {
			return true
		}
		s = rest
	}
}

func notIdentifier(r rune) bool {
	return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// whole reads a number of digits alone; false when there is another character
// or it is too long for a version.
func whole(s string) (uint64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	var n uint64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// compare returns a negative number, zero or a positive number as a is lower
// than, the same as, or higher than b (semver.org, section 11).
func (a version) compare(b version) int {
	for i, n := range a.numbers {
		if n != b.numbers[i] {
			return less(n < b.numbers[i])
		}
	}
	switch {
	case a.prerelease == b.prerelease:
		return 0
	case a.prerelease == "" || b.prerelease == "":
		return less(a.prerelease != "") // a release is higher than its prereleases
	}
	return comparePrerelease(a.prerelease, b.prerelease)
}

func comparePrerelease(a, b string) int {
	for {
		x, restA, moreA := strings.Cut(a, ".")
		y, restB, moreB := strings.Cut(b, ".")
		if c := compareIdentifier(x, y); c != 0 {
			return c
		}
		switch {
		case !moreA && !moreB:
			return 0
		case !moreA || !moreB:
			return less(!moreA) // all else equal, fewer parts are lower
		}
		a, b = restA, restB
	}
}

// compareIdentifier puts numbers before words.
func compareIdentifier(x, y string) int {
	n, isN := whole(x)
	m, isM := whole(y)
	switch {
	case isN && isM && n != m:
		return less(n < m)
	case isN != isM:
		return less(isN)
	case isN:
		return 0
	}
	return strings.Compare(x, y)
}

func less(is bool) int {
	if is {
		return -1
	}
	return 1
}

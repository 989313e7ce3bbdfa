package flags

import (
	"cmp"
	"strings"
)

// version is a semantic version (semver.org 2.0.0) as people write it: a
// leading v, a missing minor or patch number (taken as 0) and build metadata
// (passed over) are allowed. What is a version and what is not is the same as
// in golang.org/x/mod/semver, which flagd uses, so that a condition means the
// same there.
type version struct {
	numbers    [3]string // major, minor, patch: digits
	prerelease string    // "rc.1"
}

func parseVersion(s string) (version, bool) {
	v := version{numbers: [3]string{"0", "0", "0"}}
	if strings.HasPrefix(s, "v") || strings.HasPrefix(s, "V") {
		s = s[1:]
	}
	for i := range v.numbers {
		n := s[:digits(s)]
		if n == "" || !plainNumber(n) {
			return v, false
		}
		v.numbers[i], s = n, s[len(n):]
		if s == "" {
			return v, true // a version may end behind any of its numbers
		}
		if i < 2 && s[0] != '.' {
			return v, false
		}
		if i < 2 {
			s = s[1:]
		}
	}
	return v.rest(s)
}

// rest reads what stands behind the patch number.
func (v version) rest(s string) (version, bool) {
	core, build, hasBuild := strings.Cut(s, "+")
	if hasBuild && !identifiers(build, false) {
		return v, false
	}
	if core == "" {
		return v, true
	}
	v.prerelease = strings.TrimPrefix(core, "-")
	return v, core[0] == '-' && identifiers(v.prerelease, true)
}

// plainNumber reports whether digits have no needless zero in front.
func plainNumber(s string) bool { return len(s) == 1 || s[0] != '0' }

// identifiers checks the parts of a prerelease or of build metadata. In the
// former, a part that is a number is a plain one.
func identifiers(s string, plain bool) bool {
	for {
		first, rest, more := strings.Cut(s, ".")
		if first == "" || strings.IndexFunc(first, notIdentifier) >= 0 || plain && numeric(first) && !plainNumber(first) {
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

func numeric(s string) bool { return s != "" && digits(s) == len(s) }

// compare returns a negative number, zero or a positive number as a is lower
// than, the same as, or higher than b (semver.org, section 11).
func (a version) compare(b version) int {
	for i, n := range a.numbers {
		if c := compareNumbers(n, b.numbers[i]); c != 0 {
			return c
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

// compareNumbers compares plain digits, however many there are.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
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
	switch isX, isY := numeric(x), numeric(y); {
	case isX && isY:
		return compareNumbers(x, y)
	case isX != isY:
		return less(isX)
	}
	return strings.Compare(x, y)
}

func less(is bool) int {
	if is {
		return -1
	}
	return 1
}

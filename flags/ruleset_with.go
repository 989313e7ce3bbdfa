package flags

import (
	"cmp"
	"slices"
	"strings"
)

// With returns the ruleset of who holds r and is sent a patch: flags take the
// place of those of the same key, segments are added, and rules replace all
// rules. Segments that nothing asks for any more are let go. What a patch does
// not speak of stays, so that no flag is ever lost.
func (r Ruleset) With(patch Ruleset) Ruleset {
	out := Ruleset{
		Environment: patch.Environment, Revision: max(r.Revision, patch.Revision), Rules: patch.Rules,
		Flags:    mergeSorted(r.Flags, patch.Flags, func(a, b *Recorded) int { return strings.Compare(a.Key, b.Key) }),
		Segments: mergeSorted(r.Segments, patch.Segments, compareSegments),
	}
	used := out.sources().pins()
	out.Segments = slices.DeleteFunc(out.Segments, func(s RecordedSegment) bool {
		_, found := slices.BinarySearchFunc(used, pin{s.Key, s.Revision}, comparePins)
		return !found
	})
	if len(out.Segments) == 0 {
		out.Segments = nil // as Ruleset has it
	}
	return out
}

func compareSegments(a, b *RecordedSegment) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), cmp.Compare(a.Revision, b.Revision))
}

// mergeSorted merges two sorted lists; where both have an element, next's is
// taken. It never writes to either.
func mergeSorted[T any](old, next []T, compare func(a, b *T) int) []T {
	out := make([]T, 0, len(old)+len(next))
	for len(old) > 0 && len(next) > 0 {
		switch order := compare(&old[0], &next[0]); {
		case order < 0:
			out, old = append(out, old[0]), old[1:]
		case order > 0:
			out, next = append(out, next[0]), next[1:]
		default:
			old = old[1:]
		}
	}
	return append(append(out, old...), next...)
}

// Renew returns the set of a ruleset that followed the one of t: compiled flags
// and counters that are still right are shared with it, and a flag that asks for
// a list which is not there stays what it was.
func (t *Set) Renew(r Ruleset, lists Lists) *Set {
	return r.sources().compile(t, lists)
}

// Changed returns the keys of flags that may answer otherwise than in old, of
// which t was renewed, sorted.
func (t *Set) Changed(old *Set) []string {
	var out []string
	for _, key := range t.keys {
		if old.flags[key] != t.flags[key] {
			out = append(out, key)
		}
	}
	return out
}

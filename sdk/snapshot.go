package sdk

import (
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Source says where the flags come from that a provider answers from.
type Source string

// The sources.
const (
	FromStream    Source = "stream"
	FromLastKnown Source = "last-known"
	FromBootstrap Source = "bootstrap"
)

// snapshot is all that evaluating needs. It is immutable, but for answers, which
// fill up, and packed flags, which are read.
type snapshot struct {
	source    Source
	confirmed time.Time // when the server was heard of, before this process; zero: never, or unknown
	server    string    // its address, before this process; empty: it is unknown
	ruleset   flags.Ruleset
	lists     flags.Lists
	set       *flags.Set
	answers   map[string]*answers // of every flag
	units     []string            // kinds that flags are about, sorted
	packed    *packed             // flags that are in none of the above yet; nil: all are
}

// newSnapshot compiles a ruleset of which nothing is known yet.
func newSnapshot(from Source, r flags.Ruleset, lists flags.Lists) *snapshot {
	s := &snapshot{source: from, ruleset: r, lists: lists, set: flags.NewSet(r, lists)}
	s.furnish(nil)
	return s
}

// next compiles a ruleset that follows that of s, which may be nil. A patch
// shares what has not changed; other is set for a ruleset of another log, whose
// revisions mean something else.
func (s *snapshot) next(r flags.Ruleset, lists flags.Lists, other bool) *snapshot {
	if s == nil {
		return newSnapshot(FromStream, r, lists)
	}
	n := &snapshot{source: FromStream, ruleset: r, lists: lists}
	if other {
		n.set = flags.NewSet(r, lists)
	}
	if n.set == nil || !n.set.Whole() { // a flag that lacks a list stays what it was
		n.set = s.set.Renew(r, lists)
	}
	n.furnish(s)
	return n
}

// furnish makes room for the answers, and keeps those of flags that are as they
// were.
func (s *snapshot) furnish(before *snapshot) {
	s.answers = make(map[string]*answers, len(s.set.Keys()))
	changed := map[string]bool{}
	if before != nil {
		for _, key := range s.set.Changed(before.set) {
			changed[key] = true
		}
	}
	for _, key := range s.set.Keys() {
		if before != nil && !changed[key] {
			s.answers[key] = before.answers[key]
			continue
		}
		s.answers[key] = &answers{}
	}
	kinds := map[string]bool{}
	for i := range s.ruleset.Flags {
		kinds[s.ruleset.Flags[i].Unit] = true
	}
	s.units = unitKinds(kinds)
}

// missing returns the lists that the ruleset names and nobody has loaded.
func (s *snapshot) missing() []flags.UnitBulk {
	var out []flags.UnitBulk
	for _, b := range s.ruleset.Lists() {
		if s.lists[b.SHA256] == nil {
			out = append(out, b)
		}
	}
	return out
}

package stream

import (
	"reflect"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// place is one environment: its ruleset and the two feeds that are made of it.
type place struct {
	rules    Ruleset
	rulesets *feed // for SDKs: put and patch
	notices  *feed // for OFREP: refetchEvaluation

	touched  uint64    // revision at which an answer of this environment may last have changed
	notified time.Time // when a notice last went out
}

func newPlace(r Ruleset, gap int) *place {
	p := &place{rules: r, touched: r.Revision}
	p.rulesets = newFeed(r.Revision, func(from uint64) []byte { return since(p.rules, from, gap) })
	p.notices = newFeed(r.Revision, p.missed)
	return p
}

// since encodes what a listener lacks that holds a revision: all of it when it
// holds nothing or has missed more than gap changes.
func since(r Ruleset, from uint64, gap int) []byte {
	patch := r.since(from)
	switch {
	case from == 0, patch.size() > gap:
		return encode("put", r.Revision, r)
	case from == r.Revision:
		return nil
	}
	return encode("patch", r.Revision, patch)
}

// missed encodes the notice for a listener that has heard nothing since a
// revision.
func (p *place) missed(from uint64) []byte {
	if p.touched <= from && from > 0 {
		return nil
	}
	return p.refetch()
}

func (p *place) refetch() []byte { return refetch(p.touched, p.rules.changed()) }

// move takes the place to its next ruleset and publishes what changed.
func (p *place) move(next Ruleset) {
	last := p.rules
	p.rules = next
	p.rulesets.publish(newFrame(encode("patch", next.Revision, next.since(last.Revision)), next.Revision))
	if next.answersOtherwise(last) {
		p.touched = next.Revision
	}
}

// notify publishes a notice when something changed since the last one. Notices
// keep a distance, so that a burst of changes is two of them: one at once, and
// one for all the others. It returns when the next is due, zero for none.
func (p *place) notify(now time.Time, settle time.Duration) (due time.Time) {
	if p.touched <= p.notices.tail.revision {
		return time.Time{}
	}
	if due = p.notified.Add(settle); now.Before(due) {
		return due
	}
	p.notified = now
	p.notices.publish(newFrame(p.refetch(), p.touched))
	return time.Time{}
}

// beat shows that the place is alive.
func (p *place) beat() {
	for _, f := range []*feed{p.rulesets, p.notices} {
		f.publish(newFrame(alive, f.tail.revision))
	}
}

// end ends every stream of the place.
func (p *place) end() {
	for _, f := range []*feed{p.rulesets, p.notices} {
		f.publish(&frame{revision: f.tail.revision, last: true, ready: make(chan struct{})})
	}
}

// Ruleset is all that one environment needs to answer.
type Ruleset struct {
	Environment string           `json:"environment"`
	Revision    uint64           `json:"revision"`
	Flags       []flags.Recorded `json:"flags"`
}

// rulesetOf returns the ruleset of an environment as it is now.
func rulesetOf(s *flags.State, environment string) Ruleset {
	r := Ruleset{Environment: environment, Revision: s.Revision()}
	for _, key := range s.Keys() {
		f, _ := s.Flag(key)
		f.Environments = map[string]flags.Environment{environment: f.Environments[environment]}
		r.Flags = append(r.Flags, f)
	}
	return r
}

// since returns the ruleset with those flags alone that changed after a
// revision.
func (r Ruleset) since(revision uint64) Ruleset {
	r.Flags = slices.DeleteFunc(slices.Clone(r.Flags), func(f flags.Recorded) bool { return f.Revision <= revision })
	return r
}

func (r Ruleset) size() int { return len(r.Flags) }

// changed returns when the newest flag changed.
func (r Ruleset) changed() (newest time.Time) {
	for _, f := range r.Flags {
		if f.Changed.After(newest) {
			newest = f.Changed
		}
	}
	return newest
}

// answersOtherwise reports whether a flag may answer otherwise than it did in
// the ruleset before. A flag's other environments, and who changed it and why,
// change no answer.
func (r Ruleset) answersOtherwise(last Ruleset) bool {
	before := map[string]flags.Recorded{}
	for _, f := range last.Flags {
		before[f.Key] = f
	}
	for _, f := range r.since(last.Revision).Flags {
		if !reflect.DeepEqual(bare(f), bare(before[f.Key])) {
			return true
		}
	}
	return false
}

// bare is a flag without its record.
func bare(f flags.Recorded) flags.Recorded {
	f.Revision, f.Created, f.Changed, f.Defined = 0, time.Time{}, time.Time{}, event.ID{}
	f.Actor, f.Cause, f.Comment = "", "", ""
	return f
}

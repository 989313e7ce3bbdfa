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
	rules    flags.Ruleset
	rulesets *feed // for SDKs: put and patch
	notices  *feed // for OFREP: refetchEvaluation

	touched  uint64    // revision at which an answer of this environment may last have changed
	notified time.Time // when a notice last went out
}

func newPlace(r flags.Ruleset, gap int) *place {
	p := &place{rules: r, touched: r.Revision}
	p.rulesets = newFeed(r.Revision, func(from uint64) []byte { return since(p.rules, from, gap) })
	p.notices = newFeed(r.Revision, p.missed)
	return p
}

// since encodes what a listener lacks that holds a revision: all of it when it
// holds nothing or has missed more than gap changes.
func since(r flags.Ruleset, from uint64, gap int) []byte {
	patch := r.Since(from)
	switch {
	case from == 0, len(patch.Flags)+len(patch.Segments) > gap:
		return encode("put", r.Revision, r)
	case from == r.Revision:
		return nil
	}
	return encode("patch", r.Revision, patch)
}

// missed encodes the notice for a listener that has heard nothing since a
// revision.
func (p *place) missed(from uint64) []byte {
	if p.touched <= from {
		return nil
	}
	return p.refetch()
}

func (p *place) refetch() []byte { return refetch(p.touched, changed(p.rules)) }

// move takes the place to its next ruleset and publishes what changed.
func (p *place) move(next flags.Ruleset) {
	last, patch := p.rules, next.After(p.rules)
	p.rules = next
	p.rulesets.publish(newFrame(encode("patch", next.Revision, patch), next.Revision))
	if answersOtherwise(last, patch) {
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

// changed returns when the newest flag changed.
func changed(r flags.Ruleset) (newest time.Time) {
	for _, f := range r.Flags {
		if f.Changed.After(newest) {
			newest = f.Changed
		}
	}
	return newest
}

// answersOtherwise reports whether a flag may answer otherwise with a patch than
// it did before. A flag's other environments, and who changed it and why, change
// no answer.
func answersOtherwise(last, patch flags.Ruleset) bool {
	if len(patch.Segments) > 0 || !reflect.DeepEqual(patch.Rules, last.Rules) {
		return true
	}
	before := map[string]flags.Recorded{}
	for _, f := range last.Flags {
		before[f.Key] = f
	}
	return slices.ContainsFunc(patch.Flags, func(f flags.Recorded) bool { return !reflect.DeepEqual(bare(f), bare(before[f.Key])) })
}

// bare is a flag without its record.
func bare(f flags.Recorded) flags.Recorded {
	f.Revision, f.Created, f.Changed, f.Defined = 0, time.Time{}, time.Time{}, event.ID{}
	f.Actor, f.Cause, f.Comment = "", "", ""
	return f
}

package stream

import (
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// place is one environment: the two feeds that are made of its ruleset. It
// keeps no flags, which the state has; only what they looked like.
type place struct {
	source   source
	rulesets *feed // for SDKs: put and patch
	notices  *feed // for OFREP: refetchEvaluation
	looks    looks

	touched  uint64    // revision at which an answer of this environment may last have changed
	changed  time.Time // when that was
	notified time.Time // when a notice last went out
}

// source reads the state of the flags as it is now, for one environment.
type source interface {
	whole() flags.Ruleset
	since(revision uint64) flags.Ruleset
}

func newPlace(s source, gap int) *place {
	r := s.whole()
	p := &place{source: s, looks: looks{flags: map[string]digest{}}}
	p.looks.take(r)
	p.touch(r)
	p.rulesets = newFeed(r.Revision, func(from uint64) ([]byte, bool) { return missing(s, from, gap) })
	p.notices = newFeed(r.Revision, p.missed)
	return p
}

// missing encodes what a listener lacks that holds a revision: all of it when
// it holds nothing or has missed more than gap changes. It may be newer than the
// feed, whose next frame then says the same again.
func missing(s source, from uint64, gap int) (text []byte, far bool) {
	if from == 0 {
		r := s.whole()
		return encode("put", r.Revision, r), false
	}
	switch patch := s.since(from); {
	case patch.Revision <= from:
		return nil, false
	case len(patch.Flags)+len(patch.Segments) > gap:
		return nil, true
	default:
		return encode("patch", patch.Revision, patch), false
	}
}

// missed encodes the notice for a listener that has heard nothing since a
// revision.
func (p *place) missed(from uint64) (text []byte, far bool) {
	if p.touched <= from {
		return nil, false
	}
	return refetch(p.touched, p.changed), false
}

// move publishes what changed since the place last moved.
func (p *place) move() {
	patch := p.source.since(p.rulesets.tail.revision)
	if patch.Revision <= p.rulesets.tail.revision {
		return
	}
	p.rulesets.publish(newFrame(encode("patch", patch.Revision, patch), patch.Revision))
	if p.looks.take(patch) {
		p.touch(patch)
	}
}

// touch notes that answers may be others from a ruleset on.
func (p *place) touch(r flags.Ruleset) {
	p.touched = r.Revision
	for _, f := range r.Flags {
		if f.Changed.After(p.changed) {
			p.changed = f.Changed
		}
	}
	for _, s := range r.Segments {
		if s.Changed.After(p.changed) {
			p.changed = s.Changed
		}
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
	p.notices.publish(newFrame(refetch(p.touched, p.changed), p.touched))
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

package event

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Fork returns a projection of new folds at p's place, on which commands can
// be rehearsed: what Rehearse applies to it is in no log. The folds are new
// ones of the kinds that p has, in its order, and all are Restorers.
func (p *Projection) Fork(folds ...Fold) (*Projection, error) {
	p.mu.RLock()
	chain, kept := p.chain, make([]any, len(p.folds))
	chain.lasts = maps.Clone(p.chain.lasts)
	for i, f := range p.folds {
		if r, ok := f.(Restorer); ok {
			kept[i] = r.Snapshot()
		}
	}
	p.mu.RUnlock()
	if len(folds) != len(kept) {
		return nil, fmt.Errorf("%d folds cannot take the state of %d", len(folds), len(kept))
	}
	for i, f := range folds {
		r, ok := f.(Restorer)
		if !ok || kept[i] == nil {
			return nil, fmt.Errorf("%T cannot be restored", f)
		}
		b, err := json.Marshal(kept[i])
		if err == nil {
			err = r.Restore(b)
		}
		if err != nil {
			return nil, fmt.Errorf("copying the state of %T: %w", f, err)
		}
	}
	next := NewProjection(folds...)
	next.chain = chain
	return next, nil
}

// Rehearse applies an event as the log would give it back if it were appended
// next, and returns its sequence. Only who forked the projection calls it.
func (p *Projection) Rehearse(e Event) (uint64, error) {
	e, err := Canonical(e)
	if err != nil {
		return 0, err
	}
	p.mu.RLock()
	r := Recorded{Event: e, Seq: p.chain.Seq + 1, Prev: p.chain.lasts[e.Subject]}
	p.mu.RUnlock()
	if r.Hash, err = Link(r.Prev, e); err != nil {
		return 0, err
	}
	return r.Seq, p.Apply(r)
}

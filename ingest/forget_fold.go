package ingest

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/sluice-hq/sluice/event"
)

// Apply implements event.Fold.
func (f *Forgets) Apply(r event.Recorded) error {
	if r.Type != UnitForgotten && r.Type != UnitErased {
		return nil
	}
	unit, g, err := f.next(r)
	if err != nil {
		return fmt.Errorf("reading %s: %w", r.Type, err)
	}
	all := maps.Clone(f.now())
	if all == nil {
		all = forgets{}
	}
	g.rev = r.Seq
	all[unit] = g
	f.whole.Store(&all)
	return nil
}

// next returns what an event makes of its unit's deletion.
func (f *Forgets) next(r event.Recorded) (uint64, forgetting, error) {
	var d struct {
		forgotten
		Erasure
	}
	if err := json.Unmarshal(r.Data, &d); err != nil {
		return 0, forgetting{}, err
	}
	unit, ok := ParseUnit(d.Unit)
	if !ok || r.Subject != UnitSubject+d.Unit[len(hashed):] {
		return 0, forgetting{}, fmt.Errorf("unit %q stands under %s", d.Unit, r.Subject)
	}
	old := f.now()[unit]
	if r.Type == UnitErased {
		old.Erased = &d.Erasure
		return unit, old, nil
	}
	return unit, forgetting{Forgotten: Forgotten{
		ID: r.ID, Kind: d.Kind, Unit: d.Unit, Before: d.Before, Fence: furthest(old.Fence, d.Fence), Actor: r.Actor, Comment: d.Comment,
	}}, nil
}

// furthest returns, by shard, the greater of two fences: what an earlier
// deletion reached stays deleted.
func furthest(a, b map[string]uint64) map[string]uint64 {
	out := maps.Clone(b)
	if out == nil {
		out = map[string]uint64{}
	}
	for shard, seq := range a {
		out[shard] = max(out[shard], seq)
	}
	return out
}

// keptForgotten is what a snapshot holds of a deletion.
type keptForgotten struct {
	Forgotten
	Revision uint64 `json:"revision"`
}

// State implements event.Fold.
func (f *Forgets) State() any {
	list := []keptForgotten{}
	for _, g := range f.All() {
		unit, _ := ParseUnit(g.Unit)
		list = append(list, keptForgotten{g, f.now()[unit].rev})
	}
	return list
}

// Snapshot implements event.Restorer.
func (f *Forgets) Snapshot() any { return f.State() }

// Restore implements event.Restorer.
func (f *Forgets) Restore(b json.RawMessage) error {
	var list []keptForgotten
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("reading the deletions of units: %w", err)
	}
	all := forgets{}
	for _, g := range list {
		unit, ok := ParseUnit(g.Unit)
		if !ok {
			return fmt.Errorf("reading the deletions of units: %q is not the hash of one", g.Unit)
		}
		all[unit] = forgetting{g.Forgotten, g.Revision}
	}
	f.whole.Store(&all)
	return nil
}

package ingest

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// Apply implements event.Fold.
func (o *Orders) Apply(r event.Recorded) error {
	list, err := o.next(r)
	if err != nil {
		return fmt.Errorf("reading %s: %w", r.Type, err)
	}
	if list != nil {
		o.list.Store(&list)
		o.rev.Store(r.Seq)
	}
	return nil
}

// next returns the orders with what an event says, nil when it says nothing of
// them.
func (o *Orders) next(r event.Recorded) ([]Order, error) {
	switch r.Type {
	case LettersReplayed, LettersPurged:
		var d ordered
		if err := json.Unmarshal(r.Data, &d); err != nil {
			return nil, err
		}
		return append(slices.Clone(o.All()), Order{
			ID: r.ID, Seq: r.Seq, Replay: r.Type == LettersReplayed, Filter: d.Filter, UpTo: d.UpTo, Letters: d.Letters,
			At: r.Time, Actor: r.Actor, Comment: d.Comment,
		}), nil
	case LettersResent:
		var d resent
		if err := json.Unmarshal(r.Data, &d); err != nil {
			return nil, err
		}
		list := slices.Clone(o.All())
		for i := range list {
			if list[i].ID == d.Order {
				list[i].Outcome = &d.Outcome
			}
		}
		return list, nil
	}
	return nil, nil
}

// ordersState is what a snapshot holds.
type ordersState struct {
	Revision uint64  `json:"revision"`
	Orders   []Order `json:"orders"`
}

// State implements event.Fold.
func (o *Orders) State() any {
	return ordersState{o.rev.Load(), append([]Order{}, o.All()...)} // never null in JSON
}

// Snapshot implements event.Restorer.
func (o *Orders) Snapshot() any { return o.State() }

// Restore implements event.Restorer.
func (o *Orders) Restore(b json.RawMessage) error {
	var s ordersState
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("reading the orders about dead letters: %w", err)
	}
	o.list.Store(&s.Orders)
	o.rev.Store(s.Revision)
	return nil
}

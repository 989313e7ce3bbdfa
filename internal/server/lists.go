package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// lists returns the large lists of units that a state needs to be compiled.
// Those that are known are not loaded again: a list never changes, it is
// another one then.
func (h House) lists(ctx context.Context, bulks []flags.UnitBulk, known flags.Lists) (flags.Lists, error) {
	lists := flags.Lists{}
	var errs []error
	for _, b := range bulks {
		if u := cmp.Or(lists[b.SHA256], known[b.SHA256]); u != nil { // several revisions of a segment may share it
			lists[b.SHA256] = u
			continue
		}
		u, err := h.list(ctx, b)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		lists[b.SHA256] = u
	}
	return lists, errors.Join(errs...)
}

// list loads one.
func (h House) list(ctx context.Context, b flags.UnitBulk) (*flags.Units, error) {
	packed, err := h.Blobs.Load(ctx, b.Blob())
	if err != nil {
		return nil, fmt.Errorf("loading a list of %d units: %w", b.Count, err)
	}
	u, err := flags.ReadUnits(packed)
	if err != nil {
		return nil, fmt.Errorf("loading a list of %d units: %w", b.Count, err)
	}
	if u.Len() != b.Count {
		return nil, fmt.Errorf("loading a list of %d units: %w: it has %d", b.Count, event.ErrDamaged, u.Len())
	}
	return u, nil
}

// stock returns the list as a command may hold it: the bulk of a large one is
// written first, and one that the document names must be there.
func (h House) stock(ctx context.Context, path string, l flags.UnitList) (flags.UnitList, error) {
	var faults event.Invalids
	if l.Bulk != nil {
		if _, err := h.list(ctx, *l.Bulk); err != nil {
			faults.Add(path+".bulk", l.Bulk.SHA256, "cannot be used: "+err.Error(), "list the ids, or send them to the segment's units")
		}
		return l, faults.Err()
	}
	if l.Small() {
		return l, nil
	}
	for i, id := range l.Units {
		if why := flags.CheckUnit(id); why != "" {
			faults.Add(fmt.Sprintf("%s.units[%d]", path, i), id, why, "")
		}
	}
	if err := faults.Err(); err != nil {
		return l, err
	}
	packed := flags.Pack(l.Units)
	name, err := h.Blobs.Put(ctx, packed)
	if err != nil {
		return l, fmt.Errorf("writing a list of units: %w", err)
	}
	return flags.PackedList(name, packed), nil
}

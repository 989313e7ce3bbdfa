package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/flags"
)

// lists loads the large lists of units that a state needs to be compiled.
func (h House) lists(ctx context.Context, bulks []flags.UnitBulk) (flags.Lists, error) {
	lists := flags.Lists{}
	for _, b := range bulks {
		if lists[b.SHA256] != nil {
			continue
		}
		packed, err := h.Blobs.Load(ctx, b.Blob())
		if err != nil {
			return nil, fmt.Errorf("loading a list of %d units: %w", b.Count, err)
		}
		if lists[b.SHA256], err = flags.ReadUnits(packed); err != nil {
			return nil, fmt.Errorf("reading a list of %d units: %w", b.Count, err)
		}
	}
	return lists, nil
}

package ingest

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// LetterPage is a part of the letters that wait.
type LetterPage struct {
	Total   int      // letters that the filter selects
	Letters []Letter // the newest buried first
	Next    string   // the place to go on behind; "" at the end
}

// Page returns letters that wait and that a filter selects: at most limit of
// those behind a place, which is "" for the newest or Next of the page before.
func (b *Letterbox) Page(ctx context.Context, f LetterFilter, behind string, limit int) (p LetterPage, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, err := b.find(ctx, f, false)
	if err != nil {
		return p, err
	}
	p.Total = len(found)
	if behind != "" {
		var at slip
		if _, err := fmt.Sscanf(behind, "%d.%d", &at.seq, &at.idx); err != nil {
			return p, event.Invalids{{Path: "cursor", Value: behind, Why: "is not a place among dead letters", Fix: "take next of the page before"}}
		}
		i, _ := slices.BinarySearchFunc(found, at, compareSlips)
		found = found[:i]
	}
	if len(found) > limit {
		found = found[len(found)-limit:]
		p.Next = fmt.Sprintf("%d.%d", found[0].seq, found[0].idx)
	}
	err = b.open(ctx, found, func(_ slip, l Letter) error { p.Letters = append(p.Letters, l); return nil })
	slices.Reverse(p.Letters)
	return p, err
}

// find is matching on what there is now.
func (b *Letterbox) find(ctx context.Context, f LetterFilter, sendable bool) ([]slip, error) {
	if err := b.refresh(ctx); err != nil {
		return nil, err
	}
	return b.matching(ctx, f, sendable, math.MaxUint64)
}

// Waiting returns how many letters wait, by reason.
func (b *Letterbox) Waiting(ctx context.Context) (map[Reason]int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(ctx); err != nil {
		return nil, err
	}
	by := map[Reason]int{}
	for _, s := range b.waiting {
		by[b.kinds[s.kind].reason]++
	}
	return by, nil
}

// Select says what an order with this filter would be about now: how many
// letters, and up to which message of the dead stream.
func (b *Letterbox) Select(ctx context.Context, f LetterFilter, replay bool) (letters int, upTo uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, err := b.find(ctx, f, replay)
	return len(found), b.read, err
}

// eachOf reads the letters of a replay that is under way, in the order in which
// they were buried.
func (b *Letterbox) eachOf(ctx context.Context, order event.ID, f func(Letter) error) error {
	b.mu.Lock()
	err := b.refresh(ctx)
	slips := b.replays[order]
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.open(ctx, slips, func(_ slip, l Letter) error { return f(l) })
}

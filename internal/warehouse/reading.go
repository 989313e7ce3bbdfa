package warehouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// reading is a question on its way to its answers: one, or in a breakdown one
// for every part.
type reading struct {
	Question
	by      string        // attribute to split by; empty: not at all
	values  []string      // those that have a part of their own: part i has value i−1, part 0 all others
	past    *PastQuestion // that the units are of, instead of a rollout; nil: of the rollout
	served  *Audience     // that the units are of; nil: those that the rollout enrolled
	kept    *Kept         // totals to read instead of raw events, where they have them; nil: none
	answers map[uint64]*Answer
	queries []Query
}

func (r *reading) answer(part uint64) *Answer {
	a := r.answers[part]
	if a == nil {
		a = newAnswer()
		r.answers[part] = a
	}
	return a
}

// ask notes a statement before it is put, and what its numbers are of. The
// parameters go on to be those of the next one.
func (r *reading) ask(of, sql string, p Params) Query {
	q := newQuery(sql, maps.Clone(p), of)
	r.queries = append(r.queries, q)
	return q
}

// read counts the units and every metric of all parts.
func (w *Warehouse) read(ctx context.Context, r *reading) error {
	if r.UnitKind == "" {
		return errors.New("reading a rollout: the question does not say which kind of unit it assigns")
	}
	if err := w.readUnits(ctx, r); err != nil {
		return fmt.Errorf("counting the units of %s: %w", r.Rollout, err)
	}
	for _, m := range r.Metrics {
		if err := w.readMetric(ctx, r, m); err != nil {
			return fmt.Errorf("reading %s of %s: %w", m.Key, r.Rollout, err)
		}
	}
	for _, a := range r.answers {
		a.Queries = r.queries
		for _, m := range r.Metrics {
			if len(r.Treatments) > 0 {
				a.Strata[m.Key] = a.Against(m, r.Control, r.Treatments[0], a.Places())
			}
		}
	}
	return nil
}

// params are those that every statement of the question has.
func (r *reading) params() Params {
	shards := slices.Sorted(maps.Keys(r.Watermark))
	seqs := make([]uint64, len(shards))
	for i, s := range shards {
		seqs[i] = r.Watermark[s]
	}
	p := Params{
		"environment": r.Environment, "flag": r.Flag, "rollout": r.Rollout, "kind": r.UnitKind, "until": r.Until.UnixMilli(),
		"shards": append(shards, ""), "seqs": append(seqs, 0), // never empty: a list without elements has no type
	}
	p["fresh"] = int64(0)
	if !r.Since.IsZero() {
		p["fresh"] = r.Since.UnixMilli()
	}
	if r.remembers() {
		p["dark"] = append(slices.Clone(r.Dark), "") // no stage is called so: a list without elements has no type
	}
	if r.circles() {
		p["behind"], p["circuit"] = r.Circuit.Behind, r.Circuit.Epochs
	}
	if r.by != "" {
		p["by"], p["values"] = r.by, r.values
	}
	if r.served != nil {
		p["stage"], p["since"], p["treatment"] = r.served.Stage, r.served.Since, r.Treatments[0]
	}
	if r.past != nil {
		p["since"], p["control"] = r.past.From.UnixMilli(), r.past.Control
	}
	return p
}

// later returns the later of a time and one in milliseconds, 0 being none.
func later(t time.Time, ms int64) time.Time {
	if at := time.UnixMilli(ms).UTC(); ms > 0 && at.After(t) {
		return at
	}
	return t
}

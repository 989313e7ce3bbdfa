package decisions

import (
	"context"
	"sync"
	"time"
)

// Witness says how far a change of the flags has come. The house implements it,
// by way of package main; MemWitness is the version in memory.
type Witness interface {
	// Held says who holds a revision of the flags.
	Held(ctx context.Context, revision uint64) (Holders, error)
	// Exposed counts what a flag exposed after a change. An error means that
	// nothing can be said; it never stands for "no exposures".
	Exposed(ctx context.Context, q Exposing) (Exposed, error)
}

// Holders are who hold a revision: replicas that have applied it, and connected
// SDKs that hold it.
type Holders struct {
	At       time.Time // when all of them were first seen to; zero: not yet
	Replicas int       // that are known
	Behind   []string  // of these, those that have not applied it, by name
	Streams  int       // of rulesets that are connected
	Older    int       // of these, those that hold an older revision
}

// Exposing asks for the exposures of a flag after a change.
type Exposing struct {
	Environment string
	Flag        string
	Safe        string        // variant that is never unsafe
	Revision    uint64        // of the change: what an older one answered otherwise is unsafe
	Forced      bool          // then so is what nobody knows the revision of
	Since       time.Time     // time of the change
	Until       time.Time     //
	Step        time.Duration // of the bins; at least a millisecond
}

// Exposed is the answer, in bins from Since on. Bins without exposures are left
// out.
type Exposed struct {
	Until   time.Time // up to which all that was acknowledged is counted
	Bins    []Bin     // in order
	Queries []Query
}

// Bin is the exposures of a stretch of time.
type Bin struct {
	At     time.Time // when it begins
	All    int64
	Unsafe int64
	Last   time.Time // newest unsafe one; zero: there is none
}

// MemWitness is a Witness in memory: one replica that holds whatever it was told
// to, and exposures one by one. The zero value holds everything at once.
type MemWitness struct {
	mu        sync.Mutex
	held      map[uint64]Holders
	exposures map[string][]memExposure // by flag
}

type memExposure struct {
	at       time.Time
	revision uint64
	variant  string
}

var _ Witness = (*MemWitness)(nil)

// Tell says who holds a revision from now on.
func (w *MemWitness) Tell(revision uint64, h Holders) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held == nil {
		w.held = map[uint64]Holders{}
	}
	w.held[revision] = h
}

// Expose notes an exposure of a flag; revision 0 is one that names none.
func (w *MemWitness) Expose(flag, variant string, revision uint64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.exposures == nil {
		w.exposures = map[string][]memExposure{}
	}
	w.exposures[flag] = append(w.exposures[flag], memExposure{at, revision, variant})
}

// Held implements Witness.
func (w *MemWitness) Held(ctx context.Context, revision uint64) (Holders, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h, ok := w.held[revision]; ok {
		return h, ctx.Err()
	}
	return Holders{Replicas: 1, At: time.Unix(0, 1).UTC()}, ctx.Err()
}

// Exposed implements Witness.
func (w *MemWitness) Exposed(ctx context.Context, q Exposing) (Exposed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	bins := make([]Bin, max(int(q.Until.Sub(q.Since)/q.Step)+1, 0))
	for _, e := range w.exposures[q.Flag] {
		if e.at.Before(q.Since) || e.at.After(q.Until) {
			continue
		}
		i := int(e.at.Sub(q.Since) / q.Step)
		bins[i].All++
		if e.variant != q.Safe && e.revision < q.Revision && (e.revision > 0 || q.Forced) {
			bins[i].Unsafe++
			bins[i].Last = later(bins[i].Last, e.at)
		}
	}
	out := Exposed{Until: q.Until}
	for i, b := range bins {
		if b.All > 0 {
			b.At = q.Since.Add(time.Duration(i) * q.Step)
			out.Bins = append(out.Bins, b)
		}
	}
	return out, ctx.Err()
}

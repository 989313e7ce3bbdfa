package ingest

import (
	"context"
	"math"
	"slices"
	"time"
)

// Evaluations is the name of the readings that say how often flags answered:
// one reading for each flag, variant and reason since the last report. Its
// value is the number, its labels are
//
//	flag, variant, reason   of the answers; no variant when the code's default was used
//	way                     Asked, as without this label, or Listed
//
// Replicas report what they answer; an SDK that evaluates by itself reports
// the same way, with POST /v1/events.
const Evaluations = "flag.evaluations"

// The ways in which flags answer.
const (
	Asked  = "asked"  // one by one
	Listed = "listed" // in answers of all flags, which prove no use
)

// mostEvaluations bounds what one reading can count: a number beyond is a
// mistake of its sender. one is a single evaluation as rows have it.
const (
	mostEvaluations = 1_000_000_000
	one             = 1_000_000
)

// Report stores readings that this process has made itself. It returns nil
// once all are on disk; else all may be sent again, under the IDs they have.
func (in *Intake) Report(ctx context.Context, environment string, readings []Reading, now time.Time) error {
	for part := range slices.Chunk(readings, maxEvents) {
		if err := in.submit(ctx, batchOf(environment, part, now)); err != nil {
			return err
		}
	}
	return nil
}

func batchOf(environment string, readings []Reading, now time.Time) (b Batch) {
	now = now.UTC().Truncate(time.Millisecond)
	for _, r := range readings {
		b.Extend(Batch{Count: 1, Oldest: r.At, Newest: r.At, Received: now, Rows: Rows{Readings: []ReadingRow{{
			ID: r.ID, Day: DayOf(r.ID), Environment: environment, Name: r.Name, Value: int64(math.Round(r.Value / Millionths)),
			At: r.At, Received: now, Labels: r.Labels, Synthetic: r.Synthetic,
		}}}})
	}
	return b
}

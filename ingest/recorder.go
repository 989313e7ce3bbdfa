package ingest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/zeebo/xxh3"
)

// Recorder records evaluations as exposures, for clients that cannot send any:
// once for each unit, flag, variant, epoch and window. What it writes has IDs that
// follow from these, so that several replicas, or one that has forgotten, record
// an evaluation once between them. It never makes an evaluation wait: what there
// is no room for is dropped, and counted. The zero value is ready; it is safe for
// concurrent use.
type Recorder struct {
	Most   int           // exposures that may wait; zero: 100,000
	Window time.Duration // zero: one hour

	mu      sync.Mutex
	window  time.Time           // the present one
	seen    map[uint64]struct{} // in this window
	waiting map[string][]Exposure
	counts  Recordings
}

// Recordings is what a recorder has done since it was made.
type Recordings struct {
	Recorded uint64 `json:"recorded"`
	Waiting  int    `json:"waiting"`
	Dropped  uint64 `json:"dropped"` // there was no room, or the door did not take them
}

// mostSeen bounds the memory of who was recorded: some 30 MB. Whoever comes
// behind it is recorded again, under the ID that the first time had.
const mostSeen = 1 << 20

// Note takes an evaluation that an allocation has answered; keep returns the
// attributes to keep, and is called for those that are recorded alone.
func (r *Recorder) Note(environment string, e Exposure, keep func() map[string]string, now time.Time) {
	key := fingerprint(environment, e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if window := now.UTC().Truncate(r.length()); !window.Equal(r.window) || len(r.seen) >= mostSeen || r.seen == nil {
		r.window, r.seen = window, map[uint64]struct{}{}
	}
	if _, known := r.seen[key]; known {
		return
	}
	if r.counts.Waiting >= orElse(r.Most, 100_000) {
		r.counts.Dropped++ // and not seen: the unit's next evaluation may find room
		return
	}
	r.seen[key] = struct{}{}
	e.Enrolled, e.Source, e.At, e.Attributes = true, ByEvaluation, now, keep()
	if r.waiting == nil {
		r.waiting = map[string][]Exposure{}
	}
	r.waiting[environment] = append(r.waiting[environment], e)
	r.counts.Waiting++
}

func (r *Recorder) length() time.Duration { return orElse(r.Window, time.Hour) }

// fingerprint tells evaluations apart within a window. It is not kept anywhere.
func fingerprint(environment string, e Exposure) uint64 {
	b := make([]byte, 0, 256)
	for _, part := range [...]string{environment, e.Flag, e.Variant, e.Rollout, e.Unit.Kind, e.Unit.ID} {
		b = append(append(b, part...), 0)
	}
	return xxh3.Hash(strconv.AppendInt(b, int64(e.Epoch), 10))
}

// Counts returns what was done so far.
func (r *Recorder) Counts() Recordings {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// Flush stores what waits. What cannot be stored now waits for the next time. One
// goroutine may flush while others note.
func (r *Recorder) Flush(ctx context.Context, in *Intake, now time.Time) error {
	r.mu.Lock()
	all := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	var errs []error
	for environment, list := range all {
		for part := range slices.Chunk(list, maxEvents) {
			recorded, err := in.record(ctx, environment, part, r.length(), now)
			r.settle(environment, part, recorded, err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// settle counts what became of some exposures, or lets them wait on.
func (r *Recorder) settle(environment string, list []Exposure, recorded int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if r.waiting == nil {
			r.waiting = map[string][]Exposure{}
		}
		r.waiting[environment] = append(r.waiting[environment], list...)
		return
	}
	r.counts.Waiting -= len(list)
	r.counts.Recorded += uint64(recorded)
	r.counts.Dropped += uint64(len(list) - recorded)
}

// record stores exposures of evaluations and returns how many the door took.
func (in *Intake) record(ctx context.Context, environment string, list []Exposure, window time.Duration, now time.Time) (int, error) {
	v := in.Door.visit(environment, now)
	for _, e := range list {
		v.file(v.derived(e, e.At.UTC().Truncate(window), e.Rollout, strconv.Itoa(int(e.Epoch))))
	}
	return int(v.out.Count), in.submit(ctx, v.out.Batch)
}

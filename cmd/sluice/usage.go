package main

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// usage counts what this replica's flags answer, and knows when each flag was
// last used anywhere. Counts travel as facts do; those of the last minute are
// lost when the process is killed.
type usage struct {
	house *house

	reporting sync.Mutex                  // held while counts are sent
	waiting   map[string][]ingest.Reading // environment -> what was drained and is not yet on disk

	mu   sync.Mutex
	seen map[string]map[string]flags.Seen // environment -> flag
	from map[string]time.Time             // environment -> since when it is counted
}

var _ server.Usage = (*usage)(nil)

// How often counts are reported, and how far back the last use is looked for:
// one day more than a flag may go unseen.
const (
	reportEvery = time.Minute
	lookBack    = flags.Unseen + 24*time.Hour
)

// run reports and looks until ctx is done, then reports once more.
func (u *usage) run(ctx context.Context) error {
	said := once{lg: u.house.lg, message: "counting evaluations"}
	err := each(ctx, reportEvery, func() {
		err := u.send(ctx, now())
		if u.house.Roles.counts() {
			err = errors.Join(err, u.look(ctx, now()))
		}
		said.tell(ctx, err)
	})
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer stop()
	_ = u.send(last, now()) // else they are the counts of the last minute
	return err
}

// environments returns the names of all.
func (u *usage) environments() (names []string) {
	u.house.projection.View(func(uint64) { names = u.house.folds.Flags.Environments() })
	return names
}

// send is report for as long as ctx lasts: whoever leads a pack publishes it for
// others too, and tries for a minute when nobody answers.
func (u *usage) send(ctx context.Context, now time.Time) error {
	ended := make(chan error, 1)
	go func() { ended <- u.report(ctx, now) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// report sends what was answered since the last report. What could not be sent
// goes first the next time, under the IDs it has; until then the counters go
// on, so that little waits here however long the streams are away.
func (u *usage) report(ctx context.Context, now time.Time) error {
	in, err := u.house.intake.get()
	if err != nil {
		return err
	}
	u.reporting.Lock()
	defer u.reporting.Unlock()
	for _, environment := range u.environments() {
		if len(u.waiting[environment]) == 0 {
			u.waiting[environment] = readings(u.house.handler.Drain(environment), now)
		}
		if err := in.Report(ctx, environment, u.waiting[environment], now); err != nil {
			return err
		}
		delete(u.waiting, environment)
	}
	return nil
}

func readings(counts []flags.Count, now time.Time) []ingest.Reading {
	var out []ingest.Reading
	for _, c := range counts {
		for way, n := range map[string]uint64{ingest.Asked: c.Asked, ingest.Listed: c.Listed} {
			if n > 0 {
				out = append(out, ingest.Reading{
					Kind: ingest.KindReading, ID: event.New(), Name: ingest.Evaluations, Value: float64(n), At: now,
					Labels: map[string]string{"flag": c.Flag, "variant": c.Variant, "reason": string(c.Reason), "way": way},
				})
			}
		}
	}
	return out
}

// look asks the warehouse when each flag was last used.
func (u *usage) look(ctx context.Context, now time.Time) error {
	c, err := u.house.counting.get()
	if err != nil {
		return err
	}
	seen, from := map[string]map[string]flags.Seen{}, map[string]time.Time{}
	for _, environment := range u.environments() {
		list, since, err := c.store.Seen(ctx, environment, now.Add(-lookBack))
		if err != nil {
			return u.house.counting.blame(ctx, err)
		}
		seen[environment], from[environment] = map[string]flags.Seen{}, known(since)
		for _, s := range list {
			seen[environment][s.Flag] = flags.Seen{Asked: known(s.Asked), Listed: known(s.Listed), Since: known(since)}
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen, u.from = seen, maps.Clone(from)
	return nil
}

// known returns the zero time for the start of 1970, which is the warehouse's.
func known(t time.Time) time.Time {
	if t.Unix() == 0 {
		return time.Time{}
	}
	return t
}

// Seen implements server.Usage.
func (u *usage) Seen(environment, flag string) flags.Seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s, ok := u.seen[environment][flag]; ok {
		return s
	}
	return flags.Seen{Since: u.from[environment]}
}

// Usage implements server.Usage.
func (u *usage) Usage(ctx context.Context, environment, flag string, since time.Time) ([]flags.Usage, error) {
	c, err := u.house.counting.get()
	if err != nil {
		return nil, err
	}
	rows, err := c.store.Usage(ctx, environment, flag, since)
	if err != nil {
		return nil, u.house.counting.blame(ctx, err)
	}
	if err := u.look(ctx, now()); err != nil { // else it would be said how often it was asked for, and that it never was
		return nil, err
	}
	out := make([]flags.Usage, len(rows))
	for i, r := range rows {
		out[i] = flags.Usage{
			Day: flags.Date(r.Day.Format(time.DateOnly)), Variant: r.Variant, Reason: flags.Reason(r.Reason),
			Asked: r.Asked, Listed: r.Listed, Exposures: r.Exposures,
		}
	}
	return out, nil
}

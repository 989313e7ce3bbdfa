package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// points are where the loader and the keeper of the totals die in turn.
var points = []string{
	"loader before intent", "loader after intent", "loader inside insert", "loader before read-back", "loader before advance",
	"totals before intent", "totals after intent", "totals inside insert", "totals before advance", "totals inside compaction",
}

// kill is one death: of the process or of its engine, at a point or, when that
// is "", at a random moment.
type kill struct {
	victim string
	point  string
	part   float64 // of an insert, when it dies inside
}

// scheme returns n deaths of each victim in random order: one at each point,
// and of the rest every other one at a random moment.
func scheme(n int, r *rand.Rand) []kill {
	var all []kill
	for i := range n {
		for _, victim := range []string{"process", "engine"} {
			k := kill{victim: victim}
			if i < len(points) || i%2 == 0 {
				k.point, k.part = at(i), r.Float64()
			}
			all = append(all, k)
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// at returns the point of the i-th death, of those first and every other one
// after them.
func at(i int) string {
	if i < len(points) {
		return points[i]
	}
	return points[i/2%len(points)]
}

func (o options) killTrial(ctx context.Context) ([]row, error) {
	data, err := o.folder()
	if err != nil {
		return nil, err
	}
	if o.data == "" {
		defer os.RemoveAll(data)
	}
	v := newVictim(o.binary, data)
	if err := v.Start(ctx); err != nil {
		return nil, err
	}
	defer v.Kill()
	oracle := newOracle()
	if err := oracle.prepare(ctx, v, o.documents); err != nil {
		return nil, fmt.Errorf("preparing: %w", err)
	}
	if err := o.torment(ctx, v, oracle); err != nil {
		return nil, err
	}
	if err := oracle.settle(ctx, v); err != nil {
		return nil, err
	}
	if err := oracle.recall(ctx); err != nil {
		return nil, fmt.Errorf("waiting for the totals: %w", err)
	}
	if err := v.Stop(); err != nil {
		return nil, fmt.Errorf("stopping: %w", err)
	}
	return oracle.compare(ctx, v)
}

// folder makes the folder of the data. One that was used has an admin token
// that nobody knows and events that nobody here counted.
func (o options) folder() (string, error) {
	if o.data == "" {
		return os.MkdirTemp("", "sluice-chaos-")
	}
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return "", fmt.Errorf("making the folder of the data: %w", err)
	}
	used, err := os.ReadDir(o.data)
	if err == nil && len(used) > 0 {
		err = fmt.Errorf("%s is not empty: name a new folder", o.data)
	}
	return o.data, err
}

// torment kills and waits for the recovery, again and again, while events
// come in.
func (o options) torment(ctx context.Context, v *victim, oracle *oracle) error {
	sending, calm := context.WithCancel(ctx)
	senders := oracle.send(sending, o.seed, o.rest)
	defer func() {
		calm()
		for range senders {
			<-oracle.done
		}
	}()
	r := rand.New(rand.NewPCG(o.seed, 1))
	for i, k := range scheme(o.kills, r) {
		pause(ctx, time.Duration(100+r.IntN(900))*time.Millisecond)
		if err := v.die(ctx, k); err != nil {
			return fmt.Errorf("kill %d, the %s %s: %w", i+1, k.victim, k.point, err)
		}
	}
	return ctx.Err()
}

// where says how often a victim died at which point.
func (v *victim) where(victim string) string {
	said := []string{fmt.Sprintf("%d random moments", v.died[kill{victim: victim}])}
	for _, p := range points {
		said = append(said, fmt.Sprintf("%d %s", v.died[kill{victim: victim, point: p}], p))
	}
	return strings.Join(said, ", ")
}

var errNotReached = fmt.Errorf("the point was not reached in %v; is the program built with -tags chaos?", notReachedAfter)

// notReachedAfter is long enough for a fold of all that waits, on a machine that
// has other work.
const notReachedAfter = 10 * time.Minute

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/server"
)

// commands is how many of the crowd's commands TestReplay carries out.
// SLUICE_REPLAY says another number: make replay says 100,000.
func commands(t *testing.T) int {
	t.Helper()
	text := os.Getenv("SLUICE_REPLAY")
	if text == "" {
		return 5000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("SLUICE_REPLAY: %v", err)
	}
	return n
}

// replicated is every fold, as a process has them.
type replicated struct {
	server.Folds
	*event.Projection
}

func fresh() replicated {
	f := server.NewFolds()
	return replicated{f, event.NewProjection(f.All()...)}
}

// snapshot returns all that a replica holds, and where it is.
func (r replicated) snapshot(t *testing.T) ([]byte, event.Mark) {
	t.Helper()
	b, m, err := r.Snapshot("replay")
	if err != nil {
		t.Fatal(err)
	}
	return b, m
}

// TestReplay is law 1 over every command that there is: the state that the
// process has after random commands, with a seal every 256 events, is the state
// that comes of folding the log from its first event, and of a snapshot and the
// events behind it; also what the folds keep beside it.
func TestReplay(t *testing.T) {
	const seed = 20261121
	n, began := commands(t), time.Now()
	log, live := event.NewMemLog(), fresh()
	plan, err := aPlan()
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{Folds: live.Folds, Rand: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), plan: plan}
	var taken [][]byte
	for carried, tries := 0, 0; carried < n; tries++ {
		if tries > 50*n {
			t.Fatalf("seed %d: of %d commands only %d were carried out", seed, tries, carried)
		}
		e, expect, err := c.command()
		if err != nil {
			continue // refused, as much is
		}
		if err := apply(t.Context(), log, live, e, expect); err != nil {
			t.Fatalf("seed %d, command %d: %v", seed, c.n, err)
		}
		if carried++; carried%(n/4) == 0 {
			b, _ := live.snapshot(t)
			taken = append(taken, b)
		}
	}
	built := time.Since(began)
	whole, want := live.snapshot(t)
	t.Logf("seed %d: %d commands carried out of %d given, %d events, in %v; state %s, snapshot of %d KiB", seed, n, c.n, want.Seq, built.Round(time.Millisecond), want.State, len(whole)>>10)
	began = time.Now()
	zero := fresh()
	if err := zero.Catch(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	again, got := zero.snapshot(t)
	if got != want || !bytes.Equal(again, whole) {
		t.Errorf("seed %d: folded from the first event it is %+v, live it is %+v; all it holds is the same: %t", seed, got, want, bytes.Equal(again, whole))
	}
	t.Logf("folded from the first event in %v", time.Since(began).Round(time.Millisecond))
	for _, b := range taken {
		began = time.Now()
		restored := fresh()
		if err := errors.Join(restored.Restore(t.Context(), log, b, "replay"), restored.Catch(t.Context(), log)); err != nil {
			t.Fatal(err)
		}
		again, got := restored.snapshot(t)
		if got != want || !bytes.Equal(again, whole) {
			t.Errorf("seed %d: restored from a snapshot it is %+v, want %+v", seed, got, want)
		}
		t.Logf("from a snapshot and the tail in %v", time.Since(began).Round(time.Millisecond))
	}
	loud(t, log)
}

// apply appends an event and what seals the log, and folds them.
func apply(ctx context.Context, log event.Log, live replicated, e event.Event, expect event.Expect) error {
	if _, err := log.Append(ctx, e, expect); err != nil {
		return err
	}
	if err := live.Catch(ctx, log); err != nil {
		return err
	}
	if !live.Seals.Due(live.Seq(), e.Time) {
		return nil
	}
	m, err := live.Mark()
	if err != nil {
		return err
	}
	_, err = log.Append(ctx, event.Sealed(m, e.Time), event.Expect(live.Seals.Seq))
	return errors.Join(err, live.Catch(ctx, log))
}

// heard are the types of events that a crowd of any size writes.
var heard = []string{
	"decision.made", "environment.changed", "flag.change.approved", "flag.change.proposed", "flag.change.rejected", "flag.change.withdrawn",
	"flag.changed", "flag.schedule.cancelled", "flag.scheduled", "incident.opened", "incident.resolved", "metric.defined", "person.changed",
	"policy.changed", "rollout.explained", "rollout.paused", "rollout.planned", "rollout.rejected", "rollout.resumed", "rollout.scheduled", "rollout.started",
	"rollout.unscheduled", "seal.made",
	"segment.changed", "team.changed", "token.issued", "token.revoked",
}

// loud checks that the crowd is no quieter than people are: every type of event
// and every change of a flag was among what it did.
func loud(t *testing.T, log event.Log) {
	t.Helper()
	types, ops := map[string]int{}, map[string]int{}
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		types[r.Type]++
		var data struct {
			Changes []struct{ Op string }
		}
		if r.Type == flags.EventType && json.Unmarshal(r.Data, &data) == nil {
			for _, c := range data.Changes {
				ops[c.Op]++
			}
		}
	}
	for _, want := range heard {
		if types[want] == 0 {
			t.Errorf("nobody caused a %s", want)
		}
	}
	for _, want := range crowdOps() {
		if ops[want] == 0 {
			t.Errorf("nobody did %s to a flag", want)
		}
	}
}

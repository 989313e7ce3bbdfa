package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// seenBy is an evaluation of the flag for a unit.
func seenBy(unit, variant string) ingest.Exposure {
	return ingest.Exposure{
		Flag: "checkout", Variant: variant, Unit: ingest.Unit{Kind: "user", ID: unit}, Revision: 4, Rollout: "production/checkout/1", Epoch: 2, Reason: "SPLIT",
	}
}

func nothing() map[string]string { return nil }

// recordings returns the exposures of all packs.
func recordings(t *testing.T, s ingest.Stream) (list []ingest.ExposureRow) {
	t.Helper()
	messages, err := s.Read(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		b, err := codec.Decode(shard, event.Message{Seq: m.Seq, Data: m.Data})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b.Exposures...)
	}
	return list
}

// TestRecorder_onceAWindow: a unit is recorded once for each flag, variant, epoch
// and window, by however many replicas, as the arm that the history says.
func TestRecorder_onceAWindow(t *testing.T) {
	in, streams := intake(1)
	replicas := []*ingest.Recorder{{}, {}}
	for i, r := range replicas {
		for range 3 {
			r.Note("production", seenBy("u-1", "on"), func() map[string]string { return map[string]string{"plan": "pro"} }, noon.Add(time.Duration(i)*time.Minute))
		}
		if err := r.Flush(t.Context(), in, noon.Add(5*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	got := recordings(t, streams[0])
	if len(got) != 2 || got[0].ID != got[1].ID || got[0].Key() != got[1].Key() {
		t.Fatalf("two replicas record %+v", got)
	}
	want := ingest.ExposureRow{
		Place: got[0].Place, ID: got[0].ID, Day: ingest.DayOf(got[0].ID), Environment: "production", Flag: "checkout", Variant: "on",
		UnitKind: "user", Unit: ingest.UnitHash(unitKey, "user", "u-1"), Revision: 4, Rollout: "production/checkout/1", Stage: "canary", Epoch: 2, Arm: "on",
		Enrolled: true, Reason: "SPLIT", At: noon, Received: noon.Add(5 * time.Minute), Attributes: map[string]string{"plan": "pro"}, Source: ingest.ByEvaluation,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	r, epoch := replicas[0], seenBy("u-1", "on")
	epoch.Epoch = 3
	r.Note("production", seenBy("u-2", "on"), nothing, noon)
	r.Note("production", seenBy("u-1", "off"), nothing, noon)
	r.Note("production", epoch, nothing, noon)
	r.Note("production", seenBy("u-1", "on"), nothing, noon.Add(time.Hour)) // the next window
	if err := r.Flush(t.Context(), in, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ids := map[event.ID]bool{}
	for _, e := range recordings(t, streams[0]) {
		ids[e.ID] = true
	}
	if want := (ingest.Recordings{Recorded: 5}); len(ids) != 5 || r.Counts() != want {
		t.Errorf("%d different exposures, %+v", len(ids), r.Counts())
	}
}

// TestRecorder_bounds: what there is no room for is dropped and counted, and the
// unit is recorded the next time. What cannot be stored waits, and what the door
// does not take is counted.
func TestRecorder_bounds(t *testing.T) {
	in, streams := intake(1)
	r := &ingest.Recorder{Most: 2}
	for i := range 5 {
		r.Note("production", seenBy(fmt.Sprint("u-", i), "on"), nothing, noon)
	}
	if want := (ingest.Recordings{Waiting: 2, Dropped: 3}); r.Counts() != want {
		t.Errorf("%+v", r.Counts())
	}
	in.Guard = (&found{space: ingest.Space{Total: 1}}).guard(ingest.Floor{Bytes: 1})
	if _, err := in.Guard.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(t.Context(), in, noon); !errors.Is(err, ingest.ErrBusy) {
		t.Errorf("on a full disk: %v", err)
	}
	in.Guard = nil
	if want := (ingest.Recordings{Waiting: 2, Dropped: 3}); r.Counts() != want || r.Flush(t.Context(), in, noon) != nil {
		t.Errorf("%+v", r.Counts())
	}
	r.Note("production", seenBy("u-4", "on"), nothing, noon)
	other := seenBy("u-5", "on")
	other.Flag = "gone"
	r.Note("production", other, nothing, noon)
	if err := r.Flush(t.Context(), in, noon); err != nil {
		t.Fatal(err)
	}
	if want := (ingest.Recordings{Recorded: 3, Dropped: 4}); r.Counts() != want || len(recordings(t, streams[0])) != 3 {
		t.Errorf("%+v", r.Counts())
	}
}

// TestRecorder_manyAtOnce notes from many goroutines while one flushes.
func TestRecorder_manyAtOnce(t *testing.T) {
	in, streams := intake(2)
	r := &ingest.Recorder{}
	var noting sync.WaitGroup
	const goroutines, units = 8, 200
	for range goroutines {
		noting.Go(func() {
			for i := range units {
				r.Note("production", seenBy(fmt.Sprint("u-", i), "on"), nothing, noon)
			}
		})
	}
	done, stop := context.WithCancel(t.Context())
	var flushing sync.WaitGroup
	flushing.Go(func() {
		for done.Err() == nil {
			if err := r.Flush(t.Context(), in, noon); err != nil {
				t.Error(err)
			}
		}
	})
	noting.Wait()
	stop()
	flushing.Wait()
	if err := r.Flush(t.Context(), in, noon); err != nil {
		t.Fatal(err)
	}
	if n := len(recordings(t, streams[0])) + len(recordings(t, streams[1])); n != units || r.Counts() != (ingest.Recordings{Recorded: units}) {
		t.Errorf("%d exposures of %d units, %+v", n, units, r.Counts())
	}
}

// BenchmarkRecorder_known is what an evaluation of a unit that was recorded costs.
func BenchmarkRecorder_known(b *testing.B) {
	r, e := &ingest.Recorder{}, seenBy("u-1", "on")
	for b.Loop() {
		r.Note("production", e, nothing, noon)
	}
}

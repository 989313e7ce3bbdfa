package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// slowStream takes time for each message and fails as the test says.
type slowStream struct {
	ingest.MemStream
	takes time.Duration
	fail  func(try int) error // before it stores; nil never fails
	lose  int                 // answers that are lost, after it stored

	mu    sync.Mutex
	tries int
	ids   []string
}

func (s *slowStream) Publish(ctx context.Context, id string, data []byte, traces ...string) (uint64, error) {
	time.Sleep(s.takes)
	s.mu.Lock()
	s.tries++
	try := s.tries
	s.ids = append(s.ids, id)
	s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(try); err != nil {
			return 0, err
		}
	}
	seq, err := s.MemStream.Publish(ctx, id, data, traces...)
	if try <= s.lose {
		return 0, context.DeadlineExceeded
	}
	return seq, err
}

func exposures(first, n int) (b ingest.Batch) {
	for i := range n {
		b.Exposures = append(b.Exposures, ingesttest.Exposure(ingest.Place{Idx: uint32(i)}, uint64(first+i)))
	}
	b.Count, b.Oldest, b.Newest, b.Received = uint32(n), noon, noon, noon
	return b
}

// packed returns the number of events of each message, and checks that they
// hold events 0 to n-1 once each.
func packed(t *testing.T, s ingest.Stream, n int) (sizes []uint32) {
	t.Helper()
	m, err := s.Read(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[event.ID]int{}
	for _, m := range m {
		b, err := codec.Decode("", m)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, b.Count)
		b.Each(func(k ingest.Key, _ ingest.Place) { seen[k.ID]++ })
	}
	for i := range n {
		if id := ingesttest.ID(noon, uint64(i)); seen[id] != 1 {
			t.Errorf("event %d is packed %d times", i, seen[id])
		}
	}
	if len(seen) != n {
		t.Errorf("%d events are packed, want %d", len(seen), n)
	}
	return sizes
}

func TestPacker_manyRequestsShareAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStream{takes: time.Millisecond}
		p := ingest.NewPacker(s, codec, "a")
		var done sync.WaitGroup
		begin := time.Now()
		for i := range 50 {
			done.Go(func() {
				if err := p.Submit(t.Context(), exposures(i*3, 3)); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if sizes := packed(t, s, 150); len(sizes) != 1 {
			t.Errorf("messages of %v events, want one", sizes)
		}
		if took := time.Since(begin); took != 4*time.Millisecond {
			t.Errorf("took %v, want 3 ms and one write", took)
		}
	})
}

func TestPacker_fullPackDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(slowStream)
		begin := time.Now()
		if err := ingest.NewPacker(s, codec, "a").Submit(t.Context(), exposures(0, 1000)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("1,000 events waited %v", took)
		}
		if diff := cmp.Diff([]uint32{1000}, packed(t, s, 1000)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

// TestPacker_cutsLargeBatches gives it more bytes than one message takes.
func TestPacker_cutsLargeBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(slowStream)
		b := exposures(0, 900)
		for i := range b.Exposures {
			b.Exposures[i].Attributes = map[string]string{"a": fmt.Sprint(i, string(make([]byte, 1000)))}
		}
		if err := ingest.NewPacker(s, codec, "a").Submit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if sizes := packed(t, s, 900); len(sizes) < 4 {
			t.Errorf("messages of %v events for 900 KB", sizes)
		}
	})
}

func TestPacker_repeatsTheSameMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStream{lose: 3}
		p := ingest.NewPacker(s, codec, "a")
		for i := range 2 {
			if err := p.Submit(t.Context(), exposures(i*5, 5)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]uint32{5, 5}, packed(t, s, 10)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"a.1", "a.1", "a.1", "a.1", "a.2"}, s.ids); diff != "" {
			t.Errorf("IDs (-want +got):\n%s", diff)
		}
	})
}

func TestPacker_givesUpAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("no leader")
		s := &slowStream{fail: func(int) error { return away }}
		begin := time.Now()
		err := ingest.NewPacker(s, codec, "a").Submit(t.Context(), exposures(0, 5))
		if took := time.Since(begin); !errors.Is(err, ingest.ErrBusy) || !errors.Is(err, away) || took < 59*time.Second || took > time.Minute {
			t.Errorf("after %v: %v; want ErrBusy and the reason after a minute", took, err)
		}
	})
}

func TestPacker_ridesThroughAnElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := &slowStream{fail: func(int) error {
			if time.Since(begin) < 15*time.Second {
				return errors.New("no leader")
			}
			return nil
		}}
		if err := ingest.NewPacker(s, codec, "a").Submit(t.Context(), exposures(0, 5)); err != nil {
			t.Error(err)
		}
		packed(t, s, 5)
	})
}

func TestPacker_busy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStream{takes: time.Second}
		p := ingest.NewPacker(s, codec, "a")
		p.Pending = 10
		var done sync.WaitGroup
		done.Go(func() {
			if err := p.Submit(t.Context(), exposures(0, 8)); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if err := p.Submit(t.Context(), exposures(100, 3)); !errors.Is(err, ingest.ErrBusy) {
			t.Errorf("with 8 of 10 pending: %v, want ErrBusy", err)
		}
		done.Wait()
		if err := p.Submit(t.Context(), exposures(8, 3)); err != nil {
			t.Errorf("when nothing is pending: %v", err)
		}
		packed(t, s, 11)
	})
}

// TestPacker_leaderGoesAway cancels the request that opened the pack: the
// others are served all the same.
func TestPacker_leaderGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(slowStream)
		p := ingest.NewPacker(s, codec, "a")
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { _ = p.Submit(ctx, exposures(0, 1)) }) // its client is gone
		synctest.Wait()
		done.Go(func() {
			if err := p.Submit(t.Context(), exposures(1, 1)); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		done.Wait()
		packed(t, s, 2)
	})
}

func TestPacker_followerGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStream{takes: 4 * time.Second}
		p := ingest.NewPacker(s, codec, "a")
		var done sync.WaitGroup
		done.Go(func() { _ = p.Submit(t.Context(), exposures(0, 1)) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Submit(ctx, exposures(1, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		done.Wait()
		packed(t, s, 2)
	})
}

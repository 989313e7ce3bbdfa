package natslog_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/natslog/natstest"
)

func TestMain(m *testing.M) { natstest.Main(m.Run) }

// writer publishes packs, or appends events, one after the other, and knows
// what was acknowledged.
type writer struct {
	name  string
	write func(n int) (seq uint64, err error)
	acked map[int]uint64
	gap   time.Duration // longest between two acknowledgements
	errs  []error
}

func (w *writer) run(ctx context.Context) {
	w.acked = map[int]uint64{}
	for n, last := 0, time.Now(); ctx.Err() == nil; n++ {
		seq, err := w.write(n)
		if err != nil {
			w.errs = append(w.errs, err)
			continue
		}
		w.acked[n] = seq
		w.gap = max(w.gap, time.Since(last))
		last = time.Now()
	}
}

// TestCluster kills the leader of a stream of facts and that of the log while
// both are written to. No write fails, none is lost, none is there twice.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("three servers, two elections: half a minute")
	}
	const seed = 20261121
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c, err := natstest.Start(t.Context(), t.TempDir(), os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := natslog.Open(t.Context(), natslog.Config{URL: c.URL(), SystemURL: c.SystemURL(), Replicas: natstest.Members, Shards: 2, FactsBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	pack := make([]byte, 2_000) // small, so that no disk is fast enough to fill the stream
	facts := &writer{name: "packs", write: func(n int) (uint64, error) { return s.Facts[0].Publish(t.Context(), fmt.Sprint(n), pack) }}
	log := &writer{name: "events", write: func(n int) (uint64, error) {
		return s.Log.Append(t.Context(), eventtest.Event("flag.a", n), event.Any)
	}}
	running, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, w := range []*writer{facts, log} {
		all.Go(func() { w.run(running) })
	}
	all.Go(func() {
		for _, err := range s.Log.Follow(running, event.Filter{}, 0) {
			if err != nil {
				t.Errorf("who follows the log is told: %v", err)
			}
		}
	})
	for _, stream := range []string{"FACTS_0", "CONTROL"} {
		killLeader(t, c, stream, time.Duration(random.IntN(1000))*time.Millisecond)
	}
	stop()
	all.Wait()
	for _, w := range []*writer{facts, log} {
		t.Logf("%d %s acknowledged, longest gap %v", len(w.acked), w.name, w.gap.Round(time.Millisecond))
		if len(w.errs) > 0 || len(w.acked) < 20 {
			t.Errorf("%s: %d acknowledged, errors %v", w.name, len(w.acked), w.errs)
		}
	}
	checkPacks(t, s, facts.acked)
	checkLog(t, s, log.acked)
}

// killLeader kills the leader of a stream some time from now, and starts it
// again when another leads.
func killLeader(t *testing.T, c *natstest.Cluster, stream string, after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	<-time.After(after)
	was, err := c.Leader(ctx, stream)
	if err == nil {
		err = c.Kill(was)
	}
	for is := was; err == nil && is == was; {
		is, err = c.Leader(ctx, stream)
	}
	if err == nil {
		err = c.Restart(was)
	}
	if err == nil {
		err = c.Meet(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func checkPacks(t *testing.T, s *natslog.Store, acked map[int]uint64) {
	t.Helper()
	found := map[string]uint64{}
	for after := uint64(0); ; {
		page, err := s.Facts[0].Read(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			if at, twice := found[m.ID]; twice {
				t.Errorf("pack %s is at %d and at %d", m.ID, at, m.Seq)
			}
			found[m.ID] = m.Seq
			after = m.Seq
		}
	}
	for n, seq := range acked {
		if found[fmt.Sprint(n)] != seq {
			t.Errorf("pack %d was acknowledged at %d and is at %d", n, seq, found[fmt.Sprint(n)])
		}
	}
}

func checkLog(t *testing.T, s *natslog.Store, acked map[int]uint64) {
	t.Helper()
	for n, seq := range acked {
		if at, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", n), event.Any); at != seq || err != nil {
			t.Fatalf("event %d was acknowledged at %d and is at %d (%v)", n, seq, at, err)
		}
	}
	p := event.NewProjection()
	if err := p.Catch(t.Context(), s.Log); err != nil {
		t.Fatal(err)
	}
	if n := p.Seq(); n < uint64(len(acked)) {
		t.Errorf("%d events, %d were acknowledged", n, len(acked))
	}
}

// TestMember_refusesToAnswerBeforeItWrites: JetStream's own default.
func TestMember_refusesToAnswerBeforeItWrites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "n.conf")
	for _, text := range []string{"jetstream: true", "port: 4222", "jetstream { sync_interval: 10s }"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (natslog.Member{File: file}).Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "sync_interval: always") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

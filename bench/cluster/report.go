package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// report waits until everything is loaded, compares, and prints what was found.
func report(ctx context.Context, w *world, o *oracle, seed uint64, deaths []death) error {
	began := time.Now()
	f, err := settle(ctx, w, o)
	if err != nil {
		return err
	}
	loaded := time.Since(began)
	store, err := warehouse.Open(ctx, warehouse.Config{Addr: w.clickhouse})
	if err != nil {
		return err
	}
	defer store.Close()
	missing, err := store.Unstored(ctx, o.acked)
	if err != nil {
		return err
	}
	doubled, err := store.Doubled(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nseed %d: %d leaders killed, %d events and %d changes acknowledged\n", seed, len(deaths), len(o.acked), o.changes)
	fmt.Printf("lost %d, doubled %d, unaccounted %d; loaded %.1f s after the last\n", len(missing), doubled, f.Unaccounted, loaded.Seconds())
	fmt.Printf("longest gap without an acknowledgement: %.2f s (median of the kills %.2f s)\n", gapAt(deaths, 1).Seconds(), gapAt(deaths, 0.5).Seconds())
	fmt.Printf("requests of events: p50 %v, p99 %v, longest %v\n", at(o.slow, 0.5), at(o.slow, 0.99), at(o.slow, 1))
	fmt.Printf("answers that were no acknowledgement: %d %q\n", o.refusals, o.said)
	return errors.Join(verdict(o, len(missing), int(doubled), f), agree(ctx, w, o))
}

func verdict(o *oracle, lost, doubled int, f server.FactsView) error {
	switch {
	case lost > 0 || doubled > 0 || f.Unaccounted != 0:
		return fmt.Errorf("%d lost, %d doubled, %d unaccounted", lost, doubled, f.Unaccounted)
	case f.Control.Last < uint64(o.changes):
		return fmt.Errorf("the log has %d events and %d changes were acknowledged", f.Control.Last, o.changes)
	case len(o.acked) == 0:
		return errors.New("nothing was acknowledged: this run proves nothing")
	}
	return nil
}

// settle waits until every stream is loaded to its end.
func settle(ctx context.Context, w *world, o *oracle) (f server.FactsView, err error) {
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); pause(ctx, 200*time.Millisecond) {
		status, answer, err := call(ctx, http.MethodGet, o.replicas[0]+"/api/v1/facts", o.admin, nil)
		if err != nil || status != http.StatusOK || json.Unmarshal(answer, &f) != nil {
			continue
		}
		whole := f.Control.Done == f.Control.Last
		for _, s := range f.Shards {
			whole = whole && s.Done == s.Last
		}
		if whole {
			return f, nil
		}
	}
	return f, fmt.Errorf("the facts are not loaded after three minutes; see the logs in %s", w.dir)
}

// agree asks whether the replicas came to the same state.
func agree(ctx context.Context, w *world, o *oracle) error {
	for range 100 {
		same := 0
		for _, r := range w.replicas {
			var v struct {
				Standing struct {
					Standing string `json:"standing"`
				} `json:"standing"`
			}
			_, answer, err := call(ctx, http.MethodGet, r.Address+"/api/v1/replicas", o.admin, nil)
			if err == nil && json.Unmarshal(answer, &v) == nil && v.Standing.Standing == "agrees" {
				same++
			}
		}
		if same == len(w.replicas) {
			fmt.Printf("%d replicas agree on the state\n", same)
			return nil
		}
		pause(ctx, 200*time.Millisecond)
	}
	return errors.New("the replicas do not agree on the state")
}

func gapAt(deaths []death, share float64) time.Duration {
	var list []time.Duration
	for _, d := range deaths {
		list = append(list, d.gap)
	}
	return at(list, share)
}

// at returns the duration that this share of a list does not exceed.
func at(list []time.Duration, share float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[int(share*float64(len(list)-1))].Round(time.Millisecond)
}

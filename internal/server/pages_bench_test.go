package server

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"
)

// BenchmarkPages_200open is how long 200 open pages wait until they hear of a
// change, and what one of them costs the server to make.
func BenchmarkPages_200open(b *testing.B) {
	const pages = 200
	h := newHouseWith(b, func(h *House) { h.Now = time.Now })
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	told := make(chan time.Time, pages)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	for range pages {
		lines := h.watch(ctx)
		go func() {
			for lines.Scan() {
				if lines.Text() == "event: changed" {
					told <- time.Now()
				}
			}
		}()
	}
	var waits []time.Duration
	ops := []string{"hold", "resume"}
	b.ResetTimer()
	for i := range b.N {
		began := time.Now()
		h.want("approver", "POST", rolloutOne+"/"+ops[i%2], `{"comment":"so"}`, http.StatusOK, "")
		for range pages {
			waits = append(waits, (<-told).Sub(began))
		}
	}
	b.StopTimer()
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(waits[len(waits)*99/100].Milliseconds()), "p99-ms")
}

// BenchmarkPage_rollout is one request for the page of a rollout.
func BenchmarkPage_rollout(b *testing.B) {
	h := newHouse(b)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	for b.Loop() {
		if code, body, _ := h.ask("viewer", "GET", pageOfOne, "", asBrowser...); code != http.StatusOK {
			b.Fatal(body)
		}
	}
}

// watch opens the stream of changes that an open page has.
func (h *house) watch(ctx context.Context) *bufio.Scanner {
	h.t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", h.URL+"/changes?of=production/shop.checkout/1", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.tokens["viewer"])
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() && lines.Text() != ": watching" {
	}
	return lines
}

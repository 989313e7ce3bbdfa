package server

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
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
	reportTimes(b, waits)
}

func reportTimes(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

// BenchmarkReadout_200open is one request for the readout of fifty metrics with two
// hundred looks at one of them, from the browser's question to its last byte, while
// 200 pages hold their streams open. The looks are in memory: what a warehouse adds
// is not in it.
func BenchmarkReadout_200open(b *testing.B) {
	const pages, metrics, looks = 200, 50, 200
	h := newHouseWith(b, func(h *House) { h.Readouts, h.Now = looksOf(metrics, looks), time.Now }) // streams end by the clock
	docs, guards := documents, []string{}
	for _, key := range measured(metrics) {
		docs += "---\napiVersion: sluice/v1\nkind: Metric\nkey: " + key + "\ndescription: Units that did it\nowner: shop-team\nevent: " + key + "\naggregate: conversion\ndirection: increase\nwindow: 1h\n"
		guards = append(guards, "{metric: "+key+", margin: 5%}")
	}
	h.want("admin", "POST", "/api/v1/apply", docs, http.StatusOK, "created")
	h.want("approver", "POST", "/api/v1/apply", strings.Replace(plan, "\nstages:", "\n  guardrails: ["+strings.Join(guards, ", ")+"]\nstages:", 1), http.StatusOK, "created")
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	for range pages {
		h.watch(ctx)
	}
	var took []time.Duration
	size := 0
	for b.Loop() {
		began := time.Now()
		code, body, _ := h.ask("viewer", "GET", readoutOfOne+"?read=now&metric=guarded_01", "", asBrowser...)
		took, size = append(took, time.Since(began)), len(body)
		if code != http.StatusOK || !strings.Contains(body, "guarded_49") || !strings.Contains(body, "Units of each arm over time") {
			b.Fatal(code, body)
		}
	}
	reportTimes(b, took)
	b.ReportMetric(float64(size), "bytes")
}

// measured are the keys of so many guarded metrics.
func measured(n int) (keys []string) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("guarded_%02d", i))
	}
	return keys
}

// looksOf are looks a minute apart at so many guarded metrics, up to now, the newest
// first.
func looksOf(metrics, looks int) (all memLooks) {
	first := time.Now().Add(-time.Duration(looks) * time.Minute)
	frozen := stats.Frozen{Variance: 0.24, ControlMean: 0.4, Units: 1000}
	for i := looks - 1; i >= 0; i-- {
		n := int64(1000 * (i + 1))
		strata := []stats.Stratum{{Control: stats.Proportion(n, n*4/10), Treatment: stats.Proportion(n, n*39/100)}}
		judged := stats.Guardrail{Margin: 0.05}.Judge(strata, frozen)
		e := decisions.Evidence{At: first.Add(time.Duration(i) * time.Minute), Units: []decisions.Count{{Arm: "on", N: n}, {Arm: "off", N: n}}}
		for _, key := range measured(metrics) {
			e.Metrics = append(e.Metrics, decisions.Measured{Metric: key, Strata: strata, Judgement: &judged})
		}
		all = append(all, decisions.Look{Rollout: "production/shop.checkout/1", At: e.At, Stage: "experiment", Verdict: decisions.Verdict{Action: decisions.Hold}, Evidence: e})
	}
	return all
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

// BenchmarkPage_flags is one request for a page of fifty flags out of ten
// thousand: the first, one behind a filter by text, and one behind a filter by
// what becomes of each flag.
func BenchmarkPage_flags(b *testing.B) {
	h := newHouse(b)
	for i := range 50 {
		h.want("admin", "POST", "/api/v1/apply", manyFlags(i*200, 200), http.StatusOK, "created")
	}
	for name, path := range map[string]string{"first": "/flags", "text": "/flags?q=flag-9999", "life": "/flags?lifecycle=draft"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if code, body, _ := h.ask("viewer", "GET", path, "", asBrowser...); code != http.StatusOK {
					b.Fatal(body)
				}
			}
		})
	}
}

// manyFlags are documents of so many flags, numbered from one on.
func manyFlags(from, n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "---\napiVersion: sluice/v1\nkind: Flag\nkey: shop.flag-%05d\nowner: shop-team\npurpose: operational\ntype: boolean\nvariants: {on: true, off: false}\ndefault: off\nsafe: off\nenvironments: {production: {enabled: true}, staging: {enabled: true}}\n", from+i)
	}
	return all.String()
}

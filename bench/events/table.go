package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// load is what a measurement of sending found.
type load struct {
	events int
	busy   int    // requests that were told to come back
	why    string // what one of them was told
	took   time.Duration
	work   work
	times  []time.Duration // of each request that was acknowledged
}

func (l load) rate() float64 { return float64(l.events) / l.took.Seconds() }

func (l load) latency() string {
	times := slices.Sorted(slices.Values(l.times))
	at := func(q float64) float64 { return times[int(q*float64(len(times)-1))].Seconds() * 1000 }
	if len(times) == 0 {
		return "no request was acknowledged"
	}
	return fmt.Sprintf("a request takes p50 %.1f ms, p99 %.1f ms, longest %.0f ms", at(0.5), at(0.99), at(1))
}

// told is what requests were told that had to come back: a full disk measures
// something else than a fast loader.
func (l load) told() string {
	if l.why == "" {
		return ""
	}
	return ": " + l.why
}

// memory is the resident memory of both processes, MiB.
type memory struct{ sluice, engine float64 }

// table is everything that was measured.
type table struct {
	bare, acked, both load
	inserted          float64       // rows a second
	loaded            int           // events that are countable
	loading, looking  time.Duration // until they are loaded, and in the totals
	work              work          // until all are
	reading           readout
	idle, busy, read  memory
}

// String returns the table for people.
func (t table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	line := func(what, format string, a ...any) { fmt.Fprintf(w, "%s\t%s\n", what, fmt.Sprintf(format, a...)) }
	loaded := float64(t.loaded) / t.loading.Seconds()
	line("bare net/http", "%s events/s; %s", thousands(t.bare.rate()), t.bare.latency())
	line("acknowledged", "%s events/s (target 200 k), %.2f of bare; %s (target p99 25 ms)", thousands(t.acked.rate()), t.acked.rate()/t.bare.rate(), t.acked.latency())
	line("acknowledged while loading", "%s events/s for %.0f s; %s; %d requests told to come back%s", thousands(t.both.rate()), t.both.took.Seconds(), t.both.latency(), t.both.busy, t.both.told())
	line("  of which", "bare: %s; acknowledged: %s", t.bare.work.each(t.bare.events), t.acked.work.each(t.acked.events))
	line("inserted by the engine alone", "%s rows/s", thousands(t.inserted))
	line("loaded and countable", "%s events/s (target 100 k) over %.0f s, %.2f of inserting alone; %s events", thousands(loaded), t.loading.Seconds(), loaded/t.inserted, thousands(float64(t.loaded)))
	line("in the totals of the rollout", "%s events/s over %.0f s", thousands(float64(t.loaded)/t.looking.Seconds()), t.looking.Seconds())
	line("  of which", "%s", t.work.each(t.loaded))
	line("readout of them", "%.2f s: two metrics of %s units, %s exposures", t.reading.took.Seconds(), thousands(float64(t.reading.units)), thousands(float64(t.reading.exposures)))
	line("memory idle", "%s", t.idle)
	line("memory under load, most", "%s", t.busy)
	line("memory during the readout, most", "%s", t.read)
	_ = w.Flush() // to memory
	return b.String()
}

// String returns both for people.
func (m memory) String() string {
	return fmt.Sprintf("sluice %.0f MiB, engine %.0f MiB", m.sluice, m.engine)
}

func thousands(n float64) string { return fmt.Sprintf("%.0f k", n/1000) }

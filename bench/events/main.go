// Command events measures how fast events come in and are counted: it starts a
// built Sluice as a process of its own, sends it requests of 1,000 events over
// HTTP as fast as it takes them, and says
//
//   - how many events a second are acknowledged, which means on disk, and how
//     long a request takes, next to a bare net/http server that reads the same
//     bodies and answers,
//   - how many a second become countable while that goes on, from the first
//     event sent until the last one is loaded and read back, and until it is in
//     the totals that looks read, next to the same rows inserted into the engine
//     and nothing else,
//   - what memory both processes take idle, under that load, and while a
//     rollout with all these events is read out.
//
// The load generator runs on the same processors; ratios are of one run.
//
//	go build -o bin/sluice ./cmd/sluice && go run ./bench/events
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

// options say how much is measured.
type options struct {
	binary  string
	clients int           // connections that send at once
	short   time.Duration // of each measurement but the next
	long    time.Duration // of sending while everything is loaded
	seed    uint64        // of values and units
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		fmt.Fprintln(os.Stderr, "events:", bare())
		os.Exit(1)
	}
	var o options
	flag.StringVar(&o.binary, "binary", "bin/sluice", "the built program")
	flag.IntVar(&o.clients, "clients", 4, "connections that send at once")
	flag.DurationVar(&o.short, "short", 15*time.Second, "of the bare server, of acknowledging alone, of inserting alone")
	flag.DurationVar(&o.long, "long", 60*time.Second, "of sending while everything is loaded")
	flag.Uint64Var(&o.seed, "seed", 1, "of values and units")
	flag.Parse()

	ctx, stop := context.WithTimeout(context.Background(), 4*o.short+10*o.long+5*time.Minute)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "events:", err)
		os.Exit(1)
	}
}

func (o options) run(ctx context.Context) error {
	var t table
	for _, measure := range []func(context.Context, *table) error{o.bare, o.acknowledge, o.insert, o.load} {
		if err := measure(ctx, &t); err != nil {
			return err
		}
	}
	fmt.Printf("seed %d, %d connections, %d events a request, %d of them exposures\n%s", o.seed, o.clients, requestEvents, requestExposures, t.String())
	return nil
}

// bare sends to a server that reads bodies.
func (o options) bare(ctx context.Context, t *table) error {
	s, err := startBare(ctx)
	if err != nil {
		return err
	}
	defer s.Kill()
	t.bare, err = o.send(ctx, s, o.short)
	return err
}

// acknowledge sends to a Sluice that does everything but load events.
func (o options) acknowledge(ctx context.Context, t *table) error {
	s, end, err := o.sluice(ctx, "flags,ingest,decide,web")
	if err != nil {
		return err
	}
	defer end()
	t.acked, err = o.send(ctx, s, o.short)
	return err
}

// load sends to a whole Sluice, waits until all is countable, and reads out.
func (o options) load(ctx context.Context, t *table) error {
	s, end, err := o.sluice(ctx, "flags,ingest,load,decide,web")
	if err != nil {
		return err
	}
	defer end()
	t.idle = s.memory()
	loading := s.watch(ctx)
	began, before := time.Now(), s.worked()
	if t.both, err = o.send(ctx, s, o.long); err != nil {
		return err
	}
	all, err := s.settle(ctx)
	if err != nil {
		return err
	}
	t.loaded, t.loading, t.looking, t.work = all.events, all.loaded.Sub(began), all.looked.Sub(began), all.worked.since(before)
	t.busy = loading()
	reading := s.watch(ctx)
	if t.reading, err = s.readout(ctx); err != nil {
		return err
	}
	t.read = reading()
	return nil
}

// Command chaos torments a built Sluice: it sends events and changes while it
// kills the process and its ClickHouse engine with SIGKILL at seeded random
// moments, and keeps its own record of every event that was acknowledged. At
// the end it opens what is on disk and compares: how many acknowledged events
// are neither stored nor dead letters (lost), how many are there more than once
// (doubled). Both must be 0.
//
//	go build -o bin/sluice ./cmd/sluice && go run ./bench/chaos --kills 20 --seed 1
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

func main() {
	kills := flag.Int("kills", 20, "how often something is killed")
	seed := flag.Uint64("seed", 1, "of the moments and of what is killed")
	binary := flag.String("binary", "bin/sluice", "the built program")
	documents := flag.String("documents", "cmd/sluice/demo/cookie-cats.yaml", "flag, metrics and plan")
	keep := flag.String("data", "", "new folder of the data, kept; default: a temporary one")
	flag.Parse()

	ctx, stop := context.WithTimeout(context.Background(), time.Duration(*kills)*15*time.Second+3*time.Minute)
	defer stop()
	if err := run(ctx, *binary, *documents, *keep, *kills, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, documents, data string, kills int, seed uint64) error {
	if data == "" {
		dir, err := os.MkdirTemp("", "sluice-chaos-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		data = dir
	}
	if err := fresh(data); err != nil {
		return err
	}
	v := &victim{binary: binary, data: data}
	if err := v.start(ctx); err != nil {
		return err
	}
	defer v.kill()
	fmt.Printf("seed %d, %d kills, data in %s\n", seed, kills, data)
	o := newOracle()
	if err := o.prepare(ctx, v, documents); err != nil {
		return fmt.Errorf("preparing: %w", err)
	}
	torment, calm := context.WithCancel(ctx)
	senders := o.send(torment, seed)
	err := killAll(ctx, v, kills, rand.New(rand.NewPCG(seed, 1)))
	calm()
	for range senders {
		<-o.done
	}
	if err != nil {
		return err
	}
	if err := o.settle(ctx, v); err != nil {
		return err
	}
	if err := v.stop(); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	return o.compare(ctx, v)
}

// fresh makes the folder of the data. One that was used has an admin token that
// nobody knows and events that nobody here counted.
func fresh(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("making the folder of the data: %w", err)
	}
	used, err := os.ReadDir(data)
	if err == nil && len(used) > 0 {
		err = fmt.Errorf("%s is not empty: name a new folder", data)
	}
	return err
}

// killAll kills and waits for the recovery, again and again.
func killAll(ctx context.Context, v *victim, kills int, r *rand.Rand) error {
	for i, n := range r.Perm(kills) {
		pause(ctx, time.Duration(200+r.IntN(1500))*time.Millisecond)
		engine := n%2 == 0 // half of them, in random order
		began := time.Now()
		if err := v.killOne(ctx, engine); err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
		v.recoveries = append(v.recoveries, time.Since(began))
	}
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

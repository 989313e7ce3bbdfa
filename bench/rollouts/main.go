// Command rollouts measures one pass of the controller over many rollouts under
// way, each with ten metrics: how long it takes, what it asks for and what it
// allocates, as their number grows, with new facts and without. Log, folds and
// facts are in memory, so that it is the controller's own cost; what the
// warehouse takes to answer is measured by bench/readouts.
//
//	go run ./bench/rollouts
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	most := flag.Int("rollouts", 1000, "how many there are in the end")
	flag.Parse()
	fmt.Print("| rollouts | pass | seconds | a rollout | evidence asked | decisions | allocated |\n|---|---|---|---|---|---|---|\n")
	for _, n := range []int{*most / 4, *most / 2, *most} {
		if err := measure(context.Background(), n); err != nil {
			fmt.Fprintln(os.Stderr, "rollouts:", err)
			os.Exit(1)
		}
	}
}

// measure prints what the passes over n rollouts take.
func measure(ctx context.Context, n int) error {
	h, err := newHouse(ctx, n)
	if err != nil {
		return err
	}
	passes := []struct {
		name string
		come int64 // units of each arm of each rollout, before it
	}{{"the first stage begins", 0}, {"baselines are frozen", 2000}, {"new facts", 100}, {"new facts", 100}, {"nothing new", 0}, {"nothing new", 0}}
	for _, p := range passes {
		h.come(p.come)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		asked, decided := h.asked, h.decisions()
		from := time.Now()
		if err := h.controller.Step(ctx, h.now); err != nil {
			return err
		}
		took := time.Since(from)
		runtime.ReadMemStats(&after)
		fmt.Printf("| %d | %s | %.3f | %v | %d | %d | %.1f MiB |\n", n, p.name, took.Seconds(), (took / time.Duration(n)).Round(time.Microsecond),
			h.asked-asked, h.decisions()-decided, float64(after.TotalAlloc-before.TotalAlloc)/(1<<20))
	}
	return nil
}

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

// pass is one pass of the controller, and what comes before it.
type pass struct {
	name  string
	come  int64 // units of each arm
	every int   // of so many rollouts one
	took  time.Duration
}

// measure prints what the passes over n rollouts take, and how a pass over those
// that nothing has come of compares with one over those that something has.
func measure(ctx context.Context, n int) error {
	h, err := newHouse(ctx, n)
	if err != nil {
		return err
	}
	passes := []pass{{"the first stage begins", 0, 1, 0}, {"baselines are frozen", 2000, 1, 0}, {"new facts", 100, 1, 0}, {"new facts", 100, 1, 0},
		{"nothing new", 0, 1, 0}, {"nothing new", 0, 1, 0}, {"one in 20 has new facts", 100, 20, 0}}
	for i := range passes {
		if err := passes[i].run(ctx, h, n); err != nil {
			return err
		}
	}
	fmt.Printf("| %d | unchanged / changed | %.4f | | | | |\n", n, passes[5].took.Seconds()/passes[3].took.Seconds())
	return nil
}

// run lets units come, takes the pass and prints it.
func (p *pass) run(ctx context.Context, h *house, n int) error {
	h.come(p.come, p.every)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	asked, decided := h.asked, h.decisions()
	from := time.Now()
	if err := h.controller.Step(ctx, h.now); err != nil {
		return err
	}
	p.took = time.Since(from)
	runtime.ReadMemStats(&after)
	fmt.Printf("| %d | %s | %.4f | %v | %d | %d | %.1f MiB |\n", n, p.name, p.took.Seconds(), (p.took / time.Duration(n)).Round(100*time.Nanosecond),
		h.asked-asked, h.decisions()-decided, float64(after.TotalAlloc-before.TotalAlloc)/(1<<20))
	return nil
}

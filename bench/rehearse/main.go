// Command rehearse carries one release out thousands of times, on made-up units
// with faults of many sizes, and says how often it stops what should go on,
// lets pass what should not, and how many units are harmed until it stops: next
// to a rule that many follow, on the same seeds. What decides is the production
// code; see package rehearsal.
//
// A share that should be at most alpha and exceeds it by two standard errors is
// marked, and the program ends with an error. A seed draws the same numbers on
// every machine.
//
//	go run ./bench/rehearse                      # 1,000 seeds a row
//	go run ./bench/rehearse -seeds 50 -only breach
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
)

func main() {
	seeds := flag.Int("seeds", 1000, "runs of each scenario")
	seed := flag.Uint64("seed", 1, "of the first run")
	every := flag.Duration("every", time.Hour, "between two looks")
	only := flag.String("only", "", "rows whose name holds this")
	flag.Parse()
	b := bench{Rehearsal: release(), seeds: rehearsal.Seeds{From: *seed, Count: *seeds, Spread: spread}, only: *only}
	b.Settings.Every = event.Duration(*every)
	if err := b.report(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "rehearse:", err)
		os.Exit(1)
	}
}

// bench is one rehearsal in many scenarios.
type bench struct {
	rehearsal.Rehearsal
	seeds  rehearsal.Seeds
	only   string
	faults []string
}

const preface = `# A release, rehearsed

This is what %s prints, here %d seeds a row from seed %d with a look every %s. The plan and what units are like
stand in bench/rehearse/plan.go. Shares are of the seeds; one that is not what is promised is marked with "!".
Times are counted from when the fault begins. "A week" is the rule that gives a quarter of the units the treatment
for a week and then looks once at 95 %% intervals; it ships what is not significantly worse, and who is harmed is
counted until day 28.

`

// report prints the rows, and says what in them should not be.
func (b *bench) report(ctx context.Context) error {
	fmt.Printf(preface, "`make rehearse`", b.seeds.Count, b.seeds.From, b.Settings.Every)
	line(head)
	line(strings.Split(strings.Repeat("---,", len(head)-1)+"---", ","))
	for _, row := range rows() {
		if !strings.Contains(row.Name, b.only) {
			continue
		}
		from := time.Now()
		runs, err := b.Runs(ctx, row.Scenario, b.seeds)
		if err != nil {
			return err
		}
		line(b.cells(row, b.Summarize(row.Scenario, runs)))
		fmt.Fprintf(os.Stderr, "%s: %.1f s\n", row.Name, time.Since(from).Seconds())
	}
	if len(b.faults) > 0 {
		return errors.New("results beyond their bounds:\n" + strings.Join(b.faults, "\n"))
	}
	return nil
}

// spread does n tasks on all processors.
func spread(n int, do func(int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	all.Wait()
}

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
//	go run ./bench/rehearse -out docs/rehearsals/table.md   # 1,000 seeds a row, to be committed
//	go run ./bench/rehearse -seeds 50 -only breach
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
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
	every := flag.Duration("every", 2*time.Hour, "between two looks")
	only := flag.String("only", "", "rows whose name holds this")
	file := flag.String("out", "", "file that the table is written to as well")
	flag.Parse()
	debug.SetGCPercent(400) // runs are short and leave much behind: collecting it took a tenth of the time
	b := bench{Rehearsal: release(), seeds: rehearsal.Seeds{From: *seed, Count: *seeds, Spread: spread}, only: *only}
	b.Settings.Every = event.Duration(*every)
	err := b.report(context.Background())
	if *file != "" && b.page.Len() > 0 {
		err = errors.Join(err, os.WriteFile(*file, b.page.Bytes(), 0o644))
	}
	if err != nil {
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
	page   bytes.Buffer // what was printed
}

const preface = `# A release, rehearsed

This is what %s prints: %d seeds a row from seed %d, with a look every %s. The plan and what units are like
stand in bench/rehearse/plan.go. Shares are of the seeds; one that is beyond what is promised by more than two of
its standard errors is marked with "!", and the command fails: false rollbacks and false ships are at most %.2f,
and what does no harm comes to the end of the stage that decides undisturbed in at least %.2f.
Times are counted from when the fault begins. "A week" is the rule that gives a quarter of the units the treatment
for a week and then looks once at 95 %% intervals; it ships what is not significantly worse, and who is harmed is
counted until day 28.

`

// report prints the rows, and says what in them should not be.
func (b *bench) report(ctx context.Context) error {
	command := fmt.Sprintf("`go run ./bench/rehearse -seeds %d -seed %d -every %s`", b.seeds.Count, b.seeds.From, b.Settings.Every)
	b.print(preface, command, b.seeds.Count, b.seeds.From, b.Settings.Every, alpha, calmly)
	b.line(head)
	b.line(strings.Split(strings.Repeat("---,", len(head)-1)+"---", ","))
	for _, row := range rows() {
		if !strings.Contains(row.Name, b.only) {
			continue
		}
		from := time.Now()
		runs, err := b.Runs(ctx, row.Scenario, b.seeds)
		if err != nil {
			return err
		}
		b.line(b.cells(row, b.Summarize(row.Scenario, runs)))
		fmt.Fprintf(os.Stderr, "%s: %.1f s\n", row.Name, time.Since(from).Seconds())
	}
	if len(b.faults) > 0 {
		b.print("\nBeyond what is promised:\n\n- %s\n", strings.Join(b.faults, "\n- "))
		return errors.New("results beyond their bounds:\n" + strings.Join(b.faults, "\n"))
	}
	return nil
}

// print writes to the terminal and the page.
func (b *bench) print(format string, args ...any) {
	fmt.Fprintf(io.MultiWriter(os.Stdout, &b.page), format, args...)
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

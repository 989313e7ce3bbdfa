// Command simulate asks the statistics the questions that only many made-up
// rollouts can answer: how often a test that is looked at all the time cries
// wolf, how often harm is found and how soon, how often an interval holds the
// truth, and what those do who look at a fixed interval all the time, or pool
// over a ramp. It asks the functions that gates and readouts ask, no copies.
//
// Each simulation is a table with its seed. A share that should be at most
// alpha and exceeds it by two standard errors is marked, and the program ends
// with an error. Run i of a seed draws the same numbers on every machine.
//
//	go run ./bench/simulate                    # all of it, some five minutes on two processors
//	go run ./bench/simulate -part 0.05 -only ramp
//	go run ./bench/simulate -pictures docs/statistics
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// plan is how much is simulated, and from which seed.
type plan struct {
	seed  uint64
	part  float64 // of the runs; 1 is what the documentation shows
	units int64   // of a long rollout
	data  string  // folder with the real experiments
}

// runs returns how many of the full number of runs are made.
func (p plan) runs(full int) int { return max(int(p.part*float64(full)), 20) }

// simulations are all of them, in the order of the report.
var simulations = []struct {
	name string
	run  func(plan) *table
}{
	{"stop", stopping},
	{"ramp", ramping},
	{"events", failing},
	{"advance", advancing},
	{"detect", detecting},
	{"coverage", covering},
	{"stages", staging},
	{"quantiles", waiting},
	{"cuped", adjusting},
	{"latency", slowing},
	{"ratio", dividing},
	{"crash", crashing},
	{"asos", asos},
	{"published", publishing},
	{"speed", speeding},
}

func main() {
	p := plan{}
	flag.Uint64Var(&p.seed, "seed", 1, "of all runs")
	flag.Float64Var(&p.part, "part", 1, "share of the runs")
	flag.Int64Var(&p.units, "units", 100_000, "units of a long rollout")
	flag.StringVar(&p.data, "data", "../shared/data", "folder with the real experiments")
	only := flag.String("only", "", "the one simulation to run")
	pictures := flag.String("pictures", "", "folder to draw the pictures in, instead of simulating")
	flag.Parse()
	var err error
	if *pictures != "" {
		err = drawAll(*pictures)
	} else {
		err = report(p, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

// preface is what the report begins with.
const preface = `# What the statistics promise, simulated

This is what %s prints, here from seed %d with %s of its runs.
Every share is of made-up rollouts that the functions of gates and readouts have
judged; one that is not what is promised is marked with "!". The pictures of this
folder are drawn by the same program.

`

// report prints the tables as a document, and says what in them should not be.
// What they took is told beside it.
func report(p plan, only string) error {
	var faults []string
	fmt.Printf(preface, "`make simulate`", p.seed, percent(p.part))
	for _, s := range simulations {
		if only != "" && s.name != only {
			continue
		}
		from := time.Now()
		t := s.run(p)
		fmt.Println(t)
		fmt.Fprintf(os.Stderr, "%s: %.1f s\n", s.name, time.Since(from).Seconds())
		faults = append(faults, t.faults...)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d results are beyond their bounds:\n%s", len(faults), strings.Join(faults, "\n"))
	}
	return nil
}

// Command chaos torments Sluice and says what was lost and what was counted
// twice: both must be 0. Its trials, each by a seed:
//
//	kills  sends events and changes to a built Sluice while that process and its
//	       ClickHouse engine are killed with SIGKILL: half of the times at random
//	       moments, half of them at points of the loader and of the keeper of
//	       the totals, each as often (before and after the intent, inside the
//	       insert, before the read-back, before the advance, inside the folding
//	       of leaves into one). It keeps its own record of every event that was
//	       acknowledged and compares it with what is on disk at the end, and the
//	       totals with the raw events.
//	order  counts the same events twice: clean and in order, and with 5 % sent
//	       twice, whole batches sent again by another process, and 10 % late and
//	       shuffled. Every statistic must be the same, bit for bit, from the raw
//	       events and from the totals.
//	liar   loads through a proxy before the engine that answers 1 % of the
//	       inserts without passing them on, and loses the answer of 5 %.
//
// It needs a program that can be told where to die:
//
//	go build -tags chaos -o bin/sluice-chaos ./cmd/sluice && go run ./bench/chaos --seed 1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// options say how much of everything; zero leaves a trial out.
type options struct {
	seed      uint64
	binary    string        // the program that is killed
	engine    string        // the program that holds the engine of the other trials; "": this one
	documents string        // flag, metrics and plan for the kills
	data      string        // new folder of the killed program's data, kept; "": a temporary one
	kills     int           // of each, the process and the engine
	rest      time.Duration // of each sender, after each of its requests while there are kills
	units     int           // of the trial of order
	inserts   int           // of the trial of the liar
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "of everything that is drawn")
	flag.StringVar(&o.binary, "binary", "bin/sluice-chaos", "the program, built with -tags chaos")
	flag.StringVar(&o.documents, "documents", "cmd/sluice/demo/cookie-cats.yaml", "flag, metrics and plan")
	flag.StringVar(&o.data, "data", "", "new folder of the killed program's data, kept; default: a temporary one")
	flag.IntVar(&o.kills, "kills", 200, "how often the process is killed, and how often the engine")
	flag.IntVar(&o.units, "units", 20_000, "units of the trial of order; each has about eight events")
	flag.IntVar(&o.inserts, "inserts", 10_000, "inserts that pass the liar")
	trials := flag.String("trials", "kills,order,liar", "what is tried")
	flag.Parse()
	o.engine = o.binary

	ctx, stop := context.WithTimeout(context.Background(), time.Duration(2*o.kills)*15*time.Second+20*time.Minute)
	defer stop()
	rows, err := o.try(ctx, strings.Split(*trials, ","))
	fmt.Print(table(o.seed, rows))
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// try runs the trials that are named and returns what each found, also of
// those before a fault.
func (o options) try(ctx context.Context, names []string) (rows []row, err error) {
	all := []struct {
		name string
		run  func(context.Context) ([]row, error)
	}{{"kills", o.killTrial}, {"order", o.orderTrial}, {"liar", o.liarTrial}}
	for _, t := range all {
		if !slices.Contains(names, t.name) {
			continue
		}
		found, failed := t.run(ctx)
		rows = append(rows, found...)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", t.name, failed))
		}
	}
	return rows, err
}

// Command readouts measures what it costs to know how a rollout does: it fills
// an engine with exposures and metric events, and says how long it takes
//
//   - to compute all metrics from the raw events, which is the reference,
//   - to build the totals of units, and to read them,
//   - to fold one per cent of new events into them, and to read them then,
//   - to ask the same by a straightforward join of the raw tables on text ids
//     of units, one statement a metric, as it is done on top of warehouses,
//
// once with a thirtieth of the events and once with all of them. It fails when
// totals and raw events differ in anything. Rows are made inside the engine;
// ratios are of one run.
//
//	go build -o bin/sluice ./cmd/sluice && go run ./bench/readouts
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/internal/engine"
)

// size says how much is measured. Beside it a hundredth of both comes later.
type size struct {
	units     uint64
	exposures uint64
	events    uint64 // of all metrics together
}

func main() {
	var s size
	binary := flag.String("binary", "bin/sluice", "the built program")
	flag.Uint64Var(&s.units, "units", 1_000_000, "users")
	flag.Uint64Var(&s.exposures, "exposures", 5_000_000, "exposures of them")
	flag.Uint64Var(&s.events, "events", 30_000_000, "metric events of them, of five metrics")
	flag.Parse()
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Minute)
	defer stop()
	if err := run(ctx, *binary, s); err != nil {
		fmt.Fprintln(os.Stderr, "readouts:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, whole size) error {
	few := whole
	few.events /= 30
	var t table
	for _, s := range []size{few, whole} {
		f, err := inEngine(ctx, binary, s)
		if err != nil {
			return fmt.Errorf("measuring %d events: %w", s.events, err)
		}
		t = append(t, f)
	}
	fmt.Print(t.String())
	return nil
}

// inEngine measures in an engine of its own, and leaves nothing of it.
func inEngine(ctx context.Context, binary string, of size) (f figures, err error) {
	dir, err := os.MkdirTemp("", "sluice-readouts-")
	if err != nil {
		return figures{}, err
	}
	defer os.RemoveAll(dir)
	library, err := engine.Find(engine.Places{Dir: ".", Executable: binary})
	if err != nil {
		return figures{}, err
	}
	s := &engine.Supervisor{
		Library: library, Path: filepath.Join(dir, "engine"), Socket: filepath.Join(dir, "engine.sock"), Command: []string{binary, "engine"},
	}
	life, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(life) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	if err := s.Wait(ctx); err != nil {
		return figures{}, err
	}
	return measure(ctx, s, of)
}

package main

import (
	"fmt"
	"io"
	"os"

	"github.com/sluice-hq/sluice/stats"
)

// statsCmd is the calculator: what the engine uses, for anybody's numbers.
type statsCmd struct {
	Command string `arg:"" help:"compare, guardrail, events or srm."`
}

// Run reads one JSON object and writes one. A refusal is JSON too, with exit
// status 1.
func (c statsCmd) Run() error {
	in, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	if err != nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	out, err := stats.Calculate(c.Command, in)
	fmt.Println(string(out))
	if err != nil {
		return exit(exitError)
	}
	return nil
}

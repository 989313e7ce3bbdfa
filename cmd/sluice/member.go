package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/sluice-hq/sluice/internal/natslog"
)

// memberCmd is one server of a NATS cluster. Three of them are what this
// project tries clusters with.
type memberCmd struct {
	File string `arg:"" help:"What it does, in NATS's own language."`
}

// Run serves until it is interrupted or its standard input ends.
func (c memberCmd) Run(ctx context.Context) error {
	lg := slog.New(slog.NewTextHandler(os.Stderr, nil))
	return natslog.Member{File: c.File, Alive: os.Stdin, Ready: os.Stdout, Logger: lg}.Serve(ctx)
}

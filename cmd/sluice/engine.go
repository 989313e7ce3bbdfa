package main

import (
	"context"
	"os"

	"github.com/sluice-hq/sluice/internal/engine"
)

// engineCmd is the child that holds the ClickHouse engine; serve starts it.
type engineCmd struct {
	Lib    string `required:"" help:"Path of libchdb."`
	Path   string `required:"" help:"Data directory of the engine."`
	Socket string `required:"" help:"Unix socket to serve on."`
}

// Run serves until the parent is gone. It does not end by the terminal's
// interrupt: the parent closes it when nothing needs it any more.
func (c engineCmd) Run() error {
	return engine.Serve(context.Background(), engine.Config{
		Library: c.Lib, Path: c.Path, Socket: c.Socket, Alive: os.Stdin, Ready: os.Stdout,
	})
}

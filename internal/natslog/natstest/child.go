package natstest

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/sluice-hq/sluice/internal/natslog"
)

// childCommand is what Main and the program know a child by.
const childCommand = "nats-server"

// Main runs the tests, or a server when the binary was started as a child.
func Main(run func() int) {
	if len(os.Args) < 3 || os.Args[1] != childCommand {
		os.Exit(run())
	}
	lg := slog.New(slog.NewTextHandler(os.Stderr, nil))
	m := natslog.Member{File: os.Args[2], Alive: os.Stdin, Ready: os.Stdout, Logger: lg}
	if err := m.Serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

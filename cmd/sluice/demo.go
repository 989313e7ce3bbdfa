package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// demoDocuments are the metrics, the flag and the plan of the demo.
//
//go:embed demo/cookie-cats.yaml
var demoDocuments []byte

// demoRollout names the rollout that the plan becomes.
const demoRollout = "production/game.progression.first-gate/1"

// demoCmd replays the Cookie Cats experiment against a Sluice of its own.
type demoCmd struct {
	Exit   bool   `help:"Stop after the story; status 0 only if it ended as it should."`
	Seed   uint64 `help:"Order in which players arrive." default:"7"`
	Rate   int    `help:"Players a second." default:"3000"`
	Data   string `help:"Keep the data here; default: a temporary folder, removed at the end." env:"SLUICE_DATA"`
	Listen string `help:"Address to serve on." default:"127.0.0.1:8321"`
	Lib    string `help:"Path of libchdb." env:"SLUICE_ENGINE"`
}

// Run starts Sluice, tells the story against its public interfaces and keeps
// serving until interrupted.
func (c demoCmd) Run(ctx context.Context) error {
	if err := c.place(); err != nil {
		return err
	}
	if c.Data == "" {
		dir, err := os.MkdirTemp("", "sluice-demo-")
		if err != nil {
			return fmt.Errorf("making a folder for the data: %w", err)
		}
		defer os.RemoveAll(dir)
		c.Data = dir
	}
	h, err := open(ctx, config{Data: c.Data, Listen: c.Listen, Lib: c.Lib, Every: 500 * time.Millisecond, OpenPages: true, Quiet: true, Floor: ingest.StandardFloor()})
	if err != nil {
		return err
	}
	return h.run(ctx, func(ctx context.Context, address, adminToken string) error {
		for _, there := range []func(context.Context) error{h.intake.first, h.counting.first} {
			if err := there(ctx); err != nil {
				return err // the story is about what is counted
			}
		}
		return c.tell(ctx, address, adminToken)
	})
}

// place moves to a free port when the usual one is taken, and refuses a rate at
// which nobody arrives and an address that others can reach: the pages of the
// demo are open.
func (c *demoCmd) place() error {
	if c.Rate < 1 {
		return fmt.Errorf("--rate %d lets nobody in; write 1 or more", c.Rate)
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q is not host:port: %w", c.Listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--listen %q can be reached from elsewhere, and the pages of the demo need no sign-in; use 127.0.0.1", c.Listen)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		c.Listen = net.JoinHostPort(host, "0")
		return nil
	}
	return l.Close()
}

// tell is the story, once the house stands at the address.
func (c demoCmd) tell(ctx context.Context, address, adminToken string) error {
	s := newStory(client{Server: address, Token: adminToken}, c.Seed, c.Rate, os.Stdout)
	err := s.run(ctx)
	switch {
	case ctx.Err() != nil && !c.Exit:
		return nil
	case c.Exit && err != nil:
		return err
	case c.Exit:
		return errDone
	case err != nil:
		fmt.Fprintln(os.Stderr, "sluice: the story went wrong:", err)
	}
	fmt.Printf("\nStill serving %s (ctrl-c ends it).\n", address)
	<-ctx.Done()
	return nil
}

// errDone ends a house that has nothing more to do.
var errDone = errors.New("done")

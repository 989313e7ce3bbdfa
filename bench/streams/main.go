// Command streams measures the streams of a built Sluice: it starts the server
// as a process of its own, opens thousands of streams of rulesets to it, changes
// a flag again and again, and says how long each change took to reach every
// client, from the moment before it was asked for, and what one client costs
// the server. Then it kills the server, starts it again, and says how long it
// took until every client was back. All clients come back within a second, so
// that the server has to turn some of them away.
//
// With --breaches it starts a rollout instead, lets some treated units fail, and
// says how long it took from the moment before the failures were sent until
// every client held the safe variant: again and again, each time with another
// flag.
//
//	go build -o bin/sluice ./cmd/sluice && go run ./bench/streams --clients 10000 --changes 100
//	go run ./bench/streams --clients 1000 --breaches 15
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/bench/serving"
)

func main() {
	clients := flag.Int("clients", 10000, "how many streams are open")
	changes := flag.Int("changes", 100, "how often the flag is changed")
	breaches := flag.Int("breaches", 0, "how many rollouts go wrong; 0: none, the flag is changed instead")
	every := flag.Duration("every", 5*time.Second, "how often the controller looks; the program's own default")
	binary := flag.String("binary", "bin/sluice", "the built program")
	flag.Parse()

	ctx, stop := context.WithTimeout(context.Background(), 8*time.Minute+time.Duration(*breaches)*time.Minute)
	defer stop()
	s := &server{Process: serving.Process{Binary: *binary, Args: []string{"--every", every.String()}}}
	measure := func(ctx context.Context, s *server, c *crowd, idle int) error {
		return changing(ctx, s, c, idle, *changes)
	}
	if *breaches > 0 {
		measure = func(ctx context.Context, s *server, c *crowd, _ int) error {
			return breaking(ctx, s, c, *breaches, *every)
		}
	}
	if err := run(ctx, s, *clients, measure); err != nil {
		fmt.Fprintln(os.Stderr, "streams:", err)
		os.Exit(1)
	}
}

// run starts the server and the clients, and measures.
func run(ctx context.Context, s *server, clients int, measure func(context.Context, *server, *crowd, int) error) error {
	dir, err := os.MkdirTemp("", "sluice-streams-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s.Args = append(s.Args, "--data", filepath.Join(dir, "data"))
	if err := s.Start(ctx); err != nil {
		return err
	}
	defer s.Kill()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	idle := s.memory()
	crowd := newCrowd(s.Host(), s.Token, clients)
	defer crowd.leave()
	if err := open(ctx, s, crowd, idle); err != nil {
		return err
	}
	return measure(ctx, s, crowd, idle)
}

// changing changes the flag, and then kills the server.
func changing(ctx context.Context, s *server, c *crowd, idle, changes int) error {
	if err := change(ctx, s, c, changes); err != nil {
		return err
	}
	fmt.Printf("after them: %s\n", cost(s.memory()-idle, len(c.clients)))
	return restart(ctx, s, c)
}

// open lets every client connect.
func open(ctx context.Context, s *server, c *crowd, idle int) error {
	begin := time.Now()
	c.enter()
	if err := c.wait(ctx, 1); err != nil {
		return fmt.Errorf("opening the streams: %w", err)
	}
	fmt.Printf("%d streams open after %.1f s (%d turned away first): %s\n",
		len(c.clients), time.Since(begin).Seconds(), c.refused.Load(), cost(s.memory()-idle, len(c.clients)))
	return nil
}

func cost(kib, clients int) string {
	return fmt.Sprintf("%.1f KiB of the server's memory each (limit 25)", float64(kib)/float64(clients))
}

// change changes the flag and waits each time until every client knows.
func change(ctx context.Context, s *server, c *crowd, changes int) error {
	var all []time.Duration
	worked := s.worked()
	for i := range changes {
		asked := time.Now()
		revision, err := s.flip(ctx)
		if err != nil {
			return err
		}
		if err := c.wait(ctx, revision); err != nil {
			return fmt.Errorf("change %d: %w", i+1, err)
		}
		for _, client := range c.clients {
			all = append(all, client.reached().Sub(asked))
		}
	}
	worked = s.worked() - worked
	slices.Sort(all)
	at := func(share float64) float64 { return all[int(share*float64(len(all)-1))].Seconds() * 1000 }
	fmt.Printf("%d changes to %d clients: p50 %.0f ms, p99 %.0f ms (limit 250), max %.0f ms; %.0f ms of the server's processor each\n",
		changes, len(c.clients), at(0.5), at(0.99), at(1), worked.Seconds()*1000/float64(changes))
	if at(0.99) > 250 {
		return errors.New("a change takes too long")
	}
	return nil
}

// restart kills the server, starts it again, and waits until every client has
// a stream and the change that was made meanwhile.
func restart(ctx context.Context, s *server, c *crowd) error {
	before := c.refused.Load()
	s.Kill()
	killed := time.Now()
	if err := s.Start(ctx); err != nil {
		return err
	}
	ready := time.Now()
	revision, err := s.flip(ctx)
	if err != nil {
		return err
	}
	if err := c.wait(ctx, revision); err != nil {
		return fmt.Errorf("after the restart: %w", err)
	}
	back := time.Since(ready).Seconds()
	fmt.Printf("killed; ready again after %.1f s; all %d streams back %.1f s later (limit 60), %d times turned away with Retry-After\n",
		ready.Sub(killed).Seconds(), len(c.clients), back, c.refused.Load()-before)
	if back > 60 {
		return errors.New("coming back takes too long")
	}
	return nil
}

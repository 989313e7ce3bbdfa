package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// crowd is all clients.
type crowd struct {
	address, token string // host:port
	clients        []*client
	refused        atomic.Int64 // answers with 503
	life           context.Context
	leave          context.CancelFunc
}

func newCrowd(address, token string, n int) *crowd {
	c := &crowd{address: address, token: token}
	c.life, c.leave = context.WithCancel(context.Background())
	for range n {
		c.clients = append(c.clients, &client{crowd: c})
	}
	return c
}

// enter starts the clients, a little slower than the server lets them in.
func (c *crowd) enter() {
	for _, one := range c.clients {
		go one.run()
		time.Sleep(600 * time.Microsecond)
	}
}

// wait returns when every client has the revision.
func (c *crowd) wait(ctx context.Context, revision uint64) error {
	limit := time.Now().Add(90 * time.Second)
	for missing := len(c.clients); missing > 0; time.Sleep(2 * time.Millisecond) {
		missing = 0
		for _, one := range c.clients {
			if one.seen.Load() < revision {
				missing++
			}
		}
		if missing > 0 && time.Now().After(limit) {
			return fmt.Errorf("%d clients have not revision %d after 90 s", missing, revision)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

package server

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// sets keeps the compiled flags of every environment. A request pays one
// atomic load; whoever comes first after a change compiles.
type sets struct {
	house *House
	mu    sync.Mutex // held while compiling
	now   atomic.Pointer[compiled]
}

type compiled struct {
	seq      uint64 // of the log
	revision uint64 // of the newest flag change
	sets     map[string]*flags.Set
}

// at returns the flags of an environment as they are now.
func (c *sets) at(environment string) (*flags.Set, error) {
	now := c.now.Load()
	if now == nil || now.seq != c.house.Projection.Seq() {
		now = c.refresh()
	}
	if set, ok := now.sets[environment]; ok {
		return set, nil
	}
	return nil, c.house.noEnvironment(environment)
}

// noEnvironment says that a name is not an environment's, or is missing.
func (h House) noEnvironment(name string) event.Invalid {
	known := strings.Join(h.Environments, ", ")
	if name == "" {
		return event.Invalid{Path: "environment", Why: "is missing, and the token is bound to none", Fix: "add ?environment= with one of " + known}
	}
	return event.Invalid{Path: "environment", Value: name, Why: "is not an environment", Fix: "write one of " + known}
}

func (c *sets) refresh() *compiled {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next *compiled
	c.house.Projection.View(func(seq uint64) {
		last := c.now.Load()
		next = &compiled{seq: seq, revision: c.house.Flags.Revision()}
		if last != nil && last.revision == next.revision {
			next.sets = last.sets
			return
		}
		next.sets = make(map[string]*flags.Set, len(c.house.Environments))
		for _, e := range c.house.Environments {
			if last != nil {
				next.sets[e] = c.house.Flags.Recompile(last.sets[e], nil)
				continue
			}
			next.sets[e] = c.house.Flags.Compile(e, nil)
		}
	})
	c.now.Store(next)
	return next
}

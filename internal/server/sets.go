package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// sets keeps the compiled flags of every environment. A request pays one
// atomic load; whoever comes first after a change compiles.
type sets struct {
	house   *House
	mu      sync.Mutex  // held while compiling
	loading atomic.Bool // the one who compiles waits for lists
	now     atomic.Pointer[compiled]
}

type compiled struct {
	seq          uint64 // of the log
	revision     uint64 // of the newest change of a flag, or of what flags share
	environments []string
	sets         map[string]*flags.Set
	events       map[string]flags.EnvironmentEvents
	lists        flags.Lists // that the sets ask

	stale error     // a list that cannot be loaded: flags that ask for it are those of before
	again time.Time // when to try again, if stale
}

// How long lists are loaded, and the pause before they are tried again.
const (
	loadTime  = 30 * time.Second
	loadPause = time.Second
)

// at returns the flags of an environment as they are now.
func (c *sets) at(environment string) (*flags.Set, error) {
	now := c.fresh()
	if set, ok := now.sets[environment]; ok {
		return set, nil
	}
	return nil, noEnvironment(environment, now.environments)
}

// whole says why the flags are not those of the log's end.
func (c *sets) whole() error { return c.fresh().stale }

// fresh returns what is compiled, and compiles first when there is something
// new.
func (c *sets) fresh() *compiled {
	now := c.now.Load()
	if now == nil || now.seq != c.house.Projection.Seq() || now.stale != nil && !c.house.Now().Before(now.again) {
		return c.refresh()
	}
	return now
}

// noEnvironment says that a name is not an environment's, or is missing.
func noEnvironment(name string, all []string) event.Invalid {
	known := strings.Join(all, ", ")
	if name == "" {
		return event.Invalid{Path: "environment", Why: "is missing, and the token is bound to none", Fix: "add ?environment= with one of " + known}
	}
	return event.Invalid{Path: "environment", Value: name, Why: "is not an environment", Fix: "write one of " + known}
}

// refresh compiles. While lists are on their way to somebody who does, the
// others go on with what there was.
func (c *sets) refresh() *compiled {
	if !c.mu.TryLock() {
		if last := c.now.Load(); last != nil && c.loading.Load() {
			return last
		}
		c.mu.Lock()
	}
	defer c.mu.Unlock()
	last := c.now.Load()
	if last == nil {
		last = &compiled{}
	}
	next := c.compile(last)
	c.now.Store(next)
	return next
}

// compile loads the lists that are asked for and compiles what has changed. A
// list that cannot be loaded leaves the flags that ask for it as they were, and
// no others: see flags.State.Recompile.
func (c *sets) compile(last *compiled) *compiled {
	for {
		next := &compiled{}
		var bulks []flags.UnitBulk
		c.house.Projection.View(func(seq uint64) {
			next.seq, next.revision = seq, c.house.Flags.Revision()
			bulks = c.house.Flags.Lists()
		})
		if last.sets != nil && last.stale == nil && last.revision == next.revision {
			again := *last
			again.seq = next.seq
			return &again
		}
		lists, err := c.load(bulks, last.lists)
		if next.lists = lists; err != nil {
			next.stale, next.again = err, c.house.Now().Add(loadPause)
		}
		if c.compileAll(next, last) {
			return next
		}
	}
}

// load gets the lists that are not known yet: all that can be had.
func (c *sets) load(bulks []flags.UnitBulk, known flags.Lists) (flags.Lists, error) {
	c.loading.Store(true)
	defer c.loading.Store(false)
	ctx, stop := context.WithTimeout(context.Background(), loadTime) // of no request: all wait for it
	defer stop()
	lists, err := c.house.lists(ctx, bulks, known)
	if err != nil {
		return lists, fmt.Errorf("%w: %w", errLists, err)
	}
	return lists, nil
}

// compileAll fills next in, unless a change has come since its lists were
// loaded.
func (c *sets) compileAll(next, last *compiled) (done bool) {
	c.house.Projection.View(func(uint64) {
		state := c.house.Flags
		if done = state.Revision() == next.revision; !done {
			return
		}
		next.environments = state.Environments()
		next.sets = make(map[string]*flags.Set, len(next.environments))
		next.events = make(map[string]flags.EnvironmentEvents, len(next.environments))
		for _, e := range next.environments {
			doc, _ := state.Environment(e)
			next.events[e] = doc.Events
			if old := last.sets[e]; old != nil {
				next.sets[e] = state.Recompile(old, next.lists)
				continue
			}
			next.sets[e] = state.Compile(e, next.lists)
		}
	})
	return done
}

// errLists says that flags cannot be answered as they are now.
var errLists = errors.New("a list of units that flags ask for cannot be loaded")

//go:build chaos

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
)

// fragile kills this process or its engine, with SIGKILL, where the file
// "crash" in the folder of the data says: "process loader before intent",
// "engine loader inside insert 0.37". Having done so it is called "crashed",
// which proves that the point was reached. The points are those of whoever
// keeps its progress in the KV: the loader, with {"intent": …} before its work and
// no intent after it, and the keeper of the totals, with {"writing": …}.
type fragile struct {
	plan   string
	engine func() engine.Status
	took   *atomic.Int64 // ns of the last insert
	leaves *leaves
}

func newFragile(data string, engine func() engine.Status) fragile {
	return fragile{plan: filepath.Join(data, "crash"), engine: engine, took: new(atomic.Int64), leaves: &leaves{writing: map[string]leaf{}, took: map[string]time.Duration{}}}
}

// at dies if the plan names this point.
func (f fragile) at(point string) {
	if victim, _, planned := f.planned(point); planned {
		f.kill(victim)
	}
}

// planned returns who is to die at a point, and at which part of what happens
// there.
func (f fragile) planned(point string) (victim string, part float64, planned bool) {
	text, err := os.ReadFile(f.plan)
	if err != nil {
		return "", 0, false
	}
	victim, rest, _ := strings.Cut(string(text), " ")
	rest, planned = strings.CutPrefix(rest, point)
	part, _ = strconv.ParseFloat(strings.TrimSpace(rest), 64)
	return victim, part, planned
}

func (f fragile) kill(victim string) {
	pid := os.Getpid()
	if victim == "engine" {
		pid = f.engine().PID
	}
	if pid == 0 || os.Rename(f.plan, f.plan+"ed") != nil { // it is being started again, or another was first
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func (f fragile) kv(kv ingest.KV) ingest.KV { return fragileKV{kv, f} }

type fragileKV struct {
	ingest.KV
	f fragile
}

// Save implements ingest.KV.
func (k fragileKV) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	point, purpose := pointOf(key, value)
	if point == "" {
		return k.KV.Save(ctx, key, value, rev)
	}
	k.f.at(strings.Replace(point, " ", " before ", 1))
	n, err := k.KV.Save(ctx, key, value, rev)
	if err == nil {
		k.f.leaves.saved(k.f, key, point, purpose)
		k.f.at(strings.Replace(point, " ", " after ", 1))
	}
	return n, err
}

// pointOf names what is written: "loader intent", "loader advance", and of a
// keeper what for. The control log has its loader too; the points are those of
// the facts.
func pointOf(key string, value []byte) (point, purpose string) {
	who, rest, _ := strings.Cut(key, ".")
	var s struct {
		Intent  json.RawMessage `json:"intent"`
		Writing uint64          `json:"writing"`
		Purpose string          `json:"purpose"`
	}
	switch {
	case !strings.Contains(rest, "facts-") || json.Unmarshal(value, &s) != nil:
		return "", ""
	case s.Intent == nil && s.Writing == 0:
		return who + " advance", ""
	}
	return who + " intent", s.Purpose
}

// leaves knows how long the keepers' leaves take to write, and so when one of
// them is inside.
type leaves struct {
	mu      sync.Mutex
	writing map[string]leaf          // by key of the manifest: what is being written
	took    map[string]time.Duration // by purpose: the last one
}

type leaf struct {
	begun   time.Time
	purpose string
}

// inside names the point within a leaf, by what that is written for.
func (l leaf) inside() string {
	if l.purpose == "merge" {
		return "totals inside compaction"
	}
	return "totals inside insert"
}

// saved notes that a leaf was begun or ended, and dies inside one if that is
// planned.
func (c *leaves) saved(f fragile, key, point, purpose string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch point {
	case "totals advance":
		if l, ok := c.writing[key]; ok { // else it is about leaves that are dropped
			c.took[l.purpose] = time.Since(l.begun)
			delete(c.writing, key)
		}
	case "totals intent":
		l := leaf{time.Now(), purpose}
		c.writing[key] = l
		if victim, part, planned := f.planned(l.inside()); planned {
			go c.dieInside(f, key, l, victim, time.Duration(part*float64(c.took[purpose])))
		}
	}
}

// dieInside dies after a while unless the leaf has ended before.
func (c *leaves) dieInside(f fragile, key string, l leaf, victim string, after time.Duration) {
	time.Sleep(after)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing[key] == l {
		f.kill(victim)
	}
}

func (f fragile) store(s ingest.Store) ingest.Store { return fragileStore{s, f} }

type fragileStore struct {
	ingest.Store
	f fragile
}

// Insert implements ingest.Store.
func (s fragileStore) Insert(ctx context.Context, b ingest.Block) error {
	if !strings.HasPrefix(b.Shard, "facts-") {
		return s.Store.Insert(ctx, b)
	}
	began := time.Now()
	var inside atomic.Bool
	inside.Store(true)
	if victim, part, planned := s.f.planned("loader inside insert"); planned {
		go func() {
			time.Sleep(time.Duration(part * float64(s.f.took.Load())))
			if inside.Load() {
				s.f.kill(victim)
			}
		}()
	}
	err := s.Store.Insert(ctx, b)
	inside.Store(false)
	s.f.took.Store(int64(time.Since(began)))
	if err == nil {
		s.f.at("loader before read-back")
	}
	return err
}

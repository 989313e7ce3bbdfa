package flags

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The index of dependants equals a look through all flags, whatever was
// defined, archived and restored, and after a snapshot.
func TestDependantsFollowTheFlags(t *testing.T) {
	h, dice, found := newHouse(t), rand.New(rand.NewPCG(1, 2)), 0
	for range 300 {
		f := checkout()
		f.Key = fmt.Sprintf("f%d", dice.IntN(8))
		f.Environments[production] = Environment{Enabled: true}
		if other := fmt.Sprintf("f%d", dice.IntN(4)); f.Key > "f3" && dice.IntN(2) == 0 {
			f.Environments[production] = Environment{Enabled: true, Prerequisites: []Prerequisite{{Flag: other, Variant: "on"}}}
		}
		changes := [][]Change{{{Op: Define, Flag: &f}}, {{Op: Archive, Reason: "x"}}, {{Op: Restore}}}[dice.IntN(3)]
		_, _ = h.try(h.command(f.Key, changes...)) // some are refused: unknown and archived flags
		restored := restore(t, h.state)
		for _, key := range h.state.Keys() {
			want := dependants(h.state, key)
			found += len(want)
			if d := cmp.Diff(want, h.state.Dependants(key)) + cmp.Diff(want, restored.Dependants(key)); d != "" {
				t.Fatalf("of %s:\n%s", key, d)
			}
		}
	}
	if found == 0 {
		t.Error("no flag needs another: the dice test nothing")
	}
}

// restore returns the state that a snapshot of s gives.
func restore(t *testing.T, s *State) *State {
	raw, err := json.Marshal(s.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	restored := NewState()
	if err := restored.Restore(raw); err != nil {
		t.Fatal(err)
	}
	return restored
}

// dependants asks all flags.
func dependants(s *State, key string) []string {
	var keys []string
	for k, r := range s.flags {
		if !r.Archived && r.needs(key) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// Where a policy lets chains be deep, they may not fan out: three flags that
// each ask for all of the level below cost three times as much at every level.
func TestPrerequisitesDoNotFanOut(t *testing.T) {
	h := newHouse(t)
	h.policy(Policy{Key: "deep", Flags: Demands{MaxPrerequisiteDepth: 8}})
	var below []string
	for level := range 4 { // 1, 4, 13 and 40 decisions
		var here []string
		for i := range 3 {
			f := chained(fmt.Sprintf("l%d-%d", level, i), below...)
			h.define(f)
			here = append(here, f.Key)
		}
		below = here
	}
	wide := chained("l4", below...)
	wantRefusal(t, "121 decisions", second(h.try(h.command("l4", Change{Op: Define, Flag: &wide}))),
		"environments.production.prerequisites: make an evaluation of l4 decide more than 100 flags")
}

// A flag that others need may not grow beyond that either.
func TestPrerequisitesDoNotFanOutFromBelow(t *testing.T) {
	h := newHouse(t)
	h.policy(Policy{Key: "deep", Flags: Demands{MaxPrerequisiteDepth: 8}})
	var many []string
	for i := range 60 {
		f := chained(fmt.Sprintf("m%d", i))
		h.define(f)
		many = append(many, f.Key)
	}
	h.define(chained("below"), chained("x", "below"), chained("y", "below"), chained("top", "x", "y"))
	wide := chained("below", many...)
	wantRefusal(t, "from below", second(h.try(h.command("below", Change{Op: Define, Flag: &wide}))),
		"environments.production.prerequisites: make an evaluation of top decide more than 100 flags")
}

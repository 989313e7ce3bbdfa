package flags

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// noon is the time of every command in these tests.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// production is the environment that these tests look at.
const production = "production"

// checkout returns a release flag with one rule, ready to be changed.
func checkout() Flag {
	return Flag{
		Key: "checkout.express", Description: "One-tap payment", Purpose: Release, Owner: "payments",
		Type: Boolean, Variants: Variants{"on": json.RawMessage(`true`), "off": json.RawMessage(`false`)},
		Default: "off", Safe: "off", Unit: "workspace",
		Cleanup: &Cleanup{Due: event.Duration(30 * 24 * time.Hour), EndState: Promote},
		Environments: map[string]Environment{production: {Enabled: true, Rules: []Rule{
			{Name: "staff", When: &Condition{Attribute: "ring", Op: In, Values: []any{"internal", "beta"}}, Serve: "on"},
		}}},
	}
}

// canary returns the first allocation of checkout.
func canary(coverage int) *Allocation {
	return &Allocation{
		Rollout: "production/checkout.express/1", Stage: "canary", Epoch: 1, HashVersion: HashVersion,
		Salt: "checkout.express", Unit: "workspace", Coverage: coverage, Arms: Even("on", "off"),
	}
}

// house is a state with the log that it is folded from.
type house struct {
	t     testing.TB
	log   *event.MemLog
	state *State
	p     *event.Projection
	n     int // commands so far
}

func newHouse(t testing.TB) *house {
	h := &house{t: t, log: event.NewMemLog(), state: NewState()}
	h.p = event.NewProjection(h.state)
	return h
}

// command returns a person's command for a flag.
func (h *house) command(key string, changes ...Change) Command {
	h.n++
	return Command{
		ID: event.Derive(h.t.Name(), strconv.Itoa(h.n)), Key: key, Expect: event.Any, At: noon.Add(time.Duration(h.n) * time.Minute),
		Actor: "person:ana", Comment: "test", Changes: changes,
	}
}

// do carries out changes of a flag and returns its revision.
func (h *house) do(key string, changes ...Change) uint64 {
	h.t.Helper()
	seq, err := h.try(h.command(key, changes...))
	if err != nil {
		h.t.Fatalf("changing %s: %v", key, err)
	}
	return seq
}

// try carries out a command: handle, append, apply.
func (h *house) try(c Command) (uint64, error) {
	h.t.Helper()
	e, expect, err := h.state.Handle(c)
	if err != nil {
		return 0, err
	}
	seq, err := h.log.Append(context.Background(), e, expect)
	if err != nil {
		h.t.Fatalf("appending: %v", err)
	}
	if err := h.p.Catch(context.Background(), h.log); err != nil {
		h.t.Fatalf("an event that Handle made is refused by Apply: %v", err)
	}
	return seq, nil
}

// define defines flags.
func (h *house) define(list ...Flag) {
	h.t.Helper()
	for _, f := range list {
		h.do(f.Key, Change{Op: Define, Flag: &f})
	}
}

// in changes checkout in production.
func in(op Op, more ...func(*Change)) Change {
	c := Change{Op: op, Environment: production}
	for _, f := range more {
		f(&c)
	}
	return c
}

func allocate(a *Allocation) Change {
	return in(Allocate, func(c *Change) { c.Allocation = a })
}

func force(reason string) Change { return in(Force, func(c *Change) { c.Reason = reason }) }

// golden compares a value with its record in testdata, or records it.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(b) {
		t.Errorf("%s has changed; existing users change with it. Got:\n%s", path, b)
	}
}

// rulesetOf returns the ruleset of production that has these flags alone.
func rulesetOf(list ...Recorded) Ruleset {
	return Ruleset{Environment: production, Flags: list}
}

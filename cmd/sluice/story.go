package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	demoFlag        = "game.progression.first-gate"
	demoEnvironment = "production"
	visitors        = 8   // connections that visitors come in by
	batch           = 900 // events a request, at most
	afterwards      = 500 // visitors who come after the rollback
)

// story replays the experiment: each visitor is evaluated, and whoever is
// enrolled becomes the next player of the arm that he got.
type story struct {
	admin, sdk client
	out        *os.File
	rate       int // players a second

	mu      sync.Mutex
	waiting map[string][]player // by variant, who has not arrived yet
	visitor atomic.Int64        // number of the last visitor
	sent    atomic.Int64        // players whose events are acknowledged
	events  atomic.Int64        // events acknowledged
	first   time.Time           // when the first player was let in

	safe   sync.Once
	safeAt time.Time // when the first visitor got the safe variant because the flag is forced

	terminal bool      // out can rewrite a line
	shown    time.Time // when progress was shown last
}

func newStory(admin client, seed uint64, rate int, out *os.File) *story {
	r := rand.New(rand.NewPCG(seed, 1))
	info, err := out.Stat()
	return &story{terminal: err == nil && info.Mode()&os.ModeCharDevice != 0, admin: admin, out: out, rate: rate, waiting: map[string][]player{
		"gate_30": gate30.shuffled(r), "gate_40": gate40.shuffled(r),
	}}
}

// run prepares, replays until the rollout is over or the players are, and
// checks how it ended.
func (s *story) run(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("preparing the story: %w", err)
	}
	if err := s.replay(ctx); err != nil {
		return fmt.Errorf("replaying the players: %w", err)
	}
	if err := s.later(ctx); err != nil {
		return fmt.Errorf("sending later visitors: %w", err)
	}
	return s.ending(ctx)
}

func (s *story) prepare(ctx context.Context) error {
	fmt.Fprintf(s.out, "Cookie Cats: should the first gate move from level 30 to level 40? %s players will tell.\n", thousands(players))
	if _, err := s.admin.applyFiles(ctx, []named{{"demo.yaml", string(demoDocuments)}}, url.Values{"comment": {"demo"}, "start": {"true"}}); err != nil {
		return err
	}
	token, err := s.admin.issue(ctx, "sls", "demo-game", demoEnvironment)
	s.sdk = client{Server: s.admin.Server, Token: token}
	fmt.Fprintf(s.out, "Flag, metrics and plan are in place: canary 5 %%, then 50 %%; day-7 retention must not fall.\nWatch it: %s/rollouts/%s\n\n", s.admin.Server, demoRollout)
	return err
}

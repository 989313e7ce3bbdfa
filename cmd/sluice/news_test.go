package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// listening is a news that has listened for a day, and knows of one rollout that its
// evidence is whole.
func listening() *news {
	n := &news{began: judgedAt, pass: judgedAt.Add(24 * time.Hour), turns: map[warehouse.Topic]uint64{}, latest: map[warehouse.Topic]time.Time{}, passes: map[string]time.Time{}, all: 1, turn: 1}
	n.extent.until = n.pass
	n.counted(beyondRollout(1).ID, n.pass, nil)
	return n
}

// Whatever a rollout asks about gives it another mark; what is of others does not.
func TestNews_markMovesWithWhatIsAsked(t *testing.T) {
	r := beyondRollout(1)
	for _, c := range []struct {
		topic warehouse.Topic
		moves bool
	}{
		{warehouse.Topic{Kind: warehouse.TopicExposures, Environment: "production", Name: "checkout"}, true},
		{warehouse.Topic{Kind: warehouse.TopicEvents, Environment: "production", Name: "error"}, true},
		{warehouse.Topic{Kind: warehouse.TopicEvents, Environment: "production", Name: "latency"}, true},
		{warehouse.Topic{Kind: warehouse.TopicDeployments, Environment: "production"}, true},
		{warehouse.Topic{Kind: warehouse.TopicExposures, Environment: "production", Name: "search"}, false},
		{warehouse.Topic{Kind: warehouse.TopicEvents, Environment: "production", Name: "visit"}, false},
		{warehouse.Topic{Kind: warehouse.TopicEvents, Environment: "staging", Name: "error"}, false},
	} {
		n := listening()
		before, ok := n.mark(r, time.Hour)
		n.turns[c.topic] = 2
		after, still := n.mark(r, time.Hour)
		if !ok || !still || (before != after) != c.moves {
			t.Errorf("%+v: %q (%v), then %q (%v); want another mark: %v", c.topic, before, ok, after, still, c.moves)
		}
	}
}

// Where anything is unsure there is no mark, and the rollout is looked at.
func TestNews_markIsNotKnown(t *testing.T) {
	r := beyondRollout(1)
	exposed := warehouse.Topic{Kind: warehouse.TopicExposures, Environment: "production", Name: "checkout"}
	for _, c := range []struct {
		name string
		is   func(*news)
	}{
		{"the pass failed", func(n *news) { n.unknown = errors.New("gone") }},
		{"a shard stands still", func(n *news) { n.extent.behind = true }},
		{"nobody has counted it yet", func(n *news) { n.untils = nil }},
		{"counting it failed", func(n *news) { n.counted(r.ID, n.pass, errors.New("gone")) }},
		{"units are too young", func(n *news) { n.latest[exposed] = n.pass.Add(-time.Minute) }},
		{"units were too young when it was counted", func(n *news) {
			n.latest[exposed] = n.pass.Add(-3 * time.Minute)
			n.counted(r.ID, n.pass.Add(-2*time.Minute), nil)
		}},
		{"facts are not countable that far", func(n *news) { n.extent.until = judgedAt }},
		{"it has not listened for long", func(n *news) { n.began = n.pass.Add(-time.Hour) }},
	} {
		n := listening()
		c.is(n)
		if mark, ok := n.mark(r, time.Hour); ok {
			t.Errorf("%s: the mark is %q, want none", c.name, mark)
		}
	}
	n := listening()
	n.latest[exposed] = n.pass.Add(-2 * time.Minute) // as long as latency takes
	if _, ok := n.mark(r, time.Hour); !ok {
		t.Error("units that are just old enough give no mark")
	}
	n.extent.unaccounted = 1
	if lost, _ := n.mark(r, time.Hour); lost == "1 0" {
		t.Error("an event that is missing changes nothing")
	}
}

// The news of a pass are those of the messages since the pass before, asked of
// the engine; all is news at first, when totals are made anew, and when less is
// there than was.
func TestNews_hears(t *testing.T) {
	w, err := warehouse.Open(t.Context(), warehouse.Config{Dial: enginetest.StartSupervisor(t).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for seq := range uint64(3) {
		v := &visits{n: 1000 * seq} // which is of the next message
		v.see(seq+1, "on")
		v.send(seq+1, "error", 1)
		if err := w.Insert(t.Context(), ingest.Block{Shard: "facts-0", From: seq + 1, To: seq + 1, Token: fmt.Sprint("news", seq), Rows: v.rows}); err != nil {
			t.Fatal(err)
		}
	}
	var n news
	mark := func(seq, rebuilt uint64) uint64 {
		t.Helper()
		kept := warehouse.Kept{Watermark: map[string]uint64{"facts-0": seq}, Rebuilt: map[string]uint64{"facts-0": rebuilt}}
		came, err := n.ask(t.Context(), w, kept)
		if err != nil {
			t.Fatal(err)
		}
		n.hear(came, kept, judgedAt)
		turn := n.all
		for _, topic := range topics(beyondRollout(1)) {
			turn = max(turn, n.turns[topic])
		}
		return turn
	}
	var turns []uint64
	for _, at := range [][2]uint64{{1, 0}, {1, 0}, {2, 0}, {2, 0}, {2, 1}, {2, 1}, {1, 1}, {1, 1}, {3, 1}} {
		turns = append(turns, mark(at[0], at[1]))
	}
	if got, want := fmt.Sprint(turns), "[1 1 3 3 5 5 7 7 9]"; got != want {
		t.Errorf("turns %v, want %v", got, want)
	}
}

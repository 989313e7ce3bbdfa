package warehouse

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCame tells what messages are about, and nothing of those before and behind
// them, nor of another shard.
func TestCame(t *testing.T) {
	var s story
	s.expose(1, "off", noon)
	s.buy(1, 5, noon.Add(time.Minute))
	s.n = 1000 // message 2
	s.expose(2, "on", noon.Add(time.Hour))
	s.expose(3, "on", noon.Add(2*time.Hour))
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("came", 1, 2, s.rows)); err != nil {
		t.Fatal(err)
	}
	shard, q := block("came", 1, 1, s.rows).Shard, question(purchase)
	exposures, events := Topic{TopicExposures, q.Environment, q.Flag}, Topic{TopicEvents, q.Environment, purchase.Event}
	for _, c := range []struct {
		shard        string
		behind, upTo uint64
		want         map[Topic]time.Time
	}{
		{shard, 0, 1, map[Topic]time.Time{exposures: noon, events: {}}},
		{shard, 1, 2, map[Topic]time.Time{exposures: noon.Add(2 * time.Hour)}},
		{shard, 2, 9, map[Topic]time.Time{}},
		{"another", 0, 2, map[Topic]time.Time{}},
	} {
		got, err := w.Came(t.Context(), c.shard, c.behind, c.upTo)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s behind %d up to %d (-want +got):\n%s", c.shard, c.behind, c.upTo, diff)
		}
	}
}

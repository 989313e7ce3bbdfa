package warehouse

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// many are measures of one event, each with conditions of its own, as the
// metrics of many rollouts are.
func many(n int) (out []Measure) {
	q := question()
	for i := range n {
		q.Metrics = append(q.Metrics, stats.Metric{Key: fmt.Sprint("m", i), Event: "purchase", Aggregate: stats.Sum, Window: time.Hour,
			Where: []stats.Condition{{Attribute: "country", Values: []string{"DE", fmt.Sprint("X", i)}}}})
	}
	return q.Measures()
}

// TestBatches_haveShortTexts: whatever hundreds of measures want to know of one
// message, a server takes each statement.
func TestBatches_haveShortTexts(t *testing.T) {
	wanted, measures := map[string]Measure{}, 0
	for _, m := range many(700) {
		wanted[m.definition()] = m
	}
	for _, b := range batches(wanted, map[string]uint64{}, func(Measure) uint64 { return 1 }) {
		measures += len(b)
		if n := len(b.foldSQL(true, true, Params{})); n > 1<<17 { // half of what it takes
			t.Errorf("the text for %d measures has %d bytes", len(b), n)
		}
	}
	if measures != 700 {
		t.Errorf("%d of 700 measures are in batches", measures)
	}
}

// TestTotals_inSeveralStatements folds messages for more measures than one
// statement is for.
func TestTotals_inSeveralStatements(t *testing.T) {
	p, d := startPlant(t, 1), unordered(seeded(t, 20261130), 12, 1)
	p.wanted = many(mostConditions)
	settle(t, p.keeper("facts-0"))
	p.load(t, d, len(d.rows)/2)
	settle(t, p.keeper("facts-0"))
	p.load(t, d, len(d.rows))
	k := p.keeper("facts-0")
	settle(t, k)
	if k.manifest.Done != p.loaded["facts-0"] {
		t.Fatalf("folded up to %d of %d", k.manifest.Done, p.loaded["facts-0"])
	}
	q := question(p.wanted[0].Metric, p.wanted[49].Metric, p.wanted[50].Metric, p.wanted[99].Metric)
	q.Until = noon.Add(24 * time.Hour)
	p.compare(t, "of many", q)
}

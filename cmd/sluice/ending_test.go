package main

import (
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// TestAdded asks for totals of all that was acknowledged, in every shard.
func TestAdded(t *testing.T) {
	shard := func(name string) server.ShardView {
		return server.ShardView{Progress: ingest.Progress{Shard: name, Done: 7}, Last: 7}
	}
	f := server.FactsView{Shards: []server.ShardView{shard("facts-0"), shard("facts-1")}}
	for name, c := range map[string]struct {
		kept map[string]decisions.Place
		want bool
	}{
		"everything":     {map[string]decisions.Place{"facts-0": {Seq: 7}, "facts-1": {Seq: 8}}, true},
		"one lags":       {map[string]decisions.Place{"facts-0": {Seq: 7}, "facts-1": {Seq: 6}}, false},
		"one is missing": {map[string]decisions.Place{"facts-0": {Seq: 7}}, false},
	} {
		if got := added(f, decisions.Evidence{Watermark: c.kept}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

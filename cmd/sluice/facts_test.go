package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// The hash of a query can be made again from the record alone.
func TestRecordedQueryIsWhole(t *testing.T) {
	p := warehouse.Params{"rollout": "production/gate/1", "until": int64(7), "shards": []string{"facts-0", ""}}
	const sql, canonical = "SELECT 1", `{"rollout":"production/gate/1","shards":["facts-0",""],"until":7}`
	asked := warehouse.Query{SQL: sql, Params: p, Hash: event.Sum([]byte(sql + "\x00" + canonical))}
	q := fill(decisions.Evidence{}, nil, warehouse.Answer{Queries: []warehouse.Query{asked}}).Queries[0]
	if got := event.Sum([]byte(q.SQL + "\x00" + string(q.Params))); got != asked.Hash || q.Hash != asked.Hash {
		t.Errorf("hash %v of what is recorded, want %v", got, asked.Hash)
	}
}

// What the log and the alert send people to look for is there.
func TestFactsNameTheFirstGap(t *testing.T) {
	v := withShard(server.FactsView{Unaccounted: 1}, ingest.Progress{Shard: "facts-1", Done: 9}, 12, ingest.Account{Dead: 2, Unaccounted: 3, FirstGap: 7})
	want := server.FactsView{Unaccounted: 4, DeadLetters: 2, Shards: []server.ShardView{{Progress: ingest.Progress{Shard: "facts-1", Done: 9}, Last: 12, FirstGap: 7}}}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

package main

import (
	"strings"
	"testing"
)

func TestServe_refusesWhatOnlyServersCan(t *testing.T) {
	for want, c := range map[string]serveCmd{
		"--nats-replicas 0 cannot be": {},
		"--nats-replicas 6 cannot be": {NatsReplicas: 6, Nats: "nats://a"},
		"needs a NATS cluster":        {NatsReplicas: 3},
		"--shards -1 cannot be":       {NatsReplicas: 1, Shards: -1},
		"--shards 65 cannot be":       {NatsReplicas: 1, Shards: 65},
		"name one with --clickhouse":  {NatsReplicas: 1, ClickhouseCluster: "c"},
	} {
		if err := c.checkServers(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	whole := serveCmd{NatsReplicas: 3, Nats: "nats://a,nats://b,nats://c", Shards: 8, Clickhouse: "clickhouse://a", ClickhouseCluster: "c"}
	if err := whole.checkServers(); err != nil {
		t.Error(err)
	}
}

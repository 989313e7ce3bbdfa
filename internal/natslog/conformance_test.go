package natslog

import (
	"testing"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

var (
	_ ingest.Keeper = (*Stream)(nil)
	_ ingest.KV     = (*KV)(nil)
)

// TestConformance runs the suites of what ingest is given: the versions in
// memory pass the same.
func TestConformance(t *testing.T) {
	fresh := func(t *testing.T) *Store { return open(t, t.TempDir()) }
	ingesttest.Stream(t, func(t *testing.T) ingest.Stream { return fresh(t).Facts[0] })
	ingesttest.Keeper(t, func(t *testing.T) ingest.Keeper { return fresh(t).Facts[0] })
	ingesttest.KV(t, func(t *testing.T) ingest.KV { return fresh(t).KV })
}

package warehouse

import (
	"testing"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

func TestStore(t *testing.T) {
	ingesttest.Store(t, func(t *testing.T) ingest.Store {
		w, _ := start(t)
		return w
	})
}

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

func TestEraser(t *testing.T) {
	ingesttest.Eraser(t, func(t *testing.T) ingesttest.Erasing {
		w, _ := start(t)
		return w
	})
}

func TestErase_refusesWhatIsNoHash(t *testing.T) {
	if _, err := erasure(ingest.Forgotten{Unit: "u-17"}); err == nil {
		t.Error("an id was taken for a hash")
	}
}

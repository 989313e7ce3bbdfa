package natslog

import (
	"context"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

func TestLog(t *testing.T) {
	eventtest.Log(t, func(t *testing.T) event.Log { return open(t, t.TempDir()).Log })
}

func TestBlobs(t *testing.T) {
	eventtest.Blobs(t, func(t *testing.T) event.Blobs { return open(t, t.TempDir()).Blobs })
}

// open starts a store that is closed, if the test has not done so, at its end.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(context.Background(), config(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.release() })
	return s
}

// config has a short memory of repeats, so that tests can outlast it.
func config(dir string) Config { return Config{Dir: dir, duplicates: 100 * time.Millisecond} }

// TestConfig_shards: replicas that start at once come to the same number.
func TestConfig_shards(t *testing.T) {
	for want, c := range map[int]Config{1: {}, 8: {Replicas: 3}, 4: {Replicas: 3, Shards: 4}, 2: {Shards: 2}} {
		if got := c.shards(); got != want {
			t.Errorf("%+v: %d shards, want %d", c, got, want)
		}
	}
}

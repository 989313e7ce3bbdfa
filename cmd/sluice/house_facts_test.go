package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
)

// TestUnitKey makes a key, finds it again, and refuses to go on with another
// one when the first is lost: the stored units would be strangers.
func TestUnitKey(t *testing.T) {
	path, kv := filepath.Join(t.TempDir(), "unit.key"), &ingest.MemKV{}
	use := func() error {
		key, err := unitKey(path)
		if err != nil {
			return err
		}
		return sameKey(t.Context(), kv, key, path)
	}
	for range 2 {
		if err := use(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for range 2 { // nor is the new key believed the second time
		if err := use(); err == nil || !strings.Contains(err.Error(), "is not the key") {
			t.Errorf("with a lost key: %v", err)
		}
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := use(); err == nil || !strings.Contains(err.Error(), "5 bytes instead of 32") {
		t.Errorf("with a cut key: %v", err)
	}
}

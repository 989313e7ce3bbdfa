// Package replicatest checks that a board keeps the promises of replica.Board.
package replicatest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/internal/replica"
)

// Board runs the conformance tests, each on a board that open returns empty.
func Board(t *testing.T, open func(t *testing.T) replica.Board) {
	t.Run("empty", func(t *testing.T) { check(t, open(t), map[string][]byte{}) })
	t.Run("newest", func(t *testing.T) {
		b := open(t)
		put(t, b, "a", "1")
		put(t, b, "b", "2")
		put(t, b, "a", "3")
		check(t, b, map[string][]byte{"a": []byte("3"), "b": []byte("2")})
	})
	t.Run("own bytes", func(t *testing.T) {
		b, value := open(t), []byte("1")
		if err := b.Put(t.Context(), "a", value); err != nil {
			t.Fatal(err)
		}
		value[0] = '2'
		check(t, b, map[string][]byte{"a": []byte("1")})
	})
}

func put(t *testing.T, b replica.Board, name, value string) {
	t.Helper()
	if err := b.Put(t.Context(), name, []byte(value)); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, b replica.Board, want map[string][]byte) {
	t.Helper()
	got, err := b.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the board (-want +got):\n%s", d)
	}
}

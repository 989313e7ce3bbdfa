package eventtest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/sluice-hq/sluice/event"
)

// Blobs runs the conformance tests of event.Blobs on an empty store.
func Blobs(t *testing.T, open func(t *testing.T) event.Blobs) {
	t.Run("documents", func(t *testing.T) {
		b := open(t)
		for _, size := range []int{0, 1, 1000, 512<<10 - 1, 512 << 10, 512<<10 + 1, 1500 << 10} {
			testDocument(t, b, document(size))
		}
	})
	t.Run("the caller's bytes", func(t *testing.T) { testOwnBytes(t, open(t)) })
	t.Run("absent", func(t *testing.T) { testAbsent(t, open(t)) })
	t.Run("same document, many writers", func(t *testing.T) { testSameDocument(t, open(t)) })
}

// document returns bytes that depend on the size alone.
func document(size int) []byte {
	b := make([]byte, size)
	seed := [32]byte{byte(size), byte(size >> 8), byte(size >> 16)}
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
	return b
}

func testDocument(t *testing.T, b event.Blobs, doc []byte) {
	t.Helper()
	want := event.Blob{SHA256: event.Sum(doc), Size: int64(len(doc))}
	for range 2 { // the second time changes nothing
		name, err := b.Put(context.Background(), doc)
		if err != nil || name != want {
			t.Fatalf("Put(%d bytes) = %v, %v; want %v", len(doc), name, err, want)
		}
		got, err := b.Load(context.Background(), name)
		if err != nil || !bytes.Equal(got, doc) {
			t.Fatalf("Load(%d bytes) = %d bytes, %v", len(doc), len(got), err)
		}
	}
}

// testOwnBytes changes what it gave and got: the document stays.
func testOwnBytes(t *testing.T, b event.Blobs) {
	given := document(100)
	name, err := b.Put(context.Background(), given)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		given[0]++
		if given, err = b.Load(context.Background(), name); err != nil || !bytes.Equal(given, document(100)) {
			t.Fatalf("the document has changed (%v)", err)
		}
	}
}

func testAbsent(t *testing.T, b event.Blobs) {
	for _, size := range []int{0, 10, 2 << 20} {
		doc := document(size)
		if _, err := b.Load(context.Background(), event.Blob{SHA256: event.Sum(doc), Size: int64(size)}); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("Load of an absent document of %d bytes = %v", size, err)
		}
	}
	name, err := b.Put(context.Background(), document(10))
	if err != nil {
		t.Fatal(err)
	}
	name.Size++
	if _, err := b.Load(context.Background(), name); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("Load of a document that has another size = %v", err)
	}
}

func testSameDocument(t *testing.T, b event.Blobs) {
	doc := document(700 << 10)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := b.Put(context.Background(), doc); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	testDocument(t, b, doc)
}

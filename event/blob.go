package event

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// Blob names a document that is too large for an event: the evidence of a
// decision, a list of units. The document is written first, then the event
// that names it; the record is both.
type Blob struct {
	SHA256 Hash  `json:"sha256"`
	Size   int64 `json:"size"` // bytes
}

// Blobs keeps documents under the hash of their content, for ever.
type Blobs interface {
	// Put stores a document and returns its name once it is on disk. Storing
	// the same bytes again changes nothing.
	Put(ctx context.Context, b []byte) (Blob, error)
	// Load returns the document, ErrNotFound when there is none, ErrDamaged
	// when what is stored does not have that hash.
	Load(ctx context.Context, name Blob) ([]byte, error)
}

// MemBlobs is a Blobs in memory. The zero value is ready.
type MemBlobs struct {
	mu   sync.Mutex
	docs map[Hash][]byte
}

var _ Blobs = (*MemBlobs)(nil)

// Put implements Blobs.
func (m *MemBlobs) Put(_ context.Context, b []byte) (Blob, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.docs == nil {
		m.docs = map[Hash][]byte{}
	}
	name := Blob{SHA256: Sum(b), Size: int64(len(b))}
	m.docs[name.SHA256] = bytes.Clone(b)
	return name, nil
}

// Load implements Blobs.
func (m *MemBlobs) Load(_ context.Context, name Blob) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.docs[name.SHA256]
	if !ok {
		return nil, fmt.Errorf("document %s: %w", name.SHA256, ErrNotFound)
	}
	if int64(len(b)) != name.Size {
		return nil, fmt.Errorf("document %s: %w: it has %d bytes, not %d", name.SHA256, ErrDamaged, len(b), name.Size)
	}
	return bytes.Clone(b), nil
}

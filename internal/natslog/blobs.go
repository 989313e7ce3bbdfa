package natslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/sluice-hq/sluice/event"
)

// chunk is the size of a part of a document, below the 1 MiB that a message
// may have.
const chunk = 512 << 10

// Blobs keeps documents in parts, under subjects made of their hash.
type Blobs struct{ *wire }

var _ event.Blobs = (*Blobs)(nil)

// Put implements event.Blobs. A crash in the middle leaves parts that the next
// Put of the same document completes.
func (b *Blobs) Put(ctx context.Context, doc []byte) (event.Blob, error) {
	name := event.Blob{SHA256: event.Sum(doc), Size: int64(len(doc))}
	for i := range parts(name.Size) {
		part := doc[i*chunk : min((i+1)*chunk, len(doc))]
		if err := b.put(ctx, partSubject(name, i), part); err != nil {
			return event.Blob{}, fmt.Errorf("storing the document %s: %w", name.SHA256, err)
		}
	}
	return name, nil
}

// put stores one part unless it is there. A part that is there but is not what
// it should be is stored again: the newest counts.
func (b *Blobs) put(ctx context.Context, subject string, part []byte) error {
	at, err := b.has(ctx, subject, part)
	if err != nil || at == same {
		return err
	}
	m := message(subject, subject+"@"+strconv.FormatUint(at, 10), part)
	expect(m, at)
	if _, err = b.publish(ctx, m); !errors.Is(err, event.ErrConflict) {
		return err
	}
	// Somebody else stored it first, or our own first try did.
	at, err = b.has(ctx, subject, part)
	if err == nil && at != same {
		err = fmt.Errorf("%w: %s is there and cannot be read", event.ErrDamaged, subject)
	}
	return err
}

// same is no sequence: has answers it when the part is stored as it should be.
const same = ^uint64(0)

// has returns the sequence of the newest message of a part, 0 for none, same
// when it holds these bytes.
func (b *Blobs) has(ctx context.Context, subject string, part []byte) (uint64, error) {
	m, err := b.lookUp(ctx, request{Subject: subject})
	switch {
	case errors.Is(err, event.ErrNotFound):
		return 0, nil
	case err == nil && bytes.Equal(m.data, part):
		return same, nil
	}
	return m.seq, err
}

// Load implements event.Blobs.
func (b *Blobs) Load(ctx context.Context, name event.Blob) ([]byte, error) {
	var doc []byte
	for i := range parts(name.Size) {
		m, err := b.lookUp(ctx, request{Subject: partSubject(name, i)})
		if errors.Is(err, event.ErrNotFound) && i > 0 {
			err = event.ErrDamaged
		}
		if err != nil {
			return nil, fmt.Errorf("document %s, part %d: %w", name.SHA256, i, err)
		}
		doc = append(doc, m.data...)
	}
	if event.Sum(doc) != name.SHA256 || int64(len(doc)) != name.Size {
		return nil, fmt.Errorf("document %s: %w: its content has another hash", name.SHA256, event.ErrDamaged)
	}
	return doc, nil
}

// parts is how many parts a document has; an empty one has one too, so that it
// is there.
func parts(size int64) int { return max(1, int((size+chunk-1)/chunk)) }

func partSubject(name event.Blob, i int) string {
	return blobsSubject + name.SHA256.String() + "." + strconv.Itoa(i)
}

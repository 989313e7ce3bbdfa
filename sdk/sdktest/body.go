package sdktest

import (
	"bytes"
	"context"
	"io"
	"sync"
)

// body is the endless body of a stream. What is written waits until it is read.
type body struct {
	mu     sync.Mutex
	more   *sync.Cond
	buffer bytes.Buffer
	ended  bool
}

func newBody(ctx context.Context) *body {
	b := &body{}
	b.more = sync.NewCond(&b.mu)
	context.AfterFunc(ctx, func() { _ = b.Close() })
	return b
}

func (b *body) write(text []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buffer.Write(text)
	b.more.Broadcast()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.buffer.Len() == 0 && !b.ended {
		b.more.Wait()
	}
	if b.ended {
		return 0, io.ErrUnexpectedEOF
	}
	return b.buffer.Read(p)
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.more.Broadcast()
	return nil
}

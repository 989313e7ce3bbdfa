package eventtest

import (
	"context"
	"errors"

	"github.com/sluice-hq/sluice/event"
)

// ErrKilled is what every step of the dead ends with.
var ErrKilled = errors.New("killed")

// Mortal is what a process sees of log and documents that dies before or after
// one of its durable steps: a document stored, an event appended. The dead do
// nothing more.
type Mortal struct {
	event.Log
	Blobs  event.Blobs
	KillAt int  // step, from 1; 0: never
	After  bool // the step is done, and nobody learns of it
	Steps  int  // that were begun
	Dead   bool
}

func (m *Mortal) step(do func() error) error {
	if m.Dead {
		return ErrKilled
	}
	m.Steps++
	m.Dead = m.Steps == m.KillAt
	if m.Dead && !m.After {
		return ErrKilled
	}
	err := do()
	if m.Dead {
		return ErrKilled
	}
	return err
}

// Append implements event.Log.
func (m *Mortal) Append(ctx context.Context, e event.Event, expect event.Expect) (seq uint64, err error) {
	err = m.step(func() error { seq, err = m.Log.Append(ctx, e, expect); return err })
	return seq, err
}

// Put implements event.Blobs.
func (m *Mortal) Put(ctx context.Context, b []byte) (name event.Blob, err error) {
	err = m.step(func() error { name, err = m.Blobs.Put(ctx, b); return err })
	return name, err
}

// Load implements event.Blobs.
func (m *Mortal) Load(ctx context.Context, name event.Blob) ([]byte, error) {
	return m.Blobs.Load(ctx, name)
}

package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Level says how pressing it is that a stream fills up.
type Level string

// The levels. Facts are never sampled or shed on the way up, which would bias
// every comparison: at the end they are refused, and their senders keep them.
const (
	Calm  Level = "calm"
	Alert Level = "alert" // 70 %: somebody should look
	Page  Level = "page"  // 90 %: now
	Full  Level = "full"  // the next message might not fit: 503
)

// largest is the size of the largest message that a stream takes.
const largest = 1 << 20

// Fill is how full the stream of a shard is.
type Fill struct {
	Shard string `json:"shard"`
	Bytes uint64 `json:"bytes"`
	Most  uint64 `json:"most,omitempty"` // 0: no bound
}

// Level returns how pressing it is.
func (f Fill) Level() Level {
	switch {
	case f.Most == 0:
		return Calm
	case f.Bytes+min(largest, f.Most/20) > f.Most: // a small stream is full at 95 %
		return Full
	case f.Bytes >= f.Most/10*9:
		return Page
	case f.Bytes >= f.Most/10*7:
		return Alert
	}
	return Calm
}

// Pressure is what the door has behind it.
type Pressure struct {
	Level    Level  `json:"level"` // of the fullest stream; full when events are refused
	Refusing string `json:"refusing,omitempty"`
	Space    Space  `json:"space,omitzero"` // of the disk under the streams; zero: it is on servers elsewhere
	Fills    []Fill `json:"fills,omitempty"`
}

// pressure judges what was found.
func pressure(floor Floor, space Space, fills []Fill) Pressure {
	p := Pressure{Level: Calm, Space: space, Fills: fills, Refusing: floor.short(space)}
	order := map[Level]int{Calm: 0, Alert: 1, Page: 2, Full: 3}
	for _, f := range fills {
		level := f.Level()
		if order[level] > order[p.Level] {
			p.Level = level
		}
		if level == Full && p.Refusing == "" {
			p.Refusing = fmt.Sprintf("the stream of %s has %s of the %s that it may take", f.Shard, size(f.Bytes), size(f.Most))
		}
	}
	if p.Refusing != "" {
		p.Level = Full
	}
	return p
}

// Guard shuts the door before the disk or a stream is full, because a full disk
// silences a stream, and opens it again when there is room. The zero Guard lets
// everything in. It is safe for concurrent use once its fields are set.
type Guard struct {
	Floor Floor
	Space func() (Space, error)                     // of the disk under the streams; nil: it is not ours
	Fills func(ctx context.Context) ([]Fill, error) // of the streams; nil: not looked at

	seen atomic.Pointer[Pressure]
}

// Look asks how things are. What cannot be asked is taken for well: whether the
// streams answer is another matter.
func (g *Guard) Look(ctx context.Context) (Pressure, error) {
	floor, space, fills := Floor{}, Space{}, []Fill(nil)
	var errs [2]error
	if g.Space != nil {
		if space, errs[0] = g.Space(); errs[0] == nil {
			floor = g.Floor
		}
	}
	if g.Fills != nil {
		fills, errs[1] = g.Fills(ctx)
	}
	p := pressure(floor, space, fills)
	g.seen.Store(&p)
	return p, errors.Join(errs[:]...)
}

// Pressure returns what the last Look saw.
func (g *Guard) Pressure() Pressure {
	if g != nil {
		if p := g.seen.Load(); p != nil {
			return *p
		}
	}
	return Pressure{Level: Calm}
}

// admit returns ErrBusy while nothing is let in.
func (g *Guard) admit() error {
	if why := g.Pressure().Refusing; why != "" {
		return fmt.Errorf("%w: %s", ErrBusy, why)
	}
	return nil
}

// Package stream keeps the long answers of the house: streams of rulesets for
// SDKs that evaluate by themselves, and streams of notices for OFREP clients
// that then ask again. What a stream says is encoded once for each environment
// and shared by all who listen. It never decides who may listen, and it keeps
// nothing: a stream can be taken up at any replica, because what a listener
// lacks follows from the revision that it holds.
//
//	hub := &stream.Hub{Projection: projection, Flags: folds.Flags, Now: now}
//	go hub.Run(ctx)
//	…
//	s, err := hub.Open(stream.Request{Environment: "production", Last: lastEventID})
//	defer s.Close()
//	err = s.Copy(ctx, conn)
//
// A listener that falls behind is given what it lacks as one piece, instead of
// every piece that it missed; one that does not read at all is cut.
package stream

import (
	"errors"
	"time"
)

// Errors of the door.
var (
	ErrBusy    = errors.New("too many streams are being opened, or are open; come back later")
	ErrUnknown = errors.New("there is no such stream here; it may be open at another replica")
)

// Limits bound what streams may cost. The zero value has the defaults.
type Limits struct {
	Rate     int           // new streams of rulesets a second, and as many of notices; default 2,000
	Open     int           // streams open at once, of which the last fifth is for rulesets; default 50,000
	Gap      int           // changes beyond which the whole ruleset is sent; default 1,000
	Beat     time.Duration // between two signs of life; default 15 s
	Patience time.Duration // for a listener to take a frame, or 256 KiB of it; default 10 s
	Settle   time.Duration // between two notices of one environment; default 1 s
}

func (l Limits) rate() int               { return orElse(l.Rate, 2000) }
func (l Limits) open() int               { return orElse(l.Open, 50000) }
func (l Limits) gap() int                { return orElse(l.Gap, 1000) }
func (l Limits) beat() time.Duration     { return orElse(l.Beat, 15*time.Second) }
func (l Limits) patience() time.Duration { return orElse(l.Patience, 10*time.Second) }
func (l Limits) settle() time.Duration   { return orElse(l.Settle, time.Second) }

func orElse[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// chunk is how much of a large frame a listener has to take within its
// patience. It is also the most that a listener can be behind unnoticed.
const chunk = 256 << 10

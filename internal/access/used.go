package access

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Used remembers when each token was last used, to the minute. It is no state:
// a fold holds no clock, and no event is written for a look at a flag. The zero
// value is ready, and all methods may be called at once.
type Used struct {
	minutes sync.Map // token ID -> *atomic.Int64, minutes since 1970
	news    atomic.Bool
}

// Note says that a token is used now. Every request says so, so it costs a
// look-up, and a write once a minute.
func (u *Used) Note(id string, now time.Time) { u.later(id, now.Unix()/60) }

// later keeps the later of two minutes: replicas and clocks differ.
func (u *Used) later(id string, minute int64) {
	v, ok := u.minutes.Load(id)
	if !ok {
		v, _ = u.minutes.LoadOrStore(id, new(atomic.Int64))
	}
	last := v.(*atomic.Int64)
	for old := last.Load(); old < minute; old = last.Load() {
		if last.CompareAndSwap(old, minute) {
			u.news.Store(true)
			return
		}
	}
}

// Last returns the minute in which a token was last used, the zero time when it
// never was.
func (u *Used) Last(id string) time.Time {
	v, ok := u.minutes.Load(id)
	if !ok {
		return time.Time{}
	}
	return time.Unix(v.(*atomic.Int64).Load()*60, 0).UTC()
}

// News reports whether anything was noted since it was asked last.
func (u *Used) News() bool { return u.news.Swap(false) }

// Again says that the news could not be told.
func (u *Used) Again() { u.news.Store(true) }

// Encode writes what is known of the tokens that keep names.
func (u *Used) Encode(keep func(id string) bool) ([]byte, error) {
	all := map[string]int64{}
	for id, v := range u.minutes.Range {
		if keep(id.(string)) {
			all[id.(string)] = v.(*atomic.Int64).Load()
		}
	}
	return json.Marshal(all)
}

// Merge adds what another replica, or this one before it was started again,
// knew.
func (u *Used) Merge(encoded []byte) error {
	var all map[string]int64
	if err := json.Unmarshal(encoded, &all); err != nil {
		return fmt.Errorf("reading when tokens were used: %w", err)
	}
	for id, minute := range all {
		u.later(id, minute)
	}
	return nil
}

package ingest_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

const shard = "facts-0"

// codec is shared by the tests: it has no state but buffers. It
// has been used once, so that what it makes then is of no single test's bubble.
var codec = func() *ingest.Codec {
	c := ingest.NewCodec()
	c.Encode(ingest.Batch{})
	return c
}()

// story is one run of loaders over parts that fail, told by a seed.
type story struct {
	t      *testing.T
	rand   *rand.Rand
	stream ingest.MemStream
	dead   ingest.MemStream
	kv     ingest.MemKV
	store  ingest.MemStore
	faults ingesttest.Faults // the template of every loader's

	next   uint64              // number of the next new event
	fates  map[event.ID]fate   // of every event that was acknowledged
	values map[event.ID]uint64 // sequence of the first message that holds a stored event
	seen   map[string]int
	actors []*actor
}

type fate string

const (
	stored fate = "stored" // in the store, by its ID
	dead   fate = "dead"   // among the letters, by its ID
	buried fate = "buried" // within the letter of a whole message
)

func newStory(t *testing.T, seed uint64) *story {
	s := &story{
		t: t, rand: newRand(seed), fates: map[event.ID]fate{}, values: map[event.ID]uint64{}, seen: map[string]int{},
	}
	s.store.Reject = func(k ingest.Key, _ ingest.Place) bool { return poison(k.ID) }
	return s
}

// poison marks one event in sixteen as one that the store rejects.
func poison(id event.ID) bool { return id[15]%16 == 3 }

// publish appends a message: new events, events that were sent before, events
// that no metric declares; sometimes damaged.
func (s *story) publish() {
	b := ingest.Batch{Received: ingesttest.Noon, Oldest: ingesttest.Noon, Newest: ingesttest.Noon}
	damaged := s.rand.IntN(12) == 0
	fates := map[event.ID]fate{}
	for range 1 + s.rand.IntN(5) {
		n, old := s.next, false
		if s.next > 0 && !damaged && s.rand.IntN(4) == 0 {
			n, old = s.rand.Uint64N(s.next), true
		}
		id := ingesttest.ID(ingesttest.Noon, n)
		if old && s.fates[id] == buried {
			continue
		}
		if !old {
			s.next++
		}
		fates[id] = s.add(&b, n)
	}
	if b.Count == 0 {
		return
	}
	data := codec.Encode(b)
	if damaged {
		data[len(data)-1-s.rand.IntN(16)] ^= 1 << s.rand.IntN(8)
	}
	seq, err := s.stream.Publish(s.t.Context(), fmt.Sprintf("i.%d", s.next)+fmt.Sprint(s.rand.Uint64()), data)
	if err != nil {
		s.t.Fatal(err)
	}
	for id, f := range fates {
		if damaged {
			f = buried
		}
		s.fates[id] = f
		if _, ok := s.values[id]; !ok {
			s.values[id] = seq
		}
	}
}

// add puts the n-th event into a batch.
func (s *story) add(b *ingest.Batch, n uint64) fate {
	at := ingest.Place{Idx: b.Count}
	id := ingesttest.ID(ingesttest.Noon, n)
	b.Count++
	switch n % 5 {
	case 0, 1:
		b.Exposures = append(b.Exposures, ingesttest.Exposure(at, n))
	case 2, 3:
		b.Metrics = append(b.Metrics, ingesttest.Metric(at, n)...)
	case 4:
		b.Dead = append(b.Dead, ingest.Dead{
			Place: at, ID: id, Environment: "production", Name: "puchase", Reason: ingest.UnknownMetric, At: ingesttest.Noon,
			Fact: json.RawMessage(`{"kind":"metric"}`),
		})
		return dead
	}
	if poison(id) {
		return dead
	}
	return stored
}

// actor is a loader that can stop in the middle of a step, so that others move
// meanwhile. It is started again after a crash.
type actor struct {
	next func() (struct{}, bool)
	stop func()
}

// start makes a loader with the story's faults.
func (s *story) start() *actor {
	faults := s.faults
	faults.Rand, faults.Seen = s.rand, s.seen
	a := &actor{}
	a.next, a.stop = iter.Pull(func(yield func(struct{}) bool) {
		faults.Pause = func() {
			if !yield(struct{}{}) {
				panic(ingesttest.Crash{Point: "the end"})
			}
		}
		defer func() {
			if r := recover(); r != nil {
				if _, crash := r.(ingesttest.Crash); !crash {
					panic(r)
				}
			}
		}()
		l := s.loader(&faults)
		for {
			_, _ = l.Step(s.t.Context()) // faults are the story
			faults.Pause()
		}
	})
	return a
}

func (s *story) loader(f *ingesttest.Faults) *ingest.Loader {
	return &ingest.Loader{
		Shard: shard, Stream: f.Stream("facts", &s.stream), KV: f.KV(&s.kv), Store: f.Store(&s.store),
		Dead: f.Stream("dead", &s.dead), Decoder: codec, MaxRows: 6,
	}
}

// run lets loaders and publishers act in an order that the seed chooses.
func (s *story) run(loaders, acts int) {
	for range loaders {
		s.actors = append(s.actors, s.start())
	}
	for range acts {
		switch s.rand.IntN(40) {
		case 0, 1:
			s.publish()
		case 2:
			s.store.Merge()
		case 3:
			s.dead.Forget()
		default:
			i := s.rand.IntN(len(s.actors))
			if _, alive := s.actors[i].next(); !alive {
				s.actors[i] = s.start()
			}
		}
	}
	for _, a := range s.actors {
		a.stop()
	}
}

// settle loads the rest without faults.
func (s *story) settle() ingest.Progress {
	l := s.loader(&ingesttest.Faults{})
	for tries := 0; ; tries++ {
		moved, err := l.Step(s.t.Context())
		if tries > 1000 {
			s.t.Fatalf("the loader does not come to an end: %v", err)
		}
		if !moved && err == nil {
			return l.Progress()
		}
	}
}

// check compares what is stored and dead with what was acknowledged.
func (s *story) check(p ingest.Progress) {
	s.t.Helper()
	last, _ := s.stream.Last(s.t.Context())
	newest := p.Newest
	if s.readable() {
		newest = ingesttest.Noon
	}
	if p.Done != last || p.Lost != 0 || !p.Newest.Equal(newest) {
		s.t.Errorf("progress %+v, want %d messages", p, last)
	}
	s.checkFates()
	s.checkAccount(last)
}

func (s *story) checkFates() {
	s.t.Helper()
	got := map[event.ID][]fate{}
	rows := map[ingest.Key]int{}
	s.store.Rows().Each(func(k ingest.Key, p ingest.Place) {
		if rows[k]++; !slices.Contains(got[k.ID], stored) {
			got[k.ID] = append(got[k.ID], stored)
		}
		// Only an insert that stores a part of what it acknowledges can leave
		// the later of two copies of an event in one block.
		if exact := s.faults.Drop+s.faults.Partial == 0; p.Seq < s.values[k.ID] || exact && p.Seq != s.values[k.ID] {
			s.t.Errorf("event %s is from message %d, and arrived first in %d", k.ID, p.Seq, s.values[k.ID])
		}
	})
	for _, l := range s.letters() {
		if l.Reason != ingest.Unreadable && !slices.Contains(got[l.EventID], dead) {
			got[l.EventID] = append(got[l.EventID], dead)
		}
	}
	for k, n := range rows {
		if n != 1 {
			s.t.Errorf("row %+v is there %d times", k, n)
		}
	}
	for id, want := range s.fates {
		if want == buried {
			want = ""
		}
		if g := got[id]; want == "" && len(g) > 0 || want != "" && !slices.Equal(g, []fate{want}) {
			s.t.Errorf("event %s is %v, want %q alone", id, g, want)
		}
		delete(got, id)
	}
	if len(got) > 0 {
		s.t.Errorf("events nobody sent: %v", slices.Collect(maps.Keys(got)))
	}
}

// readable reports whether any event came in a message that can be read.
func (s *story) readable() bool {
	for _, f := range s.fates {
		if f != buried {
			return true
		}
	}
	return false
}

func (s *story) letters() []ingest.Letter {
	letters, err := ingest.Letters(s.t.Context(), &s.dead, ingest.LetterFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	return letters
}

func (s *story) checkAccount(last uint64) {
	s.t.Helper()
	r := ingest.Reconciler{Shard: shard, Stream: &s.stream, Store: &s.store, Dead: &s.dead, Decoder: codec}
	a, err := r.Account(s.t.Context(), 0, last)
	if err != nil {
		s.t.Fatal(err)
	}
	if a.Unaccounted != 0 || a.Doubled != 0 || a.Lost != 0 || a.Published != a.Stored+a.Dead {
		s.t.Errorf("the account does not balance: %+v", a)
	}
}

// stories tells a story for each seed and returns what happened in all.
func stories(t *testing.T, n int, loaders int, faults ingesttest.Faults) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for seed := range uint64(n) {
		s := newStory(t, seed)
		s.faults = faults
		s.run(loaders, 150)
		s.check(s.settle())
		for what, n := range s.seen {
			seen[what] += n
		}
		if t.Failed() {
			t.Fatalf("seed %d, %d loaders", seed, loaders)
		}
	}
	return seen
}

func seeds() int {
	if testing.Short() {
		return 200
	}
	return 1000
}

func TestLoader_crashes(t *testing.T) {
	seen := stories(t, seeds(), 1, ingesttest.Faults{Crash: 0.08})
	for _, when := range []string{"before", "after"} {
		for _, call := range []string{"read of facts", "publish to dead", "load", "save", "insert", "count", "missing"} {
			if what := "crash " + when + " " + call; seen[what] == 0 {
				t.Errorf("no %s in all stories", what)
			}
		}
	}
}

func TestLoader_lostAnswersAndErrors(t *testing.T) {
	stories(t, seeds(), 1, ingesttest.Faults{Error: 0.2, Conflict: 0.05})
}

func TestLoader_silentDropsAndPartialInserts(t *testing.T) {
	seen := stories(t, seeds(), 1, ingesttest.Faults{Drop: 0.2, Partial: 0.2})
	if seen["drop"] == 0 || seen["partial"] == 0 {
		t.Errorf("nothing was dropped or cut: %v", seen)
	}
}

func TestLoader_two(t *testing.T) {
	stories(t, seeds(), 2, ingesttest.Faults{})
}

func TestLoader_threeAndEveryFault(t *testing.T) {
	stories(t, seeds(), 3, ingesttest.Faults{Crash: 0.03, Error: 0.05, Conflict: 0.05, Drop: 0.05, Partial: 0.05})
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

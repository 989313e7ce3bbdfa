package sdk

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// till takes events as the server does, after it has answered what is scripted.
type till struct {
	script []*http.Response // nil: the network fails
	mu     sync.Mutex
	asked  []time.Time
	bodies []string // of every request
	kept   map[string]int
}

func (s *till) take(r *http.Request) (*http.Response, error) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	text, _ := io.ReadAll(z)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.bodies = append(s.asked, time.Now()), append(s.bodies, string(text))
	if len(s.script) > 0 {
		next := s.script[0]
		s.script = s.script[1:]
		if next == nil {
			return nil, errNoNetwork
		}
		return next, nil
	}
	for line := range strings.Lines(string(text)) {
		s.kept[strings.TrimSpace(line)]++
	}
	return reply(http.StatusAccepted, fmt.Sprintf(`{"accepted":%d}`, strings.Count(string(text), "\n"))), nil
}

// sending runs a queue and its sender, in memory alone or with a folder.
func sending(t *testing.T, s *till, dir string, change func(*Config)) (*Provider, *sender) {
	t.Helper()
	s.kept = map[string]int{}
	c := config(s.take)
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	out := newSender(&p.config, p.api, p.queue, p.budget)
	var ended sync.WaitGroup
	ended.Go(func() { p.queue.keep(ctx, dir) })
	ended.Go(func() { out.run(ctx) })
	t.Cleanup(func() { stop(); ended.Wait(); p.queue.shut() })
	return p, out
}

// TestSender: events come through whatever is in the way, in the order in which
// they happened, with the same bytes in every repeat.
func TestSender(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		synctest.Test(t, func(t *testing.T) {
			s := &till{script: []*http.Response{
				nil, reply(http.StatusServiceUnavailable, "", "Retry-After", "20"), reply(http.StatusTooManyRequests, "", "Retry-After", "9"),
				reply(http.StatusBadGateway, "<html>"), reply(http.StatusAccepted, "not JSON"),
			}}
			p, _ := sending(t, s, dir, nil)
			for _, r := range records(1, 5) {
				p.queue.add(r)
			}
			for c, changed := p.queue.see(); c.sent < 5; c, changed = p.queue.see() {
				<-changed
			}
			want := strings.Join(texts(records(1, 5)), "\n") + "\n"
			for i, b := range s.bodies {
				if b != want {
					t.Errorf("request %d sent %q", i, b)
				}
			}
			if a, b := s.asked[2].Sub(s.asked[1]), s.asked[3].Sub(s.asked[2]); a < 20*time.Second || b < 9*time.Second {
				t.Errorf("asked to wait for 20 and 9 s, it waited for %v and %v", a, b)
			}
			if got := p.Stats(); got.Added != 5 || got.Sent != 5 || got.Failures != 5 || len(s.bodies) != 6 {
				t.Errorf("%d requests: %+v", len(s.bodies), got)
			}
		})
	}
}

// A fault of one event is that event's: the others of its request are stored,
// and everything that was said of it is told.
func TestRefusals(t *testing.T) {
	s := &till{script: []*http.Response{
		reply(http.StatusAccepted, `{"accepted":2,"deadLetters":1,"undeclared":["puchase"],"rejected":[{"index":1,"field":"flag","value":"x","reason":"unknown_flag","why":"is not a flag","fix":"check the key"},{"index":1,"field":"unit.id","reason":"malformed","why":"is empty"}]}`),
		reply(http.StatusBadRequest, `{"rejected":[{"index":0,"reason":"time_window","why":"is too old"}]}`),
	}}
	var told []Refusal
	p, out := sending(t, s, "", func(c *Config) { c.Refused = func(r Refusal) { told = append(told, r) } })
	for _, r := range records(1, 3) {
		p.queue.add(r)
	}
	out.flush(t.Context(), false)
	p.queue.add([]byte(`{"n":4}`))
	if left := out.flush(t.Context(), false); left != 0 {
		t.Errorf("%d are left", left)
	}
	want := []Refusal{
		{Event: []byte(`{"n":2}`), Field: "flag", Value: "x", Reason: "unknown_flag", Why: "is not a flag", Fix: "check the key"},
		{Event: []byte(`{"n":2}`), Field: "unit.id", Reason: "malformed", Why: "is empty"},
		{Event: []byte(`{"n":4}`), Reason: "time_window", Why: "is too old"},
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if got := p.Stats(); got.Sent != 2 || got.Refused != 2 || got.DeadLetters != 1 || got.Waiting != 0 {
		t.Errorf("got %+v", got)
	}
}

// A request that was refused as a whole, with a reason for one event alone, says
// nothing of the others: they are sent again, and not taken for stored.
func TestRefusedWithAReasonForOne(t *testing.T) {
	s := &till{script: []*http.Response{reply(http.StatusBadRequest, `{"rejected":[{"index":1,"why":"is too old"},{"index":9,"why":"is not there"}]}`)}}
	p, out := sending(t, s, "", nil)
	for _, r := range records(1, 3) {
		p.queue.add(r)
	}
	if left := out.flush(t.Context(), false); left != 0 || len(s.kept) != 3 || p.Stats().Sent != 3 {
		t.Errorf("%d are left, kept %v, %+v", left, s.kept, p.Stats())
	}
}

// Events that are refused before they are queued do not stand for those that
// wait in it.
func TestFlushWaitsForWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &till{script: []*http.Response{nil}}
		p, out := sending(t, s, "", func(c *Config) { c.Queue.Flush = time.Hour })
		p.queue.add([]byte(`{"n":1}`))
		synctest.Wait()
		left := make(chan int, 1)
		go func() { left <- out.flush(t.Context(), false) }()
		synctest.Wait()
		p.refuse(&fact{}, "units", "names no unit", "")
		synctest.Wait()
		select {
		case <-left:
			t.Error("it returns, and nothing was sent")
		default:
		}
		if got := <-left; got != 0 || len(s.kept) != 1 {
			t.Errorf("%d are left, kept %v", got, s.kept)
		}
		balanced(t, p.Stats())
	})
}

// One event that the server cannot read, or that makes a request too large, does
// not keep the others.
func TestPoison(t *testing.T) {
	kept := map[string]bool{}
	e := func(r *http.Request) (*http.Response, error) {
		z, _ := gzip.NewReader(r.Body)
		b, _ := io.ReadAll(z)
		switch {
		case bytes.Contains(b, []byte("poison")):
			return reply(http.StatusBadRequest, `{"detail":"body is not JSON"}`), nil
		case bytes.Contains(b, []byte("heavy")):
			return reply(http.StatusRequestEntityTooLarge, ""), nil
		}
		for line := range strings.Lines(string(b)) {
			kept[strings.TrimSpace(line)] = true
		}
		return reply(http.StatusAccepted, "{}"), nil
	}
	p, err := New(config(e))
	if err != nil {
		t.Fatal(err)
	}
	list := append(append(records(1, 5), []byte("poison"), []byte("heavy")), records(6, 9)...)
	out := newSender(&p.config, p.api, p.queue, p.budget)
	v, err := out.judge(t.Context(), list)
	if err != nil || v.sent != 9 || v.refused != 2 || len(kept) != 9 {
		t.Errorf("%+v, %v; kept %d", v, err, len(kept))
	}
}

// With a negative Sync what was handed to the disk is on it before it is sent.
func TestQueueSyncsAtOnce(t *testing.T) {
	c := config(offline)
	c.Queue.Sync = -1
	q := newQueue(&c)
	q.open(t.TempDir())
	defer q.shut()
	q.add([]byte("{}"))
	if due := q.stored(nil); due != nil || q.spool.dirty || q.spool.left() != 1 {
		t.Errorf("it waits, or is not there")
	}
}

// What fills a request, or half of the memory, waits for no more: a service that
// makes events faster than Queue.Flush would lose them with a server that is well.
func TestManyAreSentAtOnce(t *testing.T) {
	for _, bound := range []int{0, 20} {
		synctest.Test(t, func(t *testing.T) {
			s := &till{}
			p, _ := sending(t, s, "", func(c *Config) { c.Queue.Flush, c.Queue.Events = time.Hour, bound })
			n := 10
			if bound == 0 {
				n = eventsAtOnce
			}
			p.queue.add([]byte(`{"n":0}`))
			synctest.Wait() // it waits for others
			for _, r := range records(1, n-1) {
				p.queue.add(r)
			}
			synctest.Wait()
			if len(s.kept) != n {
				t.Errorf("of %d events %d were sent", n, len(s.kept))
			}
		})
	}
}

// Without a server memory is bounded: the oldest go, and the count says how many.
func TestQueueInMemory(t *testing.T) {
	c := config(offline)
	c.Queue.Events = 10
	q := newQueue(&c)
	for _, r := range records(1, 25) {
		q.add(r)
	}
	counts, _ := q.see()
	got := q.next(100, bytesAtOnce)
	if diff := cmp.Diff(texts(records(16, 25)), texts(got.events)); diff != "" || counts.dropped != 15 || counts.queued != 25 {
		t.Errorf("%+v (-want +got):\n%s", counts, diff)
	}
}

// A disk that cannot be used is told, and what waits stays in memory.
func TestQueueWithoutItsDisk(t *testing.T) {
	j, c := &journal{}, config(offline)
	c.Log = j.logger()
	q := newQueue(&c)
	q.open("/dev/null/no/folder")
	q.add([]byte("{}"))
	if q.store() || q.disabled() == "" || !j.has("kept in memory alone") {
		t.Errorf("fault %q", q.disabled())
	}
	if b := q.next(10, bytesAtOnce); len(b.events) != 1 {
		t.Errorf("%d events can be sent", len(b.events))
	}
}

// An event that fails to be written down is sent from memory, and a disk that
// recovers is used again.
func TestQueueWhoseDiskFails(t *testing.T) {
	c := config(offline)
	q := newQueue(&c)
	dir := t.TempDir()
	q.open(dir)
	q.add([]byte("one"))
	if err := os.Chmod(dir, 0o500); err != nil || os.Geteuid() == 0 {
		_ = os.RemoveAll(dir) // root may write anywhere, but not where nothing is
	}
	if q.store() || q.disabled() == "" {
		t.Error("it was written down")
	}
	if b := q.next(10, bytesAtOnce); len(b.events) != 1 || b.spool != nil {
		t.Errorf("%d events can be sent", len(b.events))
	}
	_ = os.Chmod(dir, 0o700)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	q.add([]byte("two"))
	if !q.store() || q.disabled() != "" {
		t.Errorf("the disk is not used again: %s", q.disabled())
	}
	if b := q.next(10, bytesAtOnce); len(b.events) != 1 || b.spool == nil {
		t.Errorf("%d events can be sent", len(b.events))
	}
	q.shut()
}

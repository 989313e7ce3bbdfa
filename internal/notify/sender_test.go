package notify_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/notify"
)

// What happened before a webhook was made is not told; what happens then
// arrives in order, each once, signed with the secret that its receiver has.
func TestStep_tellsInOrderAndSigned(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.happen("before")
	h.hook(x.URL)
	for i := range 5 {
		h.happen(fmt.Sprint(i))
	}
	h.step()
	h.step()
	if diff := gocmp.Diff([]string{"0", "1", "2", "3", "4"}, x.texts()); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	text, err := h.Reveal("release")
	h.must(err)
	secret, ids := secretOf(t, text), map[string]bool{}
	for _, a := range x.arrivals() {
		id, err := secret.Verify(a.header, []byte(a.body), noon)
		h.must(err)
		ids[id] = true
	}
	if b := h.outbox(); len(ids) != 5 || b.Delivered != 5 || len(b.Waiting) != 0 || b.Heard.IsZero() || b.Ended[4].Standing != notify.Delivered || b.Ended[4].Status != 200 {
		t.Errorf("%d ids, and the outbox is %+v", len(ids), b)
	}
}

// A delivery that fails comes again, under the same id and with a signature of
// its own time; receivers that are busy, slow, broken or rude are all the same.
func TestStep_triesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fail    func(w http.ResponseWriter, r *http.Request)
		why     string
		timeout time.Duration // 0: longer than anything takes
	}{
		"busy":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "it answered 503", 0},
		"slow":    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "it did not answer in time", 50 * time.Millisecond},
		"closing": {func(w http.ResponseWriter, _ *http.Request) { hangUp(w) }, "EOF", 0},
		"redirecting": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example", http.StatusFound)
		}, "is not followed", 0},
		"refusing": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "it answered 404", 0},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "it answered 500", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, x := newHouse(t), newReceiver(t)
			var well atomic.Bool
			x.answers(func(_ int, w http.ResponseWriter, r *http.Request) {
				if !well.Load() {
					c.fail(w, r)
				}
			})
			h.Timeout = cmp.Or(c.timeout, time.Minute)
			h.hook(x.URL)
			h.happen("a")
			for i, wait := range []time.Duration{0, 5 * time.Second, 20 * time.Second} {
				if i > 0 {
					h.step() // not yet
					if d := h.outbox().Waiting[0]; !strings.Contains(d.Why, c.why) || d.Tries != i || h.outbox().Failing.IsZero() {
						t.Fatalf("behind try %d: %+v", i, d)
					}
				}
				if h.clock.move(wait); i == 2 {
					well.Store(true)
					h.Timeout = time.Minute
				}
				h.step()
			}
			got := x.arrivals()
			if n := len(got); n > 3 || n < 3 && c.timeout == 0 || n == 0 { // what had no time need not have arrived
				t.Fatalf("%d tries arrived", n)
			}
			signatures := map[string]bool{}
			for _, a := range got {
				if signatures[a.signature] = true; a.id == "" || a.id != got[0].id || a.body != got[0].body {
					t.Errorf("tries of one message: %+v", got)
				}
			}
			if len(signatures) != len(got) {
				t.Errorf("%d signatures of %d times", len(signatures), len(got))
			}
			if b := h.outbox(); len(b.Waiting) != 0 || b.Ended[0].Tries != 3 || !b.Failing.IsZero() {
				t.Errorf("the outbox is %+v", b)
			}
		})
	}
}

// Nothing internal is dialled unless that is allowed: not by number, not by
// name, not where a receiver redirects to.
func TestStep_dialsNothingInternal(t *testing.T) {
	trap := newReceiver(t)
	k := &knocked{Listener: trap.Listener}
	inner := http.Server{Handler: trap}
	go func() { _ = inner.Serve(k) }()
	t.Cleanup(func() { _ = inner.Close() })
	port := trap.URL[strings.LastIndex(trap.URL, ":"):]
	for _, address := range []string{"http://127.0.0.1" + port, "http://localhost" + port, "http://[::1]" + port, "http://0.0.0.0" + port, "http://[::ffff:127.0.0.1]" + port, "http://2130706433" + port} {
		h := newHouse(t)
		h.Doors = notify.Open(nil)
		h.hook(address)
		h.happen("a")
		h.step()
		if d := h.outbox().Waiting[0]; d.Tries != 1 || d.Status != 0 || d.Why == "" {
			t.Errorf("%s: %+v", address, d)
		}
	}
	h, x := newHouse(t), newReceiver(t)
	x.answers(func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, trap.URL, http.StatusTemporaryRedirect)
	})
	h.hook(x.URL)
	h.happen("a")
	h.step()
	if d := h.outbox().Waiting[0]; d.Status != http.StatusTemporaryRedirect || !strings.Contains(d.Why, "not followed") {
		t.Errorf("the redirect ended as %+v", d)
	}
	if n, got := k.count(), trap.arrivals(); n != 0 || len(got) != 0 {
		t.Errorf("what is internal was reached %d times, and told %d times", n, len(got))
	}
}

// A receiver that wants nothing more is not asked again. When somebody resumes
// the webhook it gets all that it missed.
func TestStep_suspendsWhoIsGone(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	x.answers(status(http.StatusGone))
	h.hook(x.URL)
	h.happen("a")
	h.step()
	h.happen("b")
	h.clock.move(time.Hour)
	h.step()
	hook, _ := h.state.Hook("release")
	if hook.Suspended == nil || !strings.Contains(hook.Suspended.Why, "410 Gone") || len(x.arrivals()) != 1 || h.state.Why("release") == "" {
		t.Fatalf("%d tries, and the webhook is %+v", len(x.arrivals()), hook)
	}
	if err := h.Redeliver(context.Background(), "release", h.outbox().Waiting[0]); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("to a suspended webhook something is sent: %v", err)
	}
	x.answers(nil)
	h.must(h.do(notify.Command{Op: notify.Resume, Key: "release"}))
	h.step()
	if diff := gocmp.Diff([]string{"a", "a", "b"}, x.texts()); diff != "" || h.state.Why("release") != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A receiver that is down for three days is suspended, which is an event; in
// that time there are few tries, and none is lost.
func TestStep_suspendsAfterThreeDays(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	x.answers(status(http.StatusBadGateway))
	h.hook(x.URL)
	for i := range 3 {
		h.happen(fmt.Sprint(i))
	}
	for h.state.Why("release") == "" && h.clock.now().Before(noon.Add(100*time.Hour)) {
		h.step()
		h.clock.move(10 * time.Minute)
	}
	hook, _ := h.state.Hook("release")
	took := h.clock.now().Sub(noon)
	if hook.Suspended == nil || took < 72*time.Hour || took > 90*time.Hour || !strings.Contains(hook.Suspended.Why, "502") {
		t.Fatalf("after %v the webhook is %+v", took, hook)
	}
	if n := len(x.arrivals()); n < 3*70 || n > 3*110 {
		t.Errorf("%d tries for three deliveries", n)
	}
	x.answers(nil)
	before := len(x.arrivals())
	h.must(h.do(notify.Command{Op: notify.Resume, Key: "release"}))
	h.step()
	if diff := gocmp.Diff([]string{"0", "1", "2"}, x.texts()[before:]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// When a receiver is back, it hears at once of what it missed.
func TestStep_bringsForwardWhatWasMissed(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	x.answers(status(http.StatusBadGateway))
	h.hook(x.URL)
	h.happen("a")
	for range 40 {
		h.step()
		h.clock.move(10 * time.Minute)
	}
	waits := h.outbox().Waiting[0].Next.Sub(h.clock.now())
	x.answers(nil)
	h.happen("b")
	h.step()
	h.step()
	if got := x.texts(); waits < 20*time.Minute || !slices.Equal(got[len(got)-2:], []string{"b", "a"}) {
		t.Errorf("%v before its time: told %v", waits, got)
	}
}

// One message that a receiver never takes keeps no other from it, and is given
// up after three days, where everybody can see it, and send it again.
func TestStep_givesUpOneMessage(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	var taken []string
	var mu sync.Mutex
	x.answers(func(n int, w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if text := x.texts()[n-1]; text == "poison" {
			w.WriteHeader(http.StatusBadRequest)
		} else {
			taken = append(taken, text)
		}
	})
	h.hook(x.URL)
	h.happen("poison")
	for i := range 90 {
		h.happen(fmt.Sprint(i))
		h.step()
		h.clock.move(time.Hour)
	}
	b := h.outbox()
	if len(taken) != 90 || len(b.Waiting) != 0 || b.GivenUp != 1 || h.state.Why("release") != "" {
		t.Fatalf("%d arrived; %d wait, %d given up, suspended %q", len(taken), len(b.Waiting), b.GivenUp, h.state.Why("release"))
	}
	i := slices.IndexFunc(b.Ended, func(d notify.Delivery) bool { return d.Standing == notify.GivenUp })
	if n := len(x.arrivals()) - 90; i < 0 || n < 60 || n > 110 || b.Ended[i].Status != http.StatusBadRequest {
		t.Fatalf("%d tries of what is given up: %+v", n, b.Ended)
	}
	x.answers(nil)
	h.must(h.Redeliver(context.Background(), "release", b.Ended[i]))
	h.step()
	if b := h.outbox(); b.Delivered != 91 || x.arrivals()[len(x.arrivals())-1].id != b.Ended[len(b.Ended)-1].ID.String() {
		t.Errorf("sent again: %+v", b)
	}
}

// A receiver that asks to be left alone is.
func TestStep_restsWhenAsked(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	x.answers(func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	h.hook(x.URL)
	h.happen("a")
	h.happen("b")
	for _, c := range []struct {
		wait time.Duration
		want int
	}{{0, 1}, {9 * time.Minute, 1}, {time.Minute, 3}} {
		h.clock.move(c.wait)
		h.step()
		if n := len(x.arrivals()); n != c.want {
			t.Errorf("after %v more: %d tries, want %d", c.wait, n, c.want)
		}
	}
}

// However much happens while a receiver is away, the outbox stays small, and
// all of it arrives.
func TestStep_boundsWhatWaits(t *testing.T) {
	const events = 400
	h, x := newHouse(t), newReceiver(t)
	x.answers(status(http.StatusBadGateway))
	h.hook(x.URL)
	for i := range events {
		h.happen(fmt.Sprint(i))
	}
	largest := 0
	for range 30 {
		h.step()
		h.clock.move(5 * time.Second)
		value, _, err := h.kv.Load(t.Context(), "webhook.release")
		h.must(err)
		largest = max(largest, len(value))
	}
	x.answers(nil)
	before := len(x.arrivals())
	for range 200 {
		h.step()
		h.clock.move(time.Minute)
	}
	var got []string
	for _, text := range x.texts()[before:] {
		if !slices.Contains(got, text) {
			got = append(got, text)
		}
	}
	if largest > 100<<10 || len(got) != events || len(h.outbox().Waiting) != 0 {
		t.Errorf("at most %d bytes, %d arrived, %d wait", largest, len(got), len(h.outbox().Waiting))
	}
	t.Logf("at most %d bytes", largest)
}

// Two replicas that both step, at the same time and without a lease, send
// nothing twice.
func TestStep_twoReplicas(t *testing.T) {
	const events = 200
	h, x := newHouse(t), newReceiver(t)
	h.hook(x.URL)
	other := process(t, h.log, h.kv, h.clock)
	for i := range events {
		h.happen(fmt.Sprint(i))
	}
	other.catch()
	var wait sync.WaitGroup
	for _, r := range []*house{h, other} {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for len(x.arrivals()) < events {
				if err := r.Step(context.Background(), "release"); err != nil && !errors.Is(err, event.ErrConflict) {
					t.Error(err)
					return
				}
			}
		}()
	}
	wait.Wait()
	h.step()
	seen := map[string]int{}
	for _, a := range x.arrivals() {
		seen[a.id]++
	}
	if n := len(x.arrivals()); n != events || len(seen) != events || len(h.outbox().Waiting) != 0 {
		t.Errorf("%d messages of %d events, %d ids, %d wait", n, events, len(seen), len(h.outbox().Waiting))
	}
}

// A process is killed at any of its writes and reads, and at any moment of a
// request; whoever comes next loses nothing, and what arrives twice has the
// same id.
func TestStep_killedAnywhere(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 7))
		x, c := newReceiver(t), &clock{at: noon}
		h := process(t, event.NewMemLog(), &ingest.MemKV{}, c)
		h.hook(x.URL)
		kv, n := h.kv, 0
		for range 12 {
			for range r.IntN(4) {
				h.happen(fmt.Sprint(n))
				n++
			}
			life, kill := context.WithCancel(context.Background())
			next := process(t, h.log, &fragile{KV: kv, left: r.IntN(12), rand: r}, c)
			if at := r.IntN(6); r.IntN(3) == 0 {
				x.answers(func(i int, w http.ResponseWriter, _ *http.Request) {
					if i%6 == at {
						kill()
						hangUp(w)
					}
				})
			}
			for range 3 {
				if next.Step(life, "release") != nil {
					break
				}
				c.move(time.Duration(r.IntN(60)) * time.Second)
			}
			kill()
			x.answers(nil)
		}
		for range 10 {
			h.step()
			c.move(time.Minute)
		}
		ids := map[string]string{}
		for _, a := range x.arrivals() {
			if id, ok := ids[a.text]; ok && id != a.id {
				t.Errorf("seed %d: event %s came as %s and as %s", seed, a.text, id, a.id)
			}
			ids[a.text] = a.id
		}
		if b := h.outbox(); len(ids) != n || len(b.Waiting) != 0 {
			t.Fatalf("seed %d: %d of %d events arrived, %d wait", seed, len(ids), n, len(b.Waiting))
		}
		x.Close()
	}
}

// An event that turns out to say nothing to a webhook is not sent, and holds
// nothing up.
func TestStep_passesOverWhatSaysNothing(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.hook(x.URL)
	h.happen("silence")
	h.happen("a")
	h.step()
	if diff := gocmp.Diff([]string{"a"}, x.texts()); diff != "" || h.outbox().Delivered != 1 {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A webhook that was removed and made again is another one: nothing waits for
// it, its secret is new, and it is told of what happens from then on.
func TestStep_madeAgain(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	x.answers(status(http.StatusBadGateway))
	h.hook(x.URL)
	first, err := h.Reveal("release")
	h.must(err)
	h.happen("a")
	h.step()
	h.must(h.do(notify.Command{Op: notify.Remove, Key: "release"}))
	h.happen("b")
	h.step()
	h.hook(x.URL)
	second, err := h.Reveal("release")
	h.must(err)
	x.answers(nil)
	h.happen("c")
	h.clock.move(time.Hour)
	h.step()
	if diff := gocmp.Diff([]string{"a", "c"}, x.texts()); diff != "" || first == second {
		t.Errorf("the same secret: %t; -want +got:\n%s", first == second, diff)
	}
}

// A secret that is rotated signs beside the new one for a day.
func TestRotation(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.hook(x.URL)
	old, err := h.Reveal("release")
	h.must(err)
	w := notify.Webhook{Key: "release", URL: x.URL, Events: []string{"flag.*"}, SecretVersion: 2}
	h.must(h.do(notify.Command{Op: notify.Define, Webhook: &w}))
	text, err := h.Reveal("release")
	h.must(err)
	for i, c := range []struct {
		wait time.Duration
		old  bool
	}{{0, true}, {23 * time.Hour, true}, {time.Hour, false}} {
		h.clock.move(c.wait)
		h.happen(fmt.Sprint(i))
		h.step()
		a := x.arrivals()[i]
		_, errNew := secretOf(t, text).Verify(a.header, []byte(a.body), h.clock.now())
		_, errOld := secretOf(t, old).Verify(a.header, []byte(a.body), h.clock.now())
		if errNew != nil || (errOld == nil) != c.old {
			t.Errorf("after %v: by the new secret %v, by the old one %v", c.wait, errNew, errOld)
		}
	}
}

// Secrets that the operator keeps: all of them sign. One that is missing or
// malformed is a try that failed, and shows nothing of it.
func TestNamedSecrets(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	w := notify.Webhook{Key: "release", URL: x.URL, Events: []string{"flag.*"}, Secret: "mine"}
	h.must(h.do(notify.Command{Op: notify.Define, Webhook: &w}))
	h.happen("a")
	h.step()
	if d := h.outbox().Waiting[0]; !strings.Contains(d.Why, "there is no secret mine") {
		t.Errorf("without a secret: %+v", d)
	}
	kept := []string{"whsec_dG9vIHNob3J0"}
	h.Secrets = func(string) ([]string, error) { return kept, nil }
	h.clock.move(time.Minute)
	h.step()
	if d := h.outbox().Waiting[0]; !strings.Contains(d.Why, "reading secret mine") || strings.Contains(d.Why, "dG9v") {
		t.Errorf("with half a secret: %+v", d)
	}
	kept = []string{vectorSecret, notify.Secret(strings.Repeat("b", 32)).String()}
	h.clock.move(time.Hour)
	h.step()
	got := x.arrivals()
	if len(got) != 1 {
		t.Fatalf("%d arrived", len(got))
	}
	for _, text := range kept {
		if _, err := secretOf(t, text).Verify(got[0].header, []byte(got[0].body), h.clock.now()); err != nil {
			t.Error(err)
		}
	}
	if _, err := h.Reveal("release"); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("a secret that somebody else keeps is revealed: %v", err)
	}
}

// However often somebody asks for something to be sent again, an outbox holds
// what it can hold; what waits already may be asked for.
func TestSender_sentAgainWhileFull(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	x.answers(status(http.StatusServiceUnavailable))
	h.hook(x.URL)
	var last uint64
	for range 101 {
		last = h.happen("a")
	}
	h.step()
	waiting := h.outbox().Waiting
	d, err := h.Find(context.Background(), "release", strconv.FormatUint(last, 10))
	h.must(err)
	if err := h.Redeliver(context.Background(), "release", d); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("into a full outbox something is put: %v", err)
	}
	h.must(h.Redeliver(context.Background(), "release", waiting[0]))
	if n := len(h.outbox().Waiting); n != 100 || len(waiting) != n {
		t.Errorf("%d deliveries wait, and %d did", n, len(waiting))
	}
}

package sdk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// following initialises a provider in a bubble.
func following(t *testing.T, b *broadcast, change func(*Config)) *Provider {
	t.Helper()
	c := config(b.exchange)
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		_ = p.ShutdownWithContext(ctx)
	})
	return p
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, run func(*testing.T)) {
	t.Helper()
	synctest.Test(t, run)
}

func (p *Provider) asks(key, unit string) openfeature.BoolResolutionDetail {
	return p.BooleanEvaluation(context.Background(), key, false, openfeature.FlattenedContext{"targetingKey": unit})
}

// forced is the ruleset with one flag forced to its safe variant.
func forced(r flags.Ruleset, revision uint64, i int) flags.Ruleset {
	f := r.Flags[i]
	e := f.Environments["production"]
	e.Forced = &flags.Forced{Reason: "errors"}
	f.Revision, f.Environments = revision, map[string]flags.Environment{"production": e}
	return flags.Ruleset{Environment: "production", Revision: revision, Flags: []flags.Recorded{f}}
}

// TestFollow: a provider answers from what the stream said last, tells which
// flags have changed, acknowledges it, and takes it up where it was.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.Dir = dir })
		initialised := make(chan error, 1)
		go func() { initialised <- p.InitWithContext(t.Context(), openfeature.EvaluationContext{}) }()
		all := comparing(7, 3)
		b.say(t, hello(7)+put(t, "put", all))
		if err := <-initialised; err != nil || p.Status().State != Ready || p.Status().Flags != 3 {
			t.Fatalf("%v, %+v", err, p.Status())
		}
		b.say(t, put(t, "patch", forced(all, 9, 1)))
		if d := p.asks("shop.flag-0001", "u-1"); d.Reason != openfeature.DisabledReason || d.FlagMetadata["forced"] != true || d.FlagMetadata["version"] != "9" {
			t.Errorf("the patch does not hold: %+v", d)
		}
		if e := <-p.EventChannel(); e.EventType != openfeature.ProviderConfigChange || !cmp.Equal(e.FlagChanges, []string{"shop.flag-0001"}) {
			t.Errorf("got %+v", e)
		}
		b.hang()
		b.reopened(t, 1)
		b.say(t, hello(9))
		if want := []string{`/api/v1/stream/s-1/ack {"revision":7}`, `/api/v1/stream/s-1/ack {"revision":9}`, `/api/v1/stream/s-1/ack {"revision":9}`}; !cmp.Equal(want, b.acks) {
			t.Errorf("acknowledged %q", b.acks)
		}
		if last := b.last[len(b.last)-1]; last != "9" || p.Status().State != Ready {
			t.Errorf("the stream was taken up at %q; %+v", last, p.Status())
		}
		k, err := readLastKnown(filepath.Join(dir, lastKnownFile))
		if err != nil || k == nil || k.Revision != 9 || k.Confirmed.IsZero() {
			t.Errorf("written down is %+v, %v", k, err)
		}
	})
}

// TestSavedOnceASecond: however often flags change the file is written once a
// second, and at the end.
func TestSavedOnceASecond(t *testing.T) {
	dir := t.TempDir()
	bubble(t, func(t *testing.T) {
		b, all := &broadcast{}, comparing(7, 3)
		p := following(t, b, func(c *Config) { c.Dir = dir })
		go func() { _ = p.Init(openfeature.EvaluationContext{}) }()
		saved := func(want uint64) {
			t.Helper()
			synctest.Wait()
			if k, err := readLastKnown(filepath.Join(dir, lastKnownFile)); err != nil || k == nil || k.Revision != want {
				t.Errorf("written down is %+v, %v, want revision %d", k, err, want)
			}
		}
		b.say(t, hello(7)+put(t, "put", all))
		saved(7)
		b.say(t, put(t, "patch", forced(all, 8, 0)))
		b.say(t, put(t, "patch", forced(all, 9, 1)))
		saved(7)
		time.Sleep(saveEvery)
		saved(9)
		b.say(t, put(t, "patch", forced(all, 10, 2)))
		saved(9)
		if err := p.ShutdownWithContext(t.Context()); err != nil {
			t.Error(err)
		}
		saved(10)
	})
}

// TestStale: without a server answers stay, the state says how old they are, and
// OpenFeature is told again and again; with it, all is well at once.
func TestStale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.Bootstrap = encoded(t, comparing(7, 1)) })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		b.say(t, hello(7))
		time.Sleep(31 * time.Second) // without even a comment
		if v := p.Status(); v.State != Ready {
			t.Errorf("31 s of silence: %+v", v)
		}
		b.set(func() { b.dead = true })
		time.Sleep(2 * time.Minute)
		v := p.Status()
		if v.State != Stale || v.Age < 2*time.Minute || v.Age > 3*time.Minute || !strings.Contains(v.Why, errNoNetwork.Error()) {
			t.Errorf("without a network: %+v", v)
		}
		if d := p.asks("shop.flag-0000", "u-1"); d.Error() != nil || d.Variant == "" {
			t.Errorf("a fallback: %+v", d)
		}
		stale := 0
		for len(p.EventChannel()) > 0 {
			if e := <-p.EventChannel(); e.EventType == openfeature.ProviderStale && e.EventMetadata["ageSeconds"].(float64) > 30 {
				stale++
			}
		}
		b.set(func() { b.dead = false })
		b.reopened(t, 1)
		b.say(t, hello(7))
		e := lastEvent(p)
		if stale < 3 || e.EventType != openfeature.ProviderReady || p.Status().State != Ready {
			t.Errorf("%d times stale; then %+v, %+v", stale, e, p.Status())
		}
	})
}

// TestStaleInTime: flags are stale when their time is over, also while an attempt
// to hear of changes has no end.
func TestStaleInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.Bootstrap = encoded(t, comparing(7, 1)) })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		b.say(t, hello(7))
		time.Sleep(20 * time.Second)
		b.say(t, ":\n\n")
		b.set(func() { b.hole = true })
		b.hang()
		ended := time.Now()
		e := <-p.EventChannel()
		if took := time.Since(ended); e.EventType != openfeature.ProviderStale || took < 30*time.Second || took > 31*time.Second {
			t.Errorf("after %v: %+v", took, e)
		}
	})
}

func lastEvent(p *Provider) (e openfeature.Event) {
	for len(p.EventChannel()) > 0 {
		e = <-p.EventChannel()
	}
	return e
}

// TestSilence: a stream on which nothing comes is given up.
func TestSilence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.Bootstrap = encoded(t, comparing(7, 1)) })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		b.say(t, hello(7))
		for range 10 {
			time.Sleep(15 * time.Second)
			b.say(t, ":\n\n")
		}
		if len(b.streams) != 1 {
			t.Errorf("%d streams, and one had signs of life", len(b.streams))
		}
		time.Sleep(mostSilence + time.Second)
		if v := p.Status(); v.Why != errSilent.Error() {
			t.Errorf("after the silence: %+v", v)
		}
	})
}

// TestFatal: a token that is refused is fatal where there are no flags, and makes
// those that there are stale: OpenFeature would give the code's defaults for a
// provider that is fatal.
func TestFatal(t *testing.T) {
	for name, bootstrap := range map[string][]byte{"nothing": nil, "flags": encoded(t, comparing(7, 1))} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := &broadcast{refuse: reply(http.StatusUnauthorized, "no valid token")}
				p := following(t, b, func(c *Config) { c.Bootstrap = bootstrap })
				err := p.Init(openfeature.EvaluationContext{})
				time.Sleep(time.Minute)
				fatal, ok := errors.AsType[*openfeature.ProviderInitError](err)
				if bootstrap != nil {
					if e := lastEvent(p); err != nil || p.Status().State != Stale || e.EventType != openfeature.ProviderStale {
						t.Errorf("with flags: %v, %+v, %+v", err, p.Status(), e)
					}
					return
				}
				if !ok || fatal.ErrorCode != openfeature.ProviderFatalCode || p.Status().State != Fatal {
					t.Errorf("without flags: %v, %+v", err, p.Status())
				}
				b.set(func() { b.refuse = nil })
				b.reopened(t, 0)
				b.say(t, hello(7)+put(t, "put", comparing(7, 1)))
				if e := lastEvent(p); e.EventType != openfeature.ProviderReady {
					t.Errorf("when the token is good: %+v", e)
				}
			})
		})
	}
}

// TestNothingAtHand: without a server and without data, initialising ends after
// Config.Wait, and what comes later is used.
func TestNothingAtHand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &broadcast{dead: true}
		p := following(t, b, nil)
		began := time.Now()
		err := p.Init(openfeature.EvaluationContext{})
		if took := time.Since(began); err == nil || took != 5*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if d := p.asks("shop.flag-0000", "u-1"); !strings.Contains(fmt.Sprint(d.Error()), string(openfeature.ProviderNotReadyCode)) {
			t.Errorf("got %+v", d)
		}
		b.set(func() { b.dead = false })
		b.reopened(t, 0)
		b.say(t, hello(7)+put(t, "put", comparing(7, 1)))
		if d := p.asks("shop.flag-0000", "u-1"); d.Error() != nil || p.Status().Source != FromStream {
			t.Errorf("got %+v, %+v", d, p.Status())
		}
	})
}

// TestBehind: a replica that is behind does not undo what is held. After a while
// it is another log, whose flags are taken; those that it lacks go on as they
// were.
func TestBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		held := comparing(40, 3)
		j := &journal{}
		p := following(t, b, func(c *Config) { c.Bootstrap, c.Log = encoded(t, held), j.logger() })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		restored := forced(comparing(5, 3), 5, 0)
		began := time.Now()
		for p.Status().Revision == 40 {
			if took := time.Since(began); took > 5*time.Minute {
				t.Fatal("another log is never taken")
			}
			before := b.opened()
			b.say(t, hello(5)+put(t, "put", restored))
			for p.Status().Revision == 40 && b.opened() == before {
				time.Sleep(time.Second)
				synctest.Wait()
			}
		}
		if took := time.Since(began); took < grace {
			t.Errorf("what was held for good was undone after %v", took)
		}
		if d := p.asks("shop.flag-0000", "u-1"); d.FlagMetadata["forced"] != true || p.Status().Revision != 5 {
			t.Errorf("the other log does not hold: %+v, %+v", d, p.Status())
		}
		if d := p.asks("shop.flag-0002", "u-1"); d.Error() != nil || !j.has("does not know flags") {
			t.Errorf("a flag was lost: %+v", d)
		}
	})
}

// TestLists: a flag that asks for a large list waits for it, others do not; then
// it is there, from the server and after a start from the folder.
func TestLists(t *testing.T) {
	dir := t.TempDir()
	packed := flags.Pack([]string{"u-1", "u-2"})
	list := flags.PackedList(event.Blob{SHA256: sha256.Sum256(packed), Size: int64(len(packed))}, packed)
	r := comparing(7, 2)
	first := r.Flags[0].Environments["production"]
	first.Rules, first.Allocation = []flags.Rule{{Name: "fellows", When: &flags.Condition{Op: flags.InSegment, Values: []any{"fellows"}}, Serve: "on"}}, nil
	r.Flags[0].Environments["production"] = first
	r.Segments = []flags.RecordedSegment{{Segment: flags.Segment{Key: "fellows", Included: list}, Stamp: flags.Stamp{Revision: 6}}}
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.Dir = dir })
		go func() { _ = p.Init(openfeature.EvaluationContext{}) }()
		b.say(t, hello(7)+put(t, "put", r))
		if d := p.asks("shop.flag-0000", "u-1"); d.Error() == nil || p.asks("shop.flag-0001", "u-1").Error() != nil || len(b.acks) > 0 {
			t.Errorf("without its list: %+v, acknowledged %q", d, b.acks)
		}
		b.set(func() { b.lists = map[string]string{list.Bulk.SHA256.String(): string(packed)} })
		time.Sleep(2 * listsAgain)
		b.say(t, ":\n\n")
		if d := p.asks("shop.flag-0000", "u-1"); d.Variant != "on" || len(b.acks) != 1 {
			t.Errorf("with its list: %+v, acknowledged %q", d, b.acks)
		}
	})
	bubble(t, func(t *testing.T) {
		p := following(t, &broadcast{dead: true}, func(c *Config) { c.Dir = dir })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		if d := p.asks("shop.flag-0000", "u-2"); d.Variant != "on" {
			t.Errorf("after a start: %+v", d)
		}
	})
}

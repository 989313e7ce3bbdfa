package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

func TestFloor_text(t *testing.T) {
	for text, want := range map[string]ingest.Floor{
		"none": {}, "5%": {Share: 50_000}, "2GiB": {Bytes: 2 << 30}, "5%,2GiB": ingest.StandardFloor(),
		"512MiB, 0.5%": {Share: 5_000, Bytes: 512 << 20}, "64KiB": {Bytes: 64 << 10},
	} {
		var got, again ingest.Floor
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
		written, _ := got.MarshalText()
		if err := again.UnmarshalText(written); err != nil || again != want {
			t.Errorf("%q is written %q, which is %+v, %v", text, written, again, err)
		}
	}
	for _, text := range []string{"", "5", "-1%", "101%", "2GB", "GiB", "1.5GiB", "5%;2GiB", "-2GiB", "5%,none"} {
		kept := ingest.StandardFloor()
		var fault event.Invalid
		if err := kept.UnmarshalText([]byte(text)); !errors.As(err, &fault) || !strings.Contains(fault.Why, "keep free") || kept != ingest.StandardFloor() {
			t.Errorf("%q: %v, %+v", text, err, kept)
		}
	}
}

func TestFill_level(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		bytes, most uint64
		want        ingest.Level
	}{
		{0, 0, ingest.Calm}, {gib, 0, ingest.Calm}, {0, gib, ingest.Calm}, {gib / 10 * 6, gib, ingest.Calm},
		{gib/10*7 + 10, gib, ingest.Alert}, {gib/10*9 - 10, gib, ingest.Alert}, {gib / 10 * 9, gib, ingest.Page},
		{gib - 1<<20, gib, ingest.Page}, {gib - 1<<20 + 1, gib, ingest.Full}, {gib, gib, ingest.Full},
		{94, 100, ingest.Page}, {96, 100, ingest.Full}, // less than one message: full at 95 %
	} {
		if got := (ingest.Fill{Bytes: c.bytes, Most: c.most}).Level(); got != c.want {
			t.Errorf("%d of %d is %s, want %s", c.bytes, c.most, got, c.want)
		}
	}
}

// found is what a guard finds when it looks.
type found struct {
	space    ingest.Space
	spaceErr error
	fills    []ingest.Fill
	fillsErr error
}

func (f *found) guard(floor ingest.Floor) *ingest.Guard {
	return &ingest.Guard{
		Floor: floor,
		Space: func() (ingest.Space, error) { return f.space, f.spaceErr },
		Fills: func(context.Context) ([]ingest.Fill, error) { return f.fills, f.fillsErr },
	}
}

// TestGuard_opensAndShuts follows a door through a disk and a stream that fill
// up and are emptied again. What it cannot find out does not shut it.
func TestGuard_opensAndShuts(t *testing.T) {
	const mib = 1 << 20
	unknown := errors.New("nobody knows")
	now := &found{}
	in, streams := intake(1)
	in.Guard = now.guard(ingest.Floor{Share: 50_000, Bytes: 10 * mib})
	body := func() ingest.Request { return request("", marshal(t, exposure())) }
	for i, c := range []struct {
		found
		level    ingest.Level
		refusing string
	}{
		{found{space: ingest.Space{Free: 11 * mib, Total: 100 * mib}}, ingest.Calm, ""},
		{found{space: ingest.Space{Free: 10*mib - 1, Total: 100 * mib}}, ingest.Full, "the disk has 10 MiB free of 100 MiB, and 10 MiB are kept free"},
		{found{space: ingest.Space{Free: 50*mib - 1, Total: 1000 * mib}}, ingest.Full, "the disk has 50 MiB free of 1000 MiB, and 50 MiB are kept free"},
		{found{spaceErr: unknown}, ingest.Calm, ""},
		{found{space: ingest.Space{Free: mib, Total: mib}, fills: []ingest.Fill{{Shard: "facts-0", Bytes: 75 * mib, Most: 100 * mib}, {Shard: "facts-1", Bytes: 91 * mib, Most: 100 * mib}}},
			ingest.Full, "the disk has 1 MiB free of 1 MiB, and 10 MiB are kept free"},
		{found{space: ingest.Space{Free: 60 * mib, Total: 100 * mib}, fills: []ingest.Fill{{Shard: "facts-1", Bytes: 91 * mib, Most: 100 * mib}, {Shard: "facts-0", Bytes: 75 * mib, Most: 100 * mib}}}, ingest.Page, ""},
		{found{space: ingest.Space{Free: 60 * mib, Total: 100 * mib}, fills: []ingest.Fill{{Shard: "facts-3", Bytes: 100 * mib, Most: 100 * mib}}},
			ingest.Full, "the stream of facts-3 has 100 MiB of the 100 MiB that it may take"},
		{found{space: ingest.Space{Free: 60 * mib, Total: 100 * mib}, fillsErr: unknown}, ingest.Calm, ""},
	} {
		*now = c.found
		before, _ := streams[0].Last(t.Context())
		p, err := in.Guard.Look(t.Context())
		if p.Level != c.level || p.Refusing != c.refusing || !cmp.Equal(p, in.Guard.Pressure()) {
			t.Errorf("%d: %+v, want %s, %q", i, p, c.level, c.refusing)
		}
		if fails := c.spaceErr != nil || c.fillsErr != nil; fails != errors.Is(err, unknown) {
			t.Errorf("%d: %v", i, err)
		}
		_, err = in.Accept(t.Context(), body(), noon)
		report := in.Report(t.Context(), "production", []ingest.Reading{{ID: id1, Name: "cpu", Value: 1, At: noon}}, noon)
		after, _ := streams[0].Last(t.Context())
		if refused := c.refusing != ""; refused != errors.Is(err, ingest.ErrBusy) || refused != errors.Is(report, ingest.ErrBusy) || refused != (after == before) {
			t.Errorf("%d: %v, %v, %d messages more", i, err, report, after-before)
		}
	}
}

func TestGuard_nothingToLookAt(t *testing.T) {
	var none *ingest.Guard
	if p := none.Pressure(); p.Level != ingest.Calm {
		t.Errorf("no guard: %+v", p)
	}
	g := &ingest.Guard{Floor: ingest.StandardFloor()}
	if p, err := g.Look(t.Context()); p.Level != ingest.Calm || err != nil {
		t.Errorf("a guard of streams elsewhere: %+v, %v", p, err)
	}
	if text, _ := json.Marshal(g.Pressure()); string(text) != `{"level":"calm"}` {
		t.Errorf("it is told as %s", text)
	}
}

// TestPacker_fullStream answers at once: trying again helps nobody.
func TestPacker_fullStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowStream{fail: func(int) error { return fmt.Errorf("a test: %w", event.ErrFull) }}
		begin := time.Now()
		err := ingest.NewPacker(s, codec, "a").Submit(t.Context(), exposures(0, 3))
		if took := time.Since(begin); !errors.Is(err, ingest.ErrBusy) || took > 10*time.Millisecond || s.tries != 1 {
			t.Errorf("%v after %v and %d tries", err, took, s.tries)
		}
	})
}

// TestPacker_noLeader: while a stream has no leader, for 15 s, requests wait;
// none is refused, and every event is there once.
func TestPacker_noLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		leader := begin.Add(15 * time.Second)
		s := &slowStream{takes: time.Millisecond}
		s.fail = func(try int) error {
			switch {
			case !time.Now().Before(leader):
				return nil
			case try%2 == 0: // the server says that nobody leads
				return errors.New("no responders")
			}
			time.Sleep(5 * time.Second) // or nothing
			return context.DeadlineExceeded
		}
		p := ingest.NewPacker(s, codec, "a")
		var done sync.WaitGroup
		const requests, each = 60, 100
		for i := range requests {
			done.Go(func() {
				time.Sleep(time.Duration(i) * 250 * time.Millisecond) // all through the gap
				if err := p.Submit(t.Context(), exposures(i*each, each)); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		packed(t, s, requests*each)
		if took := time.Since(begin); took < 15*time.Second || took > 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

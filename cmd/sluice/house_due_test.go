package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/server"
)

// another returns a house that has the log of another.
func another(t *testing.T, of *house) *house {
	t.Helper()
	h := &house{config: of.config, lg: of.lg, streams: of.streams, folds: server.NewFolds()}
	h.projection = event.NewProjection(h.folds.All()...)
	follow(t, h)
	return h
}

// follow keeps the state of a house up to date until the test ends.
func follow(t *testing.T, h *house) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = h.projection.Run(ctx, h.streams.Log)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}

// logOf opens a house as far as its log.
func logOf(t *testing.T, dir string) *house {
	t.Helper()
	h := &house{config: config{Data: dir}, lg: slog.New(slog.DiscardHandler)}
	if err := h.openLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// write appends what a command became.
func (h *house) write(t *testing.T, e event.Event, expect event.Expect, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	seq, err := h.streams.Log.Append(t.Context(), e, expect)
	if err == nil {
		err = h.projection.Catch(t.Context(), h.streams.Log)
	}
	if err != nil || h.projection.Seq() < seq {
		t.Fatalf("at %d, not %d: %v", h.projection.Seq(), seq, err)
	}
}

// A change is scheduled, the house is closed before its time and opened after
// it: two replicas make the change, once.
func TestScheduledChangesAreMadeOnceAfterARestart(t *testing.T) {
	dir, morning := t.TempDir(), time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	h := logOf(t, dir)
	f := flags.Flag{
		Key: "shop.checkout", Purpose: flags.Operational, Owner: "shop", Type: flags.Boolean,
		Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")}, Safe: "off",
	}
	order := func(id string, changes ...flags.Change) flags.Command {
		return flags.Command{ID: event.Derive(id), Key: f.Key, Expect: event.Any, At: morning, Actor: "person:ana", Changes: changes}
	}
	e, expect, err := h.folds.Flags.Handle(order("define", flags.Change{Op: flags.Define, Flag: &f}))
	h.write(t, e, expect, err)
	e, expect, err = h.folds.Flags.Schedule(order("first", flags.Change{Op: flags.AddTag, Tag: "first"}), morning.Add(time.Hour))
	h.write(t, e, expect, err)
	e, expect, err = h.folds.Flags.Schedule(order("second", flags.Change{Op: flags.AddTag, Tag: "second"}), morning.Add(time.Hour))
	h.write(t, e, expect, err)
	e, expect, err = h.folds.Flags.Schedule(order("third", flags.Change{Op: flags.AddTag, Tag: "late"}), morning.Add(2*time.Hour))
	h.write(t, e, expect, err)
	e, expect, err = h.folds.Flags.Handle(order("change", flags.Change{Op: flags.AddTag, Tag: "late"}))
	h.write(t, e, expect, err)
	if err := h.carry(t.Context(), morning); err != nil {
		t.Fatal(err)
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}

	h = logOf(t, dir)
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	other := another(t, h)
	follow(t, h)
	before := h.projection.Seq()
	if err := other.projection.Wait(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, r := range []*house{h, other} {
			if err := r.carry(t.Context(), morning.Add(3*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	last, err := h.streams.Log.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*house{h, other} {
		if err := r.projection.Wait(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		got, _ := r.folds.Flags.Flag(f.Key)
		list := r.folds.Flags.Schedules(f.Key)
		if len(got.Tags) != 3 || got.Tags[1] != "first" || got.Tags[2] != "second" || len(list) != 3 || list[2].Standing != flags.Lapsed {
			t.Errorf("tags %v, schedules %+v", got.Tags, list)
		}
	}
	if last != before+3 {
		t.Errorf("%d events for three schedules", last-before)
	}
}

// A flag that somebody still asks for when it is to be archived is not: the
// schedule lapses, and says why.
func TestScheduledArchivingLapsesWhileSomebodyAsks(t *testing.T) {
	morning := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	h := logOf(t, t.TempDir())
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	for _, key := range []string{"asked", "quiet"} {
		f := flags.Flag{
			Key: key, Purpose: flags.Operational, Owner: "shop", Type: flags.Boolean,
			Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")}, Safe: "off",
		}
		c := flags.Command{ID: event.Derive("define", key), Key: key, Expect: event.Any, At: morning, Actor: "person:ana", Changes: []flags.Change{{Op: flags.Define, Flag: &f}}}
		e, expect, err := h.folds.Flags.Handle(c)
		h.write(t, e, expect, err)
		c.ID, c.Changes = event.Derive("archive", key), []flags.Change{{Op: flags.Archive}}
		e, expect, err = h.folds.Flags.Schedule(c, morning.Add(time.Hour))
		h.write(t, e, expect, err)
	}
	follow(t, h)
	h.usage = &usage{seen: map[string]map[string]flags.Seen{"production": {
		"asked": {Asked: morning.AddDate(0, 0, -6), Since: morning.AddDate(-1, 0, 0)},
		"quiet": {Asked: morning.AddDate(0, 0, -8), Since: morning.AddDate(-1, 0, 0)},
	}}}
	if err := h.carry(t.Context(), morning.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	asked, quiet := h.folds.Flags.Schedules("asked")[0], h.folds.Flags.Schedules("quiet")[0]
	if asked.Standing != flags.Lapsed || !strings.Contains(asked.Why, "production last asked for the flag at 2026-10-27T09:00:00Z") || quiet.Standing != flags.Done {
		t.Errorf("got %+v and %+v", asked, quiet)
	}
}

// Rules go when their time has come, however often somebody looks.
func TestRulesExpireOnce(t *testing.T) {
	morning := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	h := logOf(t, t.TempDir())
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	for _, key := range []string{"a", "b"} {
		f := flags.Flag{
			Key: key, Purpose: flags.Operational, Owner: "shop", Type: flags.Boolean,
			Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")}, Safe: "off",
			Environments: map[string]flags.Environment{"production": {Enabled: true, Rules: []flags.Rule{{Name: "now", Serve: "on", Until: "2026-11-03"}}}},
		}
		e, expect, err := h.folds.Flags.Handle(flags.Command{ID: event.Derive(key), Key: key, Expect: event.Any, At: morning, Actor: "person:ana", Changes: []flags.Change{{Op: flags.Define, Flag: &f}}})
		h.write(t, e, expect, err)
	}
	before := h.projection.Seq()
	for range 2 { // the second look comes before the first is folded in
		if err := h.expire(t.Context(), morning.AddDate(0, 0, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.projection.Catch(t.Context(), h.streams.Log); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		if f, _ := h.folds.Flags.Flag(key); len(f.Environments["production"].Rules) > 0 {
			t.Errorf("the rule of %s is still there", key)
		}
	}
	if err := h.expire(t.Context(), morning.AddDate(0, 0, 3)); err != nil || h.projection.Seq() != before+2 {
		t.Errorf("%d events for two rules, %v", h.projection.Seq()-before, err)
	}
}

package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/server"
)

// BenchmarkState measures what a replica with 10,000 flags pays for its
// checkpoints and snapshots, and for how long that holds up who reads or
// writes.
func BenchmarkState(b *testing.B) {
	log, folds := event.NewMemLog(), server.NewFolds()
	p := event.NewProjection(folds.All()...)
	for i := range 10_000 {
		define(b, log, p, folds.Flags, fmt.Sprintf("shop.f%05d", i), "shop")
	}
	b.Run("mark", func(b *testing.B) {
		for b.Loop() {
			if _, err := p.Mark(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("held up", func(b *testing.B) { // what is done while the projection is locked
		for b.Loop() {
			p.View(func(uint64) {
				for _, f := range folds.All() {
					f.State()
				}
			})
		}
	})
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			text, _, err := p.Snapshot("bench")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(text))/1024, "KiB")
		}
	})
}

// BenchmarkStart measures a start on 100,000 control events of 1,000 flags:
// what the log takes to open, and what the state takes from every event and
// from a snapshot.
func BenchmarkStart(b *testing.B) {
	const events, keys = 100_000, 1000
	dir := b.TempDir()
	s, err := natslog.Open(b.Context(), natslog.Config{Dir: filepath.Join(dir, "nats")})
	if err != nil {
		b.Fatal(err)
	}
	folds := server.NewFolds()
	p := event.NewProjection(folds.All()...)
	for i := range events {
		define(b, s.Log, p, folds.Flags, fmt.Sprintf("shop.f%04d", i%keys), fmt.Sprint("team-", i))
	}
	shots := newSnapshots(filepath.Join(dir, "snapshots"), slog.New(slog.DiscardHandler))
	if err := shots.step(p, now(), true); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, code := range []string{shots.code, "another program"} {
		name := map[bool]string{true: "from a snapshot", false: "from every event"}[code == shots.code]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				began := time.Now()
				s, err := natslog.Open(b.Context(), natslog.Config{Dir: filepath.Join(dir, "nats")})
				if err != nil {
					b.Fatal(err)
				}
				opened := time.Now()
				from := &snapshots{dir: shots.dir, code: code, lg: shots.lg}
				if code != shots.code {
					from.dir = b.TempDir()
				}
				_, p, err := from.fold(b.Context(), s.Log, s.Log.Mark())
				if err != nil || p.Seq() != events {
					b.Fatal(p.Seq(), err)
				}
				b.ReportMetric(opened.Sub(began).Seconds()*1000, "ms-to-open")
				b.ReportMetric(time.Since(opened).Seconds()*1000, "ms-to-fold")
				if err := s.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// define writes one definition of a flag.
func define(b *testing.B, log event.Log, p *event.Projection, s *flags.State, key, owner string) {
	b.Helper()
	f := aDefinition(key, owner)
	e, expect, err := s.Handle(flags.Command{
		ID: event.New(), Key: f.Key, Expect: event.Any, At: now(), Actor: "person:ana", Changes: []flags.Change{{Op: flags.Define, Flag: &f}},
	})
	if err == nil {
		_, err = log.Append(b.Context(), e, expect)
	}
	if err == nil {
		err = p.Catch(b.Context(), log)
	}
	if err != nil {
		b.Fatal(err)
	}
}

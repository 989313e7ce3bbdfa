package natslog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// BenchmarkFsync is what the disk takes for one small write: the measure of
// the others.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for b.Loop() {
		if _, err := f.Write(make([]byte, 400)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend is one writer of one subject.
func BenchmarkAppend(b *testing.B) {
	s, last, n := open(b, b.TempDir()), uint64(0), 0
	for b.Loop() {
		seq, err := s.Log.Append(b.Context(), eventtest.Event("flag.a", n), event.Expect(last))
		if err != nil {
			b.Fatal(err)
		}
		last, n = seq, n+1
	}
}

// BenchmarkAppendMany is many writers, each of its own subject.
func BenchmarkAppendMany(b *testing.B) {
	s := open(b, b.TempDir())
	var writers atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		subject := fmt.Sprintf("flag.f%d", writers.Add(1))
		for n := 0; pb.Next(); n++ {
			if _, err := s.Log.Append(b.Context(), eventtest.Event(subject, n), event.Any); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkPublish is a pack of 1,000 events, 300 KB, on disk.
func BenchmarkPublish(b *testing.B) {
	c := config(b.TempDir())
	c.FactsBytes = 1 << 30 // 500 packs are 150 MB
	s, err := Open(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.release)
	pack, n := bytes.Repeat([]byte("0123456789"), 30_000), 0
	b.SetBytes(int64(len(pack)))
	for b.Loop() {
		if n++; n%500 == 0 { // keeps the disk from filling
			if err := s.Facts[0].Free(b.Context(), uint64(n)-1); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := s.Facts[0].Publish(b.Context(), fmt.Sprint(n), pack); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRead reads a log of 10,000 events from its start; BenchmarkOpen
// opens it, with the scan of its files and the fold.
func BenchmarkRead(b *testing.B) {
	s := open(b, history(b))
	for b.Loop() {
		n := 0
		for _, err := range s.Log.Read(b.Context(), event.Filter{}, 0) {
			if n++; err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n), "events/op")
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := history(b)
	for b.Loop() {
		shut(b, open(b, dir))
	}
}

func history(b *testing.B) string {
	b.Helper()
	return written(b, 10_000)
}

// BenchmarkScan reads the records of a block of packs.
func BenchmarkScan(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	for n := range 25 {
		publish(b, s.Facts[0], fmt.Sprint(n), string(bytes.Repeat([]byte("0123456789"), 30_000)))
	}
	shut(b, s)
	b.SetBytes(25 * 300_000)
	for b.Loop() {
		if x, err := scan(streamsDir(dir), factsStream+"0", nil); err != nil || x.count != 25 {
			b.Fatal(x, err)
		}
	}
}

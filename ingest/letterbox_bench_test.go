package ingest_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
)

// BenchmarkLetterbox finds letters among 200,000: by what slips say, and by
// what only the letters do. It reports what a letter costs in memory.
func BenchmarkLetterbox(b *testing.B) {
	const messages, each = 2000, 100
	var dead ingest.MemStream
	for m := range messages {
		var list []ingest.Letter
		for i := range each {
			list = append(list, ingest.Letter{
				ID: fmt.Sprintf("facts-0.%d.%d", m, i), Shard: shard, Seq: uint64(m), Idx: uint32(i), Events: 1, Reason: ingest.UnknownMetric,
				Environment: "production", Name: fmt.Sprint("event-", i%10), At: noon,
				Fact: json.RawMessage(fmt.Sprintf(`{"kind":"metric","units":{"user":"hash:%016x"}}`, m)),
			})
		}
		data, err := json.Marshal(map[string]any{"letters": list})
		if err == nil {
			_, err = dead.Publish(b.Context(), fmt.Sprint(m), data)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	box := &ingest.Letterbox{Dead: &dead, Orders: &ingest.Orders{}}
	b.Run("first look", func(b *testing.B) {
		for b.Loop() {
			box = &ingest.Letterbox{Dead: &dead, Orders: &ingest.Orders{}}
			if _, err := box.Waiting(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	for name, f := range map[string]ingest.LetterFilter{"by name": {Name: "event-3"}, "by unit": {Unit: fmt.Sprintf("hash:%016x", 1000)}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := box.Page(b.Context(), f, "", 100); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(messages*each), "B/letter")
		})
	}
	runtime.KeepAlive(box)
}

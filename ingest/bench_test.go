package ingest_test

import (
	"fmt"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// thousand returns a body of 500 exposures and 500 metric events.
func thousand(b *testing.B) string {
	var events []any
	for i := range uint64(500) {
		e := exposure()
		e.ID, e.Unit.ID, e.Synthetic = ingesttest.ID(noon, i), fmt.Sprintf("visitor-%d", i), false
		value := float64(i) / 7
		events = append(events, e, ingest.MetricEvent{
			Kind: ingest.KindMetric, ID: ingesttest.ID(noon, i), Name: "purchase", Value: &value,
			Units: map[string]string{"user": e.Unit.ID}, At: noon, Attributes: map[string]string{"country": "DE"},
		})
	}
	return marshal(b, events)
}

func perEvent(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
}

// BenchmarkDoor validates 1,000 events.
func BenchmarkDoor(b *testing.B) {
	body := []byte(thousand(b))
	d := door()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Accept("production", body, noon); err != nil {
			b.Fatal(err)
		}
	}
	perEvent(b)
}

func BenchmarkEncode(b *testing.B) {
	taken, err := door().Accept("production", []byte(thousand(b)), noon)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var pack []byte
	for b.Loop() {
		pack = codec.Encode(taken.Batch)
	}
	perEvent(b)
	b.ReportMetric(float64(len(pack)), "bytes")
}

func BenchmarkDecode(b *testing.B) {
	taken, err := door().Accept("production", []byte(thousand(b)), noon)
	if err != nil {
		b.Fatal(err)
	}
	m := event.Message{Seq: 1, Data: codec.Encode(taken.Batch)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Decode(shard, m); err != nil {
			b.Fatal(err)
		}
	}
	perEvent(b)
}

// BenchmarkIntake is the way of a request of 1,000 events to a stream in
// memory.
func BenchmarkIntake(b *testing.B) {
	body := thousand(b)
	for _, encoding := range []string{"identity", "zstd", "gzip"} {
		wire := body
		switch encoding {
		case "zstd":
			wire = zstded(b, body)
		case "gzip":
			wire = gzipped(b, body)
		}
		b.Run(encoding, func(b *testing.B) {
			in, _ := intake(1)
			for b.Loop() {
				if _, err := in.Accept(b.Context(), request(encoding, wire), noon); err != nil {
					b.Fatal(err)
				}
			}
			perEvent(b)
		})
	}
}

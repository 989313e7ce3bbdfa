package ingest

import (
	"bytes"
	"testing"
	"time"
)

// FuzzUnpackBody reads the events of packs behind the checksum, which fuzzing
// cannot guess: no panic, no allocation that the input does not pay for, and
// what is read is written again and read as the same.
func FuzzUnpackBody(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0}, uint32(0))
	at := time.UnixMilli(1_763_640_000_000).UTC()
	row := MetricRow{At: at, Name: "purchase", UnitKind: "user", Unit: 7, Value: -1, Attributes: map[string]string{"a": "b"}}
	other := row
	other.UnitKind = "workspace"
	f.Add(packBody(Batch{Rows: Rows{Metrics: []MetricRow{row, other}}, Count: 1, Oldest: at}), uint32(1))
	f.Fuzz(func(t *testing.T, body []byte, count uint32) {
		h := Header{Count: count, Oldest: at, Received: at}
		b, err := unpackBody(body, h)
		if err != nil {
			return
		}
		again := packBody(b)
		second, err := unpackBody(again, h)
		if err != nil {
			t.Fatalf("written again: %v", err)
		}
		if !bytes.Equal(packBody(second), again) {
			t.Error("written again it is another batch")
		}
	})
}

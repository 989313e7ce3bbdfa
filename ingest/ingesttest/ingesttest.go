// Package ingesttest holds what every version of ingest's interfaces must
// pass, the in-memory ones, the broker's and the warehouse's alike, and
// Faults, which makes any version fail at chosen points. It is for tests only
// and holds no test data but what it makes from numbers.
//
//	func TestStream(t *testing.T) {
//		ingesttest.Stream(t, func(t *testing.T) ingest.Stream { return new(ingest.MemStream) })
//	}
package ingesttest

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// Noon is the time of all test data.
var Noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// ID returns the n-th version 7 ID of a time.
func ID(at time.Time, n uint64) (id event.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], n)
	id[6] |= 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Exposure returns the n-th exposure, at a place.
func Exposure(at ingest.Place, n uint64) ingest.ExposureRow {
	id := ID(Noon, n)
	return ingest.ExposureRow{
		Place: at, ID: id, Day: ingest.DayOf(id), Environment: "production", Flag: "checkout", Variant: "on",
		UnitKind: "user", Unit: n * 0x9e3779b97f4a7c15, Revision: 4, Rollout: "production/checkout/1", Stage: "canary", Epoch: 1,
		Arm: "on", Enrolled: true, Reason: "SPLIT", At: Noon, Received: Noon, Attributes: map[string]string{"country": "DE"},
	}
}

// Metric returns the n-th metric event, of two kinds of units, at a place.
func Metric(at ingest.Place, n uint64) []ingest.MetricRow {
	id := ID(Noon, n)
	row := ingest.MetricRow{
		Place: at, ID: id, Day: ingest.DayOf(id), Environment: "production", Name: "purchase",
		UnitKind: "user", Unit: n * 0x9e3779b97f4a7c15, Value: int64(n) * 1_500_000, At: Noon, Received: Noon,
	}
	other := row
	other.UnitKind, other.Unit = "workspace", n%7
	return []ingest.MetricRow{row, other}
}

// Rows returns n events of one message, of all kinds of facts in turn. The
// events are those of first, first+1, and so on.
func Rows(shard string, seq, first uint64, n int) (rows ingest.Rows) {
	for i := range n {
		at, k := ingest.Place{Shard: shard, Seq: seq, Idx: uint32(i)}, first+uint64(i)
		id := ID(Noon, k)
		switch k % 4 {
		case 0:
			rows.Exposures = append(rows.Exposures, Exposure(at, k))
		case 1:
			rows.Metrics = append(rows.Metrics, Metric(at, k)...)
		case 2:
			rows.Deployments = append(rows.Deployments, ingest.DeploymentRow{
				Place: at, ID: id, Day: ingest.DayOf(id), Environment: "production", Service: "shop",
				Version: fmt.Sprintf("1.%d", k), At: Noon, Received: Noon,
			})
		case 3:
			rows.Readings = append(rows.Readings, ingest.ReadingRow{
				Place: at, ID: id, Day: ingest.DayOf(id), Environment: "production", Name: "cpu", Value: int64(k),
				At: Noon, Received: Noon, Labels: map[string]string{"host": "a"},
			})
		}
	}
	return rows
}

// Control returns the n-th event of a control log as a row.
func Control(seq uint64) ingest.ControlRow {
	return ingest.ControlRow{
		Place: ingest.Place{Shard: ingest.ControlShard, Seq: seq}, ID: event.Derive("control", fmt.Sprint(seq)),
		Day: ingest.DayOf(ID(Noon, 0)), Type: "flag.changed", Subject: "flag.checkout", Source: "sluice/flags",
		Actor: "person:ana", At: Noon, Data: `{"changes":[]}`, Prev: event.Sum(nil), Hash: event.Sum([]byte{byte(seq)}),
	}
}

package ingest

import (
	"time"

	"github.com/sluice-hq/sluice/event"
)

// milliOf returns the 48 time bits of a version 7 ID: milliseconds since 1970.
func milliOf(id event.ID) int64 {
	return int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
}

// timeOf returns the time that a version 7 ID holds.
func timeOf(id event.ID) time.Time { return time.UnixMilli(milliOf(id)).UTC() }

package ingest

import (
	"encoding/hex"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// milliOf returns the 48 time bits of a version 7 ID: milliseconds since 1970.
func milliOf(id event.ID) int64 {
	return int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
}

// timeOf returns the time that a version 7 ID holds.
func timeOf(id event.ID) time.Time { return time.UnixMilli(milliOf(id)).UTC() }

// parseID reads the one text form that events may use, 36 characters, without
// allocating.
func parseID(text []byte) (id event.ID, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, false
	}
	digits := [32]byte{}
	n := 0
	for _, part := range [][]byte{text[:8], text[9:13], text[14:18], text[19:23], text[24:]} {
		n += copy(digits[n:], part)
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}

package ingest

import (
	"crypto/sha256"
	"encoding/binary"
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

// isVersion7 looks at the version, and at the variant of RFC 9562.
func isVersion7(id event.ID) bool { return id[6]>>4 == 7 && id[8]>>6 == 0b10 }

// DeriveID returns the ID of an event that its sender has given none: of the
// form of version 7, with the event's time, and for the rest a hash of what
// names the event. The same time and parts give the same ID for ever, so that an
// import that is repeated changes nothing. Parts are told apart by their lengths.
func DeriveID(at time.Time, parts ...string) (id event.ID) {
	h := sha256.New()
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		_, _ = h.Write(length[:]) // a hash never fails
		_, _ = h.Write([]byte(p))
	}
	copy(id[6:], h.Sum(nil))
	milli := uint64(at.UnixMilli())
	binary.BigEndian.PutUint16(id[:2], uint16(milli>>32))
	binary.BigEndian.PutUint32(id[2:6], uint32(milli))
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// FirstID returns the least ID that holds a time: milliseconds since 1970. IDs
// sort by their times, so that those of earlier times are less.
func FirstID(ms int64) (id event.ID) {
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id
}

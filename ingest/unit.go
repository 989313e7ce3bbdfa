package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strconv"
	"strings"
)

// UnitHash returns the name under which a unit is stored: the first 8 bytes,
// big endian, of HMAC-SHA256(key, kind, 0, id). key is the installation's; it
// never changes while a rollout runs.
func UnitHash(key []byte, kind, id string) uint64 {
	return newHasher(key).hash(kind, id)
}

// hasher hashes many units with one key.
type hasher struct {
	mac hash.Hash
	b   []byte
	sum [sha256.Size]byte
}

func newHasher(key []byte) *hasher { return &hasher{mac: hmac.New(sha256.New, key)} }

func (h *hasher) hash(kind, id string) uint64 {
	h.b = append(append(append(h.b[:0], kind...), 0), id...)
	h.mac.Reset()
	_, _ = h.mac.Write(h.b) // a hash never fails
	return binary.BigEndian.Uint64(h.mac.Sum(h.sum[:0]))
}

// hashed marks a unit ID in a dead letter that is a hash already, in 16
// hexadecimal digits.
const hashed = "hash:"

func hashedText(unit uint64) string {
	digits := strconv.FormatUint(unit, 16)
	return hashed + strings.Repeat("0", 16-len(digits)) + digits
}

func parseHashed(id string) (uint64, bool) {
	digits, ok := strings.CutPrefix(id, hashed)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	unit, err := strconv.ParseUint(digits, 16, 64)
	return unit, err == nil
}

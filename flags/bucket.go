package flags

import "math/bits"

// Bucket returns the place of s between 0 and Whole-1. The arithmetic is that
// of flagd's fractional operator, version 2: the 32 bits of the hash scaled to
// Whole by multiplication, never by a remainder. Recorded values are in
// testdata/buckets.json; if they change, the arms of existing users change.
func Bucket(s string) int { return prefix{}.bucket(s) }

// prefix is MurmurHash3_x86_32 with seed 0 (Appleby,
// https://github.com/aappleby/smhasher) after some text, to be continued, so
// that hashing salt+":arm:"+unit builds no string. The zero prefix is the
// empty text.
type prefix struct {
	h    uint32 // state after the whole blocks
	tail uint32 // the bytes behind the last whole block, little endian
	bits uint32 // 8 for each of those bytes: 0, 8, 16 or 24
	size uint32 // bytes of the text
}

// prefixOf hashes the text that later calls continue.
func prefixOf(s string) prefix { return prefix{}.add(s) }

// add returns the state after the text so far and s.
func (p prefix) add(s string) prefix {
	p.size += uint32(len(s))
	rest := uint64(p.tail) // the bytes that are not hashed yet
	for ; len(s) >= 4; s = s[4:] {
		word := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
		rest |= uint64(word) << (p.bits & 31) // the mask, which changes nothing, spares a comparison
		p.h = block(p.h, uint32(rest))
		rest >>= 32
	}
	for i := 0; i < len(s); i++ {
		rest |= uint64(s[i]) << (p.bits & 63)
		p.bits += 8
	}
	if p.bits >= 32 {
		p.h = block(p.h, uint32(rest))
		rest >>= 32
		p.bits -= 32
	}
	p.tail = uint32(rest)
	return p
}

// sum returns the hash of the prefix's text followed by s.
func (p prefix) sum(s string) uint32 {
	p = p.add(s)
	h := p.h
	if p.bits > 0 {
		h ^= scramble(p.tail)
	}
	h ^= p.size
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// bucket returns the bucket of the prefix's text followed by s.
func (p prefix) bucket(s string) int {
	return int(uint64(p.sum(s)) * Whole >> 32)
}

func block(h, k uint32) uint32 {
	return bits.RotateLeft32(h^scramble(k), 13)*5 + 0xe6546b64
}

func scramble(k uint32) uint32 {
	return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
}

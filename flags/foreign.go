package flags

import (
	"crypto/md5"  // of FeatBit and Flagsmith: no secret depends on it
	"crypto/sha1" // of LaunchDarkly: likewise
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Foreign names the arithmetic of another program, from the text that is
// hashed to a place between 0 and Whole-1. A split or a portion that was brought
// along keeps it, so that its units stay where they are. Ranges of places are
// chosen such that a unit is in one exactly if it was at home, see
// HashInput.place.
type Foreign string

// The arithmetics. The empty one is ours: see Bucket.
const (
	Unleash        Foreign = "unleash"          // murmur3, remainder of 100: percentages of strategies
	UnleashVariant Foreign = "unleash-variants" // murmur3 with seed 86028157, remainder of HashInput.Of
	LaunchDarkly   Foreign = "launchdarkly"     // SHA-1, the first 60 bits as a share
	GrowthBook1    Foreign = "growthbook-1"     // FNV-1a of id and salt, remainder of 1000
	GrowthBook2    Foreign = "growthbook-2"     // FNV-1a of the digits of an FNV-1a, remainder of 10000
	FeatBit        Foreign = "featbit"          // MD5, the first 32 bits without their sign as a share
	Flagsmith      Foreign = "flagsmith"        // MD5, remainder of 9999
)

// known reports whether this version can do the arithmetic.
func (f Foreign) known() bool {
	switch f {
	case "", Unleash, UnleashVariant, LaunchDarkly, GrowthBook1, GrowthBook2, FeatBit, Flagsmith:
		return true
	}
	return false
}

const someForeign = "write unleash, unleash-variants, launchdarkly, growthbook-1, growthbook-2, featbit or flagsmith, or leave it out"

// unleashWhole is what the weights of Unleash's variants add up to when nothing
// else is said.
const unleashWhole = 1000

// place returns the place of salt and id. It allocates nothing unless the two
// are longer than a line.
func (h *HashInput) place(id string) int {
	switch h.Version {
	case Unleash:
		return int(prefixOf(h.Salt).sum(id)%100) * (Whole / 100)
	case UnleashVariant:
		return h.unleashVariant(id)
	case GrowthBook1:
		return int(fnv1a(fnv1a(fnvOffset, id), h.Salt)%1000) * (Whole / 1000)
	case GrowthBook2:
		return growthBook2(h.Salt, id) * (Whole / 10000)
	}
	var room [128]byte
	text := append(append(room[:0], h.Salt...), id...)
	switch h.Version {
	case LaunchDarkly:
		return launchDarkly(text)
	case FeatBit:
		return featBit(text)
	case Flagsmith:
		return flagsmith(text)
	}
	return Bucket(string(text)) // unreachable unless nobody asked known
}

// unleashVariant spreads what remains of Of over Whole. Rounding up keeps all
// apart that were: a remainder below c is a place below ceil(c·Whole/Of).
func (h *HashInput) unleashVariant(id string) int {
	const seed = 86028157
	of := uint64(h.Of)
	if of == 0 {
		of = unleashWhole
	}
	return ceil(uint64(prefix{h: seed}.add(h.Salt).sum(id))%of*Whole, of)
}

func ceil(n, by uint64) int { return int((n + by - 1) / by) }

// FNV-1a with 32 bits (Fowler, Noll, Vo: http://www.isthe.com/chongo/tech/comp/fnv/).
const (
	fnvOffset uint32 = 2166136261
	fnvPrime  uint32 = 16777619
)

func fnv1a(h uint32, s string) uint32 {
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * fnvPrime
	}
	return h
}

// growthBook2 hashes the digits of a hash.
func growthBook2(salt, id string) int {
	var room [10]byte
	h := fnvOffset
	for _, digit := range strconv.AppendUint(room[:0], uint64(fnv1a(fnv1a(fnvOffset, salt), id)), 10) {
		h = (h ^ uint32(digit)) * fnvPrime
	}
	return int(h % 10000)
}

// launchDarkly takes the first 15 hexadecimal digits as a share of the largest
// such number. Whoever has just that is in the last range, as there.
func launchDarkly(text []byte) int {
	const largest = 1<<60 - 1
	sum := sha1.Sum(text)
	high, low := bits.Mul64(binary.BigEndian.Uint64(sum[:8])>>4, Whole)
	share, _ := bits.Div64(high, low, largest)
	return min(int(share), Whole-1)
}

// featBit takes the first four bytes as a number without its sign, and that as
// a share of 2^31. Its ranges contain both of their ends; the place is that
// of the lower range, as the first that matches is taken there.
func featBit(text []byte) int {
	sum := md5.Sum(text)
	n := int64(int32(binary.LittleEndian.Uint32(sum[:4])))
	return max(ceil(uint64(max(n, -n))*Whole, 1<<31)-1, 0)
}

// flagsmith takes the remainder of 9999, of 9998 as a share. Who would be at
// the very end is hashed again, with the text once more behind itself.
func flagsmith(text []byte) int {
	const modulus = 9999
	repeated := text
	for {
		sum := md5.Sum(repeated)
		high, low := binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])
		if n := bits.Rem64(high, low, modulus); n < modulus-1 {
			return int(n * Whole / (modulus - 1))
		}
		repeated = append(append(repeated, ','), text...)
	}
}

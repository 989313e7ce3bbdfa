package flags

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// The flagd project publishes these texts with the extreme hash values.
func TestMurmurOfPublishedVectors(t *testing.T) {
	for s, want := range map[string]uint32{"ejOoVL": 0, "bY9fO-": 1, "SI7p-": 2147483647, "6LvT0": 2147483648, "ceQdGm": 4294967295} {
		if got := prefixOf("").sum(s); got != want {
			t.Errorf("murmur3(%q) = %d, want %d", s, got, want)
		}
	}
}

// The flagd project's evaluator cases for fractional, version 2: the text that
// is hashed and the variant.
func TestBucketOfPublishedFractions(t *testing.T) {
	suits := []string{"clubs", "diamonds", "hearts", "spades"}
	for text, want := range map[string]string{
		"fractional-flagjack": "hearts", "fractional-flagqueen": "spades", "fractional-flagten": "clubs",
		"fractional-flagnine": "diamonds", "fractional-flag3": "clubs",
		"shared-seedseven": "hearts", "shared-seedeight": "diamonds", "shared-seednine": "clubs", "shared-seedtwo": "spades",
	} {
		if got := suits[Bucket(text)/(Whole/4)]; got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	sides := []string{"heads", "tails"}
	for text, want := range map[string]string{"fractional-flag-shorthandjon@company.com": "heads", "fractional-flag-shorthandjane@company.com": "tails"} {
		if got := sides[Bucket(text)/(Whole/2)]; got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestRecordedBuckets(t *testing.T) {
	got := map[string]int{}
	for _, salt := range []string{"", "k", "checkout.express", "checkout.express#2", "a.key.of.other.length"} {
		for _, unit := range []string{"", "1", "u1", "u-1", "w-17", "user-123", "0b5f8d4e-3b0e-4d0a-9a55-8f3f5b0c1d2e", "Łódź", "日本"} {
			for _, between := range []string{enrolSalt, armSalt, ":staff" + armSalt} {
				got[salt+between+unit] = Bucket(salt + between + unit)
			}
		}
	}
	golden(t, "buckets.json", got)
}

// A prefix that was cut anywhere gives the hash of the whole text.
func TestPrefixContinues(t *testing.T) {
	text := "checkout.payments.express-pay:arm:0b5f8d4e-3b0e-4d0a-9a55"
	want := prefix{}.sum(text)
	for i := range len(text) + 1 {
		for j := i; j <= len(text); j++ {
			if got := prefixOf(text[:i]).add(text[i:j]).sum(text[j:]); got != want {
				t.Fatalf("cut at %d and %d: got %d, want %d", i, j, got, want)
			}
		}
	}
}

// bucketInFloats is the same arithmetic written another way.
func bucketInFloats(h uint32) int { return int(math.Floor(float64(h) / (1 << 32) * Whole)) }

func TestBucketIsTheShareOfTheHash(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		s := strings.Repeat(fmt.Sprint(r.Uint64()), r.IntN(3))
		if got, want := Bucket(s), bucketInFloats(prefix{}.sum(s)); got != want {
			t.Fatalf("Bucket(%q) = %d, want %d", s, got, want)
		}
	}
}

package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Hash is a SHA-256 digest; its text form is 64 hexadecimal digits, and the
// zero Hash is the empty text.
type Hash [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*h = Hash{}
		return nil
	}
	if len(b) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("a hash has %d hexadecimal digits, not %d", hex.EncodedLen(len(h)), len(b))
	}
	_, err := hex.Decode(h[:], b)
	return err
}

// String returns the hexadecimal digits, or "" for the zero Hash.
func (h Hash) String() string {
	if h == (Hash{}) {
		return ""
	}
	return hex.EncodeToString(h[:])
}

// Sum hashes a document: evidence, a query, a state.
func Sum(b []byte) Hash { return sha256.Sum256(b) }

// Canonical brings an event to the one form that is hashed and stored: the
// time in UTC to the millisecond, the data compact and with '<', '>' and '&'
// escaped, as json.Marshal would write it. An event is refused whose data is
// not one JSON value, whose subject is none, or whose text is not UTF-8: it
// would not be the same when it is read back.
func Canonical(e Event) (Event, error) {
	if why := checkSubject(e.Subject); why != "" {
		return e, Invalid{Path: "subject", Value: e.Subject, Why: why}
	}
	for path, text := range map[string]string{"source": e.Source, "type": e.Type, "actor": e.Actor, "cause": e.Cause} {
		if !utf8.ValidString(text) {
			return e, Invalid{Path: path, Value: strconv.QuoteToASCII(text), Why: "is not UTF-8"}
		}
	}
	var compact, data bytes.Buffer
	if err := json.Compact(&compact, e.Data); err != nil {
		return e, fmt.Errorf("reading the data of a %s: %w", e.Type, err)
	}
	json.HTMLEscape(&data, compact.Bytes())
	e.Data = data.Bytes()
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	return e, nil
}

// Link returns the hash of an event that follows one with hash prev in its
// aggregate: SHA-256(prev, canonical envelope). e must be canonical.
func Link(prev Hash, e Event) (Hash, error) {
	// json.Marshal writes struct fields in order and escapes in one way, so the
	// bytes depend on the values alone.
	envelope, err := json.Marshal(e)
	if err != nil {
		return Hash{}, fmt.Errorf("encoding a %s: %w", e.Type, err)
	}
	return sha256.Sum256(append(prev[:], envelope...)), nil
}

// Head folds the hash of the event at seq into the head of the whole log:
// head_n = SHA-256(head_{n-1}, n, hash_n), with n as eight bytes, big endian.
func Head(head Hash, seq uint64, h Hash) Hash {
	b := binary.BigEndian.AppendUint64(head[:], seq)
	return sha256.Sum256(append(b, h[:]...))
}

// Chain checks a log event by event while it is read from the start, and
// folds its head. The zero Chain is ready for sequence 1.
type Chain struct {
	Seq   uint64 // of the last event that was checked
	Head  Hash   // folded head at Seq
	lasts map[string]Hash
}

// Next checks that r is the event that follows: no gap in the sequence, the
// previous hash that of its aggregate, its own hash that of its content. The
// error wraps ErrDamaged and names the first event that fails.
func (c *Chain) Next(r Recorded) error {
	if err := c.check(r); err != nil {
		return err
	}
	c.advance(r)
	return nil
}

// Last returns the hash of the newest event of a subject, zero before the
// first.
func (c *Chain) Last(subject string) Hash { return c.lasts[subject] }

func (c *Chain) check(r Recorded) error {
	if r.Seq != c.Seq+1 {
		return fmt.Errorf("%w: event %d is missing (event %d follows event %d)", ErrDamaged, c.Seq+1, r.Seq, c.Seq)
	}
	if r.Prev != c.lasts[r.Subject] {
		return fmt.Errorf("%w: event %d (%s of %s) does not name the event before it", ErrDamaged, r.Seq, r.Type, r.Subject)
	}
	return r.Check()
}

func (c *Chain) advance(r Recorded) {
	if c.lasts == nil {
		c.lasts = map[string]Hash{}
	}
	c.lasts[r.Subject] = r.Hash
	c.Seq, c.Head = r.Seq, Head(c.Head, r.Seq, r.Hash)
}

// Check says whether the event's own hash is that of its content.
func (r Recorded) Check() error {
	h, err := Link(r.Prev, r.Event)
	if err != nil || h != r.Hash {
		return fmt.Errorf("%w: event %d (%s of %s) is not what was written", ErrDamaged, r.Seq, r.Type, r.Subject)
	}
	return nil
}

func quoteRune(r rune) string { return fmt.Sprintf("%q", r) }

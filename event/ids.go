package event

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// IDs is which events a fold has applied, and where they are: a command that
// is given twice is recognised however late. It takes about 80 bytes an event.
// The zero IDs is ready to use.
type IDs struct {
	seqs map[ID]uint64
	list []applied // in order; a copy shares it, since nothing in it changes
}

type applied struct {
	id  ID
	seq uint64
}

// Add notes an event that was not there before.
func (x *IDs) Add(id ID, seq uint64) {
	if x.seqs == nil {
		x.seqs = map[ID]uint64{}
	}
	x.seqs[id] = seq
	x.list = append(x.list, applied{id, seq})
}

// Seq returns the sequence of the event with that ID, and whether it is there.
func (x *IDs) Seq(id ID) (uint64, bool) {
	seq, ok := x.seqs[id]
	return seq, ok
}

// Frozen returns the IDs as they are now, for json.Marshal alone: it costs
// nothing, however many there are.
func (x *IDs) Frozen() IDs { return IDs{list: slices.Clip(x.list)} }

// An event is written as its ID and its sequence, big endian.
const appliedSize = 16 + 8

// MarshalJSON writes one string: IDs are random, so that a text form of each
// would make a snapshot twice as long.
func (x IDs) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(x.list)*appliedSize)
	for _, a := range x.list {
		b = binary.BigEndian.AppendUint64(append(b, a.id[:]...), a.seq)
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// UnmarshalJSON implements json.Unmarshaler.
func (x *IDs) UnmarshalJSON(text []byte) error {
	var b []byte
	if err := json.Unmarshal(text, &b); err != nil {
		return fmt.Errorf("reading event IDs: %w", err)
	}
	if len(b)%appliedSize != 0 {
		return fmt.Errorf("reading event IDs: %d bytes are no whole number of them", len(b))
	}
	n := len(b) / appliedSize
	*x = IDs{seqs: make(map[ID]uint64, n), list: make([]applied, 0, n)}
	for ; len(b) > 0; b = b[appliedSize:] {
		x.Add(ID(b[:16]), binary.BigEndian.Uint64(b[16:]))
	}
	return nil
}

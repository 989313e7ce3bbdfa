package ingest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"

	"github.com/sluice-hq/sluice/event"
)

// The format of a pack: a header of fixed size, then the events, compressed.
// All integers are big endian.
//
//	 0  magic "SLPK"
//	 4  version, one byte
//	 5  number of events, 4 bytes
//	 9  oldest, newest event time, time of arrival: 8 bytes each, ms since 1970
//	33  size of the events before compression, 4 bytes
//	37  xxh3-128 of bytes 0-36 and of everything behind the header
//	53  the events: one zstd frame
//
// The checksum is our own because a damaged block can spread between replicas
// of a stream (nats-server #7549).
const (
	packMagic   = "SLPK"
	packVersion = 1
	sumAt       = 37
	bodyAt      = sumAt + 16
	maxBody     = 16 << 20 // bytes before compression; a pack holds far less
)

// ErrUnreadable says that a message is no pack of ours: cut, changed, or of a
// version that this program does not know.
var ErrUnreadable = errors.New("the pack cannot be read")

// Header is what a pack says about itself without being unpacked.
type Header struct {
	Version  int
	Count    uint32 // events
	Oldest   time.Time
	Newest   time.Time // at most Received
	Received time.Time
	size     int
}

// ReadHeader reads the header of a pack and checks the checksum of the whole.
func ReadHeader(data []byte) (Header, error) {
	if len(data) < bodyAt || string(data[:4]) != packMagic {
		return Header{}, fmt.Errorf("%w: it has no header", ErrUnreadable)
	}
	h := Header{
		Version: int(data[4]), Count: binary.BigEndian.Uint32(data[5:]), size: int(binary.BigEndian.Uint32(data[33:])),
		Oldest: unpackTime(data[9:]), Newest: unpackTime(data[17:]), Received: unpackTime(data[25:]),
	}
	switch {
	case h.Version != packVersion:
		return h, fmt.Errorf("%w: version %d is unknown", ErrUnreadable, h.Version)
	case checksum(data) != [16]byte(data[sumAt:bodyAt]):
		return h, fmt.Errorf("%w: its checksum is wrong", ErrUnreadable)
	}
	return h, nil
}

func checksum(data []byte) [16]byte {
	h := xxh3.New128()
	_, _ = h.Write(data[:sumAt]) // a hash never fails
	_, _ = h.Write(data[bodyAt:])
	return h.Sum128().Bytes()
}

func unpackTime(b []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b))).UTC()
}

// Codec turns batches into packs and back. It holds the compressors' buffers
// and is safe for concurrent use; NewCodec makes one.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

var _ Decoder = (*Codec)(nil)

// NewCodec returns a Codec.
func NewCodec() *Codec {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // unreachable unless the options above contradict each other
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		panic(err) // unreachable unless the options above contradict each other
	}
	return &Codec{enc, dec}
}

// Encode returns the pack of a batch. The places of its rows are those of the
// message that it becomes, so only their indexes are written, and the time of
// arrival once.
func (c *Codec) Encode(b Batch) []byte {
	body := packBody(b)
	out := make([]byte, 0, bodyAt+len(body)/2)
	out = append(append(out, packMagic...), packVersion)
	out = binary.BigEndian.AppendUint32(out, b.Count)
	for _, t := range []time.Time{b.Oldest, b.Newest, b.Received} {
		out = binary.BigEndian.AppendUint64(out, uint64(t.UnixMilli()))
	}
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, make([]byte, bodyAt-sumAt)...)
	out = c.enc.EncodeAll(body, out)
	sum := checksum(out)
	copy(out[sumAt:], sum[:])
	return out
}

// Version implements Decoder.
func (c *Codec) Version() int { return packVersion }

// Decode implements Decoder: it reads the pack in m. The error wraps
// ErrUnreadable.
func (c *Codec) Decode(shard string, m event.Message) (Batch, error) {
	h, err := ReadHeader(m.Data)
	if err != nil {
		return Batch{}, err
	}
	if h.size > maxBody {
		return Batch{}, fmt.Errorf("%w: it claims %d bytes", ErrUnreadable, h.size)
	}
	body, err := c.dec.DecodeAll(m.Data[bodyAt:], nil)
	if err != nil || len(body) != h.size {
		return Batch{}, fmt.Errorf("%w: its events do not inflate to %d bytes", ErrUnreadable, h.size)
	}
	b, err := unpackBody(body, h)
	if err != nil {
		return Batch{}, err
	}
	b.place(shard, m.Seq)
	return b, nil
}

// CountEvents implements Decoder: the count of the header, or 1 for a message
// that is no pack.
func (c *Codec) CountEvents(m event.Message) uint64 {
	h, err := ReadHeader(m.Data)
	if err != nil {
		return 1
	}
	return uint64(h.Count)
}

package natslog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"github.com/minio/highwayhash"
)

// The block files of nats-server 2.15 (server/filestore.go, writeMsgRecord):
// records one behind the other,
//
//	length(4) sequence(8) time(8) subject length(2) subject [header length(4) header] data checksum(8)
//
// little endian, the length's highest bit set when there are headers, the
// sequence's two highest when the record says that a message was removed. The
// checksum is HighwayHash-64 under the SHA-256 of "<stream>-<block number>"
// over sequence, time, subject, header and data. We read them because the
// server repairs a damaged block by cutting it off at the damage.
const (
	recordHead  = 22
	recordSum   = 8
	recordMax   = 32 << 20
	bitHeaders  = uint32(1) << 31
	bitErased   = uint64(1) << 63
	bitRemoved  = uint64(1) << 62
	headerEnd   = "\r\n\r\n"
	headerStart = "NATS/1.0"
)

// record is one entry of a block.
type record struct {
	seq     uint64
	removed bool // it says that seq was removed, or where the sequence went on from
	subject string
	header  []byte
	data    []byte
}

// errCut says that a block ends within a record, errBad that a record is not
// what was written.
var (
	errCut = errors.New("the file ends within it")
	errBad = errors.New("its checksum is wrong")
)

// blockReader reads the records of one block file.
type blockReader struct{ sum hash.Hash64 }

func newBlockReader(stream string, number int) (*blockReader, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", stream, number))
	sum, err := highwayhash.New64(key[:])
	if err != nil {
		return nil, fmt.Errorf("preparing the checksum: %w", err)
	}
	return &blockReader{sum}, nil
}

// next reads the record at the start of b and returns its length.
func (r *blockReader) next(b []byte) (record, int, error) {
	if len(b) < recordHead+recordSum {
		return record{}, 0, errCut
	}
	length := binary.LittleEndian.Uint32(b)
	n := int(length &^ bitHeaders)
	if n < recordHead+recordSum || n > recordMax {
		return record{}, 0, errBad
	}
	if n > len(b) {
		return record{}, 0, errCut
	}
	rec, err := r.whole(b[:n], length&bitHeaders != 0)
	return rec, n, err
}

// whole reads a record that is all of b, whatever its length field says.
func (r *blockReader) whole(b []byte, headers bool) (record, error) {
	subjectEnd := recordHead + int(binary.LittleEndian.Uint16(b[20:]))
	dataStart, dataEnd := subjectEnd, len(b)-recordSum
	var size int
	if headers {
		if dataStart += 4; dataStart > dataEnd {
			return record{}, errBad
		}
		size = int(binary.LittleEndian.Uint32(b[subjectEnd:]))
	}
	if dataStart+size > dataEnd || size < 0 {
		return record{}, errBad
	}
	r.sum.Reset()
	r.sum.Write(b[4:20])
	r.sum.Write(b[recordHead:subjectEnd])
	r.sum.Write(b[dataStart:dataEnd])
	if !bytes.Equal(r.sum.Sum(nil), b[dataEnd:]) {
		return record{}, errBad
	}
	return split(b, subjectEnd, dataStart, size)
}

// split takes a record apart whose checksum is right. The checksum leaves out
// where the header ends, so that is checked by the header itself.
func split(b []byte, subjectEnd, dataStart, size int) (record, error) {
	seq := binary.LittleEndian.Uint64(b[4:])
	rec := record{
		seq: seq &^ (bitErased | bitRemoved), removed: seq&(bitErased|bitRemoved) != 0,
		subject: string(b[recordHead:subjectEnd]),
		header:  b[dataStart : dataStart+size], data: b[dataStart+size : len(b)-recordSum],
	}
	if dataStart > subjectEnd && !isHeader(rec.header) {
		return record{}, errBad
	}
	return rec, nil
}

func isHeader(h []byte) bool {
	return bytes.HasPrefix(h, []byte(headerStart)) && bytes.Index(h, []byte(headerEnd)) == len(h)-len(headerEnd)
}

// torn reports whether the rest of a stream's newest block is what a write
// leaves that a crash cut off: the beginning of one record and nothing behind
// it. Such a record was never acknowledged. A whole record with a wrong
// length, or one that another follows, is damage.
func (r *blockReader) torn(rest []byte) bool {
	if len(bytes.Trim(rest, "\x00")) == 0 {
		return true // room that a file system gave and nothing was written to
	}
	if _, _, err := r.next(rest); !errors.Is(err, errCut) {
		return false
	}
	for i := 0; i+recordHead+recordSum <= len(rest); i++ {
		if _, _, err := r.next(rest[i:]); err == nil {
			return false
		}
	}
	return !r.complete(rest)
}

// complete reports whether b is one record but for its length.
func (r *blockReader) complete(b []byte) bool {
	if len(b) < recordHead+recordSum {
		return false
	}
	_, with := r.whole(b, true)
	_, without := r.whole(b, false)
	return with == nil || without == nil
}

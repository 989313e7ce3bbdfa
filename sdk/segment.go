package sdk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A segment is a file that records are appended to: four bytes with the length
// of a record, four with its CRC-32C, and the record. Nothing in it is ever
// written again, so that a crash can only cut off its end.
type segment struct {
	number uint64
	path   string
	size   int64 // bytes of whole records
	count  int   // records
	sent   int64 // bytes that are settled
	gone   int   // records that are settled
}

// segmentSuffix names the format.
const segmentSuffix = ".events1"

const recordHead = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newSegment(dir string, number uint64) *segment {
	return &segment{number: number, path: filepath.Join(dir, fmt.Sprintf("%016x%s", number, segmentSuffix))}
}

// numberOf returns the number in a segment's name.
func numberOf(name string) (uint64, bool) {
	text, ours := strings.CutSuffix(name, segmentSuffix)
	n, err := strconv.ParseUint(text, 16, 64)
	return n, ours && err == nil
}

func (s *segment) left() int { return s.count - s.gone }

// appendRecord writes a record behind b.
func appendRecord(b, record []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(record)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(record, castagnoli))
	return append(b, record...)
}

// cutRecord returns the first record in b and how many bytes it takes; false
// when none is whole.
func cutRecord(b []byte) (record []byte, size int, ok bool) {
	if len(b) < recordHead {
		return nil, 0, false
	}
	size = recordHead + int(binary.LittleEndian.Uint32(b))
	if size > len(b) || size == recordHead { // a file that was made longer before a crash ends with zeros
		return nil, 0, false
	}
	record = b[recordHead:size]
	return record, size, crc32.Checksum(record, castagnoli) == binary.LittleEndian.Uint32(b[4:])
}

// scan finds out what a segment of an earlier process holds, and returns how
// many bytes behind its last whole record are damaged.
func (s *segment) scan() (damaged int64, err error) {
	b, err := os.ReadFile(s.path)
	if err != nil {
		return 0, err
	}
	sent := s.sent
	for s.size, s.count, s.gone = 0, 0, 0; ; {
		_, size, ok := cutRecord(b[s.size:])
		if !ok {
			break
		}
		s.size, s.count = s.size+int64(size), s.count+1
		if s.size <= sent {
			s.gone = s.count
		}
	}
	s.sent = min(sent, s.size)
	return int64(len(b)) - s.size, nil
}

// read returns the oldest records that are not settled, at most so many and
// about so many bytes, and the place behind them.
func (s *segment) read(most int, bytes int64) (records [][]byte, end int64, err error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, s.sent, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, s.sent, min(s.size-s.sent, bytes)))
	if err != nil {
		return nil, s.sent, err
	}
	for end = s.sent; len(records) < most; {
		record, size, ok := cutRecord(b)
		if !ok {
			break
		}
		records, end, b = append(records, record), end+int64(size), b[size:]
	}
	if len(records) == 0 {
		return nil, s.sent, fmt.Errorf("%s is damaged at %d", s.path, s.sent)
	}
	return records, end, nil
}

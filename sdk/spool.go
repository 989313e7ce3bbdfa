package sdk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// spool keeps records in a folder until they are settled, in segments. One
// process uses the folder.
type spool struct {
	dir   string
	limit int64 // bytes of all segments

	mu       sync.Mutex
	segments []*segment // oldest first; the last one is written to while out is open
	last     uint64     // number of the newest there ever was: sentFile may still name it
	reading  *segment   // of the batch that is on its way: it is not dropped
	out      *os.File
	dirty    bool // out has what the disk itself may not have
	fresh    bool // the folder has a name that the disk itself may not have
}

// mark is the place behind a batch.
type mark struct {
	segment *segment
	end     int64
	count   int
}

// sentFile says how much of which segment is settled: after a crash what stands
// behind it is sent again, under the same IDs.
const sentFile = "sent"

// openSpool opens a folder and returns what earlier processes left in it: events
// that wait, and bytes that were damaged.
func openSpool(dir string, limit int64) (s *spool, waiting int, damaged int64, err error) {
	s = &spool{dir: dir, limit: limit}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, 0, 0, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, 0, err
	}
	number, sent := s.settled()
	s.last = number
	for _, e := range entries { // sorted by name, and so by number
		n, ours := numberOf(e.Name())
		if !ours {
			continue
		}
		g := newSegment(dir, n)
		s.last = max(s.last, n)
		if n == number {
			g.sent = sent
		}
		bad, err := g.scan()
		if err != nil {
			return nil, 0, 0, err
		}
		damaged, waiting = damaged+bad, waiting+g.left()
		s.segments = append(s.segments, g)
	}
	s.sweep()
	return s, waiting, damaged, nil
}

// settled reads what is settled; without the file nothing is.
func (s *spool) settled() (number uint64, sent int64) {
	b, err := os.ReadFile(filepath.Join(s.dir, sentFile))
	if err != nil {
		return 0, 0
	}
	if _, err := fmt.Sscanf(string(b), "%x %d\n", &number, &sent); err != nil {
		return 0, 0 // some are sent again
	}
	return number, sent
}

// size returns the bytes of the segment that records are appended to, at most.
func (s *spool) size() int64 { return min(1<<20, s.limit/8) }

// append writes records down, in one write, and returns how many older ones had
// to go for them. After an error none of them is kept.
func (s *spool) append(records [][]byte) (dropped int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b []byte
	for _, r := range records {
		b = appendRecord(b, r)
	}
	if err := s.turn(); err != nil {
		return 0, err
	}
	dropped = s.makeRoom(int64(len(b)))
	last := s.segments[len(s.segments)-1]
	if _, err := s.out.Write(b); err != nil {
		return dropped, errors.Join(err, s.undo(last))
	}
	last.size, last.count, s.dirty = last.size+int64(len(b)), last.count+len(records), true
	return dropped, nil
}

// undo ends a segment whose last write failed: half a record would hide what
// comes behind it. One with nothing in it goes, so that a disk which is full does
// not get a file for every attempt.
func (s *spool) undo(last *segment) error {
	err := errors.Join(s.out.Truncate(last.size), s.close())
	if last.count == 0 {
		err = errors.Join(err, s.drop(last))
	}
	return err
}

// left returns how many records wait.
func (s *spool) left() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		n += g.left()
	}
	return n
}

// turn opens a new segment when there is none, or the last is full.
func (s *spool) turn() error {
	if s.out != nil && s.segments[len(s.segments)-1].size < s.size() {
		return nil
	}
	if err := s.close(); err != nil {
		return err
	}
	s.last++
	next := newSegment(s.dir, s.last)
	out, err := os.OpenFile(next.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	s.out, s.fresh, s.segments = out, true, append(s.segments, next)
	return nil
}

// makeRoom drops the oldest segments, but for the one that is on its way and
// the one that is written to, until so many bytes fit.
func (s *spool) makeRoom(more int64) (dropped int) {
	total := more
	for _, g := range s.segments {
		total += g.size
	}
	for i := 0; total > s.limit && i < len(s.segments)-1; {
		g := s.segments[i]
		if g == s.reading {
			i++
			continue
		}
		total, dropped = total-g.size, dropped+g.left()
		s.segments = slices.Delete(s.segments, i, i+1)
		_ = os.Remove(g.path) // what stays is sent after a start, under its old IDs
	}
	return dropped
}

// next returns the oldest records, at most so many and about so many bytes, and
// the place behind them; none when all are settled. A damaged segment is given
// up: lost says how many records it had left.
func (s *spool) next(most int, bytes int64) (records [][]byte, m mark, lost int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.segments) > 0 {
		g := s.segments[0]
		if g.left() > 0 {
			records, end, err := g.read(most, bytes)
			if err == nil {
				s.reading = g
				return records, mark{g, end, len(records)}, lost, nil
			}
			lost += g.left()
		}
		if err := s.drop(g); err != nil {
			return nil, mark{}, lost, err
		}
	}
	return nil, mark{}, lost, nil
}

// settle notes that a batch is done with, whatever became of it.
func (s *spool) settle(m mark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.segment.sent, m.segment.gone, s.reading = m.end, m.segment.gone+m.count, nil
	if m.segment.left() == 0 {
		return s.drop(m.segment)
	}
	return writeLoose(filepath.Join(s.dir, sentFile), fmt.Appendf(nil, "%x %d\n", m.segment.number, m.end))
}

// drop deletes a segment that nothing is left in.
func (s *spool) drop(g *segment) error {
	i := slices.Index(s.segments, g)
	if i < 0 {
		return nil
	}
	var closed error
	if i == len(s.segments)-1 {
		s.dirty = false // nobody will ask for it
		closed = s.close()
	}
	s.segments = slices.Delete(s.segments, i, i+1)
	return errors.Join(closed, ignoreMissing(os.Remove(g.path)))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sweep deletes the segments that an earlier process had settled.
func (s *spool) sweep() {
	for len(s.segments) > 0 && s.segments[0].left() == 0 {
		_ = os.Remove(s.segments[0].path) // the next start tries again
		s.segments = s.segments[1:]
	}
}

// sync brings what was written to the disk itself.
func (s *spool) sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flush()
}

func (s *spool) flush() error {
	if s.out == nil || !s.dirty {
		return nil
	}
	if err := s.out.Sync(); err != nil {
		return err
	}
	s.dirty = false
	if !s.fresh {
		return nil
	}
	s.fresh = false
	return syncDir(s.dir)
}

// close ends the segment that is written to.
func (s *spool) close() error {
	if s.out == nil {
		return nil
	}
	err := errors.Join(s.flush(), s.out.Close())
	s.out = nil
	return err
}

func (s *spool) shut() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.close()
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// writeLoose is writeWhole without waiting for the disk: what is lost with the
// power is told again.
func writeLoose(path string, b []byte) error {
	if err := os.WriteFile(path+".tmp", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

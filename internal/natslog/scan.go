package natslog

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// extent is what the files of one stream hold.
type extent struct {
	first, last uint64 // of the messages, or where the sequence went on from
	count       int    // messages
	torn        int    // bytes at the end of a write that a crash cut off
}

// rules is what a scan demands of one stream.
type rules struct {
	what     string // its messages are called, in errors
	fromOne  bool   // nothing is ever removed from it
	contains bool   // sequences have no gaps
}

func rulesOf(stream string) rules {
	switch {
	case stream == controlStream:
		return rules{controlName, true, true}
	case stream == blobsStream:
		return rules{blobsName, true, true}
	case stream == deadStream:
		return rules{deadName, false, true}
	case strings.HasPrefix(stream, factsStream):
		return rules{factsName, false, true}
	}
	return rules{"message", false, false}
}

// scanEach reads the files of every stream below dir. There is one fault a
// stream that has one, naming the first message that is damaged.
func scanEach(dir string) (found map[string]extent, faults map[string]error) {
	found, faults = map[string]extent{}, map[string]error{}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		faults[""] = fmt.Errorf("listing the streams: %w", err)
	}
	for _, e := range entries {
		x, err := scan(dir, e.Name(), nil)
		if found[e.Name()] = x; err != nil {
			faults[e.Name()] = err
		}
	}
	return found, faults
}

// joined returns the faults in the order of the streams' names.
func joined(faults map[string]error) error {
	var list []error
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		list = append(list, faults[name])
	}
	return errors.Join(list...)
}

// scan reads the files of one stream and shows every message to visit, if
// given, until that returns an error.
func scan(dir, stream string, visit func(record) error) (extent, error) {
	s := scanner{stream: stream, rules: rulesOf(stream), visit: visit}
	msgs := filepath.Join(dir, stream, "msgs")
	numbers, err := blockNumbers(msgs)
	if err != nil {
		return extent{}, err
	}
	for i, n := range numbers {
		err := s.block(filepath.Join(msgs, strconv.Itoa(n)+".blk"), n, i == len(numbers)-1)
		if err != nil {
			return s.extent, err
		}
	}
	return s.extent, nil
}

// blockNumbers lists the block files in order.
func blockNumbers(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the blocks: %w", err)
	}
	var numbers []int
	for _, e := range entries {
		text, ok := strings.CutSuffix(e.Name(), ".blk")
		if n, err := strconv.Atoi(text); ok && err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

type scanner struct {
	extent
	rules
	stream string
	visit  func(record) error
}

func (s *scanner) block(path string, number int, newest bool) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading a block: %w", err)
	}
	r, err := newBlockReader(s.stream, number)
	if err != nil {
		return err
	}
	if at, err := s.records(r, b, newest); err != nil {
		return s.damage(fmt.Errorf("%s, byte %d: %w", path, at, err))
	}
	return nil
}

// records takes the records of a block, and returns where it stopped.
func (s *scanner) records(r *blockReader, b []byte, newest bool) (at int, err error) {
	for at < len(b) {
		rec, n, err := r.next(b[at:])
		if err != nil && newest && r.torn(b[at:]) {
			s.torn = len(b) - at
			return at, nil
		}
		if err == nil {
			err = s.take(rec)
		}
		if err != nil {
			return at, err
		}
		at += n
	}
	return at, nil
}

// take checks that a record follows the ones before it.
func (s *scanner) take(r record) error {
	if r.removed {
		if r.seq > s.last && s.fromOne {
			return errors.New("it was cut off")
		}
		s.last = max(s.last, r.seq)
		return nil
	}
	switch {
	case s.last == 0 && s.fromOne && r.seq != 1:
		return fmt.Errorf("%d is the first that is there", r.seq)
	case s.count > 0 && s.contains && r.seq > s.last+1:
		return fmt.Errorf("%d follows %d", r.seq, s.last)
	case s.last > 0 && r.seq <= s.last:
		return fmt.Errorf("%d stands behind %d", r.seq, s.last)
	}
	if s.first == 0 {
		s.first = r.seq
	}
	s.last, s.count = r.seq, s.count+1
	if s.visit != nil {
		return s.visit(r)
	}
	return nil
}

// damage names the message that should have come next.
func (s *scanner) damage(why error) error {
	if errors.Is(why, event.ErrDamaged) {
		return why
	}
	name := fmt.Sprintf("%s %d of %s", s.what, s.last+1, s.stream)
	if s.count == 0 && !s.fromOne {
		name = fmt.Sprintf("the first %s of %s", s.what, s.stream)
	}
	return fmt.Errorf("%w: %s is missing (%w); restore the directory from a backup: a server started on it would drop what lies behind",
		event.ErrDamaged, name, why)
}

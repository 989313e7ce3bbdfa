package natslog

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// Report is what Verify found on disk.
type Report struct {
	Streams []Extent
	Log     event.Mark  // where the log ends, without a state
	Seals   event.Seals // the newest seal in the log
	Noted   event.Mark  // what seal.json says; zero when there is none
}

// Extent is what the files of one stream hold.
type Extent struct {
	Stream      string
	First, Last uint64 // sequences; 0 in an empty stream
	Messages    int
	Torn        int // bytes of a write that a crash cut off; never acknowledged
}

// Verify reads the files of a stopped server below dir, without changing what is in them:
// every record's checksum, every sequence, the log's hashes and seals, and
// whether anything ends before what seal.json says. The error wraps
// event.ErrDamaged and names the first missing or changed message of every
// stream.
func Verify(dir string) (Report, error) {
	lock, err := claim(dir)
	if err != nil {
		return Report{}, err
	}
	defer lock.release()
	noted, err := readNote(filepath.Join(dir, sealFile))
	if err != nil {
		return Report{}, err
	}
	if err := putBack(dir); err != nil {
		return Report{}, err
	}
	found, faults := scanEach(streamsDir(dir))
	report := Report{Noted: noted.Mark}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		x := found[name]
		report.Streams = append(report.Streams, Extent{name, x.first, x.last, x.count, x.torn})
	}
	if err := joined(faults); err != nil {
		return report, err
	}
	return report, errors.Join(report.audit(dir), report.shorter(found, noted))
}

// audit folds the log from its files.
func (r *Report) audit(dir string) error {
	x := newIndex(r.Noted)
	_, err := scan(streamsDir(dir), controlStream, func(rec record) error {
		return x.add([]stored{{seq: rec.seq, subject: rec.subject, data: rec.data}})
	})
	r.Log, r.Seals = x.mark()
	return err
}

// shorter names what every stream has lost at its end.
func (r *Report) shorter(found map[string]extent, n note) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(n.Streams)) {
		if last := found[name].last; last < n.Streams[name] {
			faults = append(faults, shorter(name, last, n.Streams[name]))
		}
	}
	return errors.Join(faults...)
}

package flags

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// The type of the event of a scan, and what its subject has before the
// repository, whose slashes are dots there.
const (
	ScanEventType = "references.scanned"
	ScanSubject   = "references."
)

// ScanCommand asks to put down a scan of a repository in the place of the one
// before.
type ScanCommand struct {
	Order
	Scan Scan
}

// scanned is the data of a references.scanned event.
type scanned struct {
	Scan    storedScan `json:"scan"`
	Comment string     `json:"comment,omitempty"`
}

// storedScan is a Scan as the log keeps it: see stored.
type storedScan struct {
	Repository string         `json:"repository"`
	Revision   string         `json:"revision"`
	Files      int            `json:"files,omitempty"`
	Counts     map[string]int `json:"counts,omitempty"`
	Places     *event.Blob    `json:"places,omitempty"`
}

// HandleScan is Handle for a scan.
func (s *State) HandleScan(c ScanCommand) (event.Event, event.Expect, error) {
	key := scanKey(c.Scan.Repository)
	old, exists := s.shared.Scans[key]
	if err := c.expects("the scan of "+c.Scan.Repository, old.Seq); err != nil {
		return event.Event{}, 0, err
	}
	faults := c.Scan.check()
	if exists && old.Repository != c.Scan.Repository {
		faults.Add("repository", c.Scan.Repository, "is too much like "+old.Repository+", which has been scanned", "name it by another word")
	}
	if c.Actor == "" {
		faults.Add("actor", nil, "is missing", "")
	}
	if err := faults.Err(); err != nil {
		return event.Event{}, 0, err
	}
	if exists && same(old.Scan, c.Scan) {
		return event.Event{}, event.Expect(old.Seq), fmt.Errorf("%w: %s at %s", ErrUnchanged, old.Repository, old.Revision)
	}
	return c.event(ScanEventType, ScanSubject+key, old.Seq, scanned{storedScan(c.Scan), c.Comment})
}

// applyScan folds a references.scanned event. No Set changes with it.
func (s *State) applyScan(r event.Recorded) error {
	var data scanned
	if err := json.Unmarshal(r.Data, &data); err != nil {
		return fmt.Errorf("reading a %s event: %w", ScanEventType, err)
	}
	s.shared.Scans[strings.TrimPrefix(r.Subject, ScanSubject)] = RecordedScan{Scan: Scan(data.Scan), Seq: r.Seq, At: r.Time, Actor: r.Actor}
	s.ids.Add(r.ID, r.Seq)
	return nil
}

// Scans returns the newest scan of each repository, by name.
func (s *State) Scans() []RecordedScan {
	return slices.SortedFunc(maps.Values(s.shared.Scans), func(a, b RecordedScan) int { return strings.Compare(a.Repository, b.Repository) })
}

// References returns in how many places the newest scans of all repositories
// have found a flag, nil when nobody has scanned any.
func (s *State) References(key string) *int {
	if len(s.shared.Scans) == 0 {
		return nil
	}
	sum := 0
	for _, scan := range s.shared.Scans {
		sum += scan.Counts[key]
	}
	return &sum
}

// NoFlags returns the keys in a scan that are no flag's, sorted.
func (s *State) NoFlags(c Scan) []string {
	var out []string
	for key := range c.Counts {
		if _, ok := s.flags[key]; !ok {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

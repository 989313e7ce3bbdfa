package flags

import "maps"

// shared is what flags have in common, by key, and what is known of them all. A
// deleted document stays, so that its revision goes on counting.
type shared struct {
	Segments     map[string]shelf               `json:"segments,omitempty"`
	Environments map[string]RecordedEnvironment `json:"environments,omitempty"` // that have a document, or had one
	Policies     map[string]RecordedPolicy      `json:"policies,omitempty"`
	Scans        map[string]RecordedScan        `json:"scans,omitempty"` // the newest of each repository
}

func newShared() shared {
	return shared{
		Segments: map[string]shelf{}, Environments: map[string]RecordedEnvironment{}, Policies: map[string]RecordedPolicy{},
		Scans: map[string]RecordedScan{},
	}
}

func (s shared) clone() shared {
	return shared{
		Segments: maps.Clone(s.Segments), Environments: maps.Clone(s.Environments), Policies: maps.Clone(s.Policies),
		Scans: maps.Clone(s.Scans),
	}
}

// segmented returns the revision of the newest segment.
func (s shared) segmented() uint64 {
	var last uint64
	for _, list := range s.Segments {
		last = max(last, list.last().Revision)
	}
	return last
}

// bulky reports whether any revision of a segment has a list of its own
// document.
func (s shared) bulky() bool {
	for _, list := range s.Segments {
		for i := range list {
			if list[i].Included.Bulk != nil || list[i].Excluded.Bulk != nil {
				return true
			}
		}
	}
	return false
}

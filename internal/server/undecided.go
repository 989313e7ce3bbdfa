package server

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// decided refuses to archive a flag that somebody still asks for, or whose
// rollout nobody has ended, unless the change gives a reason. Call it in a View.
func (s *server) decided(key string, changes []flags.Change) error {
	var faults event.Invalids
	for i, c := range changes {
		if c.Op != flags.Archive || c.Reason != "" {
			continue
		}
		at := fmt.Sprintf("changes[%d].op", i)
		f, _ := s.Flags.Flag(key)
		for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
			if r, ok := s.Rollouts.Newest(name, key); ok && r.Open() {
				faults.Add(at, c.Op, "is refused: rollout "+r.ID+" is undecided", "end it first, or give a reason")
			}
		}
		if last := s.lastAsked(f); last != nil && s.Now().Sub(*last) <= flags.Unseen {
			faults.Add(at, c.Op, "is refused: somebody evaluated the flag at "+last.UTC().Format(time.RFC3339), "take it out of the code first, or give a reason")
		}
	}
	return faults.Err()
}

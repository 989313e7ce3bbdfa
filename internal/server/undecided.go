package server

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// archives reports whether a change archives the flag without a reason to do
// so in any case. The comment of a change is none: every change has one.
func archives(c flags.Change) bool { return c.Op == flags.Archive && c.Reason == "" }

// Decided refuses to archive a flag that somebody still asks for, or whose
// rollout nobody has ended, unless the change gives a reason. It needs the
// folds, Usage and Now. Call it in a View.
func (h House) Decided(key string, changes []flags.Change) error {
	var faults event.Invalids
	for i, c := range changes {
		if archives(c) {
			faults.Under(fmt.Sprintf("changes[%d]", i), append(h.undecided(key, c.Op), h.asking(key, c.Op)...))
		}
	}
	return faults.Err()
}

// undecided returns the rollouts of a flag that nobody has ended, as faults.
// One that gives units a variant is refused by the flag itself.
func (h House) undecided(key string, op flags.Op) (faults event.Invalids) {
	f, _ := h.Flags.Flag(key)
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		r, ok := h.Rollouts.Newest(name, key)
		a, told := h.Flags.AllocationAt(name, key, f.Revision)
		if ok && r.Open() && !(told && a.Rollout == r.ID) {
			faults.Add("op", op, "is refused: rollout "+r.ID+" is undecided", "end it first, or give a reason")
		}
	}
	return faults
}

// asking returns the environments that still ask for a flag, as faults.
func (h House) asking(key string, op flags.Op) (faults event.Invalids) {
	for _, name := range h.Flags.Environments() {
		if at := h.seen(name, key).Asked; flags.Asking(at, h.Now()) {
			faults.Add("op", op, "is refused: "+name+" last asked for the flag at "+at.UTC().Format(time.RFC3339),
				fmt.Sprintf("take it out of the code, and archive it when nobody has asked for %d days, or give a reason", int(flags.Quiet.Hours()/24)))
		}
	}
	return faults
}

// waits reports whether a flag cannot be archived yet, and can be in time:
// then its rollouts have ended, and nobody asks for it any more.
func (h House) waits(key string) bool {
	f, _ := h.Flags.Flag(key)
	for name := range f.Environments {
		if r, ok := h.Rollouts.Newest(name, key); ok && r.Open() {
			return true
		}
	}
	return len(h.asking(key, flags.Archive)) > 0
}

// doubts says, in sentences, why it cannot be told that nobody asks for a flag
// which is archived nevertheless: to wait would not help.
func (h House) doubts(key string, changes []flags.Change) (notes []string) {
	if !slices.ContainsFunc(changes, archives) {
		return nil
	}
	where := map[string][]string{}
	for _, name := range h.Flags.Environments() {
		if doubt := h.seen(name, key).Doubt(h.Now()); doubt != "" {
			where[doubt] = append(where[doubt], name)
		}
	}
	for _, doubt := range slices.Sorted(maps.Keys(where)) {
		notes = append(notes, "it cannot be told whether somebody still asks for it in "+strings.Join(where[doubt], ", ")+": "+doubt)
	}
	return notes
}

// seen returns when a flag was last used in an environment, zero when nobody
// here counts.
func (h House) seen(environment, key string) flags.Seen {
	if h.Usage == nil {
		return flags.Seen{}
	}
	return h.Usage.Seen(environment, key)
}

// handled is Handle for a command that may archive: with everything that is
// against it. Call it in a View.
func (h House) handled(c flags.Command) (event.Event, event.Expect, error) {
	e, expect, err := h.Flags.Handle(c)
	return e, expect, together(h.Decided(c.Key, c.Changes), err)
}

// together returns the faults of two looks at the same changes. What the second
// says beside faults comes first.
func together(first, second error) error {
	var a, b event.Invalids
	switch {
	case first == nil || second != nil && !errors.As(second, &b):
		return second
	case errors.As(first, &a):
		return append(slices.Clone(a), b...).Err()
	}
	return first
}

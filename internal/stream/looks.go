package stream

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// looks tells whether a change can be seen in the answers of an environment. A
// flag's other environments, and who changed it and why, change no answer.
type looks struct {
	flags map[string]digest // by key
	rules digest
	at    uint64 // revision of the newest
}

type digest [sha256.Size]byte

// take notes what a ruleset, or what changed of it, looks like, and reports
// whether that is otherwise than before.
func (l *looks) take(r flags.Ruleset) (otherwise bool) {
	rules := digestOf(r.Rules)
	otherwise = rules != l.rules || slices.ContainsFunc(r.Segments, func(s flags.RecordedSegment) bool { return s.Revision > l.at })
	l.rules, l.at = rules, r.Revision
	for _, f := range r.Flags {
		d := digestOf(bare(f))
		otherwise = otherwise || d != l.flags[f.Key]
		l.flags[f.Key] = d
	}
	return otherwise
}

// bare is a flag without its record.
func bare(f flags.Recorded) flags.Recorded {
	f.Revision, f.Created, f.Changed, f.Defined = 0, time.Time{}, time.Time{}, event.ID{}
	f.Actor, f.Cause, f.Comment = "", "", ""
	return f
}

func digestOf(v any) digest {
	body, err := json.Marshal(v)
	if err != nil {
		panic("encoding a flag: " + err.Error()) // unreachable unless a value is no JSON, which no event with it would be
	}
	return sha256.Sum256(body)
}

package flags

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Entry is one event of a flag, as its history tells it.
type Entry struct {
	Revision    uint64       `json:"revision"` // sequence of the event
	ID          event.ID     `json:"id"`       // of the event
	Type        string       `json:"type"`     // "flag.changed"
	At          time.Time    `json:"at"`
	Due         *time.Time   `json:"due,omitempty"` // flag.scheduled: when it is to be carried out
	Actor       string       `json:"actor"`
	Cause       string       `json:"cause,omitempty"`       // ID of the decision or event behind it; empty when a person acted
	Comment     string       `json:"comment,omitempty"`     //
	Changes     []Change     `json:"changes,omitempty"`     // as they were commanded
	Differences []Difference `json:"differences,omitempty"` // what they made different, in sentences
}

// History tells the events of one flag, oldest first. environments leaves out
// what belongs to others; nil tells all.
func History(events []event.Recorded, environments []string) ([]Entry, error) {
	state, shown := NewState(), map[event.ID]bool{}
	var out []Entry
	for _, r := range events {
		key := strings.TrimPrefix(r.Subject, SubjectPrefix)
		before, known := state.Flag(key)
		if err := state.Apply(r); err != nil {
			return nil, fmt.Errorf("telling the history of %s: %w", key, err)
		}
		after, _ := state.Flag(key)
		e, of, err := entry(r, environments)
		if err != nil {
			return nil, err
		}
		e.Differences = differences(before, after, known, environments)
		if shown[r.ID] = environments == nil || e.concerns(shown[of]); shown[r.ID] {
			out = append(out, e)
		}
	}
	return out, nil
}

// concerns reports whether an entry, of which other environments were left out,
// says anything still: an answer does when what it answers did.
func (e Entry) concerns(answered bool) bool {
	switch e.Type {
	case EventType:
		return len(e.Differences) > 0
	case TypeScheduled, TypeProposed:
		return len(e.Changes) > 0
	}
	return answered
}

// entry tells an event but for what it made different, and names the event
// that it answers.
func entry(r event.Recorded, environments []string) (Entry, event.ID, error) {
	e := Entry{Revision: r.Seq, ID: r.ID, Type: r.Type, At: r.Time, Actor: r.Actor, Cause: r.Cause}
	var d struct { // the fields that the data of all types have in common, and the reason of a lapse
		waitingData
		Why string   `json:"why"`
		Of  event.ID `json:"of"`
	}
	if err := json.Unmarshal(r.Data, &d); err != nil {
		return e, d.Of, fmt.Errorf("reading a %s event: %w", r.Type, err)
	}
	e.Due = d.At
	if e.Comment = cmp.Or(d.Comment, d.Why); len(d.Changes) > 0 {
		e.Changes = changesOf(d.Changes)
	}
	if environments != nil {
		e.Changes = changesIn(e.Changes, environments)
	}
	return e, d.Of, nil
}

// changesIn leaves out the changes of other environments, and what a
// definition says of them.
func changesIn(changes []Change, environments []string) []Change {
	var out []Change
	for _, c := range changes {
		if e := c.Reaches(); e != "" && !slices.Contains(environments, e) {
			continue
		}
		if c.Flag != nil {
			f := c.Flag.In(environments)
			c.Flag = &f
		}
		out = append(out, c)
	}
	return out
}

// differences says what an event made different. A first definition is one
// difference: every field of it is new.
func differences(before, after Recorded, known bool, environments []string) []Difference {
	if !known {
		return []Difference{{Path: "key", Is: after.Key, Text: "flag " + after.Key + " created"}}
	}
	out := Diff(before.In(environments), after.In(environments))
	if before.Set != after.Set {
		out = append(out, Difference{Path: "set", Was: optional(before.Set), Is: after.Set, Text: "kept by the files of set " + after.Set})
	}
	switch {
	case after.Archived && !before.Archived:
		out = append(out, Difference{Path: "archived", Is: after.Answer, Text: "archived: everybody gets " + after.Answer})
	case before.Archived && !after.Archived:
		out = append(out, Difference{Path: "archived", Was: before.Answer, Text: "restored"})
	case before.Answer != after.Answer:
		out = append(out, Difference{Path: "archived", Was: before.Answer, Is: after.Answer,
			Text: fmt.Sprintf("archived: everybody now gets %s (was %s)", after.Answer, before.Answer)})
	}
	return out
}

// In returns the flag as somebody may see it who sees some environments alone;
// nil leaves it as it is.
func (f Flag) In(environments []string) Flag {
	if environments == nil {
		return f
	}
	f.Environments = maps.Clone(f.Environments)
	maps.DeleteFunc(f.Environments, func(name string, _ Environment) bool { return !slices.Contains(environments, name) })
	return f
}

// Needs returns the keys of the flags that the flag asks for in any
// environment, sorted.
func (f Flag) Needs() []string {
	var out []string
	for _, e := range f.Environments {
		for _, p := range e.Prerequisites {
			out = append(out, p.Flag)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// optional returns nil for the empty text.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

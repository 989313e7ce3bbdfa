package flags

import (
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
	Actor       string       `json:"actor"`
	Cause       string       `json:"cause,omitempty"`       // ID of the decision or event behind it; empty when a person acted
	Comment     string       `json:"comment,omitempty"`     //
	Changes     []Change     `json:"changes,omitempty"`     // as they were commanded
	Differences []Difference `json:"differences,omitempty"` // what they made different, in sentences
}

// History tells the events of one flag, oldest first. environment leaves out
// what belongs to other environments; "" tells all.
func History(events []event.Recorded, environment string) ([]Entry, error) {
	state := NewState()
	var out []Entry
	for _, r := range events {
		key := strings.TrimPrefix(r.Subject, SubjectPrefix)
		before, known := state.Flag(key)
		if err := state.Apply(r); err != nil {
			return nil, fmt.Errorf("telling the history of %s: %w", key, err)
		}
		after, _ := state.Flag(key)
		e, err := entry(r, environment)
		if err != nil {
			return nil, err
		}
		e.Differences = differences(before, after, known, environment)
		if environment == "" || r.Type != EventType || len(e.Differences) > 0 {
			out = append(out, e)
		}
	}
	return out, nil
}

// entry tells an event but for what it made different.
func entry(r event.Recorded, environment string) (Entry, error) {
	e := Entry{Revision: r.Seq, ID: r.ID, Type: r.Type, At: r.Time, Actor: r.Actor, Cause: r.Cause}
	if r.Type != EventType {
		return e, nil
	}
	changes, comment, err := load(r.Data)
	if err != nil {
		return e, err
	}
	e.Comment, e.Changes = comment, changes
	if environment != "" {
		e.Changes = changesIn(changes, environment)
	}
	return e, nil
}

// changesIn leaves out the changes of other environments, and what a
// definition says of them.
func changesIn(changes []Change, environment string) []Change {
	var out []Change
	for _, c := range changes {
		if c.Environment != "" && c.Environment != environment {
			continue
		}
		if c.Flag != nil {
			f := c.Flag.In(environment)
			c.Flag = &f
		}
		out = append(out, c)
	}
	return out
}

// differences says what an event made different. A first definition is one
// difference: every field of it is new.
func differences(before, after Recorded, known bool, environment string) []Difference {
	if !known {
		return []Difference{{Path: "key", Is: after.Key, Text: "flag " + after.Key + " created"}}
	}
	out := Diff(before.In(environment), after.In(environment))
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

// In returns the flag as somebody may see it who sees one environment alone;
// "" leaves it as it is.
func (f Flag) In(environment string) Flag {
	if environment == "" {
		return f
	}
	f.Environments = maps.Clone(f.Environments)
	maps.DeleteFunc(f.Environments, func(name string, _ Environment) bool { return name != environment })
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

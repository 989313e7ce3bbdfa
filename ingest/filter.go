package ingest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// LetterFilter selects dead letters: those that fit everything it says. The
// zero filter selects all. Orders are stored with the filter that they were
// given, so its fields never change their meaning.
type LetterFilter struct {
	IDs         []string  `json:"ids,omitempty"` // of letters; none is all
	Shard       string    `json:"shard,omitempty"`
	Reason      Reason    `json:"reason,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Name        string    `json:"name,omitempty"` // of the metric event
	Unit        string    `json:"unit,omitempty"` // as letters have it: HashedUnit
	Text        string    `json:"text,omitempty"` // somewhere in the event or in why it is dead, whatever the case
	Since       time.Time `json:"since,omitzero"` // time of the event, at the least
	Until       time.Time `json:"until,omitzero"` // and before this; a message that cannot be read has no time
	From        uint64    `json:"from,omitempty"` // first sequence of the shard's message
	To          uint64    `json:"to,omitempty"`   // last one; 0 is no end

	Sees func(environment string) bool `json:"-"` // whether whoever looks may see letters of an environment; nil: of all
}

// HashedUnit returns the name that a unit has in letters and in filters: its
// keyed hash, never its id.
func HashedUnit(key []byte, kind, id string) string { return hashedText(UnitHash(key, kind, id)) }

// IsHashedUnit reports whether a text is such a name.
func IsHashedUnit(text string) bool {
	_, ok := parseHashed(text)
	return ok
}

func (f LetterFilter) empty() bool {
	return len(f.IDs) == 0 && f.Shard == "" && f.Reason == "" && f.Environment == "" && f.Name == "" && f.Unit == "" &&
		f.Text == "" && f.Since.IsZero() && f.Until.IsZero() && f.From == 0 && f.To == 0
}

// deep reports whether a letter must be read to know whether it fits.
func (f LetterFilter) deep() bool { return f.Unit != "" || f.Text != "" || f.From > 0 || f.To > 0 }

func (f LetterFilter) match(l Letter) bool {
	return f.fits(l.kind(), l.At) && (len(f.IDs) == 0 || slices.Contains(f.IDs, l.ID)) && f.holds(l)
}

// fits looks at what is known of a letter without reading it.
func (f LetterFilter) fits(k letterKind, at time.Time) bool {
	return (f.Sees == nil || f.Sees(k.environment)) && (f.Shard == "" || f.Shard == k.shard) && (f.Reason == "" || f.Reason == k.reason) &&
		(f.Environment == "" || f.Environment == k.environment) && (f.Name == "" || f.Name == k.name) &&
		(f.Since.IsZero() || !at.IsZero() && !at.Before(f.Since)) && (f.Until.IsZero() || !at.IsZero() && at.Before(f.Until))
}

// holds looks at what is in a letter.
func (f LetterFilter) holds(l Letter) bool {
	return l.Seq >= f.From && (f.To == 0 || l.Seq <= f.To) && (f.Unit == "" || l.about(f.Unit)) && (f.Text == "" || l.says(f.Text))
}

// about reports whether a letter's event is about a unit.
func (l Letter) about(unit string) bool {
	if !strings.Contains(string(l.Fact), unit) {
		return false // as almost always: nothing is parsed
	}
	var fact struct {
		Unit  Unit              `json:"unit"`
		Units map[string]string `json:"units"`
	}
	if json.Unmarshal(l.Fact, &fact) != nil {
		return false
	}
	if fact.Unit.ID == unit {
		return true
	}
	for _, id := range fact.Units {
		if id == unit {
			return true
		}
	}
	return false
}

// says reports whether a text is in what a person reads of a letter.
func (l Letter) says(text string) bool {
	text = strings.ToLower(text)
	for _, in := range []string{l.ID, l.Why, l.Name, l.Environment, string(l.Fact)} {
		if strings.Contains(strings.ToLower(in), text) {
			return true
		}
	}
	return l.EventID.String() == text
}

// letterKind is what many letters have in common.
type letterKind struct {
	shard       string
	reason      Reason
	environment string
	name        string
	sendable    bool
}

func (l Letter) kind() letterKind {
	return letterKind{l.Shard, l.Reason, l.Environment, l.Name, l.Sendable()}
}

// Sendable reports whether sending the letter's event again can be of use. What
// the stream has lost is nowhere; and the log is its own archive, from which
// its table is filled.
func (l Letter) Sendable() bool {
	return l.Shard != ControlShard && (len(l.Fact) > 0 || len(l.Bytes) > 0)
}

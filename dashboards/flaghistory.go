package dashboards

import (
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// FlagHistory is the page of what happened to a flag: who changed it, why, and
// what that made different.
type FlagHistory struct {
	Frame
	Top     FlagTop
	Entries []HistoryEntry
	Pager   Pager
	Command string
	AsOf    AsOf
}

func (FlagHistory) template() string { return "flaghistory" }

// HistoryEntry is one event of a flag.
type HistoryEntry struct {
	Revision          uint64
	What              string // "changed", "request filed"
	At                time.Time
	Actor, Comment    string
	Differences       []string
	Due               time.Time // of a schedule; zero: it is none
	Cause, CauseLink  string
	RestoreLink, Then string
}

// NewFlagHistory makes the page.
func NewFlagHistory(f Frame, s FlagSeen, all []flags.Entry, turn Pager, asOf AsOf) FlagHistory {
	p := FlagHistory{Frame: f, Top: newFlagTop(f, s, TabHistory), Pager: turn, AsOf: asOf, Command: "sluice history " + s.Flag.Key}
	for _, e := range all {
		h := HistoryEntry{Revision: e.Revision, What: eventWords(e), At: e.At, Actor: e.Actor, Comment: e.Comment, Cause: e.Cause}
		if e.Due != nil {
			h.Due = *e.Due
		}
		for _, d := range e.Differences {
			h.Differences = append(h.Differences, d.Text)
		}
		if len(h.Differences) == 0 && len(e.Changes) > 0 {
			h.Differences = []string{"asks for: " + inWords(e.Changes)}
		}
		if e.Cause != "" {
			h.CauseLink = "/decisions/" + e.Cause
		}
		if e.Type == flags.EventType {
			h.Then = flagLink(s.Flag.Key) + "?tab=explain&at=" + revision(e.Revision)
			if f.Rights.Write && e.Revision != s.Flag.Revision {
				h.RestoreLink = flagLink(s.Flag.Key) + "/restore?at=" + revision(e.Revision)
			}
		}
		p.Entries = append(p.Entries, h)
	}
	return p
}

// eventWords is the type of an event in words: "changed" of flag.changed.
func eventWords(e flags.Entry) string {
	_, what, _ := strings.Cut(e.Type, ".")
	return what
}

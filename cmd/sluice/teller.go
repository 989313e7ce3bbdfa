package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/notify"
	"github.com/sluice-hq/sluice/internal/server"
)

// teller finds the words for events in the rooms that they are of.
type teller struct {
	log        event.Log
	projection *event.Projection
	folds      server.Folds
}

var _ notify.Teller = teller{}

// About implements notify.Teller.
func (t teller) About(r event.Recorded) (a notify.About, ok bool) {
	a.Types, ok = []string{r.Type}, true
	t.projection.View(func(uint64) {
		if key, of := strings.CutPrefix(r.Subject, flags.SubjectPrefix); of {
			a.Flag, a.Environments = key, flags.Touches(r)
			a.Effect = t.folds.Rollouts.Decides(r.Cause)
		} else if told, of := t.folds.Rollouts.Tell(r); of {
			a.Types, a.Environments, a.Flag, a.To = told.Types, []string{told.Environment}, told.Flag, told.Webhooks
		} else {
			ok = shared(r) != ""
		}
		f, _ := t.folds.Flags.Flag(a.Flag)
		a.Tags = f.Tags
	})
	return a, ok
}

// shared names what an event changed that belongs to several flags, "" when it
// is of another kind.
func shared(r event.Recorded) string {
	for _, prefix := range []string{flags.SegmentSubject, flags.EnvironmentSubject, flags.PolicySubject, "metric."} {
		if key, of := strings.CutPrefix(r.Subject, prefix); of {
			return strings.TrimSuffix(prefix, ".") + " " + key
		}
	}
	return ""
}

// Say implements notify.Teller.
func (t teller) Say(ctx context.Context, r event.Recorded, environments []string) (w notify.Words, ok bool, err error) {
	if key, of := strings.CutPrefix(r.Subject, flags.SubjectPrefix); of {
		return t.flag(ctx, r, key, environments)
	}
	var told decisions.Told
	t.projection.View(func(uint64) { told, ok = t.folds.Rollouts.Tell(r) })
	switch thing := shared(r); {
	case ok:
		return notify.Words{Title: told.Title, Text: told.Text, Path: toldOn(told)}, true, nil
	case thing != "":
		_, what, _ := strings.Cut(r.Type, ".")
		return notify.Words{Title: thing + " " + what, Text: "By " + r.Actor, Path: "/"}, true, nil
	}
	return w, false, nil
}

// toldOn is the page of a decision, or of a rollout.
func toldOn(t decisions.Told) string {
	switch {
	case t.Decision != "":
		return "/decisions/" + t.Decision
	case t.Rollout != "":
		return "/rollouts/" + t.Rollout
	}
	return "/"
}

// mostDifferences bounds how much of a large change is told.
const mostDifferences = 8

// flag tells a change of a flag by what it made different, which takes the
// flag's events up to then.
func (t teller) flag(ctx context.Context, r event.Recorded, key string, environments []string) (w notify.Words, ok bool, err error) {
	var events []event.Recorded
	for e, err := range t.log.Read(ctx, event.Filter{Subjects: []string{r.Subject}}, 0) {
		if err != nil {
			return w, false, fmt.Errorf("reading the history of %s: %w", key, err)
		}
		if e.Seq > r.Seq {
			break
		}
		events = append(events, e)
	}
	all, err := flags.History(events, environments)
	if err != nil {
		return w, false, err
	}
	i := slices.IndexFunc(all, func(e flags.Entry) bool { return e.Revision == r.Seq })
	if i < 0 {
		return w, false, nil // it says nothing of these environments
	}
	w = flagWords(key, all[i])
	w.Path = t.page(r, key)
	return w, true, nil
}

// flagWords puts the only difference into the title, and several below it.
func flagWords(key string, e flags.Entry) notify.Words {
	var lines []string
	for _, d := range e.Differences[:min(len(e.Differences), mostDifferences)] {
		lines = append(lines, d.Text)
	}
	if more := len(e.Differences) - mostDifferences; more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", more))
	}
	w := notify.Words{Title: fmt.Sprintf("%s: %s", key, strings.ReplaceAll(strings.TrimPrefix(e.Type, "flag."), ".", " "))}
	if len(lines) == 1 {
		w.Title, lines = fmt.Sprintf("%s: %s", key, lines[0]), nil
	}
	if e.Comment != "" {
		lines = append(lines, "“"+e.Comment+"”")
	}
	w.Text = strings.Join(lines, "\n")
	return w
}

// page is the decision that a flag was changed by, or the newest rollout of the
// flag in the environment that was changed.
func (t teller) page(r event.Recorded, key string) (path string) {
	path = "/"
	t.projection.View(func(uint64) {
		if _, d, ok := t.folds.Rollouts.Decision(r.Cause); ok {
			path = "/decisions/" + d.ID
			return
		}
		for _, e := range flags.Touches(r) {
			if rollout, ok := t.folds.Rollouts.Newest(e, key); ok {
				path = "/rollouts/" + rollout.ID
				return
			}
		}
	})
	return path
}

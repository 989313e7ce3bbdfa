package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// FlagView is a flag and where it is in its life.
type FlagView struct {
	flags.Recorded
	Lifecycle flags.Life                      `json:"lifecycle"`
	Health    map[string]decisions.FlagHealth `json:"health" doc:"by environment: healthy, critical or unknown, who says so, and since when"`
	Seen      map[string]flags.Seen           `json:"seen,omitempty" doc:"when it was last used, by environment; absent when this replica does not know"`
	Due       *time.Time                      `json:"cleanupDue,omitempty" doc:"when the end of a rollout is due, the earliest; absent: of none"`
}

type flagsIn struct {
	Page
	Owner       string `query:"owner" doc:"exactly"`
	Tag         string `query:"tag" doc:"one of the flag's"`
	Purpose     string `query:"purpose" enum:"release,experiment,operational,permission,kill-switch"`
	Lifecycle   string `query:"lifecycle" enum:"draft,rollingOut,experimenting,decided,live,cleanupDue,archived"`
	Stale       string `query:"stale" enum:"true,false"`
	Archived    string `query:"archived" enum:"true,false" doc:"both when absent"`
	Q           string `query:"q" doc:"a part of key, description, owner or a tag; case does not matter"`
	Environment string `query:"environment" doc:"flags that it has"`
	State       string `query:"state" enum:"enabled,disabled,forced" doc:"in the environment, or in any when none is named"`
	Health      string `query:"health" enum:"healthy,critical,unknown" doc:"likewise"`
	Sort        string `query:"sort" enum:"key,changed" doc:"key, or the newest change first; by key when absent"`
}

type flagsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Flags []FlagView `json:"flags" doc:"by key"`
		Next  string     `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// listFlags narrows and cuts the list before it asks what becomes of a flag: of
// thousands, a page shows a hundred.
func (s *server) listFlags(ctx context.Context, in *flagsIn) (*flagsOut, error) {
	if err := s.mayList(ctx, in.Environment); err != nil {
		return nil, err
	}
	out := &flagsOut{}
	out.Body.Flags = []FlagView{} // never null in JSON
	var err error
	s.Projection.View(func(uint64) {
		found := s.selected(ctx, in)
		page, next, refused := cut(in.Page, in.order(found), found)
		for _, found := range page {
			f, _ := s.Flags.Flag(found.Key)
			out.Body.Flags = append(out.Body.Flags, s.flagView(shown(ctx, f)))
		}
		out.Body.Next, out.Link, err = next.cursor, next.link, refused
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// selected returns the flags that the filters keep, as whoever asks may see
// them. Call it in a View.
func (s *server) selected(ctx context.Context, in *flagsIn) (all []flags.Recorded) {
	for f := range s.Flags.All() {
		if !defines(ctx, f.Key) {
			continue
		}
		if f = shown(ctx, f); in.selects(f) && in.inLife(s, f) && in.inEnvironment(s, f) {
			all = append(all, f)
		}
	}
	return all
}

// order sorts the flags as it was asked for, and returns that order.
func (in *flagsIn) order(all []flags.Recorded) order[flags.Recorded] {
	if in.Sort != "changed" {
		return rising("flags", func(f flags.Recorded) string { return f.Key })
	}
	slices.SortFunc(all, func(a, b flags.Recorded) int { return cmp.Compare(b.Revision, a.Revision) })
	return newest("flags by change", func(f flags.Recorded) uint64 { return f.Revision })
}

// mayList refuses a filter by an environment that is none, or that whoever
// asks may not see; "" asks for all that may be seen.
func (s *server) mayList(ctx context.Context, environment string) error {
	if environment == "" {
		return nil
	}
	if err := may(ctx, access.Read, environment); err != nil {
		return err
	}
	var faults event.Invalids
	s.check("environment", environment, &faults)
	return faults.Err()
}

// flagView returns a flag and what becomes of it. Call it in a View.
func (s *server) flagView(f flags.Recorded) FlagView {
	return FlagView{Recorded: f, Lifecycle: s.life(f), Health: s.health(f), Seen: s.lastSeen(f), Due: s.cleanupDue(f)}
}

// cleanupDue returns when the first of the flag's rollouts that are decided,
// and not closed, is to be cleaned up after; nil: none is. Call it in a View.
func (s *server) cleanupDue(f flags.Recorded) *time.Time {
	var first *time.Time
	for name := range f.Environments {
		r, ok := s.Rollouts.Newest(name, f.Key)
		if due := r.CleanupDue(); ok && r.Closed == nil && !due.IsZero() && (first == nil || due.Before(*first)) {
			first = &due
		}
	}
	return first
}

// lastSeen returns when a flag was last used in each of its environments, nil when
// this replica does not know.
func (s *server) lastSeen(f flags.Recorded) map[string]flags.Seen {
	if s.House.Usage == nil {
		return nil
	}
	all := map[string]flags.Seen{}
	for name := range f.Environments {
		all[name] = s.House.Usage.Seen(name, f.Key)
	}
	return all
}

// life returns where a flag is in its life. Call it in a View.
func (s *server) life(f flags.Recorded) flags.Life {
	return flags.Lifecycle(f, flags.Known{Rollouts: s.courses(f), Evaluated: s.lastAsked(f), References: s.Flags.References(f.Key)}, s.Now())
}

// shown returns what whoever asks may see of a flag: a token that is bound to
// environments does not see the others, nor the comment of the last change,
// which may have been one of theirs. Its history has those that it may read.
func shown(ctx context.Context, f flags.Recorded) flags.Recorded {
	if within := asking(ctx).Within(f.Key); within != nil {
		f.Flag, f.Comment = f.In(within), ""
	}
	return f
}

// courses returns what the lifecycle needs to know of the flag's newest
// rollouts.
func (s *server) courses(f flags.Recorded) []flags.Course {
	var out []flags.Course
	for name := range f.Environments {
		r, ok := s.Rollouts.Newest(name, f.Key)
		if !ok || r.Status == decisions.Planned || r.Status == decisions.Rejected { // nobody was exposed
			continue
		}
		stage, _ := r.Now()
		out = append(out, flags.Course{Open: r.Open(), Decides: r.Open() && stage.Kind() == decisions.Decide, Ended: r.Ended})
	}
	return out
}

// selects reports whether the filters on what a flag says of itself keep it.
func (in *flagsIn) selects(f flags.Recorded) bool {
	switch {
	case in.Owner != "" && f.Owner != in.Owner,
		in.Tag != "" && !slices.Contains(f.Tags, in.Tag),
		in.Purpose != "" && string(f.Purpose) != in.Purpose,
		in.Archived != "" && f.Archived != (in.Archived == "true"),
		in.Q != "" && !mentions(f, strings.ToLower(in.Q)):
		return false
	}
	return true
}

// inLife reports whether the filters on a flag's life keep it. Call it in a View.
func (in *flagsIn) inLife(s *server, f flags.Recorded) bool {
	if in.Lifecycle == "" && in.Stale == "" {
		return true
	}
	life := s.life(f)
	return (in.Lifecycle == "" || string(life.Stage) == in.Lifecycle) && (in.Stale == "" || life.Stale == (in.Stale == "true"))
}

// mentions reports whether the flag has the text, which is in lower case.
func mentions(f flags.Recorded, text string) bool {
	return slices.ContainsFunc(append([]string{f.Key, f.Description, f.Owner}, f.Tags...), func(s string) bool {
		return strings.Contains(strings.ToLower(s), text)
	})
}

// inEnvironment reports whether the filters on environments keep a flag: all of
// them in the same one. Call it in a View.
func (in *flagsIn) inEnvironment(s *server, f flags.Recorded) bool {
	if in.Environment == "" && in.State == "" && in.Health == "" {
		return true
	}
	for name, e := range f.Environments {
		if (in.Environment == "" || in.Environment == name) && in.inState(e) && (in.Health == "" || in.Health == string(s.Rollouts.Health(name, f.Key).State)) {
			return true
		}
	}
	return false
}

func (in *flagsIn) inState(e flags.Environment) bool {
	switch in.State {
	case "enabled":
		return e.Enabled && e.Forced == nil
	case "disabled":
		return !e.Enabled
	case "forced":
		return e.Forced != nil
	}
	return true
}

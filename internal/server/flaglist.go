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

func (s *server) listFlags(ctx context.Context, in *flagsIn) (*flagsOut, error) {
	if err := s.mayList(ctx, in.Environment); err != nil {
		return nil, err
	}
	var all []FlagView
	s.Projection.View(func(uint64) {
		for _, key := range s.Flags.Keys() {
			if f, ok := s.Flags.Flag(key); ok && defines(ctx, key) {
				all = append(all, s.flagView(ctx, f))
			}
		}
	})
	all = slices.DeleteFunc(all, func(v FlagView) bool { return !in.selects(v) })
	out := &flagsOut{}
	page, next, err := cut(in.Page, in.order(all), all)
	out.Body.Flags, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// order sorts the flags as it was asked for, and returns that order.
func (in *flagsIn) order(all []FlagView) order[FlagView] {
	if in.Sort != "changed" {
		return rising("flags", func(v FlagView) string { return v.Key })
	}
	slices.SortFunc(all, func(a, b FlagView) int { return cmp.Compare(b.Revision, a.Revision) })
	return newest("flags by change", func(v FlagView) uint64 { return v.Revision })
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

// flagView returns a flag as whoever asks may see it. Call it in a View.
func (s *server) flagView(ctx context.Context, f flags.Recorded) FlagView {
	f = shown(ctx, f)
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

// selects reports whether the filters keep a flag.
func (in *flagsIn) selects(v FlagView) bool {
	switch {
	case in.Owner != "" && v.Owner != in.Owner,
		in.Tag != "" && !slices.Contains(v.Tags, in.Tag),
		in.Purpose != "" && string(v.Purpose) != in.Purpose,
		in.Lifecycle != "" && string(v.Lifecycle.Stage) != in.Lifecycle,
		in.Stale != "" && v.Lifecycle.Stale != (in.Stale == "true"),
		in.Archived != "" && v.Archived != (in.Archived == "true"),
		in.Q != "" && !mentions(v, strings.ToLower(in.Q)):
		return false
	}
	return in.inEnvironment(v)
}

// mentions reports whether the flag has the text, which is in lower case.
func mentions(v FlagView, text string) bool {
	return slices.ContainsFunc(append([]string{v.Key, v.Description, v.Owner}, v.Tags...), func(s string) bool {
		return strings.Contains(strings.ToLower(s), text)
	})
}

func (in *flagsIn) inEnvironment(v FlagView) bool {
	if in.Environment == "" && in.State == "" && in.Health == "" {
		return true
	}
	for name, e := range v.Environments {
		if (in.Environment == "" || in.Environment == name) && in.inState(e) && (in.Health == "" || in.Health == string(v.Health[name].State)) {
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

package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

type searchIn struct {
	Q     string `query:"q" maxLength:"200" doc:"words; each has to be found, in any order, and case does not matter"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"10" doc:"at most so many of each kind"`
}

// FoundKind is a kind of thing that is searched.
type FoundKind string

// The kinds, in the order in which they are found.
const (
	FoundFlags     FoundKind = "flags"
	FoundRollouts  FoundKind = "rollouts"
	FoundMetrics   FoundKind = "metrics"
	FoundSegments  FoundKind = "segments"
	FoundPeople    FoundKind = "people"
	FoundDecisions FoundKind = "decisions"
)

// Found is what was found of one kind.
type Found struct {
	Kind  FoundKind `json:"kind" enum:"flags,rollouts,metrics,segments,people,decisions"`
	Total int       `json:"total" doc:"how many there are"`
	Items []Hit     `json:"items" doc:"those first whose key is what was asked for, or begins so"`
}

// Hit is one thing that was found.
type Hit struct {
	Key  string `json:"key" doc:"of a rollout its id, of a decision too"`
	Text string `json:"text,omitempty" doc:"what it is, in its own words"`

	haystack string // all that is searched, in small letters
	rank     int    // 0: the key is what was asked for
}

type searchOut struct {
	Body struct {
		Found []Found `json:"found" doc:"by kind; those of which nothing was found are left out"`
	}
}

// search finds what whoever asks may see by words.
func (s *server) search(ctx context.Context, in *searchIn) (*searchOut, error) {
	out := &searchOut{}
	out.Body.Found = []Found{}
	q := strings.ToLower(strings.TrimSpace(in.Q))
	if q == "" {
		return out, nil
	}
	for _, shelf := range []struct {
		kind FoundKind
		all  []Hit
	}{
		{FoundFlags, s.flagHits(ctx)}, {FoundRollouts, s.rolloutHits(ctx)}, {FoundMetrics, s.metricHits(ctx)},
		{FoundSegments, s.segmentHits(ctx)}, {FoundPeople, s.peopleHits()}, {FoundDecisions, s.decisionHits(ctx)},
	} {
		if hits := matching(shelf.all, q); len(hits) > 0 {
			out.Body.Found = append(out.Body.Found, Found{Kind: shelf.kind, Total: len(hits), Items: hits[:min(len(hits), max(in.Limit, 1))]})
		}
	}
	return out, nil
}

// hit is something that can be found by its key and by texts.
func hit(key, text string, others ...string) Hit {
	return Hit{Key: key, Text: text, haystack: strings.ToLower(strings.Join(append(others, key, text), " "))}
}

// matching keeps those in which every word is found, the nearest first; what is
// equally near keeps its order.
func matching(all []Hit, q string) []Hit {
	words := strings.Fields(q)
	all = slices.DeleteFunc(all, func(h Hit) bool {
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(h.haystack, w) })
	})
	for i := range all {
		switch key := strings.ToLower(all[i].Key); {
		case key == q:
		case strings.HasPrefix(key, q):
			all[i].rank = 1
		case strings.Contains(key, q):
			all[i].rank = 2
		default:
			all[i].rank = 3
		}
	}
	slices.SortStableFunc(all, func(a, b Hit) int { return cmp.Compare(a.rank, b.rank) })
	return all
}

func (s *server) flagHits(ctx context.Context) (all []Hit) {
	s.Projection.View(func(uint64) {
		for _, key := range s.Flags.Keys() {
			if f, ok := s.Flags.Flag(key); ok && defines(ctx, key) {
				all = append(all, hit(key, f.Description, append(f.Tags, f.Owner)...))
			}
		}
	})
	return all
}

// rolloutHits are the rollouts, the newest of a flag first.
func (s *server) rolloutHits(ctx context.Context) (all []Hit) {
	for _, r := range slices.Backward(s.visible(ctx)) {
		all = append(all, hit(r.ID, string(r.Status)+": "+cmp.Or(r.Plan.Hypothesis, "owned by "+r.Plan.Owner), r.Plan.Owner))
	}
	return all
}

func (s *server) metricHits(ctx context.Context) (all []Hit) {
	s.Projection.View(func(uint64) {
		for _, key := range s.Metrics.Keys() {
			if d, ok := s.Metrics.Declaration(key); ok && defines(ctx, key) {
				all = append(all, hit(key, d.Metric.Description, d.Metric.Owner, d.Metric.Event))
			}
		}
	})
	return all
}

func (s *server) segmentHits(ctx context.Context) (all []Hit) {
	s.Projection.View(func(uint64) {
		for _, g := range s.Flags.Segments() {
			if defines(ctx, g.Key) {
				all = append(all, hit(g.Key, g.Description))
			}
		}
	})
	return all
}

// peopleHits are people and teams.
func (s *server) peopleHits() (all []Hit) {
	s.Projection.View(func(uint64) {
		for _, p := range s.Access.People() {
			all = append(all, hit(p.Key, p.Name, "person:"+p.Key))
		}
		for _, t := range s.Access.Teams() {
			all = append(all, hit(t.Key, t.Description, "team:"+t.Key))
		}
	})
	return all
}

// decisionHits are the decisions, the newest first.
func (s *server) decisionHits(ctx context.Context) (all []Hit) {
	var made []DecisionView
	for _, r := range s.visible(ctx) {
		for _, d := range r.Decisions {
			made = append(made, DecisionView{d, r.ID})
		}
	}
	newestFirst(made)
	for _, d := range made {
		all = append(all, hit(d.ID, d.Rollout+": "+d.Verdict.Text, d.By, d.Rationale))
	}
	return all
}

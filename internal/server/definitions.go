package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

type flagKey struct {
	Key string `path:"key" example:"checkout.payments.express-pay"`
}

// FlagDetail is a flag with what waits to change it, where it is in its life
// and who uses it. Of a flag as it was there is the definition alone; what a
// command is answered with does not change when it is sent again.
type FlagDetail struct {
	flags.Recorded
	Schedules []flags.Schedule `json:"schedules,omitempty" doc:"changes that wait for their time"`
	Requests  []flags.Request  `json:"requests,omitempty" doc:"changes that wait for others to agree"`

	Lifecycle  *flags.Life                     `json:"lifecycle,omitempty"`
	Seen       map[string]flags.Seen           `json:"seen,omitempty" doc:"when it was last used, by environment; absent when this replica does not know"`
	Health     map[string]decisions.FlagHealth `json:"health,omitempty" doc:"by environment: healthy, critical or unknown, who says so, and since when"`
	Grounds    map[string]decisions.Grounds    `json:"grounds,omitempty" doc:"by environment: what its health is concluded from, with every check of the newest look"`
	References *int                            `json:"references,omitempty" doc:"places in source trees; absent when none has been scanned"`
	Notes      []string                        `json:"notes,omitempty" doc:"of a flag that was just archived: what could not be checked"`
}

type flagOut struct {
	ETag string `header:"ETag" doc:"the flag's revision"`
	Body FlagDetail
}

type flagIn struct {
	Key string `path:"key" example:"checkout.payments.express-pay"`
	At  string `query:"at" doc:"the flag as it was: revision or RFC 3339 time" example:"2027-01-31T09:00:00Z"`
}

func (s *server) readFlag(ctx context.Context, in *flagIn) (*flagOut, error) {
	if in.At == "" {
		out, err := s.getFlag(ctx, &flagKey{Key: in.Key})
		if err == nil {
			s.Projection.View(func(uint64) { s.insights(&out.Body) })
		}
		return out, err
	}
	_, f, err := s.past(ctx, in.Key, in.At)
	return &flagOut{ETag: fmt.Sprintf("%q", fmt.Sprint(f.Revision)), Body: FlagDetail{Recorded: shown(ctx, f)}}, err
}

func (s *server) getFlag(ctx context.Context, in *flagKey) (*flagOut, error) {
	out, ok := &flagOut{}, false
	s.Projection.View(func(uint64) {
		if out.Body.Recorded, ok = s.Flags.Flag(in.Key); ok {
			out.Body = s.detail(ctx, out.Body.Recorded)
		}
	})
	if !ok {
		return nil, fmt.Errorf("flag %s: %w", in.Key, errNoSuch)
	}
	out.ETag = fmt.Sprintf("%q", fmt.Sprint(out.Body.Revision))
	return out, nil
}

// detail returns a flag with what waits, as whoever asks may see it. Call it in
// a View.
func (s *server) detail(ctx context.Context, f flags.Recorded) FlagDetail {
	d := FlagDetail{Recorded: shown(ctx, f)}
	for _, p := range s.schedules(ctx, f.Key) {
		if p.Standing == flags.Pending {
			d.Schedules = append(d.Schedules, p)
		}
	}
	for _, q := range s.Flags.Requests(f.Key) {
		if q.Standing == flags.Pending && seesChanges(ctx, f.Key, q.Changes) {
			d.Requests = append(d.Requests, q)
		}
	}
	return d
}

// insights adds where a flag is in its life and who uses it, of what whoever
// asks may see. Call it in a View.
func (s *server) insights(d *FlagDetail) {
	life := s.life(d.Recorded)
	d.Lifecycle, d.References = &life, s.Flags.References(d.Key)
	d.Health = s.health(d.Recorded)
	d.Grounds = map[string]decisions.Grounds{}
	for environment := range d.Environments {
		d.Grounds[environment] = s.Rollouts.Grounds(environment, d.Key)
	}
	d.Seen = s.lastSeen(d.Recorded)
}

// health says how a flag is in each of its environments. Call it in a View.
func (s *server) health(f flags.Recorded) map[string]decisions.FlagHealth {
	all := map[string]decisions.FlagHealth{}
	for environment := range f.Environments {
		all[environment] = s.Rollouts.Health(environment, f.Key)
	}
	return all
}

type metricsIn struct{ Page }

type metricsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Metrics []ingest.Declaration `json:"metrics" doc:"by key"`
		Next    string               `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listMetrics(ctx context.Context, in *metricsIn) (*metricsOut, error) {
	var all []ingest.Declaration
	for _, key := range s.Metrics.Keys() {
		if d, ok := s.Metrics.Declaration(key); ok && defines(ctx, key) {
			all = append(all, d)
		}
	}
	out := &metricsOut{}
	page, next, err := cut(in.Page, rising("metrics", func(d ingest.Declaration) string { return d.Metric.Key }), all)
	out.Body.Metrics, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

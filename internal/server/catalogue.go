package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// CatalogueEntry is a metric with what is done with it.
type CatalogueEntry struct {
	ingest.Declaration
	Uses   []decisions.MetricUse `json:"uses" doc:"rollouts whose plan has it, newest plans first"`
	Past   *stats.PastMean       `json:"past,omitempty" doc:"what rollouts that are over did to it, on average; absent: none could be compared"`
	Newest *time.Time            `json:"newest,omitempty" doc:"of its events, as far as that is known here"`
}

// Undeclared is a name of events that no metric declares.
type Undeclared struct {
	Name        string    `json:"name"`
	Environment string    `json:"environment,omitempty"`
	Events      uint64    `json:"events" doc:"among the newest thousand dead letters"`
	Newest      time.Time `json:"newest"`
}

// CatalogueDetail is one metric with its history and what every rollout did to
// it.
type CatalogueDetail struct {
	CatalogueEntry
	Effects []decisions.PastEffect `json:"effects" doc:"by rollout, newest evidence first"`
	History []ingest.MetricVersion `json:"history" doc:"oldest first"`
}

type catalogueOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Metrics    []CatalogueEntry `json:"metrics" doc:"by key"`
		Undeclared []Undeclared     `json:"undeclared" doc:"most events first"`
		Next       string           `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// listCatalogue lists the metrics with what is done with them.
func (s *server) listCatalogue(ctx context.Context, in *metricsIn) (*catalogueOut, error) {
	list, err := s.listMetrics(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &catalogueOut{Link: list.Link}
	out.Body.Next, out.Body.Metrics = list.Body.Next, []CatalogueEntry{}
	told, err := s.metricTold(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range list.Body.Metrics {
		out.Body.Metrics = append(out.Body.Metrics, told.entry(d))
	}
	out.Body.Undeclared, err = s.undeclared(ctx)
	return out, err
}

type metricKey struct {
	Key string `path:"key" example:"checkout_completed"`
}

type catalogueDetailOut struct{ Body CatalogueDetail }

// getMetric tells everything of one metric.
func (s *server) getMetric(ctx context.Context, in *metricKey) (*catalogueDetailOut, error) {
	d, ok := s.Metrics.Declaration(in.Key)
	if !ok || !defines(ctx, in.Key) {
		return nil, fmt.Errorf("metric %s: %w", in.Key, errNoSuch)
	}
	told, err := s.metricTold(ctx)
	if err != nil {
		return nil, err
	}
	out := &catalogueDetailOut{CatalogueDetail{CatalogueEntry: told.entry(d), Effects: told.effects[in.Key]}}
	if out.Body.Effects == nil {
		out.Body.Effects = []decisions.PastEffect{}
	}
	var events []event.Recorded
	for r, err := range s.Log.Read(ctx, event.Filter{Subjects: []string{ingest.MetricSubject + in.Key}}, 0) {
		if err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", in.Key, err)
		}
		events = append(events, r)
	}
	out.Body.History, err = ingest.MetricHistory(events)
	return out, err
}

// tellings is what rollouts tell of metrics, by key.
type tellings struct {
	uses    map[string][]decisions.MetricUse
	effects map[string][]decisions.PastEffect
	newest  map[string]time.Time
}

// metricTold gathers what the rollouts tell that whoever asks may see.
func (s *server) metricTold(ctx context.Context) (tellings, error) {
	t := tellings{map[string][]decisions.MetricUse{}, map[string][]decisions.PastEffect{}, map[string]time.Time{}}
	all := s.visible(ctx)
	slices.SortStableFunc(all, func(a, b decisions.Rollout) int { return b.PlannedAt.Compare(a.PlannedAt) })
	for _, r := range all {
		for metric, use := range r.Uses() {
			t.uses[metric] = append(t.uses[metric], use)
		}
		effects, err := s.effectsOf(ctx, r, t.newest)
		if err != nil {
			return t, err
		}
		for metric, e := range effects {
			t.effects[metric] = append(t.effects[metric], e)
		}
	}
	for _, list := range t.effects {
		slices.SortStableFunc(list, func(a, b decisions.PastEffect) int { return b.At.Compare(a.At) })
	}
	return t, nil
}

// entry adds to a declaration what is told of it. The mean is of rollouts that
// are over: what is under way moves with every look.
func (t tellings) entry(d ingest.Declaration) CatalogueEntry {
	key := d.Metric.Key
	e := CatalogueEntry{Declaration: d, Uses: t.uses[key]}
	if e.Uses == nil {
		e.Uses = []decisions.MetricUse{}
	}
	if at, ok := t.newest[key]; ok {
		e.Newest = &at
	}
	var past []stats.Past
	for _, p := range t.effects[key] {
		if p.Status != decisions.Running && p.Status != decisions.Paused {
			past = append(past, stats.Past{Effect: p.Comparison.Estimate, SE: p.Comparison.SE})
		}
	}
	if mean := stats.MeanPast(past); mean.Refused == nil {
		e.Past = &mean
	}
	return e
}

// recalled keeps what decisions rest on, which never changes, as far as the
// catalogue asks for it.
type recalled struct {
	mu   sync.Mutex
	kept map[event.Hash]restedOn
}

type restedOn struct {
	effects map[string]decisions.PastEffect
	newest  map[string]time.Time
}

// effectsOf returns what a rollout did to its metrics: by the newest look while
// it is under way, else by what its last decision rests on. It notes when events
// came last.
func (s *server) effectsOf(ctx context.Context, r decisions.Rollout, newest map[string]time.Time) (map[string]decisions.PastEffect, error) {
	var k restedOn
	if v, err := s.view(r.ID); err == nil && v.Look != nil && r.Open() {
		k = keptOf(r, v.Look.Evidence)
	} else if in, ok := r.LastInput(); ok {
		if k, err = s.rested(ctx, r, in); err != nil {
			return nil, err
		}
	}
	for metric, at := range k.newest {
		if at.After(newest[metric]) {
			newest[metric] = at
		}
	}
	for metric, e := range k.effects { // its status may have changed since
		e.Status = r.Status
		k.effects[metric] = e
	}
	return k.effects, nil
}

func keptOf(r decisions.Rollout, e decisions.Evidence) restedOn {
	k := restedOn{effects: r.PastEffects(e), newest: map[string]time.Time{}}
	for _, m := range e.Metrics {
		if !m.Newest.IsZero() {
			k.newest[m.Metric] = m.Newest
		}
	}
	return k
}

// rested returns what a decision rests on, from memory where it was read before.
func (s *server) rested(ctx context.Context, r decisions.Rollout, in event.Blob) (restedOn, error) {
	s.recalled.mu.Lock()
	k, known := s.recalled.kept[in.SHA256]
	s.recalled.mu.Unlock()
	if !known {
		doc, err := s.Blobs.Load(ctx, in)
		if err != nil {
			return k, fmt.Errorf("loading the evidence of %s: %w", r.ID, err)
		}
		input, err := decisions.Record{Document: doc}.Input()
		if err != nil {
			return k, fmt.Errorf("reading the evidence of %s: %w", r.ID, err)
		}
		k = keptOf(r, input.Evidence)
		s.recalled.mu.Lock()
		if s.recalled.kept == nil {
			s.recalled.kept = map[event.Hash]restedOn{}
		}
		s.recalled.kept[in.SHA256] = k
		s.recalled.mu.Unlock()
	}
	return restedOn{maps.Clone(k.effects), k.newest}, nil
}

// undeclared counts the events that wait because no metric declares their name.
// A replica that knows no dead letters knows of none.
func (s *server) undeclared(ctx context.Context) ([]Undeclared, error) {
	all := []Undeclared{}
	if s.Letters == nil {
		return all, nil
	}
	in := &lettersIn{Page: Page{Limit: 1000}}
	in.Reason = string(ingest.UnknownMetric)
	list, err := s.listLetters(ctx, in)
	if err != nil {
		return nil, err
	}
	at := map[[2]string]int{}
	for _, l := range list.Body.Letters {
		name := [2]string{l.Name, l.Environment}
		i, known := at[name]
		if !known {
			i = len(all)
			at[name], all = i, append(all, Undeclared{Name: l.Name, Environment: l.Environment})
		}
		all[i].Events += l.Events
		if l.At.After(all[i].Newest) {
			all[i].Newest = l.At
		}
	}
	slices.SortStableFunc(all, func(a, b Undeclared) int { return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Name, b.Name)) })
	return all, nil
}

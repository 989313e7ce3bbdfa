package warehouse

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// recount answers a question from rows in memory, one unit and one event at a
// time. It shares nothing with the warehouse but the types: it is slow, plain,
// and there to be believed.
type recount struct {
	Question
	by        string // attribute to split by
	part      string // and the value to keep
	exposures []ingest.ExposureRow
	metrics   []ingest.MetricRow
}

// recounted is a unit in an epoch.
type recounted struct {
	epoch       int32
	unit        uint64
	first       time.Time
	tie         uint64 // decides between exposures at that time
	stage, arm  string // of the first exposure, like the attribute
	attribute   string
	two         bool
	seen        int64
	newest      time.Time
	own, before []ingest.MetricRow // events within the window, and before first exposure
	under       []ingest.MetricRow // those of the denominator
	underBefore []ingest.MetricRow
}

// firsts leaves the first arrival of every row, and of those the ones up to the
// watermark.
func firsts[R any, K comparable](q Question, rows []R, key func(R) K, place func(R) ingest.Place) (out []R) {
	at := map[K]int{}
	for _, r := range rows {
		i, again := at[key(r)]
		switch {
		case !again:
			at[key(r)] = len(out)
			out = append(out, r)
		case cmp.Or(cmp.Compare(place(r).Seq, place(out[i]).Seq), cmp.Compare(place(r).Idx, place(out[i]).Idx)) < 0:
			out[i] = r
		}
	}
	return slices.DeleteFunc(out, func(r R) bool { return place(r).Seq > q.Watermark[place(r).Shard] })
}

type rowKey struct {
	environment, name, kind string
	unit                    uint64
	id                      event.ID
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// strays counts the exposures of other kinds of units, by kind.
func (c recount) strays() (out []Stray) {
	n := map[string]int64{}
	for _, e := range c.arrived() {
		if e.Environment == c.Environment && e.Flag == c.Flag && e.Rollout == c.Rollout && e.UnitKind != c.UnitKind && e.Enrolled && !e.Synthetic {
			n[e.UnitKind]++
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(n)) {
		out = append(out, Stray{Kind: kind, Exposures: n[kind]})
	}
	return out
}

// arrived are the exposures, each as it arrived first.
func (c recount) arrived() []ingest.ExposureRow {
	return firsts(c.Question, c.exposures,
		func(r ingest.ExposureRow) rowKey { return rowKey{r.Environment, r.Flag, r.UnitKind, r.Unit, r.ID} },
		func(r ingest.ExposureRow) ingest.Place { return r.Place })
}

// happened are the metric events, each as it arrived first.
func (c recount) happened() []ingest.MetricRow {
	return firsts(c.Question, c.metrics,
		func(r ingest.MetricRow) rowKey { return rowKey{r.Environment, r.Name, r.UnitKind, r.Unit, r.ID} },
		func(r ingest.MetricRow) ingest.Place { return r.Place })
}

// units returns every unit of the rollout, of one arm or two.
func (c recount) units() (out []*recounted) {
	type key struct {
		epoch int32
		unit  uint64
	}
	of := map[key]*recounted{}
	for _, e := range c.arrived() {
		if e.Environment != c.Environment || e.Flag != c.Flag || e.Rollout != c.Rollout || e.UnitKind != c.UnitKind || !e.Enrolled || e.Synthetic {
			continue
		}
		tie := binary.LittleEndian.Uint64(e.ID[8:])
		u, ok := of[key{e.Epoch, e.Unit}]
		if !ok {
			u = &recounted{epoch: e.Epoch, unit: e.Unit, first: e.At, tie: tie, arm: e.Arm, stage: e.Stage, attribute: e.Attributes[c.by]}
			of[key{e.Epoch, e.Unit}] = u
			out = append(out, u)
		}
		u.seen++
		u.two = u.two || e.Arm != u.arm
		if fresh := earliest(e.At, e.Received); fresh.After(u.newest) {
			u.newest = fresh
		}
		if e.At.Before(u.first) || e.At.Equal(u.first) && tie < u.tie {
			u.first, u.tie, u.arm, u.stage, u.attribute = e.At, tie, e.Arm, e.Stage, e.Attributes[c.by]
		}
	}
	return slices.DeleteFunc(out, func(u *recounted) bool { return c.by != "" && u.attribute != c.part })
}

func meant(s stats.Source, m ingest.MetricRow) bool {
	ok := m.Name == s.Event
	for _, w := range s.Where {
		ok = ok && slices.Contains(w.Values, m.Attributes[w.Attribute]) != w.Not
	}
	return ok
}

// collect gives every unit its events of a metric, and returns the newest.
func (c recount) collect(m stats.Metric, units []*recounted) (newest time.Time) {
	for _, e := range c.happened() {
		if e.Environment != c.Environment || e.UnitKind != c.UnitKind || e.Synthetic {
			continue
		}
		for _, u := range units {
			if u.unit != e.Unit {
				continue
			}
			from, to, open := m.Span(c.Gate)
			in := !e.At.Before(u.first.Add(from)) && (open || e.At.Before(u.first.Add(to)))
			early := e.At.Before(u.first) && !e.At.Before(u.first.Add(-m.Lookback))
			if meant(stats.Source{Event: m.Event, Where: m.Where}, e) {
				if fresh := earliest(e.At, e.Received); !e.At.Before(u.first) && fresh.After(newest) {
					newest = fresh
				}
				if in {
					u.own = append(u.own, e)
				}
				if early {
					u.before = append(u.before, e)
				}
			}
			if m.Denominator != nil && meant(*m.Denominator, e) {
				if in {
					u.under = append(u.under, e)
				}
				if early {
					u.underBefore = append(u.underBefore, e)
				}
			}
		}
	}
	return newest
}

// answer counts it all. Strata and queries are not part of it.
func (c recount) answer() Answer {
	a := *newAnswer()
	all := c.units()
	var grown, two, again []*recounted
	for _, u := range all {
		a.Exposures += u.seen
		if u.newest.After(a.NewestExposure) {
			a.NewestExposure = u.newest
		}
		switch {
		case u.first.After(c.Until) || c.known(u):
		case c.again(u):
			if !u.two {
				again = append(again, u)
			}
		case u.two:
			a.TwoArms++
			two = append(two, u)
		default:
			grown = append(grown, u)
		}
	}
	a.Units, a.Quarantined = counts(grown), counts(two)
	if c.by == "" { // a breakdown is of the units that count
		a.Strays = c.strays()
	}
	for _, m := range c.Metrics {
		c.measure(m, all, slices.Concat(grown, again), &a)
	}
	return a
}

// known reports whether a unit met the rollout before the question's time.
func (c recount) known(u *recounted) bool {
	if c.Since.IsZero() {
		return false
	}
	whole := c
	whole.by = ""
	return u.first.Before(c.Since) || slices.ContainsFunc(whole.units(), func(o *recounted) bool {
		return o.unit == u.unit && o.first.Before(c.Since) && !slices.Contains(c.Dark, o.stage)
	})
}

// again reports whether a unit was there in an earlier lap.
func (c recount) again(u *recounted) bool {
	behind, epochs := int32(c.Circuit.Behind), int32(c.Circuit.Epochs)
	whole := c
	whole.by = ""
	return epochs > 0 && slices.ContainsFunc(whole.units(), func(o *recounted) bool {
		return o.unit == u.unit && o.epoch > behind && o.epoch < u.epoch && (u.epoch-o.epoch)%epochs == 0
	})
}

func counts(units []*recounted) (out []Count) {
	for _, g := range groups(units) {
		out = append(out, Count{Epoch: int(g[0].epoch), Stage: g[0].stage, Arm: g[0].arm, N: int64(len(g))})
	}
	return out
}

func (c recount) measure(m stats.Metric, all, grown []*recounted, a *Answer) {
	for _, u := range all {
		u.own, u.before, u.under, u.underBefore = nil, nil, nil, nil
	}
	old := slices.DeleteFunc(slices.Clone(grown), func(u *recounted) bool { return u.first.After(c.Until.Add(-m.Age(c.Gate))) })
	if newest := c.collect(m, old); !newest.IsZero() {
		a.NewestEvent[m.Key] = newest
	}
	var caps Caps
	if m.Cap > 0 {
		everyone := old
		if c.by != "" { // caps are those of the units of all parts
			whole := c
			whole.by = ""
			everyone = slices.DeleteFunc(whole.units(), func(u *recounted) bool { return u.two || whole.known(u) || u.first.After(c.Until.Add(-m.Age(c.Gate))) })
			whole.collect(m, everyone)
		}
		caps = c.caps(m, everyone)
		a.Caps[m.Key] = caps
	}
	for _, g := range groups(slices.DeleteFunc(old, c.again)) { // they say how fresh the metric is, and no more
		a.Samples = append(a.Samples, Sample{Metric: m.Key, Epoch: int(g[0].epoch), Stage: g[0].stage, Arm: g[0].arm, Sample: c.sample(m, g, caps)})
	}
}

// groups sorts units by stratum and arm.
func groups(units []*recounted) (out [][]*recounted) {
	compare := func(x, y *recounted) int {
		return cmp.Or(cmp.Compare(x.epoch, y.epoch), cmp.Compare(x.stage, y.stage), cmp.Compare(x.arm, y.arm))
	}
	for _, u := range slices.SortedStableFunc(slices.Values(units), compare) {
		if n := len(out); n > 0 && compare(out[n-1][0], u) == 0 {
			out[n-1] = append(out[n-1], u)
			continue
		}
		out = append(out, []*recounted{u})
	}
	return out
}

package main

import (
	"context"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// Readout implements server.Readouts: what a gate would see now, with the
// statistics made of it, and what is asked for beside of the same units.
func (f *facts) Readout(ctx context.Context, r decisions.Rollout, ask server.Closer, now time.Time) (decisions.Evidence, server.Close, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return decisions.Evidence{At: now}, server.Close{}, err
	}
	e, q, err := f.count(ctx, c, r, now)
	if err != nil {
		return e, server.Close{}, f.house.counting.blame(ctx, err)
	}
	found, err := closer(ctx, c.store, q, ask)
	return decisions.Read(r, e), found, f.house.counting.blame(ctx, err)
}

// closer asks the warehouse for what the totals do not hold.
func closer(ctx context.Context, w *warehouse.Warehouse, q warehouse.Question, ask server.Closer) (server.Close, error) {
	found := server.Close{Days: map[string][]stats.Days{}, Largest: map[string][]stats.Largest{}}
	for _, attribute := range ask.By {
		parts, err := w.Breakdown(ctx, q, attribute)
		if err != nil {
			return found, err
		}
		found.Splits = append(found.Splits, splits(q.Metrics, parts))
		found.Parts = append(found.Parts, unitsOf(parts))
		if len(parts) > 0 {
			found.Queries = append(found.Queries, queriesOf(parts[0].Queries, "by "+attribute)...)
		}
	}
	if ask.Ratio {
		days, asked, err := w.Daily(ctx, q)
		if err != nil {
			return found, err
		}
		found.Daily, found.Queries = daily(days), append(found.Queries, queriesOf([]warehouse.Query{asked}, "by day of first exposure")...)
	}
	for _, m := range q.Metrics {
		if err := closerOf(ctx, w, q, m, ask, &found); err != nil {
			return found, err
		}
	}
	return found, nil
}

// closerOf asks what one metric can be asked.
func closerOf(ctx context.Context, w *warehouse.Warehouse, q warehouse.Question, m stats.Metric, ask server.Closer, found *server.Close) (err error) {
	var queries []warehouse.Query
	if ask.Days > 0 && warehouse.HasDays(m) {
		if found.Days[m.Key], queries, err = w.Days(ctx, q, m, ask.Days); err != nil {
			return err
		}
		found.Queries = append(found.Queries, queriesOf(queries, "by day")...)
	}
	if ask.Largest && warehouse.HasLargest(m) {
		if found.Largest[m.Key], queries, err = w.Largest(ctx, q, m); err != nil {
			return err
		}
		found.Queries = append(found.Queries, queriesOf(queries, "largest unit")...)
	}
	return nil
}

// splits turns the parts of a breakdown into every metric part by part.
func splits(metrics []stats.Metric, parts []warehouse.Part) []stats.Split {
	out := make([]stats.Split, len(metrics))
	for i, m := range metrics {
		out[i].Metric = m.Key
		for _, p := range parts {
			out[i].Segments = append(out[i].Segments, stats.Segment{Value: p.Value, Rest: p.Rest, Strata: p.Strata[m.Key]})
		}
	}
	return out
}

// unitsOf returns the units of every part of a breakdown.
func unitsOf(parts []warehouse.Part) []server.UnitsOf {
	out := make([]server.UnitsOf, len(parts))
	for i, p := range parts {
		out[i] = server.UnitsOf{Value: p.Value, Rest: p.Rest}
		for _, c := range p.Units {
			out[i].Units = append(out[i].Units, decisions.Count(c))
		}
	}
	return out
}

// daily gathers the units of each day, which stand in order.
func daily(days []warehouse.Daily) (out []server.UnitsOf) {
	for _, d := range days {
		day := d.Day.Format(time.DateOnly)
		if len(out) == 0 || out[len(out)-1].Value != day {
			out = append(out, server.UnitsOf{Value: day})
		}
		last := &out[len(out)-1]
		last.Units = append(last.Units, decisions.Count(d.Count))
	}
	return out
}

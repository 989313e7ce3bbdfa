package warehouse

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// TestTrace_equalsARecount traces every unit of stories of every kind. Together
// the units are those that the recount counts, which readouts equal, and each
// has the events that it has there.
func TestTrace_equalsARecount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &drawn{environment: "traced"}
		for range rapid.IntRange(1, 20).Draw(t, "exposures") {
			d.exposure(t)
		}
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			d.metric(t)
		}
		q := question(metricOf(t, "a"), metricOf(t, "b"))
		q.Environment, q.UnitKind, q.Gate = d.environment, draw(t, "kind", "user", "workspace"), rapid.Bool().Draw(t, "gate")
		q.Until = noon.Add(minutes(t, 0, 60, "until") * 10)
		q.Watermark = map[string]uint64{"facts-0": draw[uint64](t, "watermark", 100, 10), "facts-1": 100}
		if rapid.Bool().Draw(t, "afresh") {
			q.Since, q.Dark = noon.Add(minutes(t, 0, 20, "since")*10), draw(t, "dark", nil, []string{"ramp"})
		}
		q.Circuit = draw(t, "circuit", Circuit{}, Circuit{Epochs: 1}, Circuit{Behind: 1, Epochs: 1}, Circuit{Epochs: 2})
		c := recount{Question: q, exposures: d.rows.Exposures, metrics: d.rows.Metrics}
		if wrong := diff.Diff(c.lines(), traces(c)); wrong != "" {
			t.Fatalf("-recount +traces:\n%s", wrong)
		}
	})
}

// lines say of every unit that counts what it has of each metric.
func (c recount) lines() (out []string) {
	units := slices.DeleteFunc(c.units(), func(u *recounted) bool { return u.two || u.first.After(c.Until) || c.known(u) || c.again(u) })
	for _, u := range units {
		out = append(out, fmt.Sprintf("unit %d in %d: %s %s, %d exposures", u.unit, u.epoch, u.stage, u.arm, u.seen))
	}
	for _, m := range c.Metrics {
		for _, u := range units {
			u.own, u.before, u.under, u.underBefore = nil, nil, nil, nil
		}
		old := slices.DeleteFunc(slices.Clone(units), func(u *recounted) bool { return u.first.After(c.Until.Add(-m.Age(c.Gate))) })
		c.collect(m, old)
		for _, u := range old {
			if m.Aggregate != stats.Average || len(u.own) > 0 {
				out = append(out, line(m, u.unit, int(u.epoch), len(u.own), len(u.before), worth(m.Aggregate, len(u.own), total(m, u.own), total(m, u.under))))
			}
		}
	}
	slices.Sort(out)
	return out
}

// total adds up in time: of large values the order shows in the digits.
func total(m stats.Metric, events []ingest.MetricRow) (sum float64) {
	slices.SortFunc(events, func(a, b ingest.MetricRow) int { return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.ID[:], b.ID[:])) })
	for _, e := range events {
		sum += float64(e.Value) * m.FixedPoint()
	}
	return sum
}

// worth is what events come to; NaN: nothing.
func worth(a stats.Aggregate, events int, sum, under float64) float64 {
	switch {
	case a.Kind() == stats.KindProportion:
		return min(float64(events), 1)
	case a == stats.Count:
		return float64(events)
	case a == stats.Average:
		return sum / float64(events)
	case a == stats.Ratio && under != 0:
		return sum / under
	case a == stats.Sum:
		return sum
	}
	return math.NaN()
}

func line(m stats.Metric, unit uint64, epoch, events, before int, value float64) string {
	return fmt.Sprintf("%s of %d in %d: %d events, %d before, %v", m.Key, unit, epoch, events, before, value)
}

// traces say the same, each unit asked by itself.
func traces(c recount) (out []string) {
	q := ingest.Tracing{Environment: c.Environment, Flag: c.Flag, Rollout: c.Rollout, UnitKind: c.UnitKind, Metrics: c.Metrics, Gate: c.Gate, Since: c.Since,
		Dark: c.Dark, Behind: c.Circuit.Behind, Epochs: c.Circuit.Epochs, Until: c.Until, Watermark: c.Watermark}
	whole := c
	whole.Watermark = map[string]uint64{"facts-0": math.MaxUint64, "facts-1": math.MaxUint64} // what waits is asked for, too
	all := ingest.Rows{Exposures: whole.arrived(), Metrics: whole.happened()}
	for _, unit := range []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, workspace(0), workspace(1), workspace(2)} {
		rows := all.Of(c.UnitKind, unit)
		for _, e := range q.Of(c.UnitKind, unit, rows).Entries {
			if e.Standing != ingest.StandsCounted {
				continue
			}
			out = append(out, fmt.Sprintf("unit %d in %d: %s %s, %d exposures", unit, e.Epoch, e.Stage, e.Arm, e.Exposures))
			for i, v := range e.Values {
				value := math.NaN()
				if v.Value != nil {
					value = *v.Value
				}
				if v.Counted {
					out = append(out, line(c.Metrics[i], unit, e.Epoch, v.Events, v.Before, value))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

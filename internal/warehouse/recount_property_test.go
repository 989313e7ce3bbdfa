package warehouse

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// drawn is a story that rapid tells, in an environment of its own.
type drawn struct {
	environment string
	rows        ingest.Rows
	n           uint64
}

func draw[V any](t *rapid.T, what string, choices ...V) V {
	return rapid.SampledFrom(choices).Draw(t, what)
}

func minutes(t *rapid.T, from, to int, what string) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(t, what)) * time.Minute
}

// place puts a unit's rows into the unit's shard, anywhere in it: what happened
// late may have come early.
func (d *drawn) place(t *rapid.T, unit uint64) ingest.Place {
	d.n++
	return ingest.Place{Shard: fmt.Sprintf("facts-%d", unit%2), Seq: rapid.Uint64Range(1, 20).Draw(t, "seq"), Idx: uint32(d.n)}
}

// workspace is where a user works: the event of a user is also its workspace's.
func workspace(user uint64) uint64 { return 1000 + user%3 }

// exposure has a copy now and then, which came at another place and says
// something else of the time.
func (d *drawn) exposure(t *rapid.T) {
	unit, kind := rapid.Uint64Range(1, 9).Draw(t, "unit"), draw(t, "kind", "user", "user", "user", "workspace")
	if kind == "workspace" {
		unit = workspace(unit)
	}
	at := noon.Add(minutes(t, 0, 30, "at") * 10)
	arm := []string{"off", "on"}[unit%2] // most units see one
	if rapid.IntRange(0, 9).Draw(t, "another arm") == 0 {
		arm = draw(t, "arm", "off", "on", "blue")
	}
	r := ingest.ExposureRow{
		Place: d.place(t, unit), ID: idAt(at, d.n), Day: ingest.DayOf(idAt(at, d.n)), Environment: d.environment, Flag: "checkout",
		Variant: arm, UnitKind: kind, Unit: unit, Rollout: rollout, Stage: draw(t, "stage", "canary", "ramp"), Epoch: draw[int32](t, "epoch", 1, 1, 2),
		Arm: arm, Enrolled: rapid.IntRange(0, 9).Draw(t, "enrolled") > 0, At: at, Received: at.Add(minutes(t, -5, 5, "received")),
		Synthetic: rapid.IntRange(0, 19).Draw(t, "synthetic") == 0,
	}
	if browser := draw(t, "browser", "", "firefox", "safari"); browser != "" {
		r.Attributes = map[string]string{"browser": browser}
	}
	d.rows.Exposures = append(d.rows.Exposures, r)
	for range rapid.IntRange(0, 6).Draw(t, "copies") / 5 {
		r.Place = d.place(t, unit)
		r.At = r.At.Add(minutes(t, -60, 60, "resent with another time"))
		d.rows.Exposures = append(d.rows.Exposures, r)
	}
}

// metric is two rows: the event of a user is also its workspace's.
func (d *drawn) metric(t *rapid.T) {
	user := rapid.Uint64Range(1, 10).Draw(t, "unit") // the last is never exposed
	at := noon.Add(minutes(t, -30, 60, "at") * 10)
	r := ingest.MetricRow{
		Place: d.place(t, user), ID: idAt(at, d.n), Day: ingest.DayOf(idAt(at, d.n)), Environment: d.environment, Name: draw(t, "name", "purchase", "purchase", "visit", "other"),
		UnitKind: "user", Unit: user, Value: rapid.OneOf(rapid.Int64Range(-2000, 2000), rapid.Int64Range(1, math.MaxInt64),
			rapid.Map(rapid.IntRange(8, 62), func(b int) int64 { return 1<<b - 1 })).Draw(t, "value"),
		At: at, Received: at.Add(minutes(t, -5, 5, "received")), Synthetic: rapid.IntRange(0, 19).Draw(t, "synthetic") == 0,
	}
	if country := draw(t, "country", "", "DE", "FR"); country != "" {
		r.Attributes = map[string]string{"country": country}
	}
	for range 1 + rapid.IntRange(0, 6).Draw(t, "copies")/5 {
		d.rows.Metrics = append(d.rows.Metrics, r)
		works := r // the row of the workspace is of the same event, and lies in the same message
		works.UnitKind, works.Unit = "workspace", workspace(user)
		works.Shard = fmt.Sprintf("facts-%d", works.Unit%2)
		d.rows.Metrics = append(d.rows.Metrics, works)
		r.Place = d.place(t, user)
		r.Value = 5
	}
}

// store inserts the rows shuffled, in pieces, and some of the pieces twice.
func (d *drawn) store(t *rapid.T, w *Warehouse) {
	d.rows.Exposures = rapid.Permutation(d.rows.Exposures).Draw(t, "order")
	d.rows.Metrics = rapid.Permutation(d.rows.Metrics).Draw(t, "order")
	e, m := rapid.IntRange(0, len(d.rows.Exposures)).Draw(t, "cut"), rapid.IntRange(0, len(d.rows.Metrics)).Draw(t, "cut")
	pieces := []ingest.Rows{
		{Exposures: d.rows.Exposures[:e], Metrics: d.rows.Metrics[m:]}, {Exposures: d.rows.Exposures[e:], Metrics: d.rows.Metrics[:m]},
	}
	if rapid.Bool().Draw(t, "again") {
		pieces = append(pieces, pieces[0])
	}
	for i, p := range pieces {
		if err := w.Insert(t.Context(), block(fmt.Sprint(d.environment, i), 1, 1, p)); err != nil {
			t.Fatal(err)
		}
	}
}

// metricOf draws a metric of any kind.
func metricOf(t *rapid.T, key string) stats.Metric {
	m := stats.Metric{Key: key, Event: "purchase", Scale: 1e-6, Aggregate: draw(t, "aggregate", stats.Conversion, stats.Count, stats.Sum, stats.Average,
		stats.Ratio, stats.Quantile, stats.Retention, stats.Failures)}
	if rapid.Bool().Draw(t, "window") {
		m.Window = minutes(t, 1, 30, "window") * 10
	}
	if rapid.Bool().Draw(t, "where") {
		m.Where = []stats.Condition{{Attribute: "country", Not: rapid.Bool().Draw(t, "not"), Values: draw(t, "values", []string{"DE"}, []string{"FR", ""})}}
	}
	switch m.Aggregate {
	case stats.Ratio:
		m.Denominator = &stats.Source{Event: draw(t, "denominator", "visit", "purchase")}
		if rapid.Bool().Draw(t, "where of the denominator") {
			m.Denominator.Where = []stats.Condition{{Attribute: "country", Values: []string{"DE"}}}
		}
	case stats.Quantile:
		m.Nu = draw(t, "nu", 0.5, 0.95, 0.07, 0.999)
		return m
	case stats.Retention:
		m.Return = &stats.Return{From: minutes(t, 0, 10, "from") * 10}
		m.Return.To = m.Return.From + minutes(t, 1, 10, "to")*10
	}
	if rapid.Bool().Draw(t, "baseline") {
		m.Lookback = minutes(t, 1, 20, "lookback") * 10
	}
	if m.Aggregate.Kind() != stats.KindProportion && rapid.Bool().Draw(t, "capped") {
		m.Cap = draw(t, "cap", 0.5, 0.9, 0.999)
	}
	return m
}

// TestReadout_equalsARecount asks for metrics of every kind over stories of
// every kind, and again split by an attribute. All numbers equal those of the
// recount bit for bit.
func TestReadout_equalsARecount(t *testing.T) {
	t.Parallel()
	w, _ := start(t)
	stories := 0
	rapid.Check(t, func(t *rapid.T) {
		stories++
		d := &drawn{environment: fmt.Sprint("e", stories)}
		for range rapid.IntRange(1, 30).Draw(t, "exposures") {
			d.exposure(t)
		}
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			d.metric(t)
		}
		d.store(t, w)
		q := question(metricOf(t, "a"), metricOf(t, "b"))
		q.Environment, q.UnitKind, q.Gate = d.environment, draw(t, "kind", "user", "workspace"), rapid.Bool().Draw(t, "gate")
		q.Until = noon.Add(minutes(t, 0, 60, "until") * 10)
		q.Watermark = map[string]uint64{"facts-0": draw[uint64](t, "watermark", 100, 10), "facts-1": 100}
		if rapid.Bool().Draw(t, "afresh") {
			q.Since, q.Dark = noon.Add(minutes(t, 0, 20, "since")*10), draw(t, "dark", nil, []string{"ramp"})
		}
		q.Circuit = draw(t, "circuit", Circuit{}, Circuit{Epochs: 1}, Circuit{Behind: 1, Epochs: 1}, Circuit{Epochs: 2})
		if rapid.Bool().Draw(t, "frozen caps") {
			q.Caps = map[string]Caps{"a": {Value: big.NewInt(1500), Denominator: big.NewInt(1_000_000)}}
		}
		got, err := w.Readout(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		c := recount{Question: q, exposures: d.rows.Exposures, metrics: d.rows.Metrics}
		compare(t, "whole", c.answer(), got)
		parts, err := w.Breakdown(t.Context(), q, "browser")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts { // so few values have a part each
			c.by, c.part = "browser", p.Value
			compare(t, "part "+p.Value, c.answer(), p.Answer)
		}
	})
}

// compare compares an answer with its recount. Units of stages are in the order
// that these began in, which the recount leaves out.
func compare(t *rapid.T, what string, want, got Answer) {
	t.Helper()
	slices.SortStableFunc(got.Units, func(x, y Count) int {
		return slices.Compare([]string{fmt.Sprint(x.Epoch), x.Stage, x.Arm}, []string{fmt.Sprint(y.Epoch), y.Stage, y.Arm})
	})
	big := cmp.Comparer(func(x, y *big.Int) bool { return x == nil && y == nil || x != nil && y != nil && x.Cmp(y) == 0 })
	if diff := cmp.Diff(want, got, big, cmpopts.IgnoreFields(Answer{}, "Strata", "Queries"), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s (-recount +readout):\n%s", what, diff)
	}
}

// TestSettings_sumsStayTheSame runs the shape of every capped sum more often
// than the engine waits before it compiles an expression.
func TestSettings_sumsStayTheSame(t *testing.T) {
	w, _ := start(t)
	for _, c := range []driver.Conn{w.reader, w.writer, w.patient} {
		for i := range 8 {
			var got big.Int
			err := one(t.Context(), c, "SELECT sum("+cut(stats.Metric{Cap: 0.9}, "toInt128(number % 5)", capValue)+") FROM numbers(1000)",
				Params{capValue: big.NewInt(2)}, &got)
			if err != nil || got.Int64() != 1400 {
				t.Fatalf("time %d: got %v, %v, want 1400", i+1, &got, err)
			}
		}
	}
}

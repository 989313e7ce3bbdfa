package warehouse

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/sluice-hq/sluice/internal/engine"
)

// BenchmarkInsert inserts blocks of 50,000 metric rows, each on disk before
// the next.
func BenchmarkInsert(b *testing.B) {
	w, s := start(b)
	const rows = 50_000
	seq := uint64(0)
	for b.Loop() {
		b.StopTimer()
		seq++
		blk := block(fmt.Sprint("bench|", seq), seq, seq, metricRows(seq, rows))
		b.StartTimer()
		if err := w.Insert(b.Context(), blk); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
	reportMemory(b, s, "after")
}

// BenchmarkReadBack counts one block among many, as the loader does after each
// insert.
func BenchmarkReadBack(b *testing.B) {
	w, _ := start(b)
	for seq := range uint64(20) {
		if err := w.Insert(b.Context(), block(fmt.Sprint("bench|", seq), seq, seq, metricRows(seq, 50_000))); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if n, err := w.Count(b.Context(), "facts-0", 11, 11); err != nil || n != 50_000 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkReadout reads one metric of 200,000 units with 1 M exposures and
// 6 M metric events, from raw rows.
func BenchmarkReadout(b *testing.B) {
	const units = 200_000
	w, s := start(b)
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO exposures (id, day, environment, flag, unit_kind, unit, rollout, epoch, stage, arm, enrolled, at, received, _shard, _seq, _idx, _ver)
SELECT toFixedString(reinterpretAsString(cityHash64(number)) || reinterpretAsString(number), 16), toDate('2026-10-05'), 'production', 'checkout', 'user',
  cityHash64(number %% %d), 'production/checkout/1', 1, 'canary', if(cityHash64(number %% %[1]d) %% 2 = 0, 'on', 'off'), true,
  toDateTime64('2026-10-05 12:00:00', 3, 'UTC') + intDiv(number, 10), '2026-10-05 12:00:00', 'facts-0', number, 0, bitNot(number) FROM numbers(%[2]d)`, units, 5*units),
		fmt.Sprintf(`INSERT INTO metrics (id, day, environment, name, unit_kind, unit, value, at, received, _shard, _seq, _idx, _ver)
SELECT toFixedString(reinterpretAsString(cityHash64(number, 1)) || reinterpretAsString(number), 16), toDate('2026-10-05'), 'production', 'purchase', 'user',
  cityHash64(cityHash64(number) %% %d), number %% 1000000, toDateTime64('2026-10-05 12:00:00', 3, 'UTC') + intDiv(number, 40), '2026-10-05 12:00:00',
  'facts-0', number, 0, bitNot(number) FROM numbers(%[2]d)`, units, 30*units),
	} {
		if err := w.writer.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	q := question(revenue)
	q.Until = noon.AddDate(0, 0, 30)
	for b.Loop() {
		a, err := w.Readout(b.Context(), q)
		if err != nil || len(a.Strata["revenue"]) != 1 || a.Strata["revenue"][0].Treatment.N < units/3 {
			b.Fatal(a, err)
		}
	}
	reportMemory(b, s, "after")
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// reportMemory reports the resident memory of the engine's process, MiB.
func reportMemory(b *testing.B, s *engine.Supervisor, when string) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Status().PID))
	if m := resident.FindSubmatch(status); err == nil && m != nil {
		var kib float64
		if _, err := fmt.Sscan(string(m[1]), &kib); err == nil {
			b.ReportMetric(kib/1024, "MiB-"+when)
		}
	}
}

// BenchmarkOpen opens a warehouse whose schema is up to date.
func BenchmarkOpen(b *testing.B) {
	_, s := start(b)
	for b.Loop() {
		w, err := Open(b.Context(), Config{Dial: s.Dial})
		if err != nil {
			b.Fatal(err)
		}
		_ = w.Close()
	}
	reportMemory(b, s, "idle")
}

package dashboards

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// fifty is a rollout of fifty metrics with 200 looks at one of them, as the
// server knows it when it makes a page.
func fifty() Glance {
	g := glance()
	day1, day7 := cats()
	m := decisions.Metrics{}
	g.Evidence.Metrics = nil
	for i := range 50 {
		key := fmt.Sprintf("metric_%02d", i)
		g.Rollout.Metrics[key] = stats.Metric{Key: key, Aggregate: stats.Conversion, Direction: stats.Increase}
		g.Rollout.Frozen[key] = g.Rollout.Frozen["day_7"]
		one := decisions.Measured{Metric: key, Strata: day7}
		if i%2 == 0 {
			m.Success = append(m.Success, decisions.Success{Metric: key, MDE: 2000})
			o := stats.Success{MDE: 0.02}.Judge(day1, g.Rollout.Frozen[key])
			one.Outcome = &o
		} else {
			m.Guardrails = append(m.Guardrails, decisions.Guardrail{Metric: key, Margin: percentOf(1000)})
			j := stats.Guardrail{Margin: 0.01}.Judge(day7, g.Rollout.Frozen[key])
			one.Judgement = &j
		}
		g.Evidence.Metrics = append(g.Evidence.Metrics, one)
	}
	g.Rollout.Plan.Metrics = m
	trail := slices.Clone(g.Found.Trail)
	for i := range trail {
		look := trail[i]
		look.At = look.At.Add(30 * time.Minute)
		look.Evidence.Metrics = []decisions.Measured{look.Evidence.Metrics[1]}
		look.Evidence.Metrics[0].Metric = "metric_01"
		trail[i].Evidence.Metrics = look.Evidence.Metrics
		g.Found.Trail = append(g.Found.Trail, look)
	}
	slices.SortFunc(g.Found.Trail, func(a, b decisions.Look) int { return a.At.Compare(b.At) })
	return g
}

// armed repeats each row for three arms.
func armed(rows []Row) (out []Row) {
	for _, r := range rows {
		for arm := range 3 {
			r.Arm = fmt.Sprint("variant-", arm+1)
			out = append(out, r)
		}
	}
	return out
}

// armedPage is the readout of fifty metrics with three arms each and both charts.
func armedPage(g Glance) ReadoutPage {
	p := NewReadoutPage(readoutFrame("/readouts/production/game.gate/1"), g, Asked{View: OfMetrics, Metric: "metric_01", Read: true}, at)
	p.Rows = armed(p.Rows)
	return p
}

// BenchmarkReadoutPage measures the server's time for a readout of 50 metrics
// with 3 arms each and both charts of 200 looks: from what it knows to HTML.
func BenchmarkReadoutPage(b *testing.B) {
	g := fifty()
	var took []time.Duration
	var page bytes.Buffer
	used := processor(b)
	for b.Loop() {
		began := time.Now()
		page.Reset()
		if err := Render(&page, armedPage(g)); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	b.ReportMetric((processor(b)-used).Seconds()*1000/float64(len(took)), "ms-processor")
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms-p50")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "ms-p99")
	b.ReportMetric(float64(page.Len()), "bytes")
	b.ReportMetric(float64(zipped(b, page.Bytes())), "bytes-gz")
}

// processor is the time that the process has used: on a busy machine it says
// more than a clock.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func zipped(b *testing.B, page []byte) int {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := io.Copy(z, bytes.NewReader(page)); err != nil {
		b.Fatal(err)
	}
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	return out.Len()
}

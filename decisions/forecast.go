package decisions

import (
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Forecast says how far the test of a metric is, and when it has the information
// that it was planned with, if that goes on coming as it has since the start.
type Forecast struct {
	Metric string     `json:"metric"`
	Share  float64    `json:"share"`        // of the planned information; 1 and more: it is there
	At     *time.Time `json:"at,omitempty"` // when it is there; nil: no date within ten years, or the rollout is over
}

// Forecast returns one for each metric whose test has a plan: success metrics,
// and guardrails with a margin. Counts of failures have none.
func (r Rollout) Forecast(e Evidence) []Forecast {
	var out []Forecast
	for _, m := range e.Metrics {
		var reading stats.Reading
		switch {
		case m.Outcome != nil:
			reading = m.Outcome.Reading
		case m.Judgement != nil:
			reading = m.Judgement.Reading
		}
		if reading.Refused != nil || !(reading.Needed > 0) {
			continue
		}
		f := Forecast{Metric: m.Metric, Share: reading.Information / reading.Needed}
		pace := stats.Pace{Information: reading.Information, Over: e.At.Sub(r.Started)}
		if left, known := pace.Left(reading); known && r.Open() {
			at := e.At.Add(left).Truncate(time.Minute)
			f.At = &at
		}
		out = append(out, f)
	}
	return out
}

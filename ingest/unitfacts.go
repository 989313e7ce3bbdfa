package ingest

import "time"

// UnitFacts is what is kept of one unit: its own part of each event, as it
// could be sent again.
type UnitFacts struct {
	Kind      string    `json:"kind" doc:"of the unit"`
	Unit      string    `json:"unit" doc:"keyed hash of its id" example:"hash:00c0ffee00c0ffee"`
	Exposures []KeptOf  `json:"exposures"`
	Metrics   []KeptOf  `json:"metrics"`
	Waiting   []KeptOf  `json:"waiting" doc:"events that are acknowledged and not countable yet"`
	Letters   []Letter  `json:"letters" doc:"events that cannot be counted"`
	Remarks   []string  `json:"remarks" doc:"what is not in here, and why"`
	At        time.Time `json:"at"`
}

// KeptOf is one event of a unit, and where it was found.
type KeptOf struct {
	Environment string    `json:"environment"`
	Message     string    `json:"message" doc:"shard, sequence and index" example:"facts-0.12.3"`
	Received    time.Time `json:"received"`
	Exposure    *Exposure `json:"exposure,omitempty"`

	Metric *MetricEvent `json:"metric,omitempty" doc:"the unit's own part of a metric event: others that it belongs to are left out"`
}

// KeptRows returns the events of rows that are all of one unit.
func KeptRows(rows Rows) (exposures, metrics []KeptOf) {
	exposures, metrics = []KeptOf{}, []KeptOf{} // never null in JSON
	for _, r := range rows.Exposures {
		e := exposureOf(r)
		exposures = append(exposures, KeptOf{Environment: r.Environment, Message: r.Place.id(), Received: r.Received, Exposure: &e})
	}
	for _, r := range rows.Metrics {
		m := metricOf([]MetricRow{r})
		metrics = append(metrics, KeptOf{Environment: r.Environment, Message: r.Place.id(), Received: r.Received, Metric: &m})
	}
	return exposures, metrics
}

// Of returns the rows of one unit.
func (r Rows) Of(kind string, unit uint64) Rows {
	return r.Keep(func(k Key, _ Place) bool { return k.Unit == unit && k.UnitKind == kind && k.UnitKind != "" })
}

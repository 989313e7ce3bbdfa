package dashboards

import (
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// Found is what was read for a readout page beside its numbers: what takes a
// while. Most of it is empty: a page asks for what its tab shows.
type Found struct {
	Trail []decisions.Look // some looks, oldest first, with the units and one metric

	By        string            // the attribute that was split by
	Segmented []stats.Segmented // every metric in its segments
	Ratios    []Ratios
	Balance   []Balanced
	Influence []Influenced
	Novelty   []Novel
	TwoArms   []ingest.TwoArms // the first ones
	More      bool             // there are more of them
	Warnings  []string         // one sentence each

	Queries []decisions.Query // behind all of it

	Fault string // why it could not be read, one sentence; empty: it could
	Fix   string // what to do
}

// Ratios is the sample ratio part by part.
type Ratios struct {
	By    string // the attribute; empty: days of first exposure
	Parts []RatioPart
}

// RatioPart is the sample ratio of one day or one segment.
type RatioPart struct {
	Value              string
	Rest               bool // all values that have no segment of their own
	Control, Treatment int64
	Expected           float64 // share of the treatment
	P                  float64 // always valid
	StandsOut          bool
}

// Balanced is a metric before the first exposure of its units.
type Balanced struct {
	Metric string
	stats.Balance
}

// Influenced is a metric with and without its largest unit.
type Influenced struct {
	Metric string
	stats.Influence
}

// Novel is a metric day by day since first exposure.
type Novel struct {
	Metric string
	stats.Novelty
}

package ingest

import "github.com/sluice-hq/sluice/event"

// Names of the tables, as the warehouse has them.
const (
	TableExposures   = "exposures"
	TableMetrics     = "metrics"
	TableDeployments = "deployments"
	TableReadings    = "readings"
	TableControl     = "control_events"
)

// Key is what makes two rows the same row: a store keeps the first arrival of
// each key, however late another copy comes. It is the sort key of the tables.
type Key struct {
	Table       string
	Environment string // empty for control events
	Name        string // flag, metric event, service, reading; type of a control event
	UnitKind    string
	Unit        uint64
	ID          event.ID
}

// Key returns the row's identity.
func (r ExposureRow) Key() Key {
	return Key{TableExposures, r.Environment, r.Flag, r.UnitKind, r.Unit, r.ID}
}

// Key returns the row's identity.
func (r MetricRow) Key() Key {
	return Key{TableMetrics, r.Environment, r.Name, r.UnitKind, r.Unit, r.ID}
}

// Key returns the row's identity.
func (r DeploymentRow) Key() Key {
	return Key{Table: TableDeployments, Environment: r.Environment, Name: r.Service, ID: r.ID}
}

// Key returns the row's identity.
func (r ReadingRow) Key() Key {
	return Key{Table: TableReadings, Environment: r.Environment, Name: r.Name, ID: r.ID}
}

// Key returns the row's identity.
func (r ControlRow) Key() Key {
	return Key{Table: TableControl, Name: r.Type, ID: r.ID}
}

// Keep returns the rows that keep selects, in their order. keep sees a row's
// identity and its place.
func (r Rows) Keep(keep func(Key, Place) bool) Rows {
	return Rows{
		Exposures:   kept(r.Exposures, keep),
		Metrics:     kept(r.Metrics, keep),
		Deployments: kept(r.Deployments, keep),
		Readings:    kept(r.Readings, keep),
		Control:     kept(r.Control, keep),
	}
}

// row is what the tables' rows have in common.
type row interface {
	ExposureRow | MetricRow | DeploymentRow | ReadingRow | ControlRow
	Key() Key
	at() Place
}

func (p Place) at() Place { return p }

func kept[R row](rows []R, keep func(Key, Place) bool) []R {
	var out []R
	for _, r := range rows {
		if keep(r.Key(), r.at()) {
			out = append(out, r)
		}
	}
	return out
}

// Each calls f with the identity and place of every row, table by table.
func (r Rows) Each(f func(Key, Place)) {
	each(r.Exposures, f)
	each(r.Metrics, f)
	each(r.Deployments, f)
	each(r.Readings, f)
	each(r.Control, f)
}

func each[R row](rows []R, f func(Key, Place)) {
	for _, r := range rows {
		f(r.Key(), r.at())
	}
}

// Append adds the rows of more behind those of r, table by table.
func (r *Rows) Append(more Rows) {
	r.Exposures = append(r.Exposures, more.Exposures...)
	r.Metrics = append(r.Metrics, more.Metrics...)
	r.Deployments = append(r.Deployments, more.Deployments...)
	r.Readings = append(r.Readings, more.Readings...)
	r.Control = append(r.Control, more.Control...)
}

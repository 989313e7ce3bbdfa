package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// Recent asks what came to an environment since a time, whoever it is of. All
// fields are required.
type Recent struct {
	Environment  string
	Since, Until time.Time
	Watermark    map[string]uint64 // as of Question
}

func (q Recent) params() Params {
	p := (&reading{Question: Question{Environment: q.Environment, Until: q.Until, Watermark: q.Watermark}}).params()
	p["since"] = q.Since.UnixMilli()
	return p
}

// lately keeps to the partitions that can hold it: an event's day is that of its
// ID, which is no later than its arrival by more than a clock is wrong.
const lately = `environment = {environment:String} AND day >= toDate(fromUnixTimestamp64Milli({since:Int64}, 'UTC')) - 1
  AND toUnixTimestamp64Milli(at) >= {since:Int64} AND toUnixTimestamp64Milli(least(at, received)) <= {until:Int64}`

// Arrival returns when the newest event of a source came, of any unit, exposed
// or not; zero when none did. Events that are only tests count: they took the
// same way.
func (w *Warehouse) Arrival(ctx context.Context, q Recent, of stats.Source) (time.Time, Query, error) {
	p := q.params()
	asked := newQuery(`SELECT toUnixTimestamp64Milli(max(least(at, received))) FROM metrics WHERE `+lately+countable+`
  AND `+meets("own", of, p), p, OfUnits)
	var newest int64
	if err := one(ctx, w.reader, asked.SQL, asked.Params, &newest); err != nil {
		return time.Time{}, asked, fmt.Errorf("looking for %s: %w", of.Event, err)
	}
	return later(time.Time{}, newest), asked, nil
}

// Deployment is a version of a service that went live.
type Deployment struct {
	Service string
	Version string
	At      time.Time
}

// mostDeployments is how many are told: a page of them helps nobody.
const mostDeployments = 20

// Deployments returns what went live, the newest first.
func (w *Warehouse) Deployments(ctx context.Context, q Recent) ([]Deployment, Query, error) {
	asked := newQuery(fmt.Sprintf(`SELECT service, version, toUnixTimestamp64Milli(at) FROM deployments FINAL WHERE NOT synthetic AND `+lately+countable+`
ORDER BY at DESC, service, version LIMIT %d`, mostDeployments), q.params(), "deployments")
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, asked, fmt.Errorf("reading the deployments: %w", err)
	}
	defer rows.Close()
	var out []Deployment
	for rows.Next() {
		var d Deployment
		var at int64
		if err := rows.Scan(&d.Service, &d.Version, &at); err != nil {
			return nil, asked, fmt.Errorf("reading the deployments: %w", err)
		}
		d.At = time.UnixMilli(at).UTC()
		out = append(out, d)
	}
	return out, asked, rows.Err()
}

package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// Usage is how often a flag gave one answer on one day, by who counted it.
type Usage struct {
	Day       time.Time // midnight, UTC
	Flag      string
	Variant   string
	Reason    string
	Asked     int64 // evaluations one by one, as replicas and SDKs report them
	Listed    int64 // answers of all flags that it was part of
	Exposures int64 // units that met it, as SDKs send them
}

// evaluations reads the reports of ingest.Evaluations. A report without a way
// is one of evaluations: SDKs list nothing.
const evaluations = `SELECT toDate(at) AS d, labels['flag'] AS flag, labels['variant'] AS variant, labels['reason'] AS reason,
  intDiv(sumIf(value, labels['way'] != 'listed'), 1000000) AS asked, intDiv(sumIf(value, labels['way'] = 'listed'), 1000000) AS listed, toInt64(0) AS exposures
FROM readings FINAL WHERE environment = {environment:String} AND name = {name:String} AND NOT synthetic
  AND ({flag:String} = '' OR labels['flag'] = {flag:String}) AND at >= fromUnixTimestamp64Milli({since:Int64})
GROUP BY d, flag, variant, reason
UNION ALL
SELECT toDate(at), flag, variant, reason, toInt64(0), toInt64(0), toInt64(count())
FROM exposures FINAL WHERE environment = {environment:String} AND NOT synthetic
  AND ({flag:String} = '' OR flag = {flag:String}) AND at >= fromUnixTimestamp64Milli({since:Int64})
GROUP BY toDate(at), flag, variant, reason`

// Usage returns what was answered since a time in an environment, by day,
// flag, variant and reason, oldest first; flag "" is all flags.
func (w *Warehouse) Usage(ctx context.Context, environment, flag string, since time.Time) ([]Usage, error) {
	rows, err := query(ctx, w.reader, `SELECT d, flag, variant, reason, sum(asked), sum(listed), sum(exposures)
FROM (`+evaluations+`) GROUP BY d, flag, variant, reason ORDER BY d, flag, variant, reason`,
		Params{"environment": environment, "flag": flag, "name": ingest.Evaluations, "since": since.UnixMilli()})
	if err != nil {
		return nil, fmt.Errorf("reading the evaluations in %s: %w", environment, err)
	}
	defer rows.Close()
	var out []Usage
	for rows.Next() {
		var u Usage
		if err := rows.Scan(&u.Day, &u.Flag, &u.Variant, &u.Reason, &u.Asked, &u.Listed, &u.Exposures); err != nil {
			return nil, fmt.Errorf("reading the evaluations in %s: %w", environment, err)
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

// Seen is when a flag was last used, as far as anybody has told.
type Seen struct {
	Flag   string
	Asked  time.Time // newest evaluation or exposure; the start of 1970 when there is none
	Listed time.Time // newest answer of all flags
}

// Seen returns the flags of an environment that were used since a time, and
// since when evaluations have been counted at all: the start of 1970 for never.
func (w *Warehouse) Seen(ctx context.Context, environment string, since time.Time) (seen []Seen, counting time.Time, err error) {
	p := Params{"environment": environment, "name": ingest.Evaluations, "since": since.UnixMilli()}
	if err := one(ctx, w.reader, `SELECT min(at) FROM readings WHERE environment = {environment:String} AND name = {name:String}`, p, &counting); err != nil {
		return nil, counting, fmt.Errorf("asking since when evaluations are counted in %s: %w", environment, err)
	}
	rows, err := query(ctx, w.reader, `SELECT flag, max(asked), max(listed) FROM (
SELECT labels['flag'] AS flag, maxIf(at, labels['way'] != 'listed') AS asked, maxIf(at, labels['way'] = 'listed') AS listed
FROM readings WHERE environment = {environment:String} AND name = {name:String} AND NOT synthetic AND at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY flag
UNION ALL
SELECT flag, max(at), toDateTime64(0, 3, 'UTC')
FROM exposures WHERE environment = {environment:String} AND NOT synthetic AND at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY flag
) GROUP BY flag ORDER BY flag`, p)
	if err != nil {
		return nil, counting, fmt.Errorf("asking which flags of %s were used: %w", environment, err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Seen
		if err := rows.Scan(&s.Flag, &s.Asked, &s.Listed); err != nil {
			return nil, counting, fmt.Errorf("asking which flags of %s were used: %w", environment, err)
		}
		seen = append(seen, s)
	}
	return seen, counting, rows.Err()
}

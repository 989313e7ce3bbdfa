package warehouse

import (
	"context"
	"fmt"
	"time"
)

// AftermathQuestion asks what a flag exposed after it was changed. All fields
// are required, but Forced.
type AftermathQuestion struct {
	Environment string
	Flag        string
	Safe        string        // variant that is never unsafe
	Revision    uint64        // of the change: what an older one answered otherwise is unsafe
	Forced      bool          // then so is what names no revision
	Since       time.Time     // time of the change
	Until       time.Time     //
	Step        time.Duration // of the bins, to the millisecond
}

// Aftermath is the answer: bins from Since on, in order, those without exposures
// left out.
type Aftermath struct {
	Bins    []AftermathBin
	Queries []Query
}

// AftermathBin is the exposures of a stretch of time.
type AftermathBin struct {
	At     time.Time // when it begins
	All    int64
	Unsafe int64
	Last   time.Time // newest unsafe one; zero: there is none
}

// aftermath counts exposures by their time: the sender's, or ours where the
// sender's clock is ahead. An exposure by an older revision is one that the
// change had not reached. Copies count once by their id, and an id is made when
// its exposure is, so that older days need not be read.
const aftermath = `SELECT intDiv(seen - {since:Int64}, {step:Int64}) AS bin,
  toInt64(uniqExact(id)), toInt64(uniqExactIf(id, bad)), toInt64(maxIf(seen, bad))
FROM (
  SELECT id, toUnixTimestamp64Milli(least(at, received)) AS seen,
    variant != {safe:String} AND revision < {revision:UInt64} AND (revision > 0 OR {forced:Bool}) AS bad
  FROM exposures
  WHERE environment = {environment:String} AND flag = {flag:String} AND NOT synthetic
    AND day >= toDate(fromUnixTimestamp64Milli({since:Int64}, 'UTC')) - 1
)
WHERE seen >= {since:Int64} AND seen <= {until:Int64}
GROUP BY bin
ORDER BY bin`

// Aftermath counts what a flag exposed after a change.
func (w *Warehouse) Aftermath(ctx context.Context, q AftermathQuestion) (Aftermath, error) {
	asked := newQuery(aftermath, Params{
		"environment": q.Environment, "flag": q.Flag, "safe": q.Safe, "revision": q.Revision, "forced": q.Forced,
		"since": q.Since.UnixMilli(), "until": q.Until.UnixMilli(), "step": max(q.Step.Milliseconds(), 1),
	}, OfUnits)
	out := Aftermath{Queries: []Query{asked}}
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return out, fmt.Errorf("counting what %s exposed after revision %d: %w", q.Flag, q.Revision, err)
	}
	defer rows.Close()
	for rows.Next() {
		var bin, last int64
		var b AftermathBin
		if err := rows.Scan(&bin, &b.All, &b.Unsafe, &last); err != nil {
			return out, fmt.Errorf("reading what %s exposed after revision %d: %w", q.Flag, q.Revision, err)
		}
		b.At = q.Since.Add(time.Duration(bin) * q.Step)
		if last > 0 {
			b.Last = time.UnixMilli(last).UTC()
		}
		out.Bins = append(out.Bins, b)
	}
	return out, rows.Err()
}

package warehouse

import (
	"context"
	"fmt"
	"time"
)

// Daily are the units of one arm of one stratum that were first exposed on one
// day.
type Daily struct {
	Day time.Time // its beginning, UTC
	Count
}

// dailySQL counts units by the day of their first exposure in an epoch.
func dailySQL(fresh string) string {
	return `SELECT intDiv(first, {day:Int64}) AS day, unit_epoch, unit_stage, unit_arm, countIf(` + fresh + ` AND first <= {until:Int64}) AS n
FROM (` + wholeUnits + `
)
WHERE NOT two GROUP BY day, unit_epoch, unit_stage, unit_arm HAVING n > 0
ORDER BY day, unit_epoch, unit_stage, unit_arm`
}

// Daily counts the units that a question is about by the day, in UTC, of their
// first exposure in an epoch; those that saw two arms are left out. The
// question's metrics are not asked. The query is the one behind the answer.
func (w *Warehouse) Daily(ctx context.Context, q Question) ([]Daily, Query, error) {
	r := &reading{Question: q}
	p := r.params()
	p["day"] = day.Milliseconds()
	asked := r.ask(OfUnits, dailySQL(r.fresh()), p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, asked, fmt.Errorf("counting the units of %s by day: %w", q.Rollout, err)
	}
	defer rows.Close()
	var out []Daily
	for rows.Next() {
		var d Daily
		var at int64
		var epoch int32
		var n uint64
		if err := rows.Scan(&at, &epoch, &d.Stage, &d.Arm, &n); err != nil {
			return nil, asked, fmt.Errorf("counting the units of %s by day: %w", q.Rollout, err)
		}
		d.Day, d.Epoch, d.N = time.UnixMilli(at*day.Milliseconds()).UTC(), int(epoch), int64(n)
		out = append(out, d)
	}
	return out, asked, rows.Err()
}

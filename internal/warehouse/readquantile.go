package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// bucketSQL counts the events of every arm by the bucket of their value.
func (r *reading) bucketSQL(m stats.Metric, p Params) string {
	return `SELECT unit_part, unit_epoch, unit_stage, unit_arm, ` + bucket + ` AS i, count()
FROM (` + r.events(m, p) + `
) AS e
INNER JOIN (` + r.grown(anyBucket) + `
) AS u ON e.event_unit = u.unit_hash
WHERE own AND ` + within + `
GROUP BY unit_part, unit_epoch, unit_stage, unit_arm, i
ORDER BY unit_part, unit_epoch, unit_stage, unit_arm, i`
}

// distributions returns the distribution of the events of every arm that has
// any. How many units have them is counted later.
func (w *Warehouse) distributions(ctx context.Context, r *reading, m stats.Metric, p Params) (map[stratum]stats.Distribution, error) {
	asked := r.ask(m.Key, r.bucketSQL(m, p), p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, fmt.Errorf("counting its events: %w", err)
	}
	defer rows.Close()
	buckets := map[stratum][]stats.Bucket{}
	for rows.Next() {
		var at stratum
		var i int32
		var n uint64
		if err := rows.Scan(append(at.dest(), &i, &n)...); err != nil {
			return nil, fmt.Errorf("counting its events: %w", err)
		}
		buckets[at] = append(buckets[at], stats.Bucket{I: int(i), N: int64(n)})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("counting its events: %w", err)
	}
	of := map[stratum]stats.Distribution{}
	for at, b := range buckets {
		if of[at], err = stats.NewDistribution(m.Nu, m.FixedPoint(), 0, b); err != nil {
			return nil, err
		}
	}
	return of, nil
}

// key names an arm of a stratum in the list of a parameter; keySQL is the same
// of a unit. Nothing in the two texts can be taken for what parts them.
func (s stratum) key() string { return fmt.Sprintf("%d %d %X %X", s.part, s.epoch, s.stage, s.arm) }

const keySQL = `concat(toString(unit_part), ' ', toString(unit_epoch), ' ', hex(unit_stage), ' ', hex(unit_arm))`

// bucketsBelow puts the buckets of the estimates into the parameters and
// returns the SQL that finds that of a unit's arm.
func bucketsBelow(of map[stratum]stats.Distribution, p Params) string {
	arms, most := []string{""}, []int64{0} // never empty: a list without elements has no type
	estimates := map[string]int64{}
	for at, d := range of {
		i, _ := d.At()
		estimates[at.key()] = int64(i)
	}
	for _, key := range slices.Sorted(maps.Keys(estimates)) { // the same text at every look
		arms, most = append(arms, key), append(most, estimates[key])
	}
	p["arms"], p["most"] = arms, most
	return `transform(` + keySQL + `, {arms:Array(String)}, {most:Array(Int64)}, toInt64(0))`
}

package warehouse

import (
	"context"
	"fmt"
)

// TableParts counts what one table is stored in. Many parts are many inserts that
// have not been merged yet: from 1,000 in one partition on the engine delays
// inserts, from 3,000 on it refuses them.
type TableParts struct {
	Table string
	Parts uint64
	Most  uint64 // parts of the partition that has the most
	Rows  uint64 // copies that have not been merged among them
	Bytes uint64
}

// Parts returns the parts of every table, as they are on this server.
func (w *Warehouse) Parts(ctx context.Context) (list []TableParts, err error) {
	const sql = `SELECT table, sum(n), max(n), sum(r), sum(b) FROM (
  SELECT table, count() AS n, sum(rows) AS r, sum(bytes_on_disk) AS b
  FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table, partition_id)
GROUP BY table ORDER BY table`
	rows, err := query(ctx, w.reader, sql, nil)
	if err != nil {
		return nil, fmt.Errorf("counting the parts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var p TableParts
		if err := rows.Scan(&p.Table, &p.Parts, &p.Most, &p.Rows, &p.Bytes); err != nil {
			return nil, fmt.Errorf("counting the parts: %w", err)
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

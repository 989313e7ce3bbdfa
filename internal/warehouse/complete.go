package warehouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"

	"github.com/sluice-hq/sluice/ingest"
)

// complete carries all migrations out once more when a table or a column is
// missing that was made, as the list of them says. The embedded engine loses one
// that it made on a full disk, and package engine brings it back to what it was
// before. What is missing on a server was taken away by somebody, who has to say
// so: checkTables refuses it.
func (w *Warehouse) complete(ctx context.Context, c Config, o *clickhouse.Options) error {
	if c.Dial == nil {
		return nil
	}
	have, err := w.columns(ctx)
	if err != nil {
		return fmt.Errorf("reading the columns: %w", err)
	}
	if have.all(w.schema) {
		return nil
	}
	return migrate(ctx, o, w.schema, goose.WithDisableVersioning(true))
}

// present are the columns that there are, by table.
type present map[string]map[string]bool

// all reports whether every table is there, with what inserts need.
func (p present) all(s schema) bool {
	for _, t := range tables {
		if len(p[s.home(t)]) == 0 {
			return false
		}
	}
	for table, columns := range inserted() {
		for _, c := range columns {
			if !p[s.home(table)][c.name] {
				return false
			}
		}
	}
	return true
}

// inserted are the columns that inserts name, by table.
func inserted() map[string][]column {
	return map[string][]column{
		ingest.TableExposures: exposureColumns(nil), ingest.TableMetrics: metricColumns(nil),
		ingest.TableDeployments: deploymentColumns(nil), ingest.TableReadings: readingColumns(nil),
		ingest.TableControl: controlColumns(nil), tableLooks: lookColumns(nil),
	}
}

func (w *Warehouse) columns(ctx context.Context) (present, error) {
	rows, err := query(ctx, w.writer, `SELECT table, name FROM system.columns WHERE database = currentDatabase()`, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := present{}
	for rows.Next() {
		var table, name string
		if err := rows.Scan(&table, &name); err != nil {
			return nil, err
		}
		if out[table] == nil {
			out[table] = map[string]bool{}
		}
		out[table][name] = true
	}
	return out, rows.Err()
}

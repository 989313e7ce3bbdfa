package warehouse

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"

	"github.com/sluice-hq/sluice/ingest"
)

// tables are those that the migrations make, one statement a file: ClickHouse
// has no transactions for definitions, and a file that ends half-way could not
// be repeated.
var tables = []string{
	ingest.TableExposures, ingest.TableMetrics, ingest.TableDeployments, ingest.TableReadings, ingest.TableControl, tableLooks,
}

const tableLooks = "looks"

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date. Each file can be repeated, so that
// two services may start at once.
func migrate(ctx context.Context, o *clickhouse.Options) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	db := clickhouse.OpenDB(o)
	p, err := goose.NewProvider(goose.DialectClickHouse, db, files)
	if err != nil {
		return errors.Join(fmt.Errorf("reading the migrations: %w", err), db.Close())
	}
	if _, err := p.Up(ctx); err != nil {
		return errors.Join(fmt.Errorf("migrating the warehouse: %w", err), p.Close())
	}
	return p.Close()
}

package warehouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/pressly/goose/v3"
)

// migrate brings the schema up to date. Every statement can be repeated (IF
// NOT EXISTS): ClickHouse has no transactions for definitions, a file may end
// half-way, and two services may start at once. On a cluster each server keeps
// its own list of what was carried out, and whichever one is connected to may
// carry it out again.
func migrate(ctx context.Context, o *clickhouse.Options, s schema, more ...goose.ProviderOption) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	db := clickhouse.OpenDB(o)
	p, err := goose.NewProvider(goose.DialectClickHouse, db, files, more...)
	if err != nil {
		return errors.Join(fmt.Errorf("reading the migrations: %w", err), db.Close())
	}
	if _, err := p.Up(ctx); err != nil {
		return errors.Join(fmt.Errorf("migrating the warehouse: %w", err), p.Close())
	}
	return p.Close()
}

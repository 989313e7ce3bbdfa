// Package warehouse keeps the facts in ClickHouse and answers what the
// statistics ask: the embedded engine or a server, through one driver and in
// one dialect. It holds the schema (migrations/), the loader's side of it
// (ingest.Store) and the readouts. It never decides what a fact or a statistic
// means, and it never trusts a server's defaults: the settings that keep facts
// from being lost or counted twice are written out, and checked when it opens.
//
// No text that somebody wrote reaches SQL. Statements are constants of this
// package; values travel beside them as server-side parameters, {name:Type},
// which the server parses as values of that type. The driver's own binding,
// which puts values into the text, is not used, and a test sees to that.
//
// It is the only importer of clickhouse-go and of goose.
//
//	w, err := warehouse.Open(ctx, warehouse.Config{Dial: supervisor.Dial}) // the embedded engine
//	w, err := warehouse.Open(ctx, warehouse.Config{Addr: "clickhouse://sluice:secret@ch-1:9000/sluice"})
//	answer, err := w.Readout(ctx, warehouse.Question{Environment: "production", Flag: "checkout", …})
package warehouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Config says where ClickHouse is. One of Dial and Addr is required.
type Config struct {
	// Dial connects to the embedded engine, whatever address it is given.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Addr is a server: clickhouse://user:password@host:9000/database, or
	// http:// and https:// for its HTTP port. The database must exist.
	Addr string
	// Cluster is what the servers call the cluster of which Addr is one: the
	// tables are then spread over its shards, by unit, and replicated. Empty:
	// there is one server. It is fixed when the tables are first made.
	Cluster string

	layout *schema // tests alone: of the engine, which is a cluster of one, without a queue for definitions; nil: as Cluster says
}

// Warehouse is an open connection to ClickHouse. It is safe for concurrent
// use.
type Warehouse struct {
	schema  schema
	writer  driver.Conn
	patient driver.Conn // as writer, for statements that may take long
	reader  driver.Conn // readonly = 1
}

// Open connects, checks that the settings are in force and brings the schema
// up to date.
func Open(ctx context.Context, c Config) (*Warehouse, error) {
	layout := c.schema()
	if err := layout.check(); err != nil {
		return nil, fmt.Errorf("opening the warehouse: %w", err)
	}
	w := &Warehouse{schema: layout}
	writing, err := c.options(layout.writeSettings(), 2*time.Minute)
	if err != nil {
		return nil, err
	}
	if err := w.connect(c, writing); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the warehouse: %w", err), w.Close())
	}
	for _, step := range []func(context.Context) error{
		w.Ping, w.checkSettings,
		func(ctx context.Context) error { return migrate(ctx, writing, w.schema) },
		func(ctx context.Context) error { return w.complete(ctx, c, writing) },
		w.checkTables,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// connect makes the connections; none of them is dialled yet.
func (w *Warehouse) connect(c Config, writing *clickhouse.Options) (err error) {
	moving, err := c.options(w.schema.moveSettings(), longest+time.Minute)
	if err != nil {
		return err
	}
	reading, err := c.options(w.schema.readSettings(), 2*time.Minute)
	if err != nil {
		return err
	}
	for _, made := range []struct {
		conn *driver.Conn
		by   *clickhouse.Options
	}{{&w.writer, writing}, {&w.patient, moving}, {&w.reader, reading}} {
		if *made.conn, err = clickhouse.Open(made.by); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the connections. What was inserted is on disk already.
func (w *Warehouse) Close() error {
	var errs []error
	for _, c := range []driver.Conn{w.writer, w.patient, w.reader} {
		if c != nil { // one that could not be opened
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping asks both kinds of connection for an answer.
func (w *Warehouse) Ping(ctx context.Context) error {
	for _, c := range []driver.Conn{w.writer, w.reader} {
		if err := c.Ping(ctx); err != nil {
			return fmt.Errorf("asking the warehouse: %w", err)
		}
	}
	return nil
}

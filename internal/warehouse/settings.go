package warehouse

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// options returns how the driver connects with these settings.
func (c Config) options(settings clickhouse.Settings) (*clickhouse.Options, error) {
	o := &clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{"127.0.0.1"}}
	if c.Dial == nil {
		var err error
		if o, err = clickhouse.ParseDSN(c.Addr); err != nil {
			return nil, fmt.Errorf("reading the address of the ClickHouse server: %w", err)
		}
	} else {
		// The address is never dialled; a loopback one keeps the proxy that the
		// environment may name out of the way.
		o.DialContext = func(ctx context.Context, addr string) (net.Conn, error) { return c.Dial(ctx, "tcp", addr) }
	}
	o.Settings = settings
	if o.Protocol == clickhouse.HTTP {
		// Not a setting but a word to the HTTP interface: status 200 must mean
		// that the statement is done.
		o.Settings["wait_end_of_query"] = 1
	}
	o.MaxOpenConns, o.MaxIdleConns = 4, 4
	o.ReadTimeout = 2 * time.Minute // of one statement; a caller's deadline may be shorter
	return o, nil
}

// must are the session settings without which a fact could be lost or counted
// twice, with the reason that is told when a server does not take them.
var must = []struct{ name, value, why string }{
	{"async_insert", "0", "an insert must be on disk when it is answered; the default answers from a buffer"},
	{"insert_deduplicate", "1", "a repeated insert must change nothing"},
	{"deduplicate_insert", "enable", "a repeated insert must change nothing"},
	{"min_insert_block_size_rows", "0", "a repeated insert must make the same parts"},
	{"min_insert_block_size_bytes", "0", "a repeated insert must make the same parts"},
	{"max_insert_block_size", "1048576", "an insert must be one block"},
	// A block of an import may touch many days. Too many parts are slow; an
	// insert that is refused for ever would stop the loader.
	{"max_partitions_per_insert_block", "0", "an insert of many days must not be refused"},
}

func writeSettings() clickhouse.Settings {
	s := clickhouse.Settings{}
	for _, m := range must {
		s[m.name] = m.value
	}
	return s
}

// readSettings are those of readouts: no writing, no table functions, and
// limits that a mistake runs into before the machine does.
func readSettings() clickhouse.Settings {
	return clickhouse.Settings{
		"readonly":           1,
		"max_execution_time": 60, // seconds
		"max_memory_usage":   4 << 30,
		"max_result_rows":    1_000_000,
		"join_use_nulls":     0, // a unit without events has zero of them
		// A resend meets its twin in the same partition, so parts of different
		// days need not be merged when reading.
		"do_not_merge_across_partitions_select_final": 1,
	}
}

// checkSettings compares what the server does with what was asked of it: a
// profile or a constraint there may say otherwise.
func (w *Warehouse) checkSettings(ctx context.Context) error {
	names := make([]string, len(must))
	for i, m := range must {
		names[i] = m.name
	}
	rows, err := query(ctx, w.writer, `SELECT name, value FROM system.settings WHERE name IN {names:Array(String)}`, Params{"names": names})
	if err != nil {
		return fmt.Errorf("reading the server's settings: %w", err)
	}
	defer rows.Close()
	got := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return fmt.Errorf("reading the server's settings: %w", err)
		}
		got[name] = value
	}
	return firstError(rows.Err(), compareSettings(got))
}

func compareSettings(got map[string]string) error {
	for _, m := range must {
		if got[m.name] != m.value {
			return fmt.Errorf("the ClickHouse server has %s = %q, and Sluice needs %q: %s", m.name, got[m.name], m.value, m.why)
		}
	}
	return nil
}

// tableSettings must stand in the definition of every table.
var tableSettings = []string{
	"non_replicated_deduplication_window = 10000", // 0 by default: repeats would be stored
	"fsync_after_insert = 1",
	"fsync_part_directory = 1",
	"min_rows_to_fsync_after_merge = 1",
	"min_compressed_bytes_to_fsync_after_merge = 1",
	"old_parts_lifetime = 480", // seconds that merged parts stay, should the merge not have reached the disk
}

// checkTables refuses tables that somebody altered or made otherwise.
func (w *Warehouse) checkTables(ctx context.Context) error {
	rows, err := query(ctx, w.writer, `SELECT name, engine_full FROM system.tables
WHERE database = currentDatabase() AND name IN {names:Array(String)}`, Params{"names": tables})
	if err != nil {
		return fmt.Errorf("reading the tables: %w", err)
	}
	defer rows.Close()
	var seen []string
	for rows.Next() {
		var name, engine string
		if err := rows.Scan(&name, &engine); err != nil {
			return fmt.Errorf("reading the tables: %w", err)
		}
		for _, s := range tableSettings {
			if !strings.Contains(engine, s) {
				return fmt.Errorf("the table %s lacks the setting %s; it is %s", name, s, engine)
			}
		}
		seen = append(seen, name)
	}
	for _, t := range tables {
		if !slices.Contains(seen, t) && rows.Err() == nil {
			return fmt.Errorf("the table %s is missing", t)
		}
	}
	return rows.Err()
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

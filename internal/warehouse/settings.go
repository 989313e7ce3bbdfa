package warehouse

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// options returns how the driver connects with these settings, and how long it
// waits for a statement; a caller's deadline may be shorter.
func (c Config) options(settings clickhouse.Settings, wait time.Duration) (*clickhouse.Options, error) {
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
	o.ReadTimeout = wait
	return o, nil
}

// setting is a session setting without which a fact could be lost or counted
// twice, with the reason that is told when a server does not take it.
type setting struct{ name, value, why string }

// must are those of every server.
var must = []setting{
	{"async_insert", "0", "an insert must be on disk when it is answered; the default answers from a buffer"},
	{"insert_deduplicate", "1", "a repeated insert must change nothing"},
	{"deduplicate_insert", "enable", "a repeated insert must change nothing"},
	{"min_insert_block_size_rows", "0", "a repeated insert must make the same parts"},
	{"min_insert_block_size_bytes", "0", "a repeated insert must make the same parts"},
	{"max_insert_block_size", "1048576", "an insert must be one block"},
	// A block of an import may touch many days. Too many parts are slow; an
	// insert that is refused for ever would stop the loader.
	{"max_partitions_per_insert_block", "0", "an insert of many days must not be refused"},
	{"compile_expressions", "0", notCompiled},
	{"compile_aggregate_expressions", "0", notCompiled},
}

// notCompiled: from the fourth time that a statement is run, version 26.7 runs
// it compiled, and greatest(least(x, c), -c) of Int128 is then -c for every x.
// TestSettings_sumsStayTheSame watches.
const notCompiled = "compiled expressions of wide integers give wrong numbers"

// mustOnCluster are those that matter as well where there are shards and
// replicas.
var mustOnCluster = []setting{
	{"distributed_foreground_insert", "1", "an insert must be on the shards when it is answered; the default answers from a queue"},
	{"insert_quorum", "auto", "an insert must be on a majority of the replicas when it is answered"},
	{"insert_quorum_parallel", "0", "without it a reader cannot tell whether a replica has every insert"},
	{"select_sequential_consistency", "1", "a replica that lags must say so instead of counting less"},
	{"skip_unavailable_shards", "0", "a shard that is away must be an error instead of zero rows"},
	{"distributed_product_mode", "global", "a statement must mean on a cluster what it means on one server"},
	{"parallel_distributed_insert_select", "0", "an INSERT SELECT must read all shards"},
}

// must returns the session settings that this layout relies on.
func (s schema) must() []setting {
	if s.cluster == "" {
		return must
	}
	return append(must[:len(must):len(must)], mustOnCluster...)
}

func (s schema) writeSettings() clickhouse.Settings {
	out := clickhouse.Settings{}
	for _, m := range s.must() {
		out[m.name] = m.value
	}
	// Merging the copies within a block while it is inserted takes the engine
	// longer than the rest of the insert. FINAL and later merges do it anyway.
	out["optimize_on_insert"] = "0"
	return out
}

// longest is how long a statement may take that moves much: what is kept of a
// new measure is computed of all that is stored.
const longest = time.Hour

// moveSettings are those of statements that move much. The server ends one
// before the client gives it up: an INSERT SELECT that nobody waits for goes on,
// and each attempt after it would make the next one slower.
func (s schema) moveSettings() clickhouse.Settings {
	out := s.writeSettings()
	out["max_execution_time"] = int(longest.Seconds())
	return out
}

// readSettings are those of readouts: no writing, no table functions, and
// limits that a mistake runs into before the machine does.
func (s schema) readSettings() clickhouse.Settings {
	out := clickhouse.Settings{
		"readonly":           1,
		"max_execution_time": 60, // seconds
		"max_memory_usage":   4 << 30,
		"max_result_rows":    1_000_000,
		"join_use_nulls":     0, // a unit without events has zero of them
		// A resend meets its twin in the same partition, so parts of different
		// days need not be merged when reading.
		"do_not_merge_across_partitions_select_final": 1,
		"compile_expressions":                         0, // see notCompiled
		"compile_aggregate_expressions":               0,
	}
	if s.cluster != "" {
		for _, m := range mustOnCluster {
			out[m.name] = m.value
		}
	}
	return out
}

// checkSettings compares what the server does with what was asked of it: a
// profile or a constraint there may say otherwise.
func (w *Warehouse) checkSettings(ctx context.Context) error {
	var names []string
	for _, m := range w.schema.must() {
		names = append(names, m.name)
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
	return firstError(rows.Err(), compareSettings(w.schema.must(), got))
}

func compareSettings(must []setting, got map[string]string) error {
	for _, m := range must {
		if got[m.name] != m.value {
			return fmt.Errorf("the ClickHouse server has %s = %q, and Sluice needs %q: %s", m.name, got[m.name], m.value, m.why)
		}
	}
	return nil
}

// checkTables refuses tables that somebody altered or made otherwise.
func (w *Warehouse) checkTables(ctx context.Context) error {
	engines, err := w.engines(ctx)
	if err != nil {
		return fmt.Errorf("reading the tables: %w", err)
	}
	for _, t := range tables {
		if err := w.schema.checkTable(t, engines); err != nil {
			return err
		}
	}
	return nil
}

// engines returns how each table of the database was defined.
func (w *Warehouse) engines(ctx context.Context) (map[string]string, error) {
	rows, err := query(ctx, w.writer, `SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()`, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, engine string
		if err := rows.Scan(&name, &engine); err != nil {
			return nil, err
		}
		out[name] = engine
	}
	return out, rows.Err()
}

// checkTable compares how a table is defined with how it must be.
func (s schema) checkTable(table string, engines map[string]string) error {
	home := s.home(table)
	engine, ok := engines[home]
	if !ok {
		return fmt.Errorf("the table %s is missing", home)
	}
	for _, want := range s.settings() {
		if !strings.Contains(engine, want) {
			return fmt.Errorf("the table %s lacks the setting %s; it is %s", home, want, engine)
		}
	}
	if s.replicated && !strings.HasPrefix(engine, "Replicated") {
		return fmt.Errorf("the table %s is not replicated; it is %s", home, engine)
	}
	if s.cluster != "" && !strings.HasPrefix(engines[table], "Distributed('"+s.cluster+"',") {
		return fmt.Errorf("the table %s does not reach the shards of the cluster %s; it is %q", table, s.cluster, engines[table])
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

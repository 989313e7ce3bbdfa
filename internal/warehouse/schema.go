package warehouse

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing/fstest"
	"text/template"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// tables are those that the migrations make. Statements name them so, on one
// server and on a cluster.
var tables = []string{
	ingest.TableExposures, ingest.TableMetrics, ingest.TableDeployments, ingest.TableReadings, ingest.TableControl, tableLooks,
	tableAssignments, tableTotals,
}

const tableLooks = "looks"

// schema is how the tables are laid out. On one server each is what it is
// called. On a cluster each is two: <name>_local holds the rows of one shard,
// with copies on the shard's replicas, and <name> reaches all of them. Rows
// are spread so that all copies of an event meet in one shard, where
// ReplacingMergeTree can tell that they are one.
//
// Its exported methods are what a migration may say between {{ and }}.
type schema struct {
	cluster    string // as the servers' configuration calls it; empty: one server
	replicated bool   // the rows of a shard have copies
	everywhere bool   // definitions are carried out on all servers of the cluster
}

// schema returns the layout that c asks for.
func (c Config) schema() schema {
	if c.layout != nil {
		return *c.layout
	}
	return schema{cluster: c.Cluster, replicated: c.Cluster != "", everywhere: c.Cluster != ""}
}

var clusterName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// check refuses the name of a cluster that could not stand in a statement.
func (s schema) check() error {
	if s.cluster != "" && !clusterName.MatchString(s.cluster) {
		return event.Invalid{Path: "cluster", Value: s.cluster, Why: "is not the name of a ClickHouse cluster", Fix: "write one that SELECT cluster FROM system.clusters lists"}
	}
	return nil
}

// home returns the table that holds the rows of a server.
func (s schema) home(table string) string {
	if s.cluster == "" {
		return table
	}
	return table + "_local"
}

// Table names a table where its rows are: CREATE TABLE IF NOT EXISTS
// {{.Table "exposures"}} (…), or ALTER TABLE … DELETE in a statement that
// removes rows. Statements that read or insert rows just say exposures.
func (s schema) Table(table string) string { return s.home(table) + s.onCluster() }

func (s schema) onCluster() string {
	if !s.everywhere {
		return ""
	}
	return " ON CLUSTER `" + s.cluster + "`"
}

// Engine returns the engine of a table: {{.Engine "ReplacingMergeTree" "_ver"}}.
// The path in the keeper has no random part, so that a definition that is
// repeated on a server that was replaced finds the rows of its replicas.
func (s schema) Engine(name string, args ...string) string {
	if s.replicated {
		name, args = "Replicated"+name, append([]string{`'/clickhouse/tables/{database}/{table}/{shard}'`, `'{replica}'`}, args...)
	}
	if len(args) == 0 {
		return name
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// Settings returns what must stand in the definition of every table; a comma
// and more may follow.
func (s schema) Settings() string { return strings.Join(s.settings(), ", ") }

// settings are those of Settings, and checked when the warehouse opens.
func (s schema) settings() []string {
	list := []string{
		"fsync_after_insert = 1",
		"fsync_part_directory = 1",
		"min_rows_to_fsync_after_merge = 1",
		"min_compressed_bytes_to_fsync_after_merge = 1",
		"old_parts_lifetime = 480", // seconds that merged parts stay, should the merge not have reached the disk
	}
	if s.replicated {
		return append(list, "replicated_deduplication_window = 10000", "replicated_deduplication_window_seconds = 604800") // an hour by default
	}
	return append(list, "non_replicated_deduplication_window = 10000") // 0 by default: repeats would be stored
}

// Spread ends a migration that makes a table: on a cluster it makes the one
// that reaches all shards. by is the expression whose value, modulo the number
// of shards, is a row's shard: all copies of a row must agree on it.
func (s schema) Spread(table, by string) string {
	if s.cluster == "" {
		return ""
	}
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s%s AS %s\nENGINE = Distributed('%s', currentDatabase(), '%s', %s);",
		table, s.onCluster(), s.home(table), s.cluster, s.home(table), by)
}

// Both names what a table is where its columns are changed, which on a cluster
// is two: {{range .Both "looks"}}ALTER TABLE {{.}} ADD COLUMN IF NOT EXISTS …;
// {{end}}.
func (s schema) Both(table string) []string {
	if s.cluster == "" {
		return []string{table}
	}
	return []string{s.Table(table), table + s.onCluster()}
}

//go:embed migrations/*.sql
var migrations embed.FS

// files returns the migrations as they are carried out in this layout.
func (s schema) files() (fs.FS, error) {
	all, err := template.ParseFS(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	out := fstest.MapFS{}
	for _, t := range all.Templates() {
		var text strings.Builder
		if err := t.Execute(&text, s); err != nil {
			return nil, fmt.Errorf("writing the migration %s: %w", t.Name(), err)
		}
		out[t.Name()] = &fstest.MapFile{Data: []byte(text.String())}
	}
	return out, nil
}

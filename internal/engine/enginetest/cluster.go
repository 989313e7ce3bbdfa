package enginetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sluice-hq/sluice/internal/engine"
)

// ClusterName is what StartCluster's engine calls its cluster.
const ClusterName = "one"

// oneServer is a cluster whose only server is the engine itself, which it
// reaches without a connection (the port is how it knows itself, and is not
// opened), and a keeper in its memory. It has no queue for definitions ON
// CLUSTER, and with this keeper no replica becomes active: replicated tables
// can be defined, and neither written nor altered.
const oneServer = `<clickhouse>
	<tcp_port>9000</tcp_port>
	<zookeeper><implementation>testkeeper</implementation></zookeeper>
	<macros><shard>01</shard><replica>r1</replica></macros>
	<remote_servers><one><shard>
		<internal_replication>true</internal_replication>
		<replica><host>localhost</host><port>9000</port></replica>
	</shard></one></remote_servers>
</clickhouse>`

// StartCluster starts an engine that takes itself for a ClickHouse cluster of
// one server.
func StartCluster(t testing.TB) *engine.Supervisor {
	t.Helper()
	file := filepath.Join(t.TempDir(), "servers.xml")
	if err := os.WriteFile(file, []byte(oneServer), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return StartSupervisor(t, func(s *engine.Supervisor) { s.Command = []string{self, "engine", "--servers", file} })
}

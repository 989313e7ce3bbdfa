package warehouse

import (
	"errors"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

// onOne is the layout of a cluster as far as the tests' engine can carry it
// out: definitions reach this server alone.
func onOne(replicated bool) *schema {
	return &schema{cluster: enginetest.ClusterName, replicated: replicated}
}

// TestCluster_isDefined makes the tables of a cluster, replicated, and finds
// them as they must be.
func TestCluster_isDefined(t *testing.T) {
	s := enginetest.StartCluster(t)
	layout := onOne(true)
	o, err := Config{Dial: s.Dial}.options(layout.writeSettings(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for name, statements := range statementsOf(t, *layout) {
		for _, sql := range statements {
			if err := conn.Exec(t.Context(), sql); err != nil && !strings.Contains(sql, "ALTER TABLE") {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	w := &Warehouse{schema: *layout, writer: conn}
	if err := errors.Join(w.checkSettings(t.Context()), w.checkTables(t.Context())); err != nil {
		t.Error(err)
	}
	engines, err := w.engines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]string{
		"exposures_local": "ReplicatedReplacingMergeTree('/clickhouse/tables/default/exposures_local/{shard}', '{replica}', _ver)",
		"exposures":       "Distributed('one', 'default', 'exposures_local', unit)",
	} {
		if !strings.HasPrefix(engines[table], want) {
			t.Errorf("%s is %s\nwant %s", table, engines[table], want)
		}
	}
}

func TestCluster_opensAgain(t *testing.T) {
	c := Config{Dial: enginetest.StartCluster(t).Dial, Cluster: enginetest.ClusterName, layout: onOne(false)}
	for range 2 {
		w, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
}

func TestCluster_refusesTablesOfOneServer(t *testing.T) {
	s := enginetest.StartCluster(t)
	w, err := Open(t.Context(), Config{Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	engines, err := w.engines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		engines map[string]string
		want    string
	}{
		"one server":      {engines, "the table metrics_local is missing"},
		"not replicated":  {map[string]string{"metrics_local": "ReplacingMergeTree " + cluster.Settings()}, "is not replicated"},
		"no settings":     {map[string]string{"metrics_local": "ReplicatedReplacingMergeTree"}, "lacks the setting"},
		"does not reach":  {map[string]string{"metrics_local": "Replicated " + cluster.Settings()}, "does not reach the shards"},
		"another cluster": {map[string]string{"metrics_local": "Replicated " + cluster.Settings(), "metrics": "Distributed('other', "}, "does not reach the shards"},
	} {
		if err := cluster.checkTable("metrics", c.engines); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestCluster_countsAsOneServer asks the same questions of rows behind
// Distributed tables.
func TestCluster_countsAsOneServer(t *testing.T) {
	crowd, q := crowd(seeded(t, 20261121), 1000), question(purchase, orders, revenue, basket)
	want := crowd.tell(t, q)
	w, err := Open(t.Context(), Config{Dial: enginetest.StartCluster(t).Dial, Cluster: enginetest.ClusterName, layout: onOne(false)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := block("story", 1, crowd.n, crowd.rows)
	for range 2 { // the same block again changes nothing
		if err := w.Insert(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if want.TwoArms == 0 || want.Strata["revenue"][0].Treatment.N < 300 {
		t.Error("too little was counted: this test proves nothing")
	}
	n, err := w.Count(t.Context(), b.Shard, b.From, b.To)
	if missing, failed := w.Missing(t.Context(), b); err != nil || failed != nil || missing.Len() > 0 || int(n) != b.Rows.Len() {
		t.Errorf("%d of %d rows are counted, %d are missed, %v, %v", n, b.Rows.Len(), missing.Len(), err, failed)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("one server and a cluster differ (-one +cluster):\n%s", diff)
	}
}

// TestMigrations_areClickHouse has the engine parse what it cannot carry out.
func TestMigrations_areClickHouse(t *testing.T) {
	w, _ := start(t)
	spaces := regexp.MustCompile(`\s+`)
	for name, statements := range statementsOf(t, cluster) {
		for _, s := range statements {
			var formatted string
			err := one(t.Context(), w.reader, "SELECT formatQuerySingleLine({sql:String})", Params{"sql": s}, &formatted)
			if err != nil || !strings.Contains(spaces.ReplaceAllString(formatted, " "), "ON CLUSTER") {
				t.Errorf("%s: %v\n%s", name, err, s)
			}
		}
	}
}

// TestServer_asksForThePassword has the engine stand in for a ClickHouse
// server elsewhere.
func TestServer_asksForThePassword(t *testing.T) {
	server := httptest.NewServer(enginetest.Loopback(enginetest.StartSupervisor(t).Dial, "secret"))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	if _, err := Open(t.Context(), Config{Addr: "http://sluice:wrong@" + host + "/default"}); err == nil || !strings.Contains(err.Error(), "Authentication failed") {
		t.Errorf("with another password: got %v", err)
	}
	w, err := Open(t.Context(), Config{Addr: "http://sluice:secret@" + host + "/default"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Insert(t.Context(), block("a", 1, 1, metricRows(1, 10))); err != nil {
		t.Error(err)
	}
	if n, err := w.Count(t.Context(), "facts-0", 1, 1); err != nil || n != 10 {
		t.Errorf("count: %d, %v", n, err)
	}
}

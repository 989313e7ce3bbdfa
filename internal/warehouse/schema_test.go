package warehouse

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	oneServer = schema{}
	cluster   = Config{Cluster: "sluice"}.schema()
)

var comments = regexp.MustCompile(`(?m)--.*$`)

// statementsOf returns the migrations as they are carried out, by file.
func statementsOf(t *testing.T, s schema) map[string][]string {
	t.Helper()
	files, err := s.files()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	names, _ := fs.Glob(files, "*.sql")
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		plain := comments.ReplaceAllString(string(text), "")
		for part := range strings.SplitAfterSeq(plain, ";") {
			if part = strings.TrimSpace(part); part != "" {
				out[name] = append(out[name], part)
			}
		}
	}
	return out
}

// TestMigrations_canBeRepeated: a file may end half-way, and every server of a
// cluster may be asked to carry it out.
func TestMigrations_canBeRepeated(t *testing.T) {
	for _, layout := range []schema{oneServer, cluster} {
		for name, statements := range statementsOf(t, layout) {
			for _, s := range statements {
				if !strings.HasSuffix(s, ";") || !strings.Contains(s, "IF NOT EXISTS") && !strings.Contains(s, "IF EXISTS") {
					t.Errorf("%s cannot be repeated: %s", name, s)
				}
			}
		}
	}
}

// TestMigrations_haveBothLayouts finds a migration that was written for one
// server alone.
func TestMigrations_haveBothLayouts(t *testing.T) {
	one := statementsOf(t, oneServer)
	for name, statements := range statementsOf(t, cluster) {
		if len(statements) != 2*len(one[name]) {
			t.Errorf("%s has %d statements on a cluster and %d on one server: a table is two there, see Spread and Both", name, len(statements), len(one[name]))
		}
		for _, s := range statements {
			if !strings.Contains(s, " ON CLUSTER `sluice`") {
				t.Errorf("%s is not carried out on the cluster: use {{.Table …}} or {{range .Both …}} in %s", name, s)
			}
			if strings.Contains(s, "_local ON CLUSTER") && strings.Contains(s, "ENGINE = ") && !strings.Contains(s, "ENGINE = Replicated") {
				t.Errorf("%s has no copies: use {{.Engine …}} in %s", name, s)
			}
		}
	}
}

func TestMigrations_makeTheTables(t *testing.T) {
	made := map[string]bool{}
	for name, statements := range statementsOf(t, oneServer) {
		for _, s := range statements {
			_, after, creates := strings.Cut(s, "CREATE TABLE IF NOT EXISTS ")
			if !creates {
				continue
			}
			made[strings.Fields(after)[0]] = true
			for _, want := range oneServer.settings() {
				if !strings.Contains(s, want) {
					t.Errorf("%s lacks %s: use {{.Settings}}", name, want)
				}
			}
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(tables)), slices.Sorted(maps.Keys(made))); diff != "" {
		t.Errorf("the list of tables and what the migrations make (-list +made):\n%s", diff)
	}
}

func TestSchema(t *testing.T) {
	alone := schema{cluster: "c"} // as the tests' engine is
	for _, c := range []struct{ got, want string }{
		{oneServer.Table("t"), "t"},
		{alone.Table("t"), "t_local"},
		{cluster.Table("t"), "t_local ON CLUSTER `sluice`"},
		{oneServer.Engine("MergeTree"), "MergeTree"},
		{oneServer.Engine("ReplacingMergeTree", "_ver"), "ReplacingMergeTree(_ver)"},
		{cluster.Engine("ReplacingMergeTree", "_ver"), "ReplicatedReplacingMergeTree('/clickhouse/tables/{database}/{table}/{shard}', '{replica}', _ver)"},
		{oneServer.Spread("t", "unit"), ""},
		{cluster.Spread("t", "unit"), "CREATE TABLE IF NOT EXISTS t ON CLUSTER `sluice` AS t_local\nENGINE = Distributed('sluice', currentDatabase(), 't_local', unit);"},
		{fmt.Sprint(oneServer.Both("t")), "[t]"},
		{fmt.Sprint(cluster.Both("t")), "[t_local ON CLUSTER `sluice` t ON CLUSTER `sluice`]"},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

func TestSchema_refusesANameThatIsNone(t *testing.T) {
	for _, name := range []string{"a`b", "a'b", "a b", strings.Repeat("a", 65)} {
		if _, err := Open(t.Context(), Config{Cluster: name, Addr: "http://127.0.0.1:1/default"}); err == nil || !strings.Contains(err.Error(), "is not the name of a ClickHouse cluster") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

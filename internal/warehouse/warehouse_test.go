package warehouse

import (
	"context"
	"encoding/binary"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

// TestMain draws fewer stories than rapid would: each costs the engine half a
// second. -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	enginetest.Main(m)
}

// start opens a warehouse in an engine of the test's own.
func start(t testing.TB) (*Warehouse, *engine.Supervisor) {
	t.Helper()
	s := enginetest.StartSupervisor(t)
	w, err := Open(t.Context(), Config{Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, s
}

// noon is a day in the past of every test.
var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

// idAt returns the n-th ID of version 7 that holds a time.
func idAt(at time.Time, n uint64) event.ID {
	var id event.ID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], n)
	id[6], id[8] = 0x70, id[8]&0x3f|0x80
	return id
}

func TestHello_isPinnedToTheDriver(t *testing.T) {
	w, _ := start(t)
	v, err := w.writer.ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	// A driver that asks at another revision gets the engine's own answer,
	// which names another server.
	if v.DisplayName != "sluice" || v.Revision != 0 || v.Version.Major < 26 || v.Timezone == nil {
		t.Errorf("hello: %+v", v)
	}
	if clickhouse.ClientTCPProtocolVersion != 54460 {
		t.Errorf("the driver speaks revision %d: encode the engine's hello for it", clickhouse.ClientTCPProtocolVersion)
	}
}

func TestOpen_twiceChangesNothing(t *testing.T) {
	w, s := start(t)
	again, err := Open(t.Context(), Config{Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	var versions uint64
	if err := one(t.Context(), w.reader, "SELECT count() FROM goose_db_version", nil, &versions); err != nil || versions != uint64(len(files))+1 {
		t.Errorf("%d versions, %v; want the %d migrations and goose's own", versions, err, len(files))
	}
}

// TestOpen_bringsBackWhatWasMade: a table and a column that are on the list of
// what was carried out, and are not there, are made again; rows that are there
// stay.
func TestOpen_bringsBackWhatWasMade(t *testing.T) {
	w, s := start(t)
	if err := w.Insert(t.Context(), block("a", 1, 1, metricRows(1, 3))); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"DROP TABLE exposures SYNC", "ALTER TABLE looks DROP COLUMN record"} {
		if err := w.writer.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), Config{Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Close() })
	if have, err := again.columns(t.Context()); err != nil || !have.all(again.schema) {
		t.Errorf("there are %v, %v", have, err)
	}
	if n, err := again.Count(t.Context(), "facts-0", 1, 1); n != 3 || err != nil {
		t.Errorf("%d rows are there, %v", n, err)
	}
}

func TestOpen_refusesATableThatWasAltered(t *testing.T) {
	w, s := start(t)
	if err := w.writer.Exec(t.Context(), "ALTER TABLE metrics MODIFY SETTING non_replicated_deduplication_window = 0"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Dial: s.Dial})
	if err == nil || !strings.Contains(err.Error(), "the table metrics lacks the setting non_replicated_deduplication_window = 10000") {
		t.Errorf("got %v", err)
	}
}

func TestCompareSettings_refusesEachDefault(t *testing.T) {
	good := map[string]string{}
	for _, m := range must {
		good[m.name] = m.value
	}
	if err := compareSettings(must, good); err != nil {
		t.Fatal(err)
	}
	for _, m := range must {
		bad := map[string]string{}
		for k, v := range good {
			bad[k] = v
		}
		delete(bad, m.name)
		if err := compareSettings(must, bad); err == nil || !strings.Contains(err.Error(), m.name) || !strings.Contains(err.Error(), m.why) {
			t.Errorf("without %s: got %v", m.name, err)
		}
	}
}

func TestOpen_refusesAnAddressThatIsNone(t *testing.T) {
	for _, addr := range []string{"", "ftp://host/", "clickhouse://"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if _, err := Open(ctx, Config{Addr: addr}); err == nil {
			t.Errorf("%q was opened", addr)
		}
		cancel()
	}
}

// TestOpen_overTCP opens the warehouse by an address, as that of a server. The
// engine behind it is the embedded one.
func TestOpen_overTCP(t *testing.T) {
	socket := enginetest.Start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "127.0.0.1" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return engine.Dial(ctx, socket)
		}},
	})
	server.Listener = l
	server.Start()
	defer server.Close()
	w, err := Open(t.Context(), Config{Addr: "http://sluice:secret@" + l.Addr().String() + "/default"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Insert(t.Context(), block("a", 1, 1, metricRows(1, 10))); err != nil {
		t.Error(err)
	}
	if n, err := w.Count(t.Context(), "facts-0", 1, 1); err != nil || n != 10 {
		t.Errorf("count: %d, %v", n, err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestReader_isReadOnly(t *testing.T) {
	w, _ := start(t)
	for _, sql := range []string{
		"INSERT INTO metrics (name) VALUES ('x')", "CREATE TABLE u (a Int64) ENGINE = Memory", "DROP TABLE metrics",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')", "SELECT 1; SET readonly = 0", "SELECT 1 SETTINGS readonly = 0",
	} {
		if err := w.reader.Exec(t.Context(), sql); err == nil {
			t.Errorf("the reader did %s", sql)
		}
	}
	// A deadline makes the driver send max_execution_time, which must not be
	// taken for a change of settings.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.Ping(ctx); err != nil {
		t.Error(err)
	}
}

func TestParams_comeBackAsTheyWent(t *testing.T) {
	w, _ := start(t)
	for _, s := range []string{
		"", "plain", "'; DROP TABLE metrics; --", `\' OR 1=1 --`, "tab\tnew\nline\rnul\x00end", `back\slash \N \t`, "{x:String}", "ü☃'\"`",
	} {
		var got, listed string
		err := one(t.Context(), w.reader, "SELECT {v:String}, {l:Array(String)}[2]", Params{"v": s, "l": []string{"a", s}}, &got, &listed)
		if err != nil || got != s || listed != s {
			t.Errorf("%q: got %q, in a list %q, %v", s, got, listed, err)
		}
	}
	if _, _, err := w.ControlCount(t.Context()); err != nil {
		t.Errorf("after the injections: %v", err)
	}
}

// TestColumns_areThoseOfTheTables compares what inserts say with the schema.
func TestColumns_areThoseOfTheTables(t *testing.T) {
	w, _ := start(t)
	for table, columns := range inserted() {
		rows, err := query(t.Context(), w.reader, `SELECT name, type FROM system.columns
WHERE database = currentDatabase() AND table = {table:String} AND default_kind = ''`, Params{"table": table})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for rows.Next() {
			var name, kind string
			if err := rows.Scan(&name, &kind); err != nil {
				t.Fatal(err)
			}
			want[name] = kind
		}
		for _, c := range columns {
			if want[c.name] != c.kind {
				t.Errorf("%s.%s is %q in the table, %q in inserts", table, c.name, want[c.name], c.kind)
			}
			delete(want, c.name)
		}
		if len(want) > 0 {
			t.Errorf("%s has columns that inserts leave out: %v", table, want)
		}
	}
}

// TestStatements_haveNoArguments keeps the driver's own binding out: a
// statement goes to the driver with a context and a text, and nothing else.
func TestStatements_haveNoArguments(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	banned := map[string]bool{"Named": true, "DateNamed": true, "Select": true, "AsyncInsert": true}
	limit := map[string]int{"Query": 2, "QueryRow": 2, "Exec": 2, "PrepareBatch": 2}
	set, seen := token.NewFileSet(), 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(set, f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if most, ok := limit[sel.Sel.Name]; ok {
				seen++
				if len(call.Args) > most {
					t.Errorf("%s: %s with arguments; use Params", set.Position(call.Pos()), sel.Sel.Name)
				}
			}
			if banned[sel.Sel.Name] {
				t.Errorf("%s: %s binds in the text; use Params", set.Position(call.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
	if seen == 0 {
		t.Error("no statement was found: the test looks for the wrong names")
	}
}

package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// client speaks plain HTTP to an engine, without a driver.
type client struct {
	t    testing.TB
	http http.Client
}

func dial(t testing.TB, socket string) *client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return engine.Dial(ctx, socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, http: http.Client{Transport: transport}}
}

// ask posts a body and returns status and answer. args are pairs of the query
// string.
func (c *client) ask(body io.Reader, args ...string) (int, string) {
	c.t.Helper()
	q := url.Values{}
	for i := 0; i < len(args); i += 2 {
		q.Set(args[i], args[i+1])
	}
	res, err := c.http.Post("http://127.0.0.1/?"+q.Encode(), "", body)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if res.ContentLength != int64(len(b)) {
		c.t.Errorf("Content-Length %d of a body of %d bytes", res.ContentLength, len(b))
	}
	return res.StatusCode, strings.TrimSuffix(string(b), "\n")
}

func (c *client) sql(sql string, args ...string) (int, string) {
	c.t.Helper()
	return c.ask(strings.NewReader(sql), args...)
}

func (c *client) want(status int, answer, sql string, args ...string) {
	c.t.Helper()
	if s, got := c.sql(sql, args...); s != status || !strings.HasPrefix(got, answer) {
		c.t.Errorf("%s %v\n got %d %q\nwant %d %q", sql, args, s, got, status, answer)
	}
}

func TestStatements(t *testing.T) {
	c := dial(t, enginetest.Start(t))
	c.want(200, "1", "SELECT 1")
	c.want(200, "", "SELECT 1 WHERE 0")
	c.want(500, "Code: 62. DB::Exception", "SELEC 1")
	c.want(500, "Code: 60. DB::Exception", "SELECT * FROM nowhere")
	c.want(200, "", "CREATE DATABASE other")
	c.want(200, "other", "SELECT currentDatabase()", "database", "other")
	c.want(200, "default", "SELECT currentDatabase()")
	c.want(500, "Code: 81.", "SELECT 1", "database", "missing")
	c.want(413, "", "SELECT '"+strings.Repeat("x", 2<<20)+"'")
}

func TestParameters_areNeverSQL(t *testing.T) {
	c := dial(t, enginetest.Start(t))
	for value, want := range map[string]string{
		"plain":                          "plain",
		"":                               "",
		"'; DROP TABLE t; --":            "'; DROP TABLE t; --",
		`a\\b\tc`:                        "a\\b\tc", // values are TSV-escaped, as over HTTP to a server
		"{other:String}":                 "{other:String}",
		"ünï ☃":                          "ünï ☃",
		`quo"te` + "`back":               `quo"te` + "`back",
		strings.Repeat("long ", 100_000): strings.Repeat("long ", 100_000),
	} {
		status, got := c.sql("SELECT {v:String} FORMAT RawBLOB", "param_v", value)
		if status != 200 || got != want {
			t.Errorf("%.40q: got %d %.60q, want %.60q", value, status, got, want)
		}
	}
	c.want(500, "Code: 457.", "SELECT {n:UInt8}", "param_n", "1 OR 1")
	c.want(500, "Code: 456.", "SELECT {n:UInt8}")
}

func TestSettings_belongToOneStatement(t *testing.T) {
	c := dial(t, enginetest.Start(t))
	c.want(200, "7", "SELECT getSetting('max_threads')", "max_threads", "7")
	c.want(200, "2", "SELECT getSetting('max_threads')", "max_threads", "2")
	c.want(200, `it's \ quoted`, "SELECT getSetting('log_comment') FORMAT TSVRaw", "log_comment", `it's \ quoted`)
	c.want(200, "", "SELECT getSetting('log_comment')")
	c.want(500, "Code: 115.", "SELECT 1", "no_such_setting", "1")
	c.want(500, "Code: 115.", "SELECT 1", "a = 1, readonly", "1")
}

func TestReadonly_refusesEverythingElse(t *testing.T) {
	c := dial(t, enginetest.Start(t))
	c.want(200, "", "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
	c.want(200, "0", "SELECT count() FROM t", "readonly", "1")
	for _, sql := range []string{
		"INSERT INTO t VALUES (1)", "CREATE TABLE u (a Int64) ENGINE = Memory", "DROP TABLE t", "ALTER TABLE t ADD COLUMN b Int64",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')", "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"SELECT 1 INTO OUTFILE '/tmp/sluice-must-not-exist'", "SELECT 1 into/**/outFile '/tmp/sluice-must-not-exist'",
		"INSERT INTO t FROM INFILE '/etc/passwd' FORMAT TSV", "SET readonly = 0", "SET max_threads = 3",
		"SELECT 1; SET readonly = 0", "SYSTEM SHUTDOWN", "TRUNCATE TABLE t", "OPTIMIZE TABLE t",
	} {
		if status, got := c.sql(sql, "readonly", "1"); status != 500 {
			t.Errorf("%s: got %d %q", sql, status, got)
		}
	}
	if status, got := c.ask(strings.NewReader("1\n"), "query", "INSERT INTO t FORMAT TSV", "readonly", "1"); status != 500 {
		t.Errorf("streamed insert: got %d %q", status, got)
	}
	c.want(200, "0", "SELECT count() FROM t", "readonly", "1", "max_threads", "1")
	if _, err := os.Stat("/tmp/sluice-must-not-exist"); err == nil {
		t.Error("a reader wrote a file")
	}
}

func TestInsert(t *testing.T) {
	c := dial(t, enginetest.Start(t))
	c.want(200, "", "CREATE TABLE t (a Int64, b String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10")
	rows := strings.Repeat("1\tone\n", 400_000) // several chunks
	insert := func(body io.Reader, token string) (int, string) {
		return c.ask(body, "query", "INSERT INTO t (a, b) FORMAT TSV", "insert_deduplication_token", token,
			"async_insert", "0", "deduplicate_insert", "enable")
	}
	for range 2 { // the second is a repeat with the same token
		if status, got := insert(strings.NewReader(rows), "it's"); status != 200 || got != "" {
			t.Fatalf("got %d %q", status, got)
		}
	}
	c.want(200, "400000", "SELECT count() FROM t")
	if status, got := insert(strings.NewReader("1\tone\textra\n"), "bad"); status != 500 || !strings.HasPrefix(got, "Code: ") {
		t.Errorf("bad rows: got %d %q", status, got)
	}
	if status, _ := c.ask(strings.NewReader(""), "query", "INSERT INTO nowhere FORMAT TSV"); status != 500 {
		t.Errorf("no table: got %d", status)
	}
	c.want(200, "400000", "SELECT count() FROM t")
}

// cut is a body that breaks off.
type cut struct{ rest io.Reader }

func (c cut) Read(b []byte) (int, error) {
	n, err := c.rest.Read(b)
	if errors.Is(err, io.EOF) {
		err = errors.New("the writer died")
	}
	return n, err
}

func TestInsert_cutOffWritesNothing(t *testing.T) {
	c := dial(t, enginetest.Start(t))
	c.want(200, "", "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
	q := url.Values{"query": {"INSERT INTO t (a) FORMAT TSV"}}
	_, err := c.http.Post("http://127.0.0.1/?"+q.Encode(), "", cut{strings.NewReader("1\n2\n")})
	if err == nil {
		t.Error("a body that broke off was accepted")
	}
	c.want(200, "0", "SELECT count() FROM t")
}

func TestSocket_isTheOwnersAlone(t *testing.T) {
	socket := enginetest.Start(t)
	info, err := os.Stat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	c := dial(t, socket)
	for path, want := range map[string]int{"/ping": 200, "/replicas_status": 404, "/play": 404} {
		res, err := c.http.Get("http://127.0.0.1" + path)
		if err != nil || res.StatusCode != want {
			t.Errorf("%s: got %v, %v, want %d", path, res, err, want)
		}
	}
}

func TestSupervisor_startsAKilledChildAgain(t *testing.T) {
	s := enginetest.StartSupervisor(t)
	c := dial(t, s.Socket)
	c.want(200, "", "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
	c.want(200, "", "INSERT INTO t VALUES (1)")
	first := s.Status()
	signal(t, first, syscall.SIGKILL)
	replaced(t, s, first)
	st := s.Status()
	if st.PID == first.PID || st.Restarts != 1 || !strings.Contains(st.Reason, "signal: killed") {
		t.Errorf("status %+v", st)
	}
	c.want(200, "1", "SELECT count() FROM t")
}

// signal sends one to a child, and never to number 0, which is the test itself
// with all that started it.
func signal(t *testing.T, st engine.Status, what syscall.Signal) {
	t.Helper()
	if st.PID <= 0 {
		t.Fatalf("there is no child: %+v", st)
	}
	if err := syscall.Kill(st.PID, what); err != nil {
		t.Fatal(err)
	}
}

// replaced waits until another child than the first is ready.
func replaced(t *testing.T, s *engine.Supervisor, first engine.Status) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for s.Status().PID == first.PID { // until the supervisor has noticed
		if err := ctx.Err(); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	if err := s.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestSupervisor_replacesAChildThatHangs stops the child in the middle of
// whatever it does: it neither answers nor ends. On a busy machine its successor
// may be taken for one that hangs, too, and be replaced in its turn.
func TestSupervisor_replacesAChildThatHangs(t *testing.T) {
	s := enginetest.StartSupervisor(t, func(s *engine.Supervisor) { s.Patience = time.Second })
	for {
		first := s.Status()
		if first.PID > 0 {
			signal(t, first, syscall.SIGSTOP)
			replaced(t, s, first)
			break
		}
	}
	c := dial(t, s.Socket)
	for end := time.Now().Add(2 * time.Minute); ; {
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		answer, err := c.http.Get("http://127.0.0.1/?query=SELECT+1")
		if err == nil {
			answer.Body.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// TestSupervisor_diskThatIsFull: a table that was made before the disk was full
// has its rows and its columns when the engine is started again, whatever was
// altered meanwhile; one that was made then is not there.
func TestSupervisor_diskThatIsFull(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("a disk of its own takes the right to mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	said := &words{}
	s := enginetest.StartSupervisor(t, func(s *engine.Supervisor) {
		s.Path, s.Logger = filepath.Join(disk, "data"), slog.New(slog.NewTextHandler(said, nil))
	})
	c := dial(t, s.Socket)
	c.want(200, "", "CREATE TABLE old (a Int64) ENGINE = MergeTree ORDER BY a")
	c.want(200, "", "INSERT INTO old VALUES (7)")
	if err := s.KeepDefinitions(); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	for size := 1 << 20; err == nil && size > 0; size /= 2 {
		for full := error(nil); full == nil; {
			_, full = f.Write(make([]byte, size))
		}
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	c.sql("ALTER TABLE old ADD COLUMN b Int64")                         // which may be answered with success
	c.sql("CREATE TABLE fresh (a Int64) ENGINE = MergeTree ORDER BY a") // so may this
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	switch err := s.KeepDefinitions(); {
	case err == nil:
		t.Skip("this engine leaves definitions whole on a full disk")
	case !strings.Contains(err.Error(), "/old.sql"):
		t.Errorf("what the disk did not take: %v", err)
	}
	before := s.Status()
	signal(t, before, syscall.SIGKILL)
	replaced(t, s, before)
	c.want(200, "a", "SELECT arrayStringConcat(groupArray(name), ',') FROM system.columns WHERE table IN ('old', 'fresh') AND database = currentDatabase()")
	c.want(200, "7", "SELECT a FROM old")
	if !strings.Contains(said.String(), "/old.sql") {
		t.Errorf("nobody says that a definition was mended:\n%s", said)
	}
}

// words is a log that several goroutines write.
type words struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestServe_endsWithItsParent(t *testing.T) {
	library := enginetest.Library(t)
	dir, err := os.MkdirTemp("", "sluice-engine-") // the test's own can be too deep for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	start := func(name string) (*exec.Cmd, io.Closer, *bytes.Buffer) {
		cmd := exec.Command(os.Args[0], "engine", "--lib", library, "--path", filepath.Join(dir, "data"), "--socket", filepath.Join(dir, name))
		in, err := cmd.StdinPipe()
		out, outErr := cmd.StdoutPipe()
		words := &bytes.Buffer{}
		cmd.Stderr = words
		if err := errors.Join(err, outErr, cmd.Start()); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadFull(out, make([]byte, len("ready\n"))) // or it ended
		return cmd, in, words
	}
	first, alive, words := start("1.sock")
	second, _, refusal := start("2.sock")
	if err := second.Wait(); err == nil || !strings.Contains(refusal.String(), "another engine is using") {
		t.Errorf("a second engine in the same directory: %v, %s", err, refusal)
	}
	if err := alive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Errorf("a closed engine ended with %v: %s", err, words)
	}
}

func TestSupervisor_givesUpOnALibraryThatIsNone(t *testing.T) {
	dir := t.TempDir()
	fake := filepath.Join(dir, "libchdb.so")
	if err := os.WriteFile(fake, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := engine.Serve(t.Context(), engine.Config{Library: fake, Path: dir + "/data", Socket: dir + "/s"})
	if err == nil || !strings.Contains(err.Error(), "loading the engine's library") {
		t.Errorf("got %v", err)
	}
	s := engine.Supervisor{Library: fake, Command: []string{"/nonexistent"}, Socket: dir + "/s"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Errorf("Run with a done context: %v", err)
	}
	if err := s.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait with a done context: %v", err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	if _, err := engine.Find(engine.Places{Dir: dir, Data: dir, Executable: filepath.Join(dir, "sluice")}); !errors.Is(err, engine.ErrMissing) ||
		!strings.Contains(err.Error(), "make engine") {
		t.Errorf("nowhere: %v", err)
	}
	if _, err := engine.Find(engine.Places{Given: filepath.Join(dir, "nope.so")}); !errors.Is(err, engine.ErrMissing) {
		t.Errorf("named: %v", err)
	}
	lib := filepath.Join(dir, "libchdb.so")
	if err := os.WriteFile(lib, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []engine.Places{{Given: lib}, {Data: dir}, {Executable: filepath.Join(dir, "sluice")}} {
		if got, err := engine.Find(p); err != nil || got != lib {
			t.Errorf("%+v: got %s, %v", p, got, err)
		}
	}
}

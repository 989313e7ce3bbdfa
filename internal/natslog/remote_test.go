package natslog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// serve runs a server on a port, as an operator would, and returns what
// reaches it.
func serve(t *testing.T, sync string) Config {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "nats.conf")
	text := fmt.Sprintf(`
		listen: "127.0.0.1:-1"
		jetstream { store_dir: %q, sync_interval: %s }
		accounts {
			SYS { users: [{user: sys, password: secret}] }
			SLUICE { jetstream: enabled, users: [{user: sluice, password: secret}] }
		}
		system_account: SYS`, filepath.Join(dir, "store"), sync)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o.NoSigs, o.NoLog = true, true
	srv, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(2 * time.Minute) {
		t.Fatal("the server did not start")
	}
	url := func(user string) string { return fmt.Sprintf("nats://%s:secret@%s", user, srv.Addr()) }
	return Config{URL: url("sluice"), SystemURL: url("sys"), FactsBytes: 64 << 20}
}

func reach(t *testing.T, c Config) *Store {
	t.Helper()
	s, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.release)
	return s
}

func TestRemoteLog(t *testing.T) {
	eventtest.Log(t, func(t *testing.T) event.Log {
		c := serve(t, "always")
		c.SystemURL, c.TrustSync = "", true // spares the second of silence
		return reach(t, c).Log
	})
}

// TestTwoReplicas has two processes write and follow one log.
func TestTwoReplicas(t *testing.T) {
	c := serve(t, "always")
	a, b := reach(t, c), reach(t, c)
	for i := range 5 {
		if err := waitFor(t, b.Log, add(t, a, "flag.a", 2*i)); err != nil {
			t.Fatal(err)
		}
		seq, err := b.Log.Append(t.Context(), eventtest.Event("flag.a", 2*i+1), event.Expect(2*i+1))
		if err != nil {
			t.Fatal(err)
		}
		if err := waitFor(t, a.Log, seq); err != nil {
			t.Fatal(err)
		}
	}
	if seq := add(t, b, "flag.a", 0); seq != 1 {
		t.Errorf("the other's first event again is %d", seq)
	}
}

// TestRemoteSealIsKept compares servers with what was noted of them.
func TestRemoteSealIsKept(t *testing.T) {
	c := serve(t, "always")
	c.Dir = t.TempDir()
	s := reach(t, c)
	add(t, s, "flag.a", 1)
	publish(t, s.Facts[0], "a", "x")
	shut(t, s)
	shut(t, reach(t, c))
	other := serve(t, "always") // empty
	other.Dir = c.Dir
	if _, err := Open(t.Context(), other); err == nil || !strings.Contains(err.Error(), "pack 1 of FACTS_0 is missing") {
		t.Errorf("Open of servers that lost everything = %v", err)
	}
}

func TestSyncIsAsserted(t *testing.T) {
	lazy := serve(t, "2m")
	if _, err := Open(t.Context(), lazy); err == nil || !strings.Contains(err.Error(), "answers before it writes: set jetstream { sync_interval: always }") {
		t.Errorf("servers that answer before they write: %v", err)
	}
	lazy.SystemURL = ""
	if _, err := Open(t.Context(), lazy); err == nil || !strings.Contains(err.Error(), "vouch") {
		t.Errorf("servers that cannot be asked: %v", err)
	}
	lazy.SystemURL = lazy.URL // not of the system account
	if _, err := Open(t.Context(), lazy); err == nil || !strings.Contains(err.Error(), "asking the servers for their settings") {
		t.Errorf("a user who may not ask: %v", err)
	}
	lazy.URL = strings.Replace(lazy.URL, "secret", "wrong", 1)
	lazy.SystemURL, lazy.TrustSync = "", true
	if _, err := Open(t.Context(), lazy); err == nil || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("a wrong password: %v", err)
	}
	shut(t, reach(t, serve(t, "always")))
}

func TestVersions(t *testing.T) {
	for v, want := range map[string]bool{
		"2.15.0": true, "2.15.2": true, "2.16.0-RC.1": true, "3.0.0": true,
		"2.14.9": false, "2.9.1": false, "1.99.0": false, "": false, "dev": false, "2": false, "a.b.c": false,
	} {
		if recent(v) != want {
			t.Errorf("version %q: recent %t", v, !want)
		}
	}
}

func TestRedact(t *testing.T) {
	for urls, want := range map[string]string{
		"nats://u:p@a:4222,nats://b:4222": "nats://a:4222,nats://b:4222",
		"tls://u:p@ss@a":                  "tls://a",
		"a:4222":                          "a:4222",
	} {
		if got := redact(urls); got != want {
			t.Errorf("redact(%q) = %q, want %q", urls, got, want)
		}
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// importDoor is a server that takes imports, and does what a test tells it.
type importDoor struct {
	*httptest.Server
	mu     sync.Mutex
	ids    map[string]int                          // how often each event came
	asked  int                                     // imports so far
	answer func(n int, w http.ResponseWriter) bool // reports whether it has answered the n-th
}

func newImportDoor(t *testing.T, answer func(n int, w http.ResponseWriter) bool) *importDoor {
	d := &importDoor{ids: map[string]int{}, answer: answer}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

// ServeHTTP takes every event.
func (d *importDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asked++; d.answer != nil && d.answer(d.asked, w) {
		return
	}
	receipt := ingest.Receipt{}
	for lines := bufio.NewScanner(r.Body); lines.Scan(); receipt.Accepted++ {
		var e struct{ ID string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		d.ids[e.ID]++
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(receipt)
}

// importing returns a command that imports n rows, the third of which has no
// time, and its folder.
func importing(t *testing.T, d *importDoor, n int) eventsImportCmd {
	t.Helper()
	dir := t.TempDir()
	var rows bytes.Buffer
	rows.WriteString("order,paid_at,amount,customer,status\n")
	for i := 1; i <= n; i++ {
		at := "2025-03-01 10:00:00"
		if i == 3 {
			at = "yesterday"
		}
		fmt.Fprintf(&rows, "%d,%s,5,c-%d,paid\n", i, at, i)
	}
	file := filepath.Join(dir, "orders.csv")
	if err := os.WriteFile(file, rows.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return eventsImportCmd{
		client: client{Server: d.URL}, output: output{Output: "json"}, File: file, Map: "testdata/events/orders.yaml", Environment: "production",
		Rejected: filepath.Join(dir, "bad.jsonl"), AtOnce: 3, Patience: time.Minute, StopAfter: 1000,
	}
}

// complain unless every row but the third was sent, times times.
func (d *importDoor) whole(t *testing.T, rows, times int) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, n := range d.ids {
		if n > times {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
	if len(d.ids) != rows-1 {
		t.Errorf("%d different events came, want %d", len(d.ids), rows-1)
	}
}

func imports(t *testing.T, c eventsImportCmd) error {
	t.Helper()
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = nowhere
	defer func() {
		os.Stdout = stdout
		_ = nowhere.Close()
	}()
	return c.Run(t.Context())
}

// TestImport_waitsItsTurn: a server that has no room, or does not answer, gets
// the same events again.
func TestImport_waitsItsTurn(t *testing.T) {
	d := newImportDoor(t, func(n int, w http.ResponseWriter) bool {
		switch n {
		case 1, 4:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			panic(http.ErrAbortHandler) // the connection breaks
		}
		return n <= 4
	})
	if err := imports(t, importing(t, d, 4500)); !errors.Is(err, exit(exitError)) { // for the row without a time
		t.Errorf("got %v", err)
	}
	d.whole(t, 4500, 1)
}

// TestImport_goesOn: an import that broke off goes on behind the rows that were
// done, and says at the end what became of all of them.
func TestImport_goesOn(t *testing.T) {
	broken := true
	d := newImportDoor(t, func(n int, w http.ResponseWriter) bool {
		if broken && n > 4 {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	c := importing(t, d, 9500)
	err := imports(t, c)
	if err == nil || !strings.Contains(err.Error(), "rows are done: run the same command again") {
		t.Fatalf("got %v", err)
	}
	before, err := os.ReadFile(c.statePath())
	if err != nil || !strings.Contains(string(before), `"rejected":1`) {
		t.Errorf("the note says %s, %v", before, err)
	}
	d.mu.Lock()
	broken, d.asked = false, 0
	d.mu.Unlock()
	if err := imports(t, c); !errors.Is(err, exit(exitError)) {
		t.Errorf("got %v", err)
	}
	d.whole(t, 9500, 2) // stretches behind the one that failed may have come twice
	if d.asked > 8 {
		t.Errorf("the second run sent %d requests: it began anew", d.asked)
	}
	if _, err := os.Stat(c.statePath()); !os.IsNotExist(err) {
		t.Errorf("the note is left: %v", err)
	}
	bad, err := os.ReadFile(c.Rejected)
	if want := `{"path":"row 3: column paid_at","value":"yesterday","why":"is not a time","fix":"say with layout how the file writes times"}`; err != nil || strings.TrimSpace(string(bad)) != want {
		t.Errorf("rejected rows: %s, %v", bad, err)
	}
}

// TestImport_anotherFile: the note of one file says nothing of another.
func TestImport_anotherFile(t *testing.T) {
	d := newImportDoor(t, nil)
	c := importing(t, d, 100)
	stale := openPlace(c.statePath(), [][]byte{[]byte("another")})
	if err := stale.note(imported{Rows: 90}, true); err != nil {
		t.Fatal(err)
	}
	if err := imports(t, c); !errors.Is(err, exit(exitError)) {
		t.Errorf("got %v", err)
	}
	d.whole(t, 100, 1)
}

// TestImport_stops: a file that is not what its mapping says ends early, and a
// server that refuses everything does so row by row.
func TestImport_stops(t *testing.T) {
	d := newImportDoor(t, func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"rejected": []ingest.Rejection{
			{Index: 0, Field: "name", Why: "is bad"}, {Index: 0, Field: "at", Why: "is bad too"}, {Index: 1, Why: "is bad"},
		}})
		return true
	})
	c := importing(t, d, 5000)
	c.StopAfter, c.AtOnce = 2, 1
	if err := imports(t, c); !errors.Is(err, errEnough) {
		t.Errorf("got %v", err)
	}
	if d.asked != 1 {
		t.Errorf("%d requests were sent", d.asked)
	}
	bad, err := os.ReadFile(c.Rejected)
	if err != nil || strings.Count(string(bad), "\n") != 4 || !strings.Contains(string(bad), `"row 2","why"`) {
		t.Errorf("rejected rows: %s, %v", bad, err)
	}
}

func TestProgress(t *testing.T) {
	p := &progress{rows: 1000, share: 0.1}
	for want, got := range map[string]string{
		"[===============               ]  50 %  5,000 rows  400/s  13s left": p.line(10*time.Second, 5000, 0.5),
		"5,000 rows  400/s": (&progress{rows: 1000}).line(10*time.Second, 5000, 0),
		"1 rows":            (&progress{}).line(0, 1, 0),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

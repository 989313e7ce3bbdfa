package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

// program is the program, which tests start, kill and question as people
// do.
type program struct{ path string }

// self is these tests under the program's name, as which they are the program
// (TestMain). Without the engine's library the test is skipped.
func self(t *testing.T) program {
	t.Helper()
	enginetest.Library(t)
	tests, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := program{filepath.Join(t.TempDir(), "sluice")}
	if err := os.Symlink(tests, p.path); err != nil {
		t.Fatal(err)
	}
	return p
}

// says runs a command to its end and returns what it printed.
func (p program) says(t *testing.T, code int, args ...string) string {
	t.Helper()
	cmd := exec.Command(p.path, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("sluice %s ended with %d, want %d: %s", args[0], got, code, out)
	}
	return string(out)
}

// running is a started server.
type running struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string
	token   string // of the admin
	words   *words // what it logged
}

// words collects what a process writes, while it runs.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer // not embedded: its other methods would go past the lock
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

var (
	atAddress = regexp.MustCompile(`Sluice is ready at (\S+)\n`)
	isToken   = regexp.MustCompile(`admin token \(shown this once\): (\S+)\n`)
)

// serve starts a server on the data and waits until it says that it is ready.
func (p program) serve(t *testing.T, data, token string) *running {
	t.Helper()
	r := &running{t: t, token: token, words: &words{}}
	said := &words{}
	r.cmd = exec.Command(p.path, "serve", "--data", data, "--lib", enginetest.Library(t), "--listen", "127.0.0.1:0", "--every", "20ms")
	r.cmd.Stdout, r.cmd.Stderr = said, r.words
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill() // it may have ended
		_ = r.cmd.Wait()
	})
	within(t, "the server is ready", func() bool { return atAddress.MatchString(said.String()) })
	r.address = atAddress.FindStringSubmatch(said.String())[1]
	if m := isToken.FindStringSubmatch(said.String()); m != nil {
		r.token = m[1]
	}
	return r
}

// within waits until something is so.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(2 * time.Minute)
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// stop ends the server as an operator does.
func (r *running) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Fatalf("the server ended with %v: %s", err, r.words)
	}
}

// ask sends a request as the admin and returns status and body.
func (r *running) ask(method, path, body string) (int, string) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(context.Background(), method, r.address+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.token)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(answer.Body); err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, b.String()
}

// want complains about another status, or a body without the text.
func (r *running) want(status int, text, method, path, body string) string {
	r.t.Helper()
	got, answer := r.ask(method, path, body)
	if got != status || !strings.Contains(answer, text) {
		r.t.Errorf("%s %s: %d %s\nwant %d with %q", method, path, got, answer, status, text)
	}
	return answer
}

// lived makes the data of a server that has had a rollout begin and was
// stopped well, an exported copy of its log, and the admin's token.
func (p program) lived(t *testing.T) (data, copied, token string) {
	t.Helper()
	dir := t.TempDir()
	data, copied = filepath.Join(dir, "data"), filepath.Join(dir, "log.jsonl")
	r := p.serve(t, data, "")
	plan, err := os.ReadFile("demo/cookie-cats.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r.want(200, "", "POST", "/api/v1/apply?start=true", string(plan))
	within(t, "control_events has every event", func() bool {
		var v struct {
			ControlRows uint64
			Control     struct{ Done, Last uint64 }
		}
		_, body := r.ask("GET", "/api/v1/facts", "")
		return json.Unmarshal([]byte(body), &v) == nil && v.Control.Last > 5 && v.Control.Done == v.Control.Last && v.ControlRows == v.Control.Last
	})
	p.says(t, 0, "export", "--server", r.address, "--token", r.token, "-f", copied)
	r.stop()
	return data, copied, r.token
}

// controlBlock is the only block file of the control log.
func controlBlock(data string) string {
	return filepath.Join(data, "nats", "jetstream", "$G", "streams", "CONTROL", "msgs", "1.blk")
}

// records returns where each record of a block file begins, and its end.
func records(t *testing.T, block []byte) []int {
	t.Helper()
	list := []int{0}
	for at := 0; at < len(block); {
		at += int(binary.LittleEndian.Uint32(block[at:]) &^ (1 << 31)) // the highest bit says that there are headers
		list = append(list, at)
	}
	return list
}

// spoiled copies the data and changes the block file of its control log.
func spoiled(t *testing.T, data string, change func(block []byte, records []int) []byte) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(to, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	block, err := os.ReadFile(controlBlock(to))
	if err == nil {
		err = os.WriteFile(controlBlock(to), change(block, records(t, block)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestDamage takes a stopped server's data and a copy of its log, spoils them
// in every way that the program promises to see, and looks at what it says.
func TestDamage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SKIPPED: it starts servers")
	}
	p := self(t)
	data, copied, token := p.lived(t)
	if said := p.says(t, 0, "verify", "--data", data); strings.Contains(said, "DOES NOT HOLD") {
		t.Errorf("verify of whole data: %s", said)
	}
	t.Run("a changed copy", func(t *testing.T) { p.changedCopy(t, copied) })
	t.Run("a changed block", func(t *testing.T) { p.changedBlock(t, data) })
	t.Run("a lost end", func(t *testing.T) { p.lostEnd(t, data, token) })
}

func (p program) changedCopy(t *testing.T, copied string) {
	if said := p.says(t, 0, "verify", "--file", copied); !strings.Contains(said, "every hash") {
		t.Errorf("verify of a whole copy: %s", said)
	}
	lines, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(lines, []byte("A later first gate"), []byte("A later first gaTe"), 1)
	seq := bytes.Count(lines[:bytes.Index(lines, []byte("A later first gate"))], []byte("\n")) + 1
	path := filepath.Join(t.TempDir(), "changed.jsonl")
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := p.says(t, 1, "verify", "--file", path); !strings.Contains(said, fmt.Sprintf("event %d (", seq)) {
		t.Errorf("verify of a changed copy: %s\nwant it to name event %d", said, seq)
	}
}

func (p program) changedBlock(t *testing.T, data string) {
	const seq = 4
	for _, index := range []bool{true, false} {
		bad := spoiled(t, data, func(block []byte, records []int) []byte {
			block[(records[seq-1]+records[seq])/2] ^= 1
			return block
		})
		if !index {
			if err := os.Remove(filepath.Join(filepath.Dir(controlBlock(bad)), "index.db")); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{{"verify", "--data", bad}, {"serve", "--data", bad, "--listen", "127.0.0.1:0"}} {
			if said := p.says(t, 1, args...); !strings.Contains(said, fmt.Sprintf("event %d of CONTROL is missing", seq)) {
				t.Errorf("%s, index %t: %s", args[0], index, said)
			}
		}
	}
}

// lostEnd takes the newest events away: what is left is served and nothing can
// be changed.
func (p program) lostEnd(t *testing.T, data, token string) {
	const lost = 2
	kept := 0
	bad := spoiled(t, data, func(block []byte, records []int) []byte {
		kept = len(records) - 1 - lost
		return block[:records[kept]]
	})
	if said := p.says(t, 1, "verify", "--data", bad); !strings.Contains(said, fmt.Sprintf("event %d of CONTROL is missing", kept+1)) {
		t.Errorf("verify: %s", said)
	}
	for range 2 { // the second start finds what the first one left
		r := p.serve(t, bad, token)
		r.want(200, `"value":`, "POST", "/ofrep/v1/evaluate/flags/game.progression.first-gate?environment=production", `{"context":{"targetingKey":"u"}}`)
		r.want(503, "read-only", "POST", "/api/v1/tokens", `{"class":"sls","name":"x","environment":"production"}`)
		r.want(200, "first-gate", "GET", "/", "")
		r.want(200, "first-gate", "GET", "/rollouts/production/game.progression.first-gate/1", "")
		calm(t, r)
		r.stop()
	}
	if said := p.says(t, 1, "verify", "--data", bad); !strings.Contains(said, fmt.Sprintf("event %d of CONTROL is missing", kept+1)) {
		t.Errorf("verify after it was served: %s", said)
	}
}

// calm checks that a server with nothing to do that could succeed says so a
// few times and not at every look. Looks are 20 ms apart; the questions that
// are asked meanwhile take longer than many of them.
func calm(t *testing.T, r *running) {
	t.Helper()
	before, began := len(r.words.String()), now()
	for range 100 {
		r.want(503, "was sealed", "GET", "/readyz", "")
	}
	log := r.words.String()
	looks := int(now().Sub(began) / (20 * time.Millisecond))
	if n := strings.Count(log[before:], "level=ERROR"); n > 3+looks/5 {
		t.Errorf("%d errors in %d looks while nothing happened: %s", n, looks, log)
	}
	if !strings.Contains(log, "the log is read-only") {
		t.Errorf("the log does not say that the server is read-only: %s", log)
	}
}

// Package stock asks a real `sluice serve` with the clients that everybody
// has: the OpenFeature SDK for Go with its OFREP provider, and with its flagd
// provider in both of its modes.
package stock

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sluice-hq/sluice/internal/engine"
)

// root is the folder of Sluice's own module.
const root = "../../.."

// sluice is a running server.
type sluice struct {
	t       *testing.T
	command *exec.Cmd
	address string // http://127.0.0.1:port
	admin   string // token
	token   string // of a server SDK, in production
}

// serve builds Sluice, starts it in a folder of its own and issues a token.
// Without the engine's library the test is skipped, and says so.
func serve(t *testing.T) *sluice {
	t.Helper()
	library, err := engine.Find(engine.Places{Dir: root})
	if err != nil {
		t.Skipf("SKIPPED, nothing was tested: %v", err)
	}
	if library, err = filepath.Abs(library); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "sluice")
	build := exec.Command("go", "build", "-o", binary, "./cmd/sluice")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	s := &sluice{t: t, command: exec.Command(binary, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--lib", library)}
	out, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	s.command.Stderr = &logged
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the server ended: %v\n%s", err, &logged)
		}
	})
	for lines := bufio.NewScanner(out); s.address == "" && lines.Scan(); {
		if _, token, ok := strings.Cut(lines.Text(), "(shown this once): "); ok {
			s.admin = token
		}
		if _, address, ok := strings.Cut(lines.Text(), "is ready at "); ok {
			s.address = address
		}
	}
	if s.address == "" {
		t.Fatalf("the server is not ready:\n%s", &logged)
	}
	s.token = s.issue()
	return s
}

// stop asks the server to end, as a service manager does, and waits for it.
func (s *sluice) stop() error {
	if s.command.ProcessState != nil {
		return nil // stopped already
	}
	_ = s.command.Process.Signal(syscall.SIGTERM)
	return s.command.Wait()
}

func (s *sluice) issue() string {
	s.t.Helper()
	var made struct{ Token string }
	body := s.post(s.admin, "/api/v1/tokens", "application/json", `{"class":"sls","name":"stock","environment":"production"}`)
	if err := json.Unmarshal([]byte(body), &made); err != nil || made.Token == "" {
		s.t.Fatalf("no token in %s", body)
	}
	return made.Token
}

// apply applies documents.
func (s *sluice) apply(documents string) {
	s.t.Helper()
	s.post(s.admin, "/api/v1/apply", "application/yaml", documents)
}

func (s *sluice) post(token, path, media, body string) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.address+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", media)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		s.t.Fatalf("POST %s: %s %s, %v", path, answer.Status, text, err)
	}
	return string(text)
}

// answers is what the server's own doors give units 0 to n for the flags.
func (s *sluice) answers(n int) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for i := range n {
		var bulk struct {
			Flags []struct {
				Key, Variant, Reason string
				Value                json.RawMessage
			}
		}
		body := s.post(s.token, "/ofrep/v1/evaluate/flags", "application/json", fmt.Sprintf(`{"context":{"targetingKey":"u-%d","ring":%q}}`, i, ring(i)))
		if err := json.Unmarshal([]byte(body), &bulk); err != nil {
			s.t.Fatal(err)
		}
		for _, f := range bulk.Flags {
			all[fmt.Sprintf("%s u-%d", f.Key, i)] = string(f.Value) + " " + f.Variant
		}
	}
	return all
}

// ring is an attribute of unit i: one in ten is of the staff.
func ring(i int) string {
	if i%10 == 0 {
		return "staff"
	}
	return "public"
}

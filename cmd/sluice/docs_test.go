package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/ports"
)

// A document's shell blocks are run in order, in one shell, against the program
// itself. The block of text behind one is what it prints: uuids, times and
// tokens may differ, "…" stands for anything in a line, and alone in a line for
// any lines. A failed command adds its exit status. A block that is marked
// "retry" is run until it prints that.
//
// With -update, what is printed takes the place of text that does not fit.

// docFolder makes a folder in which the commands of a document find what they
// find in a clone: the program and the source.
func docFolder(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"bin/sluice": program, "cmd": filepath.Join(root, "cmd"), "sdk": filepath.Join(root, "sdk")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shell is a bash that takes one script after the other.
type shell struct {
	t     *testing.T
	in    io.Writer
	lines chan string // what it prints
	port  string      // in the place of 8321, which may be taken
	other string      // in the place of 8399, where receivers listen
	n     int         // scripts so far
}

// newShell starts a bash in dir. It and all that it leaves running end with
// the test.
func newShell(t *testing.T, dir string) *shell {
	t.Helper()
	s := &shell{t: t, lines: make(chan string), port: freePort(t), other: freePort(t)}
	printed, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	bash := exec.Command("bash", "--noprofile", "--norc")
	bash.Dir, bash.Env, bash.Stdout, bash.Stderr = dir, s.environment(dir), write, write
	bash.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.in, err = bash.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := bash.Start(); err != nil {
		t.Fatalf("starting bash: %v", err)
	}
	_ = write.Close()
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(printed); scan.Scan(); {
			s.lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-bash.Process.Pid, syscall.SIGKILL) // the whole group
		for range s.lines {
		}
		_ = bash.Wait()
	})
	return s
}

// environment is this process's, with the program in the path, and its engine
// and address as in a clone where nothing else runs.
func (s *shell) environment(dir string) []string {
	library, err := engine.Find(engine.Places{Dir: "."})
	if err != nil {
		s.t.Fatalf("the documents start Sluice as users do, with its engine: %v", err)
	}
	return append(os.Environ(), "SLUICE_ENGINE="+library, "SLUICE_LISTEN=127.0.0.1:"+s.port, "SLUICE_SERVER=http://127.0.0.1:"+s.port,
		"SLUICE_TOKEN=", "SLUICE_WEBHOOK_LISTEN=127.0.0.1:"+s.other, "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC",
		"GORACE=atexit_sleep_ms=0") // under the race detector every command waits for a second otherwise
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

// patience is how long a block is repeated; it may take as long again.
const patience = 2 * time.Minute

// run runs a script and returns what it printed.
func (s *shell) run(ctx context.Context, script string) string {
	s.t.Helper()
	s.n++
	mark := fmt.Sprintf("=== end of block %d", s.n)
	name := filepath.Join(s.t.TempDir(), "block.sh")
	script = strings.ReplaceAll(script, "=sla_…", "=$(sed -n 's/^admin token.*: //p' sluice.log)")
	script = "trap 'echo \"[exit status $?]\"' ERR\n" + strings.NewReplacer("8321", s.port, "8399", s.other).Replace(script) + "trap - ERR\n"
	if err := os.WriteFile(name, []byte(script), 0o600); err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(s.in, "set -E; . %s </dev/null; printf '\\n%%s\\n' '%s'\n", name, mark)
	var out strings.Builder
	for {
		select {
		case line, ok := <-s.lines:
			if !ok || line == mark {
				return strings.NewReplacer(s.port, "8321", s.other, "8399").Replace(strings.TrimSpace(out.String()))
			}
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		case <-ctx.Done():
			s.t.Fatalf("a block does not end:\n%s\nit has printed:\n%s", script, out.String())
		}
	}
}

// try runs a block, again and again when it asks for that, until it prints what
// it should.
func (s *shell) try(b *docBlock) (got string) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), 2*patience)
	defer stop()
	for began := time.Now(); ; {
		got = s.run(ctx, b.script)
		if took := time.Since(began); !b.retry || b.fits(got) || took > patience {
			s.t.Logf("%6d ms  %s", took.Milliseconds(), b.title())
			return got
		}
	}
}

// TestFlagGuide runs the guide to flags as a new user does.
func TestFlagGuide(t *testing.T) { walkThrough(t, "../../docs/flags.md", nil) }

// TestEventGuide runs the guide to events as a new user does.
func TestEventGuide(t *testing.T) { walkThrough(t, "../../docs/events.md", nil) }

// TestIncidentGuide runs the guide to incidents as a new user does.
func TestIncidentGuide(t *testing.T) { walkThrough(t, "../../docs/incidents.md", nil) }

// TestNotificationGuide has a service tell a receiver, as the guide does.
func TestNotificationGuide(t *testing.T) { walkThrough(t, "../../docs/notifications.md", nil) }

// TestPipelineGuide is a pipeline that deploys under a release.
func TestPipelineGuide(t *testing.T) { walkThrough(t, "../../docs/pipelines.md", nil) }

// TestStatisticsGuide asks the calculator what docs/statistics.md asks it.
func TestStatisticsGuide(t *testing.T) { walkThrough(t, "../../docs/statistics.md", nil) }

// TestDecisionGuide takes one decision through its life.
func TestDecisionGuide(t *testing.T) { walkThrough(t, "../../docs/decisions.md", nil) }

// TestCleanupGuide ends a flag as its owner does.
func TestCleanupGuide(t *testing.T) { walkThrough(t, "../../docs/cleanup.md", nil) }

// TestReadme runs what the front page tells a new user to do. What takes make
// is done in another way, or by whoever builds this.
func TestReadme(t *testing.T) {
	walkThrough(t, "../../README.md", map[string]string{
		"make demo ": ": the story has a test of its own",
		"make build engine && ./bin/sluice serve ": "./bin/sluice serve > sluice.log 2>&1 &\ncurl -s --retry 9 --retry-all-errors http://127.0.0.1:8321/readyz",
		"make check ": ": this test is part of it",
	})
}

// walkThrough runs every shell block of a document. Blocks that begin with a
// text of instead are another script here.
//
// A guide has a folder, a shell and ports of its own, and waits for windows and
// folds most of the time: guides are walked side by side.
func walkThrough(t *testing.T, file string, instead map[string]string) {
	t.Parallel()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc := parseDoc(string(source))
	if doc.unknown != "" {
		t.Errorf("%s: nobody knows how to run a block of kind %q", file, doc.unknown)
	}
	if missing := doc.unrun(); len(missing) > 0 {
		t.Errorf("%s: no block runs %q", file, missing)
	}
	if *rewrite {
		defer func() {
			if err := os.WriteFile(file, []byte(doc.String()), 0o644); err != nil {
				t.Error(err)
			}
		}()
	}
	s := newShell(t, docFolder(t))
	for i := range doc.blocks {
		b := &doc.blocks[i]
		b.replaced(instead)
		switch got := s.try(b); {
		case b.fits(got):
		case *rewrite:
			doc.replace(i, got)
		default:
			t.Fatalf("%s:%d:\n%s\nprints:\n%s\n\nand should print:\n%s", file, b.line, b.script, got, b.text)
		}
	}
	for text := range instead {
		t.Errorf("%s has no block that begins with %q", file, text)
	}
}

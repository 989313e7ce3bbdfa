// Package enginetest gives tests a real embedded engine: a child process that
// is the test binary itself, in a directory of the test's own. It never uses
// anything but the library that `make engine` installs.
//
//	func TestMain(m *testing.M) { enginetest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		socket := enginetest.Start(t)
//		…
//	}
package enginetest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/engine"
)

// Main runs the tests, or the engine when the binary was started as a child.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "engine" {
		os.Exit(child(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func child(args []string) int {
	c := engine.Config{Alive: os.Stdin, Ready: os.Stdout}
	flags := flag.NewFlagSet("engine", flag.ExitOnError)
	flags.StringVar(&c.Library, "lib", "", "path of libchdb")
	flags.StringVar(&c.Path, "path", "", "data directory")
	flags.StringVar(&c.Socket, "socket", "", "path of the socket")
	flags.StringVar(&c.Servers, "servers", "", "file of server settings")
	_ = flags.Parse(args) // exits on an error
	if err := engine.Serve(context.Background(), c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Library returns the path of libchdb. Without it the test is skipped, and
// says so.
func Library(t testing.TB) string {
	t.Helper()
	path, err := engine.Find(engine.Places{Dir: "."})
	if err != nil {
		t.Skipf("SKIPPED, nothing was tested: %v", err)
	}
	return path
}

// Start starts an engine for the test and returns its socket.
func Start(t testing.TB) (socket string) {
	t.Helper()
	return StartSupervisor(t).Socket
}

// StartSupervisor starts an engine for the test, its supervisor changed as
// wanted, and waits until it answers.
// The test may kill the child; it closes with the test.
func StartSupervisor(t testing.TB, change ...func(*engine.Supervisor)) *engine.Supervisor {
	t.Helper()
	library := Library(t)
	// The test's own directory can be too deep for the path of a socket.
	dir, err := os.MkdirTemp("", "sluice-engine-")
	if err != nil {
		t.Fatal(err)
	}
	s := &engine.Supervisor{
		Library: library, Path: filepath.Join(dir, "data"), Socket: filepath.Join(dir, "engine.sock"),
	}
	for _, f := range change {
		f(s)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("engine: %v", err)
		}
		_ = os.RemoveAll(dir)
	})
	wait, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := s.Wait(wait); err != nil {
		t.Fatal(err)
	}
	return s
}

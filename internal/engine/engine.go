// Package engine runs the embedded ClickHouse engine: libchdb, in a child
// process of its own, that serves the ClickHouse HTTP interface on a unix
// socket which only the owner may open. The engine is a large C++ program and
// no sandbox; as a child it can crash, be killed and be started again without
// taking the service along.
//
// Serve is the child, Supervisor the parent. The package knows the little of
// the protocol that the Go driver needs (see hello.go) and nothing of the
// schema or of SQL: package internal/warehouse speaks to a ClickHouse server
// and to this engine in the same way. It is the only importer of purego.
//
//	library, err := engine.Find(engine.Places{Dir: ".", Data: data})
//	s := &engine.Supervisor{Library: library, Path: data + "/warehouse", Socket: data + "/engine.sock"}
//	go s.Run(ctx)
//	err = s.Wait(ctx)          // the engine answers
//	conn, err := s.Dial(ctx, "", "") // what the driver's DialContext does
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// Config says what one engine process serves. Library, Path and Socket are
// required.
type Config struct {
	Library string // path of libchdb
	Path    string // data directory of the engine; created when absent
	Socket  string // path of the unix socket, at most SocketMax bytes
	Writers int    // statements that may run at once and change data; 0: 4
	Readers int    // statements that may run at once with readonly = 1; 0: 4
	MaxBody int64  // bytes of one request; 0: 256 MiB
	Servers string // file of ClickHouse's server settings: clusters, a keeper; empty: none

	// Alive is the supervisor's pipe: when it ends, the supervisor is gone and
	// the engine closes. nil is not watched. The child passes os.Stdin.
	Alive io.Reader
	// Ready gets the line "ready" once the socket is open, and before that one for
	// each definition that had to be mended. nil is not told. The child passes
	// os.Stdout.
	Ready io.Writer
}

// SocketMax is how long the path of a socket may be, in bytes: the kernel's
// limit is 108 on Linux and 104 elsewhere, with ".new".
const SocketMax = 100

const (
	readyLine    = "ready"
	mendedWord   = "mended "
	statementMax = 1 << 20          // bytes of one SQL statement with its parameters
	drain        = 10 * time.Second // for statements that run when the engine closes
)

func (c Config) writers() int   { return orElse(c.Writers, 4) }
func (c Config) readers() int   { return orElse(c.Readers, 4) }
func (c Config) maxBody() int64 { return orElse(c.MaxBody, 256<<20) }

func orElse[T int | int64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Serve opens the engine and serves it until ctx is done or the supervisor is
// gone; then it lets running statements end and closes the engine. One process
// can serve one engine, once: the engine's state is global to it.
func Serve(ctx context.Context, c Config) error {
	// An interrupt typed at a terminal reaches the whole process group; the
	// child must outlive it, to take the parent's last writes.
	signal.Ignore(os.Interrupt)
	eng, err := open(c)
	if err != nil {
		return err
	}
	l, err := listen(c.Socket)
	if err != nil {
		return errors.Join(err, eng.close(0))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if c.Alive != nil {
		go func() {
			defer stop()
			_, _ = io.Copy(io.Discard, c.Alive) // only its end matters
		}()
	}
	c.say(readyLine)
	return errors.Join(serveHTTP(ctx, l, eng), eng.close(drain))
}

// say tells the supervisor something.
func (c Config) say(line string) {
	if c.Ready != nil {
		fmt.Fprintln(c.Ready, line)
	}
}

func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		limit, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		ended <- srv.Shutdown(limit)
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the engine's socket: %w", err)
	}
	return <-ended
}

// listen opens the socket with mode 0600 from its first moment under its own
// name: it is made beside, restricted, then renamed. A socket that a killed
// child left behind is replaced.
func listen(path string) (net.Listener, error) {
	if len(path) > SocketMax {
		return nil, fmt.Errorf("the engine's socket path has %d bytes, at most %d are possible: %s", len(path), SocketMax, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the engine's socket: %w", err)
	}
	fresh := path + ".new"
	_ = os.Remove(fresh)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("opening the engine's socket: %w", err)
	}
	// A successor may have put its own socket in place by the time this one
	// closes, so closing must not remove anything.
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(fresh, 0o600), os.Rename(fresh, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("placing the engine's socket: %w", err), l.Close())
	}
	return l, nil
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/stream"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// config says what house to build.
type config struct {
	Data         string        // folder of everything that stays
	Listen       string        // host:port
	Lib          string        // libchdb, empty: look for it
	Nats         string        // URL, empty: embedded
	NatsSystem   string        // URL as a user of the system account
	TrustSync    bool          // the operator vouches that NATS writes before it answers
	Clickhouse   string        // URL, empty: embedded
	Every        time.Duration // between two looks of the controller
	Environments []string      // empty: the usual three
	OpenPages    bool          // pages need no sign-in
	Quiet        bool          // log warnings and worse alone
}

func (c config) environments() []string {
	if len(c.Environments) == 0 {
		return []string{"development", "staging", "production"}
	}
	return c.Environments
}

// house is every part of a running Sluice, in the order in which they are
// built; they are closed in the opposite one.
type house struct {
	config
	lg         *slog.Logger
	streams    *natslog.Store
	folds      server.Folds
	projection *event.Projection
	adminToken string             // of the first start, empty later
	engine     *engine.Supervisor // nil with a ClickHouse server
	stopEngine func() error
	store      *warehouse.Warehouse
	loaders    []*ingest.Loader
	accounts   *accounts
	facts      *facts
	controller *decisions.Controller
	key        []byte // of the installation: units are hashed with it
	hub        *stream.Hub
	listener   net.Listener
	http       *http.Server
}

// open builds a house. What was opened is closed again when a later part
// cannot be.
func open(ctx context.Context, c config) (*house, error) {
	level := slog.LevelInfo
	if c.Quiet {
		level = slog.LevelWarn
	}
	h := &house{config: c, lg: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))}
	for _, part := range []func(context.Context) error{
		h.listen, h.openLog, h.openWarehouse, h.openLoaders, h.openController, h.openDoors,
	} {
		if err := part(ctx); err != nil {
			return nil, errors.Join(err, h.close())
		}
	}
	return h, nil
}

func (h *house) listen(context.Context) (err error) {
	if err = os.MkdirAll(h.Data, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if h.listener, err = net.Listen("tcp", h.Listen); err != nil {
		return fmt.Errorf("listening on %s: %w; choose another address with --listen", h.Listen, err)
	}
	return nil
}

// openLog opens the streams and folds the log up to its end.
func (h *house) openLog(ctx context.Context) (err error) {
	h.streams, err = natslog.Open(ctx, natslog.Config{
		Dir: filepath.Join(h.Data, "nats"), URL: h.Nats, SystemURL: h.NatsSystem, TrustSync: h.TrustSync, Logger: h.lg,
	})
	if err != nil {
		return err
	}
	h.folds = server.NewFolds()
	h.projection = event.NewProjection(h.folds.All()...)
	if err := h.projection.Catch(ctx, h.streams.Log); err != nil {
		return fmt.Errorf("folding the log: %w", err)
	}
	return h.firstToken(ctx)
}

// firstToken makes an admin token when nobody could sign in.
func (h *house) firstToken(ctx context.Context) (err error) {
	if len(h.folds.Access.Tokens()) > 0 {
		return nil
	}
	var random [access.Entropy]byte
	if _, err := rand.Read(random[:]); err != nil {
		return fmt.Errorf("drawing the admin token: %w", err)
	}
	text, t := access.Mint(access.Token{Class: access.Account, Role: access.Admin, Name: "admin"}, random)
	e, expect, err := h.folds.Access.Issue(access.Issue{ID: event.New(), At: now(), Actor: "installation", Token: t})
	if err != nil {
		return err
	}
	if _, err := h.streams.Log.Append(ctx, e, expect); err != nil {
		if errors.Is(err, event.ErrReadOnly) {
			return nil // a log that lost its end is looked at, not signed into
		}
		return fmt.Errorf("recording the admin token: %w", err)
	}
	h.adminToken = text
	return h.projection.Catch(ctx, h.streams.Log)
}

// openWarehouse starts the engine, unless there is a server, and opens it.
func (h *house) openWarehouse(ctx context.Context) (err error) {
	c := warehouse.Config{Addr: h.Clickhouse}
	if h.Clickhouse == "" {
		if err := h.startEngine(ctx); err != nil {
			return err
		}
		c.Dial = h.engine.Dial
	}
	h.store, err = warehouse.Open(ctx, c)
	return err
}

func (h *house) startEngine(ctx context.Context) error {
	executable, _ := os.Executable() // empty when unknown: then it is not looked at
	dir, _ := os.Getwd()
	library, err := engine.Find(engine.Places{Given: h.Lib, Executable: executable, Dir: dir, Data: h.Data})
	if err != nil {
		return err
	}
	socket, err := h.socket()
	if err != nil {
		return err
	}
	h.engine = &engine.Supervisor{Library: library, Path: filepath.Join(h.Data, "clickhouse"), Socket: socket, Logger: h.lg}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- h.engine.Run(life) }()
	h.stopEngine = func() error {
		stop()
		<-ended // why it gave up, if it did, Wait has said
		return h.removeSocket(socket)
	}
	return h.engine.Wait(ctx)
}

// removeSocket removes what socket made.
func (h *house) removeSocket(path string) error {
	if filepath.Dir(path) == filepath.Clean(h.Data) {
		return os.RemoveAll(path)
	}
	return os.RemoveAll(filepath.Dir(path))
}

// socket names the engine's socket. It lies with the data, so that a process
// that was killed leaves nothing behind that its successor does not replace;
// where that path is longer than a socket's may be, in a folder of our own.
func (h *house) socket() (string, error) {
	const name = "engine.sock"
	if path := filepath.Join(h.Data, name); len(path) <= engine.SocketMax {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "sluice-")
	if err != nil {
		return "", fmt.Errorf("making a folder for the engine's socket: %w", err)
	}
	return filepath.Join(dir, name), nil
}

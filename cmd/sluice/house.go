package main

import (
	"cmp"
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
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/notify"
	"github.com/sluice-hq/sluice/internal/oidc"
	"github.com/sluice-hq/sluice/internal/replica"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/stream"
	"github.com/sluice-hq/sluice/internal/trace/otlp"
)

// config says what house to build.
type config struct {
	Data              string        // folder of everything that stays
	Listen            string        // host:port
	Lib               string        // libchdb, empty: look for it
	Nats              string        // URL, empty: embedded
	NatsSystem        string        // URL as a user of the system account
	TrustSync         bool          // the operator vouches that NATS writes before it answers
	Clickhouse        string        // URL, empty: embedded
	NatsReplicas      int           // of each stream; 0: 1
	Shards            int           // of facts; 0: as natslog.Config says
	ClickhouseCluster string        // that the server is one of; empty: none
	Every             time.Duration // between two looks of the controller
	Compare           time.Duration // between two looks at the other replicas; 0: 2 s
	Limits            server.Limits // how much may come; zero: anything
	Floor             ingest.Floor  // how much of the disk stays free of events; zero: nothing
	Roles             roles         // what this replica does; empty: everything
	OpenPages         bool          // pages need no sign-in
	OpenMetrics       bool          // /metrics needs no token
	Quiet             bool          // log warnings and worse alone
	PublicURL         string        // where people reach this installation, for links; empty: where it listens
	WebhookAllow      notify.Allow  // internal addresses that webhooks may be sent to
	Secrets           string        // folder of the secrets that webhooks name; empty: in the data folder
	SignIn            *oidc.Config  // where people sign in; nil: with tokens alone
}

func (c config) compare() time.Duration { return cmp.Or(c.Compare, 2*time.Second) }

// house is every part of a running Sluice, in the order in which they are
// built; they are closed in the opposite one.
type house struct {
	config
	lg         *slog.Logger
	listener   net.Listener
	streams    *natslog.Store
	folds      server.Folds
	projection *event.Projection
	adminToken string // of the first start, empty later
	key        []byte // of the installation: units are hashed with it
	used       access.Used
	hub        *stream.Hub
	usage      *usage
	handler    *server.Handler
	http       *http.Server
	snapshots  *snapshots
	replica    *replica.Watch
	traces     *otlp.Sender    // nil: nobody traces
	intake     part[*intake]   // the flag plane does without it
	counting   part[*counting] // and without this
	guard      *ingest.Guard
	meters     meters
	recorder   ingest.Recorder
	facts      *facts
	reach      reach
	controller *decisions.Controller
	hooks      *notify.Sender
	issuer     *oidc.Party // nil: people sign in with tokens alone
}

// open builds a house: first what flags are served from. What was opened is
// closed again when a later part cannot be.
func open(ctx context.Context, c config) (*house, error) {
	level := slog.LevelInfo
	if c.Quiet {
		level = slog.LevelWarn
	}
	h := &house{config: c, lg: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))}
	for _, part := range []func(context.Context) error{
		h.listen, h.openLog, h.openKey, h.openReplica, h.openTraces, h.openGuard, h.openParts, h.openController, h.openHooks, h.openIssuer, h.openDoors,
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

// openLog opens the log and folds it up to its end, from the newest snapshot
// if that is good.
func (h *house) openLog(ctx context.Context) (err error) {
	h.streams, err = natslog.Open(ctx, natslog.Config{
		Dir: filepath.Join(h.Data, "nats"), URL: h.Nats, SystemURL: h.NatsSystem, TrustSync: h.TrustSync, Logger: h.lg,
		Replicas: h.NatsReplicas, Shards: h.Shards, FactsLater: true,
	})
	if err != nil {
		return err
	}
	h.snapshots = newSnapshots(filepath.Join(h.Data, "snapshots"), h.lg)
	if h.folds, h.projection, err = h.snapshots.fold(ctx, h.streams.Log, h.streams.Log.Mark()); err != nil {
		return fmt.Errorf("folding the log: %w", err)
	}
	return h.firstToken(ctx)
}

// openReplica makes what compares this replica with the others.
func (h *house) openReplica(context.Context) error {
	host, _ := os.Hostname() // empty when unknown: the address still tells replicas of one host apart
	h.replica = &replica.Watch{
		ID: event.New().String(), Name: host + " " + h.listener.Addr().String(), Code: h.snapshots.code, Log: h.streams.Log,
		Projection: h.projection, Board: h.streams.Board(boardTime), Streams: func() map[uint64]int { return h.hub.Holds() }, Logger: h.lg,
	}
	return nil
}

// electionGrace is how long the streams of a NATS cluster may have no leader
// while events wait for one, instead of being refused.
const electionGrace = 20 * time.Second

// boardTime is how long what a replica says of itself stands.
const boardTime = 15 * time.Second

// openParts says how the parts are opened that the flag plane does without. The
// streams of facts are tried at once, since they are near; the warehouse is
// opened when the house stands.
func (h *house) openParts(ctx context.Context) error {
	h.intake.name, h.intake.fix = "event intake", "look at the streams of facts; damaged ones are restored from a backup of the data folder"
	if h.NatsReplicas > 1 {
		h.intake.grace = electionGrace
	}
	h.intake.open, h.intake.check = h.openIntake, func(ctx context.Context, in *intake) error { return in.well(ctx) }
	h.counting.name, h.counting.fix = "warehouse", "run \"make engine\" if the engine is missing, or start the server that --clickhouse names"
	h.counting.open, h.counting.check = h.openCounting, func(ctx context.Context, c *counting) error { return c.store.Ping(ctx) }
	_ = h.intake.attempt(ctx) // if it fails, run tries again and says why
	return nil
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

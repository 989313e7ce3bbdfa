package main

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/stream"
)

// openDoors makes the HTTP server.
func (h *house) openDoors(context.Context) error {
	tickets, err := h.openStreams()
	if err != nil {
		return err
	}
	closing := make(chan struct{})
	h.usage = &usage{house: h, waiting: map[string][]ingest.Reading{}}
	h.handler = server.New(server.House{
		Log: h.streams.Log, Blobs: h.streams.Blobs, Projection: h.projection, Folds: h.folds,
		Intake: taker{h}, Tap: taker{h}, Accounts: accounts{h}, Totals: totals{h}, Letters: mailbox{h}, Units: units{h}, Readouts: h.facts, Pasts: h.facts, Recounts: h.facts, Usage: h.usage, Recorder: &h.recorder, Looks: h.facts.look, Looked: h.facts.looked, Ready: h.ready,
		Issuer: h.issuer, Deliveries: h.hooks, Streams: h.hub, Tickets: tickets, Replica: h.replica, Roles: h.Roles,
		Now: now, Entropy: rand.Reader, Logger: h.lg, Version: version, OpenPages: h.OpenPages,
		Closing: closing, Used: &h.used, Limits: h.Limits, Measure: h.measure, OpenMetrics: h.OpenMetrics,
	})
	h.http = bounded(h.handler)
	h.http.BaseContext = func(net.Listener) context.Context { return h.traces.Into(context.Background()) }
	h.http.RegisterOnShutdown(sync.OnceFunc(func() { close(closing) }))
	return nil
}

// bounded returns a server that bounds what clients may take their time with,
// and how much they may say before they are known.
func bounded(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:   handler,
		Protocols: protocols(), HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second}, // a stream whose client is gone ends
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
}

// openStreams makes the hub of the streams, and the tickets that let browsers
// in. Their key is made of the installation's, which all replicas share.
func (h *house) openStreams() (stream.Tickets, error) {
	h.hub = &stream.Hub{
		Projection: h.projection, Flags: h.folds.Flags, Now: now, MayHear: server.MayHear(h.projection, h.folds, now),
	}
	key, err := hkdf.Key(sha256.New, h.key, nil, "sluice stream tickets", sha256.Size)
	if err != nil {
		return stream.Tickets{}, fmt.Errorf("making the key of stream tickets: %w", err)
	}
	return stream.Tickets{Key: key}, nil
}

// protocols are those that clients may speak without TLS: HTTP/1.1, and the
// HTTP/2 that gRPC needs.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// ready says how every dependency is that flags are served without.
func (h *house) ready(ctx context.Context) map[string]error {
	ctx, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	_, err := h.streams.Log.Last(ctx)
	all := map[string]error{"streams": err, h.intake.name: h.intake.look(ctx), "room for events": h.room()}
	if h.Roles.counts() {
		all[h.counting.name] = h.counting.look(ctx)
	}
	if why := h.streams.Log.Why(); why != "" {
		all["log is whole"] = errors.New(why)
	}
	return all
}

// address is where the house listens.
func (h *house) address() string { return "http://" + h.listener.Addr().String() }

// run starts everything that runs, calls tell, and closes the house when tell
// returns, ctx is done, or a part fails for good.
func (h *house) run(ctx context.Context, tell func(ctx context.Context, address, adminToken string) error) error {
	work, stop := context.WithCancel(h.traces.Into(ctx))
	defer stop()
	g, work := errgroup.WithContext(work)
	g.Go(func() error { return h.fold(work) })
	g.Go(func() error { return h.hub.Run(work) })
	g.Go(func() error { return h.keepParts(work) })
	g.Go(func() error { return h.decide(work) })
	g.Go(func() error { return h.usage.run(work) })
	g.Go(func() error { return h.carryOut(work) })
	g.Go(func() error { return h.notify(work) })
	g.Go(func() error { return h.compare(work) })
	g.Go(func() error { return h.reach.run(work) })
	g.Go(func() error { return h.snapshot(work) })
	g.Go(func() error { return h.noteUsed(work) })
	g.Go(func() error { return h.seal(work) })
	g.Go(func() error { return h.watch(work) })
	g.Go(func() error { return h.record(work) })
	g.Go(func() error { return h.serve(work) })
	g.Go(func() error {
		defer stop()
		return tell(work, h.address(), h.adminToken)
	})
	err := g.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, errDone) {
		err = nil
	}
	return errors.Join(err, h.close())
}

// fold applies the log until ctx is done. An event that cannot be applied, or
// damage, ends no more than that: flags are answered as of the event before,
// this replica is not ready, and it changes nothing, since it no longer knows
// what the log has.
func (h *house) fold(ctx context.Context) error {
	if err := h.projection.Run(ctx, h.streams.Log); err != nil && ctx.Err() == nil {
		h.lg.Error("this replica no longer follows the log: flags are served as they were, and it decides nothing; run \"sluice verify\"", "event", h.projection.Seq(), "error", err)
	}
	return nil
}

// serve answers requests until ctx is done, then lets those under way end.
func (h *house) serve(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- h.http.Serve(h.listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	return h.http.Shutdown(last)
}

// keepParts opens what the flag plane does without, and keeps it.
func (h *house) keepParts(ctx context.Context) error {
	return h.intake.keep(ctx, h.lg, func(ctx context.Context, _ *intake) error {
		if !h.Roles.counts() {
			return nil
		}
		return h.counting.keep(ctx, h.lg, func(ctx context.Context, c *counting) error { return c.run(ctx) })
	})
}

// decide lets the controller look, again and again. A log that lost its end
// takes no decisions: looking would only fail, store its evidence and say so,
// every few seconds for as long as nobody brings the backup.
func (h *house) decide(ctx context.Context) error {
	if why := h.streams.Log.Why(); why != "" {
		h.lg.Error("the log is read-only: flags are served, nothing is decided and nothing can be changed; restore the data folder from a backup", "why", why)
		return nil
	}
	if !h.Roles.has(server.Decide) {
		return nil
	}
	said := once{lg: h.lg, message: "looking at the rollouts"}
	return h.act(ctx, h.Every, func() { said.tell(ctx, h.controller.Step(ctx, now())) })
}

// carryOut does what was written down to be done at a time. It needs the log
// alone.
func (h *house) carryOut(ctx context.Context) error {
	if !h.Roles.has(server.Flags, server.Decide) || h.readOnly() {
		return nil
	}
	said := once{lg: h.lg, message: "doing what was written down for this time"}
	return h.act(ctx, h.Every, func() { said.tell(ctx, errors.Join(h.expire(ctx, now()), h.carry(ctx, now()))) })
}

func (h *house) readOnly() bool { return h.streams.Log.Why() != "" }

// once logs an error when it is another than the last. That a part is still
// being opened is none.
type once struct {
	lg      *slog.Logger
	message string
	last    string
}

func (o *once) tell(ctx context.Context, err error) {
	text := ""
	if err != nil && ctx.Err() == nil && !errors.Is(err, errOpening) {
		text = err.Error()
	}
	if text != "" && text != o.last {
		o.lg.Error(o.message, "error", text)
	}
	o.last = text
}

// compare says how this replica is and looks at the others, and takes back what
// it said when it ends. A replica that stands against others throws its
// snapshots away: the next start is to fold every event.
func (h *house) compare(ctx context.Context) error {
	said := once{lg: h.lg, message: "comparing with the other replicas"}
	err := each(ctx, h.config.compare(), func() {
		asking, stop := context.WithTimeout(ctx, boardTime/3)
		defer stop()
		said.tell(ctx, h.replica.Step(asking, now()))
		if _, v, _ := h.replica.Seen(); v.Out() {
			h.snapshots.discard()
		}
	})
	leaving, stop := context.WithTimeout(context.WithoutCancel(ctx), boardTime/3)
	defer stop()
	_ = h.replica.Leave(leaving) // else it goes by itself
	return err
}

// snapshot writes the state down when much has happened, and at the end.
func (h *house) snapshot(ctx context.Context) error {
	step := func(last bool) {
		if _, v, _ := h.replica.Seen(); v.Out() || h.readOnly() {
			return
		}
		if err := h.snapshots.step(h.projection, now(), last); err != nil {
			h.lg.Error("writing a snapshot; the next start will take longer", "error", err)
		}
	}
	err := each(ctx, time.Second, func() { step(false) })
	step(true)
	return err
}

// seal seals the log when it is due.
func (h *house) seal(ctx context.Context) error {
	said := once{lg: h.lg, message: "sealing the log"}
	return h.act(ctx, time.Second, func() {
		_, err := h.streams.Sealer.Seal(ctx, h.projection, now())
		said.tell(ctx, err)
	})
}

// act calls f again and again, as each does, while the state follows the log.
func (h *house) act(ctx context.Context, pause time.Duration, f func()) error {
	return each(ctx, pause, func() {
		if h.projection.Err() == nil {
			f()
		}
	})
}

// each calls f at once and then again after every pause, until ctx is done.
func each(ctx context.Context, pause time.Duration, f func()) error {
	t := time.NewTicker(pause)
	defer t.Stop()
	for {
		f()
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// close closes what is open, in the opposite order. It is safe on a house that
// was built in part.
func (h *house) close() error {
	var errs []error
	if h.listener != nil {
		_ = h.listener.Close() // closed already when it has served
	}
	if c, held := h.counting.opened(); held {
		errs = append(errs, c.close())
	}
	if h.streams != nil {
		// Counted from here: an engine that hangs may have taken long to end.
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		errs = append(errs, h.streams.Close(ctx))
	}
	h.closeTraces()
	return errors.Join(errs...)
}

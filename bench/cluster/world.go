package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sluice-hq/sluice/bench/serving"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/natslog/natstest"
)

// world is every process of the run.
type world struct {
	binary, dir string
	token       string // of the admin
	servers     *natstest.Cluster
	replicas    []*serving.Process
	clickhouse  string // address, with user and password
	closing     []func() error
}

// open starts everything. The first replica makes the key that units are
// hashed with; the others have a copy.
func (w *world) open(ctx context.Context) (err error) {
	if w.servers, err = natstest.Start(ctx, w.dir, w.binary); err != nil {
		return err
	}
	if err := w.openEngine(ctx); err != nil {
		return err
	}
	for i, roles := range []string{"flags,ingest,web", "flags,ingest", "load,decide"} {
		if err := w.openReplica(ctx, fmt.Sprintf("r%d", i+1), roles); err != nil {
			return err
		}
	}
	return nil
}

// takers are the addresses that take events.
func (w *world) takers() (list []string) {
	for _, r := range w.replicas[:2] {
		list = append(list, r.Address)
	}
	return list
}

// close ends everything, in the opposite order.
func (w *world) close() (err error) {
	for _, r := range w.replicas {
		err = errors.Join(err, r.Cmd.Process.Signal(syscall.SIGTERM))
	}
	for _, r := range w.replicas {
		err = errors.Join(err, r.Cmd.Wait())
	}
	for _, f := range w.closing {
		err = errors.Join(err, f())
	}
	if w.servers != nil {
		w.servers.Close()
	}
	return err
}

// openEngine serves an engine on loopback TCP.
func (w *world) openEngine(ctx context.Context) error {
	library, err := engine.Find(engine.Places{Dir: "."})
	if err != nil {
		return err
	}
	s := &engine.Supervisor{
		Library: library, Path: filepath.Join(w.dir, "clickhouse"), Socket: filepath.Join(w.dir, "engine.sock"),
		Command: []string{w.binary, "engine"},
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running) }()
	w.closing = append(w.closing, func() error { stop(); return <-ended })
	if err := s.Wait(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	const password = "a-password-of-this-run"
	srv := &http.Server{Handler: enginetest.Loopback(s.Dial, password), ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(l) }() // until it is closed, which is no error to tell
	w.closing = append([]func() error{srv.Close}, w.closing...)
	w.clickhouse = "http://sluice:" + password + "@" + l.Addr().String() + "/default"
	return nil
}

// openReplica starts a Sluice and waits until it is well.
func (w *world) openReplica(ctx context.Context, name, roles string) error {
	data := filepath.Join(w.dir, name)
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if len(w.replicas) > 0 {
		key, err := os.ReadFile(filepath.Join(w.dir, "r1", "unit.key"))
		if err == nil {
			err = os.WriteFile(filepath.Join(data, "unit.key"), key, 0o600)
		}
		if err != nil {
			return err
		}
	}
	r := &serving.Process{Binary: w.binary, Log: data + ".log", Args: []string{
		"--data", data, "--roles", roles, "--clickhouse", w.clickhouse,
		"--nats", w.servers.URL(), "--nats-system", w.servers.SystemURL(), "--nats-replicas", fmt.Sprint(natstest.Members),
	}}
	w.replicas = append(w.replicas, r)
	if err := r.Start(ctx); err != nil {
		return err
	}
	w.token = cmp.Or(r.Token, w.token)
	return nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/natslog/natstest"
)

// world is every process of the run.
type world struct {
	binary, dir string
	token       string // of the admin
	servers     *natstest.Cluster
	replicas    []*replica
	clickhouse  string // address, with user and password
	closing     []func() error
}

// replica is one Sluice.
type replica struct {
	address string
	cmd     *exec.Cmd
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
		list = append(list, r.address)
	}
	return list
}

// close ends everything, in the opposite order.
func (w *world) close() (err error) {
	for _, r := range w.replicas {
		err = errors.Join(err, r.cmd.Process.Signal(syscall.SIGTERM))
	}
	for _, r := range w.replicas {
		err = errors.Join(err, r.cmd.Wait())
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
	log, err := os.Create(data + ".log")
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(w.binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--roles", roles,
		"--nats", w.servers.URL(), "--nats-system", w.servers.SystemURL(), "--nats-replicas", fmt.Sprint(natstest.Members),
		"--clickhouse", w.clickhouse)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w; build it with: make build", w.binary, err)
	}
	r := &replica{cmd: cmd}
	w.replicas = append(w.replicas, r)
	for lines := bufio.NewScanner(out); r.address == "" && lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "admin token (shown this once): "); ok {
			w.token = text
		}
		if text, ok := strings.CutPrefix(lines.Text(), "Sluice is ready at "); ok {
			r.address = text
		}
	}
	if r.address == "" {
		return fmt.Errorf("%s did not start; see %s", name, log.Name())
	}
	return r.ready(ctx)
}

// ready waits until every dependency of the replica is well.
func (r *replica) ready(ctx context.Context) error {
	why := ""
	for ctx.Err() == nil {
		status, answer, err := call(ctx, http.MethodGet, r.address+"/readyz", "", nil)
		if err == nil && status == http.StatusOK {
			return nil
		}
		why = fmt.Sprint(string(answer), err)
		pause(ctx, 50*time.Millisecond)
	}
	return fmt.Errorf("%s is not ready: %s", r.address, why)
}

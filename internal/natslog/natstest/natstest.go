// Package natstest runs a NATS cluster of three servers, each a child process
// that can be killed with SIGKILL and started again on its files. The child is
// this project's own binary, or a test binary whose TestMain calls Main.
//
//	func TestMain(m *testing.M) { natstest.Main(m.Run) }
//
//	c, err := natstest.Start(ctx, t.TempDir(), os.Args[0])
//	defer c.Close()
//	s, err := natslog.Open(ctx, natslog.Config{URL: c.URL(), SystemURL: c.SystemURL(), Replicas: 3})
//	i, err := c.Leader(ctx, "FACTS_0")
//	err = c.Kill(i)
package natstest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/ports"
)

// Members is how many servers a cluster has: a majority of two outlives one.
const Members = 3

// Cluster is three servers. Its methods are for one goroutine.
type Cluster struct {
	dir     string
	program string // that a child is
	members [Members]member
	nc      *nats.Conn
	js      jetstream.JetStream
}

// member is one server, with ports that it keeps.
type member struct {
	name          string
	client, route int
	cmd           *exec.Cmd // nil while it is dead
}

// Start starts the servers in directories below dir, as children that are the
// program, and waits until they answer.
func Start(ctx context.Context, dir, program string) (*Cluster, error) {
	c := &Cluster{dir: dir, program: program}
	err := c.choose()
	for i := range c.members {
		err = errors.Join(err, c.write(i))
	}
	for i := range c.members {
		if err == nil {
			err = c.Restart(i)
		}
	}
	if err == nil {
		c.nc, err = nats.Connect(c.URL(), nats.MaxReconnects(-1))
	}
	if err == nil {
		c.js, err = jetstream.New(c.nc)
	}
	if err == nil {
		err = c.Meet(ctx)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("starting three servers: %w", err)
	}
	return c, nil
}

// Close kills what runs.
func (c *Cluster) Close() {
	if c.nc != nil {
		c.nc.Close()
	}
	for i := range c.members {
		_ = c.Kill(i) // it may be dead already
	}
}

// URL reaches the servers as their user.
func (c *Cluster) URL() string { return c.url("sluice") }

// SystemURL reaches the servers as a user of their system account.
func (c *Cluster) SystemURL() string { return c.url("sys") }

func (c *Cluster) url(user string) string {
	var list []string
	for _, m := range c.members {
		list = append(list, fmt.Sprintf("nats://%s:secret@127.0.0.1:%d", user, m.client))
	}
	return strings.Join(list, ",")
}

// choose gives each server its name and two ports that were free a moment ago.
func (c *Cluster) choose() error {
	taken := map[int]bool{0: true}
	for i := range c.members {
		m := &c.members[i]
		m.name = fmt.Sprintf("n%d", i+1)
		for _, port := range []*int{&m.client, &m.route} {
			for taken[*port] {
				var err error
				if *port, err = ports.Free(); err != nil {
					return err
				}
			}
			taken[*port] = true
		}
	}
	return nil
}

func (c *Cluster) file(i int) string { return filepath.Join(c.dir, c.members[i].name+".conf") }

// write makes the file of a server.
func (c *Cluster) write(i int) error {
	var routes []string
	for _, m := range c.members {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", m.route))
	}
	m := c.members[i]
	text := fmt.Sprintf(`
		server_name: %s
		listen: "127.0.0.1:%d"
		cluster { name: sluice, listen: "127.0.0.1:%d", routes: [%s] }
		jetstream { store_dir: %q, sync_interval: always, max_file_store: 100GB }
		accounts {
			SYS { users: [{user: sys, password: secret}] }
			SLUICE { jetstream: enabled, users: [{user: sluice, password: secret}] }
		}
		system_account: SYS
		`, m.name, m.client, m.route, strings.Join(routes, ", "), filepath.Join(c.dir, m.name))
	return os.WriteFile(c.file(i), []byte(text), 0o600)
}

// Restart starts a server, for the first time or after Kill, and returns when
// it takes connections. It may take longer until it has what it missed: Meet.
func (c *Cluster) Restart(i int) error {
	m := &c.members[i]
	cmd := exec.Command(c.program, childCommand, c.file(i))
	log, err := os.OpenFile(c.file(i)+".log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stderr = log
	_, inErr := cmd.StdinPipe() // at its end, which is this process's, the server ends
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		return fmt.Errorf("starting %s: %w", m.name, err)
	}
	m.cmd = cmd
	if line, err := bufio.NewReader(out).ReadString('\n'); line != natslog.ReadyLine+"\n" {
		return fmt.Errorf("starting %s: it said %q, %v; see %s", m.name, line, err, log.Name())
	}
	return nil
}

// Kill ends a server with SIGKILL.
func (c *Cluster) Kill(i int) error {
	m := &c.members[i]
	if m.cmd == nil {
		return nil
	}
	if err := m.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing %s: %w", m.name, err)
	}
	_ = m.cmd.Wait() // "signal: killed", as intended
	m.cmd = nil
	return nil
}

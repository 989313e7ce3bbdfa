// Package serving starts a built Sluice as a process of its own, for programs
// that measure it or kill it.
package serving

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-hq/sluice/internal/ports"
)

// Process is a Sluice that serves. Binary is required. It may be started again
// after Kill.
type Process struct {
	Binary string
	Args   []string // of serve, beside --listen
	Log    string   // file that its log is added to; "" keeps none

	Address string    // http://host:port, the same at every start
	Token   string    // admin token, which the first start prints
	Cmd     *exec.Cmd // of the newest start
}

// patience is how long a start may take.
const patience = 3 * time.Minute

// Host returns the address without its scheme.
func (p *Process) Host() string { return strings.TrimPrefix(p.Address, "http://") }

// Start starts the process and returns when every dependency of it is well.
func (p *Process) Start(ctx context.Context) error {
	listen, err := p.where()
	if err != nil {
		return err
	}
	p.Cmd = exec.Command(p.Binary, append([]string{"serve", "--listen", listen}, p.Args...)...)
	if p.Log != "" {
		log, err := os.OpenFile(p.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer log.Close()
		p.Cmd.Stderr = log
	}
	out, err := p.Cmd.StdoutPipe()
	if err == nil {
		err = p.Cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w; build it with: make build", p.Binary, err)
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if err := p.listen(ctx, out); err != nil {
		return err
	}
	return p.Ready(ctx)
}

// where is the address to listen on: the one that it had, or a new one that stays
// free while it is down.
func (p *Process) where() (string, error) {
	if p.Address != "" {
		return p.Host(), nil
	}
	port, err := ports.Free()
	return fmt.Sprint("127.0.0.1:", port), err
}

// listen reads what the process prints until it says where it is.
func (p *Process) listen(ctx context.Context, out io.Reader) error {
	defer context.AfterFunc(ctx, func() { _ = p.Cmd.Process.Kill() })() // else a process that says nothing is waited for
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if token, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "admin token (shown this once): "); ok {
			p.Token = token
		}
		if address, ok := strings.CutPrefix(lines.Text(), "Sluice is ready at "); ok {
			p.Address = address
			go func() { _, _ = io.Copy(io.Discard, out) }() // what nobody reads would hold the process up
			return nil
		}
	}
	return fmt.Errorf("%s ended before it was ready; its log: %q", p.Binary, p.Log)
}

// Ready returns when every dependency of the process is well.
func (p *Process) Ready(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	for ; ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		answer, err := http.Get(p.Address + "/readyz")
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("waiting for %s to be ready: %w; its log: %q", p.Address, ctx.Err(), p.Log)
}

// Kill ends the process without a warning; its engine ends with it.
func (p *Process) Kill() {
	if p.Cmd != nil && p.Cmd.Process != nil {
		_ = p.Cmd.Process.Kill() // it may have ended
		_ = p.Cmd.Wait()         // "signal: killed", as intended
	}
}

// Stop ends the process as an operator does.
func (p *Process) Stop() error {
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Cmd.Wait()
}

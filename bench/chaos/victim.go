package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// victim is the Sluice that is killed.
type victim struct {
	binary, data string
	address      string // http://host:port, the same at every start
	token        string // admin token, of the first start
	cmd          *exec.Cmd
	died         map[kill]int               // how often, by victim and point
	recoveries   map[string][]time.Duration // by victim
}

// start starts the process and waits until it is ready.
func (v *victim) start(ctx context.Context) error {
	if v.address == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		v.address = "http://" + l.Addr().String()
		if err := l.Close(); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(v.data, "chaos.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	v.cmd = exec.Command(v.binary, "serve", "--data", v.data, "--listen", strings.TrimPrefix(v.address, "http://"), "--every", "500ms")
	v.cmd.Stderr = log
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := v.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w; build it with: make build", v.binary, err)
	}
	token := make(chan string, 1)
	go v.read(out, token)
	if err := v.ready(ctx); err != nil {
		return err
	}
	if v.token == "" {
		v.token = <-token
	}
	return nil
}

// read looks for the admin token in what the process prints.
func (v *victim) read(out io.Reader, token chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, text, ok := strings.Cut(lines.Text(), "admin token (shown this once): "); ok {
			token <- text
		}
	}
	close(token)
}

// ready waits until every dependency is well.
func (v *victim) ready(ctx context.Context) error {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 10*time.Millisecond) {
		answer, err := http.Get(v.address + "/readyz")
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("not ready after 60 s; see %s", filepath.Join(v.data, "chaos.log"))
}

// die lets a death happen and waits until everything is well again.
func (v *victim) die(ctx context.Context, k kill) error {
	if k.point != "" {
		if err := v.dieAt(ctx, k); err != nil {
			return err
		}
	} else if err := v.dieNow(k); err != nil {
		return err
	}
	v.died[kill{victim: k.victim, point: k.point}]++
	began := time.Now()
	recovered := v.ready
	if k.victim == "process" {
		v.kill() // it is dead, and is buried
		recovered = v.start
	}
	if err := recovered(ctx); err != nil {
		return err
	}
	v.recoveries[k.victim] = append(v.recoveries[k.victim], time.Since(began))
	return nil
}

// dieNow kills from outside.
func (v *victim) dieNow(k kill) error {
	pid := v.cmd.Process.Pid
	if k.victim == "engine" {
		var err error
		if pid, err = v.engine(); err != nil {
			return err
		}
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing the %s: %w", k.victim, err)
	}
	return nil
}

// dieAt tells the program where to die, and returns when it has: the file with
// the plan is called "crashed" then.
func (v *victim) dieAt(ctx context.Context, k kill) error {
	plan := filepath.Join(v.data, "crash")
	if err := os.WriteFile(plan+".new", fmt.Appendf(nil, "%s %s %.3f", k.victim, k.point, k.part), 0o600); err != nil {
		return err
	}
	if err := os.Rename(plan+".new", plan); err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, time.Millisecond) {
		if os.Remove(plan+"ed") == nil {
			return nil
		}
	}
	return errors.Join(errNotReached, ctx.Err())
}

// engine finds the child that holds the engine.
func (v *victim) engine() (int, error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", v.cmd.Process.Pid))
		if err != nil {
			return 0, err
		}
		for _, t := range tasks {
			list, _ := os.ReadFile(t) // a task that has ended has no children
			if first, _, _ := strings.Cut(strings.TrimSpace(string(list)), " "); first != "" {
				return strconv.Atoi(first)
			}
		}
	}
	return 0, errors.New("the engine is not running")
}

// kill ends the process without a warning.
func (v *victim) kill() {
	if v.cmd == nil || v.cmd.Process == nil {
		return
	}
	_ = v.cmd.Process.Kill() // it may have ended
	_ = v.cmd.Wait()         // "signal: killed", as intended
	v.cmd = nil
}

// stop ends the process as an operator does.
func (v *victim) stop() error {
	if err := v.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := v.cmd.Wait()
	v.cmd = nil
	return err
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// server is the Sluice that is measured.
type server struct {
	binary, data   string
	address, token string // host:port, the same at every start; admin token of the first
	disabled       bool   // the flag
	cmd            *exec.Cmd
}

// start starts the process and waits until it is ready.
func (s *server) start(ctx context.Context) error {
	if s.address == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s.address = l.Addr().String()
		if err := l.Close(); err != nil {
			return err
		}
	}
	s.cmd = exec.Command(s.binary, "serve", "--data", filepath.Join(s.data, "data"), "--listen", s.address)
	s.cmd.Stderr = io.Discard
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w; build it with: make build", s.binary, err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, text, ok := strings.Cut(lines.Text(), "admin token (shown this once): "); ok {
			s.token = text
		}
		if strings.HasPrefix(lines.Text(), "Sluice is ready") {
			return s.ready(ctx)
		}
	}
	return fmt.Errorf("%s ended before it was ready", s.binary)
}

func (s *server) ready(ctx context.Context) error {
	for ctx.Err() == nil {
		if answer, err := http.Get("http://" + s.address + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return ctx.Err()
}

// kill ends the process without a warning.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // "signal: killed", as intended
}

// document is a flag as teams have them: some targets, rules and variants.
const document = `apiVersion: sluice/v1
kind: Flag
key: shop.checkout
description: The new checkout
purpose: operational
owner: shop-team
type: string
variants: {old: old-checkout, new: new-checkout, beta: beta-checkout}
default: old
safe: old
unit: user
environments:
  production:
    enabled: true
    targets: [{variant: beta, units: [u-1, u-2, u-3]}]
    rules:
      - {name: staff, when: {attribute: email, op: ends_with, value: "@example.com"}, serve: new}
      - {name: plan, when: {all: [{attribute: plan, op: in, values: [pro, business]}, {attribute: country, op: eq, value: NZ}]}, serve: beta}
`

// prepare makes the flag, and asks often enough for the process to have the
// size that it has at work.
func (s *server) prepare(ctx context.Context) error {
	if _, err := s.post(ctx, "/api/v1/apply", "application/yaml", document); err != nil {
		return err
	}
	for range 200 {
		if _, err := s.flip(ctx); err != nil {
			return err
		}
	}
	return nil
}

// flip switches the flag and returns the revision of that.
func (s *server) flip(ctx context.Context) (uint64, error) {
	op := "disable"
	if s.disabled {
		op = "enable"
	}
	s.disabled = !s.disabled
	body, err := s.post(ctx, "/api/v1/flags/shop.checkout/"+op, "application/json", `{"environment":"production","comment":"measuring"}`)
	if err != nil {
		return 0, err
	}
	var flag struct {
		Revision uint64 `json:"revision"`
	}
	err = json.Unmarshal(body, &flag)
	return flag.Revision, err
}

func (s *server) post(ctx context.Context, path, media, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", media)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", path, answer.Status, text)
	}
	return text, err
}

// memory returns what the process has in memory, in KiB.
func (s *server) memory() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0 // no Linux: nothing is measured
	}
	var kib int
	for line := range bytes.Lines(status) {
		if text, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			_, _ = fmt.Sscan(string(text), &kib) // the kernel writes a number
		}
	}
	return kib
}

// worked returns the processor time that the process has used.
func (s *server) worked() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0 // no Linux: nothing is measured
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11]) // proc(5): utime and stime, in hundredths of a second
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

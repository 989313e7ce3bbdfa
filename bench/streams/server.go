package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/bench/serving"
)

// server is the Sluice that is measured.
type server struct {
	serving.Process
	disabled bool // the flag
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
	return s.ask(ctx, http.MethodPost, path, media, body)
}

func (s *server) ask(ctx context.Context, method, path, media, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.Address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	r.Header.Set("Content-Type", media)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s %s", path, answer.Status, text)
	}
	return text, err
}

// memory returns what the process has in memory, in KiB.
func (s *server) memory() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid))
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
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Cmd.Process.Pid))
	if err != nil {
		return 0 // no Linux: nothing is measured
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11]) // proc(5): utime and stime, in hundredths of a second
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

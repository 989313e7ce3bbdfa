package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-hq/sluice/bench/serving"
)

// victim is the Sluice that is killed.
type victim struct {
	serving.Process
	data       string
	died       map[kill]int               // how often, by victim and point
	recoveries map[string][]time.Duration // by victim
}

// newVictim returns one that is not started yet.
func newVictim(binary, data string) *victim {
	return &victim{
		Process: serving.Process{Binary: binary, Args: []string{"--data", data, "--every", "500ms"}, Log: filepath.Join(data, "chaos.log")},
		data:    data, died: map[kill]int{}, recoveries: map[string][]time.Duration{},
	}
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
	recovered := v.Ready
	if k.victim == "process" {
		v.Kill() // it is dead, and is buried
		recovered = v.Start
	}
	if err := recovered(ctx); err != nil {
		return err
	}
	v.recoveries[k.victim] = append(v.recoveries[k.victim], time.Since(began))
	return nil
}

// dieNow kills from outside.
func (v *victim) dieNow(k kill) error {
	pid := v.Cmd.Process.Pid
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
	for end := time.Now().Add(notReachedAfter); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, time.Millisecond) {
		if os.Remove(plan+"ed") == nil {
			return nil
		}
	}
	return errors.Join(errNotReached, ctx.Err())
}

// engine finds the child that holds the engine.
func (v *victim) engine() (int, error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", v.Cmd.Process.Pid))
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

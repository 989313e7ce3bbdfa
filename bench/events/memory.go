package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory returns what both processes take now.
func (s *server) memory() memory {
	pid := s.Cmd.Process.Pid
	return memory{resident(pid), resident(child(pid))}
}

// watch looks at the memory until it is told to stop, and returns the most.
func (s *server) watch(ctx context.Context) (most func() memory) {
	ctx, stop := context.WithCancel(ctx)
	found := make(chan memory)
	go func() {
		var top memory
		for ctx.Err() == nil {
			m := s.memory()
			top.sluice, top.engine = max(top.sluice, m.sluice), max(top.engine, m.engine)
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
		found <- top
	}()
	return func() memory { stop(); return <-found }
}

// resident returns the resident memory of a process, MiB; 0 without one.
func resident(pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	text, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, _ := strconv.ParseFloat(text, 64) // 0 for a process that is ending
	return kib / 1024
}

// child returns the first child of a process, 0 without one: the engine.
func child(pid int) int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is well-formed
	for _, t := range tasks {
		list, _ := os.ReadFile(t) // a task that has ended has no children
		if first, _, _ := strings.Cut(strings.TrimSpace(string(list)), " "); first != "" {
			n, _ := strconv.Atoi(first) // 0 is no process
			return n
		}
	}
	return 0
}

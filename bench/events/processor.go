package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// work is the time that processors spent: on a machine that does other things
// too it says what elapsed time does not.
type work struct{ sender, sluice, engine time.Duration }

// worked returns what was spent up to now.
func (s *server) worked() work {
	pid := s.Cmd.Process.Pid
	return work{worked(os.Getpid()), worked(pid), worked(child(pid))}
}

func (w work) since(before work) work {
	return work{w.sender - before.sender, w.sluice - before.sluice, w.engine - before.engine}
}

// each says what one of so many events took.
func (w work) each(events int) string {
	of := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(max(events, 1)) }
	text := fmt.Sprintf("%.2f µs of a processor each, and %.2f of the sender's", of(w.sluice), of(w.sender))
	if w.engine > 0 {
		text = fmt.Sprintf("%.2f µs of a processor each and %.2f of the engine's, and %.2f of the sender's", of(w.sluice), of(w.engine), of(w.sender))
	}
	return text
}

// tick is the unit of /proc/<pid>/stat on Linux.
const tick = 10 * time.Millisecond

// worked returns the processor time of a process, 0 without one.
func worked(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // utime, the 14th of all
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}

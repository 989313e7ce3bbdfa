package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// watching tells of a rollout that is waited for, a line whenever it stands
// another way.
type watching struct {
	out  io.Writer
	last string
}

func (t *watching) tell(v server.RolloutView) {
	now := strings.Join([]string{string(v.Rollout.Status), stage(v.Rollout), reason(v.Rollout)}, "\x00")
	if now == t.last {
		return
	}
	t.last = now
	_, _ = fmt.Fprintf(t.out, "%s  %s  %s\n", v.Rollout.Status, stage(v.Rollout), why(v))
}

// reason is that of the newest decision, in stable words.
func reason(r decisions.Rollout) string {
	d, _ := r.Last()
	return d.Verdict.Reason
}

// asking says what a rollout wants of people, of whom, and who is asked next.
func asking(w io.Writer, a *decisions.Ask) {
	if a == nil {
		return
	}
	fmt.Fprintf(w, "Waits for %s to %s, since %s", strings.Join(a.Of, ", "), a.What, a.Since.Format(time.RFC3339))
	if a.Next != nil {
		fmt.Fprintf(w, "; asks %s at %s", a.Next.To, a.Next.At.Format(time.RFC3339))
	}
	fmt.Fprintln(w)
}

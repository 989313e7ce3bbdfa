package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// liveEvery is how often the live view asks.
const liveEvery = 2 * time.Second

// live shows the rollouts under way until none is: drawn anew on a terminal,
// elsewhere a table whenever one stands another way. Its exit status is 0 when
// none is under way any more, 3 when one that it has shown was rolled back, and
// 2 when it is broken off before.
func (c statusCmd) live(ctx context.Context) error {
	v := &liveView{out: os.Stdout, terminal: newProgress(os.Stdout).terminal, seen: map[string]bool{}}
	for {
		all, err := list[server.RolloutView](ctx, c.client, "/api/v1/rollouts", "rollouts", url.Values{}, 0)
		if ctx.Err() != nil {
			return exit(exitWaiting)
		}
		if err != nil {
			return err
		}
		if err := v.draw(all, now()); err != nil {
			return err
		}
		if v.under == 0 {
			return v.end()
		}
		select {
		case <-ctx.Done():
			return exit(exitWaiting)
		case <-time.After(liveEvery):
		}
	}
}

// liveView is what is drawn, and what was.
type liveView struct {
	out      io.Writer
	terminal bool
	seen     map[string]bool // rollouts that were under way while it looked
	under    int             // rollouts under way now
	back     bool            // one that was seen is rolled back
	last     string          // table without times, as it was drawn
}

// draw shows the rollouts under way, and those that have ended since it began.
func (v *liveView) draw(all []server.RolloutView, now time.Time) error {
	var shown []server.RolloutView
	v.under = 0
	for _, r := range all {
		open := r.Rollout.Open()
		if open {
			v.seen[r.Rollout.ID] = true
			v.under++
		}
		if v.seen[r.Rollout.ID] {
			shown = append(shown, r)
			v.back = v.back || r.Rollout.Status == decisions.RolledBack
		}
	}
	stands := liveTable(shown, time.Time{})
	if !v.terminal && stands == v.last {
		return nil
	}
	v.last = stands
	text := fmt.Sprintf("%s  %d under way\n%s", now.Format("15:04:05"), v.under, liveTable(shown, now))
	if v.terminal {
		text = "\x1b[H\x1b[2J" + text // home, and clear
	}
	if _, err := io.WriteString(v.out, text); err != nil {
		return fmt.Errorf("drawing the rollouts: %w", err)
	}
	return nil
}

// end is the exit status when nothing is under way any more.
func (v *liveView) end() error {
	if v.back {
		return exit(exitRolledBack)
	}
	return nil
}

// liveTable writes a line for each rollout; without now, none says when it is
// looked at next.
func liveTable(all []server.RolloutView, now time.Time) string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(terminal{&b}, 0, 4, 2, ' ', 0)
	if len(all) > 0 {
		fmt.Fprintln(w, "ROLLOUT\tSTATUS\tSTAGE\tGATE\tNEXT LOOK")
	}
	for _, v := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Rollout.ID, v.Rollout.Status, stage(v.Rollout), gateLine(v), nextLook(v, now))
	}
	_ = w.Flush() // into memory
	return b.String()
}

// gateLine is the gate in a line: how much of it passes, and the first thing
// that does not.
func gateLine(v server.RolloutView) string {
	if v.Look == nil || !v.Rollout.Open() {
		return why(v)
	}
	asked, passed, first := 0, 0, ""
	for _, c := range v.Look.Verdict.Checks {
		switch c.State {
		case decisions.NotApplicable:
			continue
		case decisions.Pass:
			passed++
		default:
			if first == "" {
				first = strings.TrimSpace(string(c.Name)+" "+c.Metric) + ": " + c.Text
			}
		}
		asked++
	}
	line := fmt.Sprintf("%d of %d", passed, asked)
	if first == "" {
		return line + ", " + v.Look.Verdict.Text
	}
	return line + ", " + first
}

// nextLook says in how long the controller looks again.
func nextLook(v server.RolloutView, now time.Time) string {
	switch {
	case !v.Rollout.Open() || v.Look == nil || v.Look.Verdict.Next.IsZero():
		return "–"
	case now.IsZero():
		return ""
	case v.Look.Verdict.Next.After(now):
		return "in " + v.Look.Verdict.Next.Sub(now).Round(time.Second).String()
	}
	return "now"
}

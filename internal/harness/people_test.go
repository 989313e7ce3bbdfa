package harness

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// command is what somebody wants of the newest rollout: "because" is the
// comment, "as" the roles of who approves, "in" how far off a start is.
func (w *world) command(op decisions.Op, a words) decisions.Command {
	by := a["by"]
	if by == "" {
		by = "ana"
	}
	r, _ := w.rollout()
	c := decisions.Command{
		ID: event.Derive("story", fmt.Sprint(w.house.Seq()), by), Op: op, Environment: environment, Flag: r.Plan.Flag,
		Expect: event.Any, At: w.now, Actor: "person:" + by, Comment: a["because"], To: a["to"], Roles: []string{"viewer", "editor", "approver"},
	}
	if as := a["as"]; as != "" {
		c.Roles = append(c.Roles, strings.Split(as, ",")...)
	}
	if in, err := event.ParseDuration(a["in"]); err == nil {
		c.Start = w.now.Add(time.Duration(in))
	}
	return c
}

// asks says whom the rollout asks for what.
func (w *world) asks() string {
	r, _ := w.rollout()
	a, ok := r.Ask(w.now)
	if !ok {
		return "nobody is asked\n"
	}
	text := fmt.Sprintf("asked to %s since %s: %s", a.What, a.Since.Format("2006-01-02 15:04"), strings.Join(a.Of, ", "))
	if a.Next != nil {
		text += fmt.Sprintf("; from %[2]s also %[1]s", a.Next.To, a.Next.At.Format("2006-01-02 15:04"))
	}
	return text + "\n"
}

// deed tells what a person did that is no decision about a stage.
func (w *world) deed(out *strings.Builder, e event.Recorded) {
	var data struct {
		At      time.Time
		Why     string
		Against string
		Comment string
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		fmt.Fprintln(out, "  ", err)
		return
	}
	switch e.Type {
	case decisions.TypeScheduled:
		fmt.Fprintf(out, "   %s schedules the start for %s\n", e.Actor, data.At.Format("2006-01-02 15:04"))
	case decisions.TypeUnscheduled:
		fmt.Fprintf(out, "   %s takes the start off the calendar: %s\n", e.Actor, data.Why)
	case decisions.TypeOverridden:
		fmt.Fprintf(out, "   %s overrides “%s”: %s\n", e.Actor, data.Against, data.Comment)
	case decisions.TypeRejected:
		fmt.Fprintf(out, "   %s rejects it: %s\n", e.Actor, data.Comment)
	}
}

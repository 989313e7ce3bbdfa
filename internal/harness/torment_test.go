package harness

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/flags"
)

// kill lets the next controller die: "kill before=2" or "kill after=2", counted
// in durable steps.
func (w *world) kill(a words) (string, error) {
	w.deaths = &eventtest.Mortal{Log: w.log, Blobs: w.blobs, KillAt: int(number(a["before"]) + number(a["after"])), After: a["after"] != ""}
	return "", nil
}

// clock sets the clock, back or on, without anything happening in between.
func (w *world) clock(args string) (string, error) {
	way, length, _ := strings.Cut(args, " ")
	d, err := event.ParseDuration(length)
	if err != nil {
		return "", err
	}
	if way == "back" {
		d = -d
	}
	w.now = w.now.Add(time.Duration(d))
	err = w.step()
	return w.tell(), err
}

// together lets several people decide on what they all see: "together
// ana:advance lee:rollback".
func (w *world) together(args string) (string, error) {
	r, _ := w.rollout()
	var out strings.Builder
	for said := range strings.FieldsSeq(args) {
		by, op, _ := strings.Cut(said, ":")
		e, expect, err := w.state.Handle(decisions.Command{
			ID: event.Derive(said, fmt.Sprint(w.house.Seq())), Op: decisions.Op(op), Environment: environment, Flag: r.Plan.Flag,
			Expect: event.Expect(r.Seq), At: w.now, Actor: "person:" + by, Comment: "as I see it",
		})
		if err = w.write(e, expect, err); err != nil {
			fmt.Fprintf(&out, "%s: refused: %v\n", by, err)
			continue
		}
		fmt.Fprintf(&out, "%s: done\n", by)
	}
	err := w.step()
	return out.String() + w.tell(), err
}

// evaluate shows what one unit gets: "evaluate flag unit=u-7 ring=internal".
func (w *world) evaluate(args string) (string, error) {
	flag, rest, _ := strings.Cut(args, " ")
	c := &flags.Context{Attributes: map[string]any{}}
	for name, value := range parse(rest) {
		if name == "unit" {
			c.TargetingKey = value
			continue
		}
		c.Attributes[name] = value
	}
	got := w.flags.Compile(environment, nil).Evaluate(flag, c)
	return fmt.Sprintf("%s gets %s (%s)\n", c.TargetingKey, got.Variant, got.Step), nil
}

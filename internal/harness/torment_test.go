package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

var errKilled = errors.New("killed")

// mortal dies before or after one of its durable steps: a document stored, an
// event appended.
type mortal struct {
	event.Log
	blobs event.Blobs
	left  int  // steps until it dies
	after bool // the step is done, and nobody learns of it
	dead  bool
}

func (m *mortal) step(do func() error) error {
	if m.dead {
		return errKilled
	}
	m.left--
	m.dead = m.left == 0
	if m.dead && !m.after {
		return errKilled
	}
	err := do()
	if m.dead {
		return errKilled
	}
	return err
}

func (m *mortal) Append(ctx context.Context, e event.Event, expect event.Expect) (seq uint64, err error) {
	err = m.step(func() error { seq, err = m.Log.Append(ctx, e, expect); return err })
	return seq, err
}

func (m *mortal) Put(ctx context.Context, b []byte) (name event.Blob, err error) {
	err = m.step(func() error { name, err = m.blobs.Put(ctx, b); return err })
	return name, err
}

func (m *mortal) Load(ctx context.Context, name event.Blob) ([]byte, error) {
	return m.blobs.Load(ctx, name)
}

// kill lets the next controller die: "kill before=2" or "kill after=2", counted
// in durable steps.
func (w *world) kill(a words) (string, error) {
	w.deaths = &mortal{Log: w.log, blobs: w.blobs, left: int(number(a["before"]) + number(a["after"])), after: a["after"] != ""}
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

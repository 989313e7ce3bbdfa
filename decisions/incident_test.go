package decisions

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

// settle gives an incident command and returns its error.
func (h *house) settle(c IncidentCommand) error {
	h.t.Helper()
	c.Environment, c.Flag, c.At = "production", "gate", h.now
	if c.Actor == "" {
		c.Actor = ana
	}
	e, expect, err := h.state.HandleIncident(c)
	if err == nil {
		h.write(e, expect, err)
	}
	return err
}

// An incident is opened once and resolved once, and its name is not taken
// again. What is resolved stays in the history, with who did it and why.
func TestIncident_life(t *testing.T) {
	h := newHouse(t)
	open := IncidentCommand{Incident: "OPS-7", Severity: Blocking, Text: "checkout is slow", Particulars: Particulars{Source: "api", Segment: "eu"}}
	end := IncidentCommand{Incident: "OPS-7", Resolve: true, Comment: "the index is back", Actor: lee}
	for i, c := range []struct {
		do   IncidentCommand
		want error
	}{
		{end, ErrNoIncident}, {open, nil}, {open, ErrIncidentKnown}, {end, nil}, {end, ErrIncidentKnown}, {open, ErrIncidentOver},
	} {
		h.now = h.now.Add(time.Minute)
		if err := h.settle(c.do); !errors.Is(err, c.want) {
			t.Errorf("step %d: %v, want %v", i, err, c.want)
		}
	}
	want := Reported{
		Environment: "production", Flag: "gate", Seq: 2, By: ana, Resolved: h.now.Add(-2 * time.Minute), ResolvedBy: lee, Comment: "the index is back",
		Incident: Incident{ID: "OPS-7", Severity: Blocking, Since: h.now.Add(-4 * time.Minute), Text: "checkout is slow", Particulars: open.Particulars},
	}
	got, ok := h.state.Incident("production", "gate", "OPS-7")
	if diff := cmp.Diff(want, got); diff != "" || !ok || got.Open() {
		t.Errorf("-want +got:\n%s", diff)
	}
	if open := h.state.Incidents("production", "gate"); len(open) > 0 {
		t.Errorf("open: %+v", open)
	}
}

// The history is that of all flags, the newest first, and what was handed out
// stays as it was.
func TestIncidents_history(t *testing.T) {
	h := newHouse(t)
	h.define("door")
	for _, name := range []string{"a", "b"} {
		h.must(h.settle(IncidentCommand{Incident: name, Severity: Minor}))
	}
	e, expect, err := h.state.HandleIncident(IncidentCommand{Environment: "production", Flag: "door", Incident: "c", Severity: Critical, At: h.now, Actor: ana})
	h.write(e, expect, err)
	before := h.state.AllIncidents()
	h.must(h.settle(IncidentCommand{Incident: "a", Resolve: true}))
	var names string
	for _, r := range before {
		names += r.ID
		if !r.Open() {
			t.Errorf("%s was changed after it was handed out", r.ID)
		}
	}
	after := h.state.AllIncidents()
	if names != "cba" || after[2].Open() || !after[1].Open() {
		t.Errorf("newest first: %s; then %+v", names, after)
	}
}

// Two processes that hear of the same thing write the same event.
func TestIncident_isOneEventHoweverOftenTold(t *testing.T) {
	h := newHouse(t)
	c := IncidentCommand{Environment: "production", Flag: "gate", Incident: "a", Severity: Minor, At: h.now, Actor: ana}
	one, expect, err := h.state.HandleIncident(c)
	h.must(err)
	c.At = h.now.Add(time.Second)
	two, _, err := h.state.HandleIncident(c)
	h.must(err)
	if one.ID != two.ID {
		t.Errorf("%s and %s", one.ID, two.ID)
	}
	h.write(one, expect, nil)
	seq, err := h.log.Append(h.ctx, two, expect)
	if last, _ := h.log.Last(h.ctx); err != nil || seq != last {
		t.Errorf("told twice: %d, %v; the log ends at %d", seq, err, last)
	}
}

// What is open can be resolved, also when the flag has left the environment
// since: it would be open for ever, and stop whatever comes there next.
func TestIncident_ofAnEnvironmentThatIsGone(t *testing.T) {
	h := newHouse(t)
	h.flag("gate", flags.Change{Op: flags.AddEnvironment, Environment: "staging"})
	open := IncidentCommand{Environment: "staging", Flag: "gate", Incident: "OPS-7", Severity: Blocking, At: h.now, Actor: ana}
	e, expect, err := h.state.HandleIncident(open)
	h.write(e, expect, err)
	h.flag("gate", flags.Change{Op: flags.RemoveEnvironment, Environment: "staging"})
	end := open
	end.Resolve = true
	e, expect, err = h.state.HandleIncident(end)
	h.write(e, expect, err)
	if left := h.state.Incidents("staging", "gate"); len(left) > 0 {
		t.Errorf("open: %+v", left)
	}
	open.Incident = "OPS-8"
	if _, _, err := h.state.HandleIncident(open); err == nil {
		t.Error("another opens where the flag is not")
	}
}

package decisions

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// record is the whole record of a decision, as a server puts it together.
func (h *house) record(id string) Record {
	h.t.Helper()
	r, ok := h.state.Record(id)
	if !ok {
		h.t.Fatalf("there is no decision %s", id)
	}
	name := r.Decision.Input
	if r.Recommended != nil {
		name = r.Recommended.Input
	}
	var err error
	if r.Document, err = h.blobs.Load(h.ctx, name); err != nil {
		h.t.Fatal(err)
	}
	in, err := r.Input()
	h.must(err)
	r.Approvals = in.State.Approvals
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		switch e.Seq {
		case r.Decision.Seq:
			r.Event = e
		case r.Decision.Effect:
			r.Effect = &FlagChange{Seq: e.Seq, ID: e.ID.String(), At: e.Time, Hash: e.Hash}
		}
	}
	return r
}

// golden compares a text with a file.
func goldenText(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s, -want +got:\n%s", name, diff)
	}
}

// approved returns a house in which a person has approved and another one has
// rolled back, against the advice, what could have gone on.
func approvedAndOverruled(t *testing.T) *house {
	h := newHouse(t)
	p := catsPlan()
	p.Hypothesis = "A later gate | brings <b>players</b> back"
	p.Links = []string{"https://tickets.example/GATE-3", "https://docs.example/gate|<b>"}
	p.Stages[0].Approve = 1
	h.begin(p)
	h.rounds(newTraffic(harmless), 1000, 60, func(r Rollout) bool { d, _ := r.Last(); return d.Verdict.asksApproval() })
	h.do(Command{Op: OpApprove, Actor: lee, Comment: "looks good"})
	h.step()
	h.do(Command{Op: OpRollback, Comment: "customers call"})
	h.step()
	return h
}

// TestPage is the page of a rollback by a breach, of an expansion that was
// approved, and of a person's rollback.
func TestPage(t *testing.T) {
	h, d, _ := rolledBack(t)
	text, err := h.record(d.ID).Page(true)
	h.must(err)
	goldenText(t, "testdata/page.md", text)

	h = approvedAndOverruled(t)
	r := h.rollout()
	person := r.Decisions[len(r.Decisions)-1]
	text, err = h.record(person.ID).Page(false)
	h.must(err)
	for _, want := range []string{"# Rollback: gate in production", "Rationale: customers call", "by " + ana, "Recommended: ", "- Link: https://tickets.example/GATE-3\n", `- Link: https://docs.example/gate\|&lt;b>`, "The gate, as it stood when the person decided", "Effect: flag change `"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of a person's decision has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "<b>") || !strings.Contains(text, `A later gate \| brings &lt;b>players`) {
		t.Errorf("what people wrote is read as Markdown:\n%s", text)
	}
	var approved string
	for _, d := range r.Decisions {
		if d.Verdict.Action == Expand && d.From == 0 {
			approved, err = h.record(d.ID).Page(false)
			h.must(err)
		}
	}
	if !strings.Contains(approved, "Approved: person:lee on ") || !strings.Contains(approved, ": looks good") {
		t.Errorf("the page does not say who approved:\n%s", approved)
	}
}

// TestRecord_checksItself: an exported record proves itself, however it was
// indented, and a byte that was changed does not.
func TestRecord_checksItself(t *testing.T) {
	h, d, _ := rolledBack(t)
	b, err := json.MarshalIndent(h.record(d.ID), "", "  ")
	h.must(err)
	check := func(text string) Checked {
		t.Helper()
		var r Record
		h.must(json.Unmarshal([]byte(text), &r))
		c, err := r.Check()
		h.must(err)
		return c
	}
	if c := check(string(b)); !c.OK() || !c.Recomputed.Same {
		t.Errorf("got %+v", c)
	}
	if c := check(strings.Replace(string(b), `"exposures": `, `"exposures": 1`, 1)); c.OK() || !strings.Contains(c.Document, "it hashes to") {
		t.Errorf("another document: %+v", c)
	}
	if c := check(strings.Replace(string(b), `"actor": "controller"`, `"actor": "person:eve"`, 1)); c.OK() || !strings.Contains(c.Event, "is not what was written") {
		t.Errorf("another actor: %+v", c)
	}
	for what, change := range map[string]func(*Record){
		"verdict": func(r *Record) { r.Decision.Verdict.Action = Expand },
		"rollout": func(r *Record) { r.Rollout = "production/other/1" },
		"author":  func(r *Record) { r.Decision.By = "person:eve" },
	} {
		r := h.record(d.ID)
		change(&r)
		c, err := r.Check()
		h.must(err)
		if c.OK() || !strings.Contains(c.Event, "is not the one that the event recorded") || c.Recomputed == nil {
			t.Errorf("another %s shown: %+v", what, c)
		}
	}

	h = approvedAndOverruled(t)
	person, _ := h.rollout().Last()
	c, err := h.record(person.ID).Check()
	if err != nil || !c.OK() || c.Recomputed != nil {
		t.Errorf("of a person: %+v, %v", c, err)
	}
	if _, err := (Record{Event: event.Recorded{Event: event.Event{Subject: "x", Data: []byte("{")}}}).Check(); err == nil {
		t.Error("an event that is none is checked")
	}
	if _, ok := h.state.Record("none"); ok {
		t.Error("there is a record of no decision")
	}
}

// TestProve checks one decision in its log: with its effect, lapsed, and of a
// person; and notices documents and events that are not theirs.
func TestProve(t *testing.T) {
	h := approvedAndOverruled(t)
	for _, d := range h.rollout().Decisions {
		p, err := Prove(h.ctx, h.log, h.blobs, d.ID)
		h.must(err)
		if !p.OK() || p.Pending || p.Seq != d.Seq || p.Hash == (event.Hash{}) || p.Head == (event.Hash{}) || p.Person != (d.By == ana) {
			t.Errorf("%s: %+v", d.Verdict.Action, p)
		}
	}
	first := h.rollout().Decisions[0]
	if p, err := Prove(h.ctx, h.log, &event.MemBlobs{}, first.ID); err != nil || p.OK() || !strings.Contains(p.Record, "its input cannot be read") {
		t.Errorf("without its document: %+v, %v", p, err)
	}
	if _, err := Prove(h.ctx, h.log, h.blobs, "none"); err == nil {
		t.Error("no decision is proven")
	}
	h.append(event.Event{Type: flags.EventType, Subject: "flag.gate", Actor: Controlling, Cause: first.ID, Data: json.RawMessage(`{"changes":[{"op":"force","environment":"production"}]}`)})
	if p, err := Prove(h.ctx, h.log, h.blobs, first.ID); err != nil || p.OK() || !strings.Contains(p.Effect, "does not ask for this") {
		t.Errorf("with a second effect: %+v, %v", p, err)
	}
}

// append writes an event past every room.
func (h *house) append(e event.Event) {
	h.t.Helper()
	e.ID, e.Source, e.Time = event.Derive(e.Type, e.Cause, string(e.Data)), "test", h.now
	_, err := h.log.Append(h.ctx, e, event.Any)
	h.must(err)
}

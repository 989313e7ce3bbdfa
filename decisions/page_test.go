package decisions

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

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
	name, advice := r.Decision.Input, uint64(0)
	if r.Recommended != nil {
		name, advice = r.Recommended.Input, r.Recommended.Seq
	}
	doc, err := h.blobs.Load(h.ctx, name)
	h.must(err)
	var made event.Recorded
	var advised, effect *event.Recorded
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		switch e.Seq {
		case r.Decision.Seq:
			made = e
		case advice:
			advised = &e
		case r.Decision.Effect:
			effect = &e
		}
	}
	r, err = r.With(made, advised, effect, doc)
	h.must(err)
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
	if c := check(strings.ReplaceAll(string(b), `"actor": "controller"`, `"actor": "person:eve"`)); c.OK() || !strings.Contains(c.Event, "is not what was written") || !strings.Contains(c.Effect, "is not what was written") {
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

// TestRecord_provesItsStory: where a rollout was, who had agreed and what it did
// to the flag is what event and document say, or does not hold.
func TestRecord_provesItsStory(t *testing.T) {
	h := approvedAndOverruled(t)
	all := h.rollout().Decisions
	person := h.record(all[len(all)-1].ID)
	at := slices.IndexFunc(all, func(d Decision) bool { return d.Verdict.Action == Expand && d.From == 0 })
	expanded, other := h.record(all[at].ID), h.record(all[0].ID)
	check := func(r Record) Checked {
		t.Helper()
		c, err := r.Check()
		h.must(err)
		return c
	}
	if c := check(expanded); !c.OK() || len(c.Unproven) != 0 || len(expanded.Approvals) != 1 || expanded.Before != "canary" || expanded.After != "experiment" {
		t.Errorf("an approved expansion: %+v of %+v", c, expanded)
	}
	if c := check(person); !c.OK() || !slices.Equal(c.Unproven, []string{"what the release was for: that stands in its plan"}) {
		t.Errorf("a person's rollback: %+v", c)
	}
	for what, test := range map[string]struct {
		of     Record
		change func(*Record)
		got    func(Checked) string
	}{
		"another stage before":       {expanded, func(r *Record) { r.Before = "experiment" }, func(c Checked) string { return c.Stages }},
		"another stage after":        {expanded, func(r *Record) { r.After = "full" }, func(c Checked) string { return c.Stages }},
		"another hypothesis":         {expanded, func(r *Record) { r.Hypothesis = "it sells" }, func(c Checked) string { return c.Stages }},
		"another link":               {expanded, func(r *Record) { r.Links = nil }, func(c Checked) string { return c.Stages }},
		"another person's approval":  {expanded, func(r *Record) { r.Approvals = []Approval{{By: kim}} }, func(c Checked) string { return c.Approvals }},
		"no approval":                {expanded, func(r *Record) { r.Approvals = nil }, func(c Checked) string { return c.Approvals }},
		"no effect":                  {expanded, func(r *Record) { r.Effect = nil }, func(c Checked) string { return c.Effect }},
		"another effect":             {expanded, func(r *Record) { r.Effect = other.Effect }, func(c Checked) string { return c.Effect }},
		"the effect of another":      {expanded, func(r *Record) { r.Effect, r.Decision.Effect = other.Effect, other.Effect.Seq }, func(c Checked) string { return c.Effect }},
		"an effect at another time":  {expanded, func(r *Record) { e := *r.Effect; e.At = e.At.Add(time.Hour); r.Effect = &e }, func(c Checked) string { return c.Effect }},
		"an effect that was forged":  {expanded, func(r *Record) { forge(r, `{"changes":[{"op":"enable","environment":"production"}]}`) }, func(c Checked) string { return c.Effect }},
		"a person's stage":           {person, func(r *Record) { r.Before = "canary" }, func(c Checked) string { return c.Stages }},
		"a person's approval":        {person, func(r *Record) { r.Approvals = expanded.Approvals }, func(c Checked) string { return c.Approvals }},
		"a person's forged effect":   {person, func(r *Record) { forge(r, `{"changes":[{"op":"enable","environment":"production"}]}`) }, func(c Checked) string { return c.Effect }},
		"another recommendation":     {person, func(r *Record) { r.Recommended = &other.Decision }, func(c Checked) string { return c.Advice }},
		"no recommendation":          {person, func(r *Record) { r.Recommended = nil }, func(c Checked) string { return c.Advice }},
		"another's evidence":         {person, func(r *Record) { r.Document = other.Document }, func(c Checked) string { return c.Document }},
		"an event of another advice": {person, func(r *Record) { r.Advised = &other.Event }, func(c Checked) string { return c.Advice }},
	} {
		r := test.of
		test.change(&r)
		if c := check(r); c.OK() || test.got(c) == "" {
			t.Errorf("%s: %+v", what, c)
		}
	}
	for what, change := range map[string]func(*Record){
		"its effect: the file does not hold the event of the flag":                                                 func(r *Record) { e := *r.Effect; e.Event = nil; r.Effect = &e },
		"that it had no effect: the log holds it, or that the decision lapsed":                                     func(r *Record) { r.Effect, r.Decision.Effect = nil, 0 },
		"what was recommended: the file does not hold its event":                                                   func(r *Record) { r.Advised = nil },
		"the stages before and after, and who had agreed: the event of a person's decision did not hold them then": func(r *Record) { older(t, r) },
	} {
		r := person
		change(&r)
		if c := check(r); !c.OK() || !slices.Contains(c.Unproven, what) {
			t.Errorf("%s: %+v", what, c)
		}
	}
}

// TestRecord_ofAGentleRollback: it names the stage that it went back to, and a file
// that names none is refused and breaks nothing.
func TestRecord_ofAGentleRollback(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.incident("pager", Critical, false)
	h.step()
	d, _ := h.rollout().Last()
	r := h.record(d.ID)
	if c, err := r.Check(); err != nil || !c.OK() || r.Before != "experiment" || r.After != "canary" {
		t.Errorf("from %s to %s: %+v, %v", r.Before, r.After, c, err)
	}
	m, err := load[made](r.Event)
	h.must(err)
	m.Verdict.Stage = -1
	r.Event.Data, err = json.Marshal(m)
	h.must(err)
	r.Event.Hash, err = event.Link(r.Event.Prev, r.Event.Event)
	h.must(err)
	if c, err := r.Check(); err != nil || c.OK() || c.Effect == "" {
		t.Errorf("of no stage: %+v, %v", c, err)
	}
}

// forge puts another change, with hashes that are right, into the effect of a
// record.
func forge(r *Record, data string) {
	e := *r.Effect.Event
	e.Data = json.RawMessage(data)
	e.Hash, _ = event.Link(e.Prev, e.Event)
	r.Effect = changeOf(e)
}

// older takes out of a person's decision what was not recorded with it before.
func older(t *testing.T, r *Record) {
	m, err := load[made](r.Event)
	if err == nil {
		m.Before, m.After, m.Approvals = "", "", nil
		r.Event.Data, err = json.Marshal(m)
	}
	if err == nil {
		r.Event.Hash, err = event.Link(r.Event.Prev, r.Event.Event)
	}
	if err != nil {
		t.Fatal(err)
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

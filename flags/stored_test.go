package flags

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// whole is a flag in which every field has a value.
func wholeFlag() Flag {
	f := checkout()
	f.Tags, f.Dates = []string{"payments"}, &Dates{On: "2026-12-01", Off: "2027-02-01"}
	f.Cleanup.Why, f.Cleanup.Review, f.Cleanup.Ticket = "no", "2027-03-01", "https://tickets.example/1"
	f.Environments[production] = Environment{
		Enabled: true, Prerequisites: []Prerequisite{{"checkout.enabled", "on"}}, Targets: []Target{{"on", []string{"w-17"}}},
		Rules: []Rule{
			{Name: "staff", Serve: "on", Until: "2027-01-01", When: &Condition{All: []Condition{
				{Any: []Condition{{Attribute: "ring", Op: In, Values: []any{"internal", "BETA"}, IgnoreCase: true}}},
				{None: []Condition{{Attribute: "version", Op: SemverLt, Value: "2.0.0"}, {Attribute: "age", Op: Lt, Value: 18}}},
			}}},
			{Name: "half", Split: Even("on", "off")},
		},
	}
	return f
}

// story writes every change there is to a log.
func story(t *testing.T) *house {
	h, enabled := newHouse(t), checkout()
	enabled.Key, enabled.Purpose, enabled.Cleanup = "checkout.enabled", KillSwitch, nil
	h.define(enabled, wholeFlag())
	a := canary(2000)
	a.Eligible, a.Audience = "europe", &Condition{Attribute: "country", Op: In, Values: []any{"DE", "FR"}}
	h.do("checkout.express", serve(Rule{Name: "beta", When: &Condition{Attribute: "ring", Op: Eq, Value: "beta"}, Serve: "on"}), allocate(a))
	roll := h.command("checkout.express", in(Force, func(c *Change) { c.Reason, c.Decision = "day-7 retention is breached", "0190a3d2" }))
	roll.Actor, roll.Cause = "controller", "0190a3d2"
	if _, err := h.try(roll); err != nil {
		t.Fatal(err)
	}
	h.do("checkout.express", in(Unforce), in(Unserve, func(c *Change) { c.Name = "beta" }), in(Deallocate))
	h.do("checkout.express", in(Disable))
	h.do("checkout.express", in(Enable))
	h.do("checkout.express", in(Expire, func(c *Change) { c.Name = "staff" }))
	h.do("checkout.express", Change{Op: Archive, Variant: "on", Reason: "shipped"})
	h.do("checkout.express", Change{Op: Restore})
	h.do("checkout.express", everyEdit()...)
	h.do("checkout.enabled", Change{Op: Adopt, Name: "shop-flags"})
	ramp, err := h.state.Ramp("checkout.enabled", Ramp{Environment: production, Coverage: 12500, Number: 1})
	if err != nil {
		t.Fatal(err)
	}
	h.do("checkout.enabled", ramp...)
	brought := imported(`{"if":[{"var":"beta"},"on"]}`)
	brought.Key, brought.Default = "brought.along", ""
	brought.Environments["staging"] = Environment{Enabled: true, Rules: []Rule{{Name: "half", Split: Even("on", "off"), Hash: &HashInput{Salt: "s", By: "account", Joined: true}}}}
	h.define(brought)
	h.wait()
	moved := portioned(0, 25_000)
	moved.Key = "moved.along"
	h.define(moved)
	return h
}

// Events that were written once are read for ever: this test may only ever get
// more events. It fails when a stored shape changes.
func TestRecordedEvents(t *testing.T) {
	var got []event.Recorded
	for r, err := range story(t).log.Read(context.Background(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	golden(t, "events.json", got)
}

func TestRecordedEventsGiveTheRecordedState(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "events.json"))
	if err != nil {
		t.Fatal(err)
	}
	var events []event.Recorded
	if err := json.Unmarshal(b, &events); err != nil {
		t.Fatal(err)
	}
	state := NewState()
	for _, r := range events {
		if err := state.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "state.json", state.State())
}

func TestApplyRefusesWhatItCannotUnderstand(t *testing.T) {
	for data, want := range map[string]string{
		`5`:                               `reading a flag.changed event: json: cannot unmarshal number into Go value of type flags.changed`,
		`{"changes":[{"op":"melt"}]}`:     `change "melt" is not known to this version`,
		`{"changes":[{"op":"define"}]}`:   `change "define" has no flag`,
		`{"changes":[{"op":"allocate"}]}`: `change "allocate" has no allocation`,
		`{"changes":[{"op":"serve"}]}`:    `change "serve" has no rule`,
	} {
		s := NewState()
		err := s.Apply(event.Recorded{Event: event.Event{Type: EventType, Subject: "flag.a", Data: json.RawMessage(data)}, Seq: 1})
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v", data, err)
		}
		if len(s.Keys()) != 0 {
			t.Errorf("%s left something behind", data)
		}
	}
	s := NewState()
	if err := s.Apply(event.Recorded{Event: event.Event{Type: "decision.made", Subject: "rollout.a", Data: json.RawMessage(`5`)}}); err != nil {
		t.Errorf("an event of another room: %v", err)
	}
}

func TestFlagIsACopy(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	r, _ := h.state.Flag("checkout.express")
	delete(r.Environments, production)
	if again, ok := h.state.Flag("checkout.express"); !ok || len(again.Environments) != 1 {
		t.Errorf("the state was changed from outside: %+v", again)
	}
	if diff := cmp.Diff([]string{"checkout.express"}, h.state.Keys()); diff != "" {
		t.Error(diff)
	}
	if _, ok := h.state.Flag("other"); ok {
		t.Error("there is a flag that nobody defined")
	}
}

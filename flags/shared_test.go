package flags

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// order returns what a person's command has.
func (h *house) order() Order {
	h.n++
	return Order{
		ID: event.Derive(h.t.Name(), "shared", strconv.Itoa(h.n)), Expect: event.Any, At: noon.Add(time.Duration(h.n) * time.Minute),
		Actor: "person:ana", Comment: "test",
	}
}

// record appends an event that was made of a command, and applies it.
func (h *house) record(e event.Event, expect event.Expect, err error) (uint64, error) {
	h.t.Helper()
	if err != nil {
		return 0, err
	}
	seq, err := h.log.Append(context.Background(), e, expect)
	if err != nil {
		h.t.Fatalf("appending: %v", err)
	}
	if err := h.p.Catch(context.Background(), h.log); err != nil {
		h.t.Fatalf("applying: %v", err)
	}
	return seq, nil
}

func (h *house) trySegment(key string, changes ...SegmentChange) (uint64, error) {
	h.t.Helper()
	return h.record(h.state.HandleSegment(SegmentCommand{Order: h.order(), Key: key, Changes: changes}))
}

func (h *house) tryEnvironment(key string, doc *EnvironmentDoc) (uint64, error) {
	h.t.Helper()
	return h.record(h.state.HandleEnvironment(EnvironmentCommand{Order: h.order(), Key: key, Environment: doc}))
}

func (h *house) tryPolicy(key string, doc *Policy) (uint64, error) {
	h.t.Helper()
	return h.record(h.state.HandlePolicy(PolicyCommand{Order: h.order(), Key: key, Policy: doc}))
}

// granted ends the test when a command is refused.
func (h *house) granted(seq uint64, err error) uint64 {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("refused: %v", err)
	}
	return seq
}

func (h *house) segment(doc Segment) uint64 {
	h.t.Helper()
	return h.granted(h.trySegment(doc.Key, SegmentChange{Op: SegmentDefine, Segment: &doc}))
}

func (h *house) environment(doc EnvironmentDoc) uint64 {
	h.t.Helper()
	return h.granted(h.tryEnvironment(doc.Key, &doc))
}

func (h *house) policy(doc Policy) uint64 {
	h.t.Helper()
	return h.granted(h.tryPolicy(doc.Key, &doc))
}

// asks returns a condition that is met by the members of any of the segments.
func asks(segments ...string) *Condition {
	values := make([]any, len(segments))
	for i, s := range segments {
		values[i] = s
	}
	return &Condition{Op: InSegment, Values: values}
}

// forSegment returns checkout with one rule for a segment.
func forSegment(segment string) Flag {
	f := checkout()
	f.Environments[production] = Environment{Enabled: true, Rules: []Rule{{Name: "members", When: asks(segment), Serve: "on"}}}
	return f
}

// fellows is a segment of workspaces.
func fellows(ids ...string) Segment {
	return Segment{Key: "fellows", Unit: "workspace", Included: ListOf(ids...)}
}

// wantRefusal checks a refusal, each fault as "path: why".
func wantRefusal(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), refusal(err)); diff != "" {
		t.Errorf("%s: want -, got +\n%s", what, diff)
	}
}

// What somebody commands of documents that are not there, or are so already.
func TestSharedDocuments_thatAreNotThere(t *testing.T) {
	h := newHouse(t)
	for name, err := range map[string]error{
		"segment":     second(h.trySegment("fellows", SegmentChange{Op: SegmentDelete})),
		"no change":   second(h.trySegment("fellows")),
		"environment": second(h.tryEnvironment("moon", nil)),
		"given":       second(h.tryEnvironment(production, nil)),
		"policy":      second(h.tryPolicy("strict", nil)),
	} {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: got %v, want ErrUnknown", name, err)
		}
	}
	h.segment(fellows("w-1"))
	h.environment(EnvironmentDoc{Key: "moon"})
	h.policy(Policy{Key: "strict"})
	again := fellows("w-1", "w-1")
	for name, err := range map[string]error{
		"segment":     second(h.trySegment("fellows", SegmentChange{Op: SegmentDefine, Segment: &again})),
		"environment": second(h.tryEnvironment("moon", &EnvironmentDoc{Key: "moon"})),
		"policy":      second(h.tryPolicy("strict", &Policy{Key: "strict"})),
	} {
		if !errors.Is(err, ErrUnchanged) {
			t.Errorf("%s: got %v, want ErrUnchanged", name, err)
		}
	}
}

func second(_ uint64, err error) error { return err }

func TestSharedDocuments_expectARevision(t *testing.T) {
	h := newHouse(t)
	seq := h.segment(fellows("w-1"))
	late := h.order()
	late.Expect = event.Expect(seq + 7)
	_, _, segment := h.state.HandleSegment(SegmentCommand{Order: late, Key: "fellows"})
	_, _, environment := h.state.HandleEnvironment(EnvironmentCommand{Order: late, Key: production})
	_, _, policy := h.state.HandlePolicy(PolicyCommand{Order: late, Key: "strict"})
	for _, err := range []error{segment, environment, policy} {
		if !errors.Is(err, event.ErrConflict) {
			t.Errorf("got %v, want ErrConflict", err)
		}
	}
	late.Expect = event.Expect(seq)
	if _, expect, err := h.state.HandleSegment(SegmentCommand{Order: late, Key: "fellows", Changes: []SegmentChange{{Op: SegmentDelete}}}); err != nil || expect != event.Expect(seq) {
		t.Errorf("got %d, %v", expect, err)
	}
}

func TestSharedDocuments_thatApplyCannotUnderstand(t *testing.T) {
	for kind, data := range map[string]string{
		SegmentEventType: `{"changes":[{"op":"melt"}]}`, EnvironmentEventType: `5`, PolicyEventType: `[]`,
	} {
		s := NewState()
		if err := s.Apply(event.Recorded{Event: event.Event{Type: kind, Subject: "x.y", Data: []byte(data)}, Seq: 1}); err == nil {
			t.Errorf("%s %s is applied", kind, data)
		}
	}
	for _, data := range []string{`5`, `{"changes":[{"op":"define"}]}`, `{"changes":[{"op":"add","list":"other"}]}`} {
		s := NewState()
		if err := s.Apply(event.Recorded{Event: event.Event{Type: SegmentEventType, Subject: "segment.y", Data: []byte(data)}, Seq: 1}); err == nil || len(s.Segments()) > 0 {
			t.Errorf("%s: got %v", data, err)
		}
	}
}

// sharedStory writes every change there is of what flags share to a log.
func sharedStory(t *testing.T) *house {
	h := newHouse(t)
	doc, _ := large(t, "w-1", "w-2")
	doc.Description, doc.Owner, doc.Tags = "workspaces of the guild", "payments", []string{"guild"}
	doc.Excluded, doc.When = ListOf("w-9"), &Condition{Attribute: "plan", Op: Eq, Value: "pro"}
	h.segment(doc)
	h.granted(h.trySegment("fellows", SegmentChange{Op: SegmentAdd, List: IncludedList, Units: []string{"w-3"}},
		SegmentChange{Op: SegmentRemove, List: IncludedList, Units: []string{"w-1"}}))
	h.environment(EnvironmentDoc{
		Key: production, Description: "where customers are", Order: 9, Rules: []InheritedRule{embargo()},
		Layers: []Layer{{Name: "checkout", Unit: "workspace", Holdout: 5000}, {Name: "search"}},
	})
	h.policy(Policy{
		Key: "strict", Description: "money", Rank: 5,
		Match: Match{Environments: []string{production}, Tags: []string{"payments"}, Purposes: []Purpose{Experiment}, Keys: []string{"checkout.*"}},
		Flags: Demands{KeyPattern: "[a-z.]+", Require: []Required{RequireWhy}, MaxPrerequisiteDepth: 2, Approvals: &Approvals{Count: 1, Role: "approver"}},
	})
	h.define(forSegment("fellows"))
	f := tagged("payments")
	f.Key = "checkout.slow"
	h.define(f)
	h.do(f.Key, after(func(a *Allocation) {
		a.Salt, a.Rollout, a.Audience, a.Slice = f.Key, "production/checkout.slow/1", asks("fellows"), &Slice{Salt: "production/checkout", From: 5000, To: 25000}
	}))
	h.segment(Segment{Key: "guests"})
	h.granted(h.trySegment("guests", SegmentChange{Op: SegmentDelete}))
	h.environment(EnvironmentDoc{Key: "moon"})
	h.granted(h.tryEnvironment("moon", nil))
	h.granted(h.tryPolicy("strict", nil))
	h.granted(h.tryScan(shopScan()))
	return h
}

// TestRecordedSharedEvents is TestRecordedEvents for what flags share.
func TestRecordedSharedEvents(t *testing.T) {
	h := sharedStory(t)
	golden(t, "shared.json", read(t, h.log))
	golden(t, "shared-state.json", h.state.State())
	golden(t, "ruleset.json", h.state.Ruleset(production))
}

func TestSharedSnapshot(t *testing.T) {
	eventtest.Fold(t, NewState, read(t, sharedStory(t).log))
}

package flags

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
)

func TestParseMoment(t *testing.T) {
	for text, want := range map[string]Moment{
		"1": {Seq: 1}, "12": {Seq: 12}, "2026-11-02T12:00:00Z": {Time: noon}, "2026-11-02T13:00:00+01:00": {Time: noon},
		"2026-11-01": {Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
	} {
		got, err := ParseMoment(text, 12, noon)
		if err != nil || got.Seq != want.Seq || !got.Time.Equal(want.Time) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"0":                    `at "0" is before the first event; revisions count from 1`,
		"13":                   `at "13" is in the future; the log is at 12`,
		"2026-11-02T12:00:01Z": `at "2026-11-02T12:00:01Z" is in the future; write a time up to now, 2026-11-02T12:00:00Z`,
		"yesterday":            `at "yesterday" is not a revision or a time; write a revision such as 12, or a time such as 2027-01-31T09:00:00Z`,
		"-1":                   `at "-1" is not a revision or a time; write a revision such as 12, or a time such as 2027-01-31T09:00:00Z`,
	} {
		var fault event.Invalid
		if _, err := ParseMoment(text, 12, noon); !errors.As(err, &fault) || err.Error() != want {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// past folds the log of the house up to a moment, as a server does.
func (h *house) past(m Moment) *State {
	h.t.Helper()
	s, err := Past(m, h.log.Read(context.Background(), event.Filter{Subjects: []string{SubjectPrefix + ">"}}, 0))
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func TestPast_atATime(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())                  // at noon and one minute
	h.do("checkout.express", in(Disable)) // and two
	for after, want := range map[time.Duration]uint64{0: 0, time.Minute: 1, 119 * time.Second: 1, 2 * time.Minute: 2, time.Hour: 2} {
		if f, _ := h.past(Moment{Time: noon.Add(after)}).Flag("checkout.express"); f.Revision != want {
			t.Errorf("after %s: revision %d, want %d", after, f.Revision, want)
		}
	}
}

func TestPast_ofALogThatCannotBeRead(t *testing.T) {
	gone := func(yield func(event.Recorded, error) bool) { yield(event.Recorded{}, event.ErrDamaged) }
	if _, err := Past(Moment{Seq: 1}, gone); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

// TestPast_answersAsThen: whatever was commanded, the past folded from the log
// explains, at each revision, the answers that were given then.
func TestPast_answersAsThen(t *testing.T) {
	type answer struct {
		key     string
		context *Context
		result  Result
	}
	rapid.Check(t, func(rt *rapid.T) {
		h, given := newHouse(t), map[uint64][]answer{}
		for range rapid.IntRange(1, 25).Draw(rt, "commands") {
			key := genFlagKey(rt)
			seq, err := h.try(h.command(key, genChange(rt, key)))
			if err != nil {
				mustBeRefusal(rt, err)
				continue
			}
			set := h.state.Compile(production, nil)
			for range 5 {
				key, c := genFlagKey(rt), genContext(rt)
				given[seq] = append(given[seq], answer{key, c, set.Evaluate(key, c)})
			}
		}
		for seq, answers := range given {
			set := h.past(Moment{Seq: seq}).Compile(production, nil)
			for _, a := range answers {
				if diff := cmp.Diff(a.result, set.Explain(a.key, a.context).Result); diff != "" {
					rt.Fatalf("%s at %d for %+v: answered -, explained +\n%s", a.key, seq, a.context, diff)
				}
			}
		}
	})
}

package flags

import (
	"iter"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Moment is a place in the past: a sequence of the log, which is what
// revisions are, or a time.
type Moment struct {
	Seq  uint64    // 0: Time says when
	Time time.Time // zero: Seq says when
}

// ParseMoment reads what people write for a moment. last is the sequence of
// the last event of the log: nothing is known of what comes behind it.
func ParseMoment(text string, last uint64, now time.Time) (Moment, error) {
	const fix = "write a revision such as 12, or a time such as 2027-01-31T09:00:00Z"
	if seq, err := strconv.ParseUint(text, 10, 64); err == nil {
		switch {
		case seq == 0:
			return Moment{}, event.Invalid{Path: "at", Value: text, Why: "is before the first event", Fix: "revisions count from 1"}
		case seq > last:
			return Moment{}, event.Invalid{Path: "at", Value: text, Why: "is in the future", Fix: "the log is at " + strconv.FormatUint(last, 10)}
		}
		return Moment{Seq: seq}, nil
	}
	t, ok := Date(text).Time()
	switch {
	case !ok:
		return Moment{}, event.Invalid{Path: "at", Value: text, Why: "is not a revision or a time", Fix: fix}
	case t.After(now):
		return Moment{}, event.Invalid{Path: "at", Value: text, Why: "is in the future", Fix: "write a time up to now, " + now.Format(time.RFC3339)}
	}
	return Moment{Time: t}, nil
}

// before reports whether the event came behind the moment.
func (m Moment) before(r event.Recorded) bool {
	if m.Seq > 0 {
		return r.Seq > m.Seq
	}
	return r.Time.After(m.Time)
}

// Past folds events, in the order of the log, up to a moment. What it returns
// answers as the house did then, for the flags whose events, and whose
// prerequisites' and segments' events, are among them. A time means the state
// before the first event that is later: always one that the house was in,
// also when the clocks of two replicas differed.
func Past(m Moment, events iter.Seq2[event.Recorded, error]) (*State, error) {
	s := NewState()
	for r, err := range events {
		if err != nil {
			return nil, err
		}
		if m.before(r) {
			return s, nil
		}
		if err := s.Apply(r); err != nil {
			return nil, err
		}
	}
	return s, nil
}

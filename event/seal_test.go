package event_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

func TestSealIsDue(t *testing.T) {
	now := eventtest.Noon
	for _, c := range []struct {
		name string
		last uint64 // sequence of the newest seal
		seq  uint64
		ago  time.Duration // since it was made
		want bool
	}{
		{"empty log", 0, 0, 0, false},
		{"never sealed, few events", 0, 255, 1000 * time.Hour, false},
		{"never sealed, enough events", 0, 256, 0, true},
		{"just sealed", 300, 300, 0, false},
		{"long ago, nothing since", 300, 300, 1000 * time.Hour, false},
		{"one event, not long ago", 300, 301, time.Hour - 1, false},
		{"one event, an hour ago", 300, 301, time.Hour, true},
		{"enough events", 300, 556, 0, true},
		{"not enough events", 300, 555, 0, false},
		{"the clock went back", 300, 301, -time.Hour, false},
	} {
		s := event.Seals{Seq: c.last, Made: now.Add(-c.ago)}
		if got := s.Due(c.seq, now); got != c.want {
			t.Errorf("%s: due %t", c.name, got)
		}
	}
}

func TestSealsFoldTheNewest(t *testing.T) {
	var s event.Seals
	for _, r := range all(t, sealed(t, 20, func(*event.Mark) {}, 5, 12)) {
		if err := s.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
	if s.Last.Seq != 12 || s.Seq != 13 || !s.Made.Equal(eventtest.Noon) {
		t.Errorf("the newest seal is %+v", s)
	}
	if d := cmp.Diff(s.State(), any(s)); d != "" {
		t.Error(d)
	}
}

func TestTwoSealersMakeOneSeal(t *testing.T) {
	m := event.Mark{Seq: 7, Head: event.Sum([]byte("head"))}
	a, b := event.Sealed(m, eventtest.Noon), event.Sealed(m, eventtest.Noon.Add(time.Second))
	if a.ID != b.ID {
		t.Error("the same place is sealed by two events")
	}
	m.Seq++
	if event.Sealed(m, eventtest.Noon).ID == a.ID {
		t.Error("two places are sealed by one event")
	}
}

func TestHashText(t *testing.T) {
	var h event.Hash
	want := event.Sum([]byte("x"))
	if err := h.UnmarshalText([]byte(want.String())); err != nil || h != want {
		t.Errorf("UnmarshalText = %v, %s", err, h)
	}
	if err := h.UnmarshalText(nil); err != nil || h != (event.Hash{}) || h.String() != "" {
		t.Errorf("the empty text is %v, %s", err, h)
	}
	for _, bad := range []string{"0", want.String()[1:], want.String() + "00", "zz" + want.String()[2:]} {
		if err := h.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read as a hash", bad)
		}
	}
}

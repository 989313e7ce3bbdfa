package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// reread returns r as it is after its JSON was written and read.
func reread(t interface{ Fatal(...any) }, r event.Recorded) event.Recorded {
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again event.Recorded
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	return again
}

// sealed returns a log of n events that is sealed at the given places, as
// soon as they are reached, with what spoil makes of each mark.
func sealed(t *testing.T, n int, spoil func(*event.Mark), places ...uint64) event.Log {
	t.Helper()
	log, p := event.NewMemLog(), event.NewProjection()
	for i := range n {
		if _, err := log.Append(t.Context(), eventtest.Event("flag.a", i), event.Any); err != nil {
			t.Fatal(err)
		}
		if err := p.Catch(t.Context(), log); err != nil {
			t.Fatal(err)
		}
		if len(places) == 0 || p.Seq() < places[0] {
			continue
		}
		m, err := p.Mark()
		if err != nil {
			t.Fatal(err)
		}
		spoil(&m)
		if _, err := log.Append(t.Context(), event.Sealed(m, eventtest.Noon), event.Any); err != nil {
			t.Fatal(err)
		}
		places = places[1:]
	}
	return log
}

func audit(t *testing.T, log event.Log) (event.Audit, error) {
	t.Helper()
	var a event.Audit
	for _, r := range all(t, log) {
		if err := a.Next(r); err != nil {
			return a, err
		}
	}
	return a, nil
}

func TestAuditFollowsSeals(t *testing.T) {
	a, err := audit(t, sealed(t, 30, func(*event.Mark) {}, 5, 11, 12, 30))
	if err != nil {
		t.Fatal(err)
	}
	if a.Seq != 34 || a.Seals.Last.Seq != 30 || a.Seals.Seq != 31 {
		t.Errorf("the log ends at %d, its seal %d names %d; want 34, 31, 30", a.Seq, a.Seals.Seq, a.Seals.Last.Seq)
	}
}

func TestAuditRefusesSeals(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*event.Mark)
		want  string
	}{
		"another head":      {func(m *event.Mark) { m.Head[0]++ }, "event 5 or one before it is not what seal 6 sealed"},
		"another place":     {func(m *event.Mark) { m.Seq-- }, "event 4 or one before it"},
		"itself":            {func(m *event.Mark) { m.Seq++ }, "seal 6 names event 6"},
		"what is to come":   {func(m *event.Mark) { m.Seq = 1 << 60 }, "seal 6 names event"},
		"before everything": {func(m *event.Mark) { m.Seq = 0 }, "seal 6 names event 0"},
	} {
		_, err := audit(t, sealed(t, 9, c.spoil, 5))
		if !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if _, err := audit(t, sealed(t, 9, func(m *event.Mark) { m.Seq = min(m.Seq, 5) }, 5, 8)); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("a second seal of the same place: %v", err)
	}
}

func TestAuditRefusesASealThatIsNone(t *testing.T) {
	log := event.NewMemLog()
	e := eventtest.Event(event.SealSubject, 1)
	e.Type = event.SealType
	e.Data = []byte(`{"head":"short"}`)
	if _, err := log.Append(t.Context(), e, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := audit(t, log); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("audit = %v", err)
	}
}

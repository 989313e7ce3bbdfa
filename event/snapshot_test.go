package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// Snapshot and Restore make tally a fold that can be restored.
func (c *tally) Snapshot() any { return c.State() }

func (c *tally) Restore(b json.RawMessage) error { return json.Unmarshal(b, &c.Counts) }

// keeper keeps what it has applied beside its state.
type keeper struct {
	IDs event.IDs `json:"ids"`
}

func (k *keeper) Apply(r event.Recorded) error    { k.IDs.Add(r.ID, r.Seq); return nil }
func (k *keeper) State() any                      { return nil }
func (k *keeper) Snapshot() any                   { return keeper{k.IDs.Frozen()} }
func (k *keeper) Restore(b json.RawMessage) error { return json.Unmarshal(b, k) }

func TestSealsSnapshot(t *testing.T) {
	log := event.NewMemLog()
	for i := range 3 {
		e := event.Sealed(event.Mark{Seq: uint64(i), Head: event.Sum([]byte{byte(i)})}, eventtest.Noon)
		if _, err := log.Append(t.Context(), e, event.Any); err != nil {
			t.Fatal(err)
		}
	}
	eventtest.Fold(t, func() *event.Seals { return &event.Seals{} }, recordedIn(t, log))
}

func TestIDs(t *testing.T) {
	list := history(t, 5)
	eventtest.Fold(t, func() *keeper { return &keeper{} }, list)
	var k keeper
	for _, r := range list {
		if err := k.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
	if seq, ok := k.IDs.Seq(list[3].ID); !ok || seq != 4 {
		t.Errorf("the fourth event is at %d, %t", seq, ok)
	}
	if _, ok := k.IDs.Seq(event.Derive("another")); ok {
		t.Error("an event is known that never was")
	}
	for _, bad := range []string{`{"ids":"AAAA"}`, `{"ids":7}`} {
		if err := new(keeper).Restore(json.RawMessage(bad)); err == nil {
			t.Errorf("%s is read as IDs", bad)
		}
	}
}

// recordedIn returns every event of a log.
func recordedIn(t *testing.T, log event.Log) (list []event.Recorded) {
	t.Helper()
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// lived returns a log of n events, its projection and the projection's
// snapshot at half of them. A log with more in it is another one.
func lived(t *testing.T, n int, more ...string) (*event.MemLog, *event.Projection, []byte) {
	t.Helper()
	log := event.NewMemLog()
	p := event.NewProjection(newTally(), &keeper{})
	var taken []byte
	for i := range n {
		e := eventtest.Event([]string{"flag.a", "flag.b"}[i%2], i)
		e.Actor += strings.Join(more, "")
		if _, err := log.Append(t.Context(), e, event.Any); err != nil {
			t.Fatal(err)
		}
		if err := p.Catch(t.Context(), log); err != nil {
			t.Fatal(err)
		}
		if i+1 != n/2 {
			continue
		}
		b, m, err := p.Snapshot("v1")
		if err != nil || m.Seq != uint64(n/2) {
			t.Fatalf("the snapshot is of event %d: %v", m.Seq, err)
		}
		taken = b
	}
	return log, p, taken
}

func restore(t *testing.T, log event.Log, b []byte, code string) (*event.Projection, error) {
	t.Helper()
	p := event.NewProjection(newTally(), &keeper{})
	return p, p.Restore(t.Context(), log, b, code)
}

func mark(t *testing.T, p *event.Projection) event.Mark {
	t.Helper()
	m, err := p.Mark()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSnapshotAndTail: a snapshot and the events behind it give the mark that
// all events give, and the log's own head is met on the way.
func TestSnapshotAndTail(t *testing.T) {
	log, folded, taken := lived(t, 20)
	p, err := restore(t, log, taken, "v1")
	if err != nil || p.Seq() != 10 {
		t.Fatalf("restored at event %d: %v", p.Seq(), err)
	}
	if err := p.Meet(t.Context(), log, mark(t, folded)); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(mark(t, folded), mark(t, p)); d != "" {
		t.Errorf("snapshot and tail give another mark (-folded +restored):\n%s", d)
	}
	if err := p.Catch(t.Context(), log); err != nil {
		t.Error(err)
	}
	other := mark(t, folded)
	other.Head[0] ^= 1
	if err := p.Meet(t.Context(), log, other); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("with another head than the log's: %v", err)
	}
}

// TestSnapshotIsDiscarded: whatever is wrong with a snapshot, it is not taken
// for the state. What is said of it names the fault.
func TestSnapshotIsDiscarded(t *testing.T) {
	log, _, taken := lived(t, 20)
	other, _, _ := lived(t, 20, "else")
	short := event.NewMemLog()
	for name, c := range map[string]struct {
		log  event.Log
		b    []byte
		code string
		want string
	}{
		"newer program":  {log, taken, "v2", "another version of the program"},
		"newer format":   {log, bytes.Replace(taken, []byte("snapshot 1"), []byte("snapshot 2"), 1), "v1", "not a snapshot of this format"},
		"empty":          {log, nil, "v1", "not a snapshot"},
		"another log":    {other, taken, "v1", "event 10 of the log is not the one"},
		"a log cut off":  {short, taken, "v1", "ends before event 10"},
		"one byte short": {log, taken[:len(taken)-1], "v1", "not what was written"},
	} {
		if _, err := restore(t, c.log, c.b, c.code); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if p := event.NewProjection(newTally()); p.Restore(t.Context(), log, taken, "v1") == nil {
		t.Error("a snapshot of two folds is restored into one")
	}
	if p := event.NewProjection(broken{}, broken{}); p.Restore(t.Context(), log, taken, "v1") == nil {
		t.Error("folds are restored that cannot be")
	}
	if _, _, err := event.NewProjection(&unkept{}).Snapshot("v1"); err == nil || !strings.Contains(err.Error(), "unkept") {
		t.Errorf("a snapshot of a fold that has none: %v", err)
	}
}

// unkept is a fold that cannot be restored.
type unkept struct{}

func (unkept) Apply(event.Recorded) error { return nil }
func (unkept) State() any                 { return 1 }

// TestEveryByteOfASnapshotCounts flips every byte and cuts at every length.
func TestEveryByteOfASnapshotCounts(t *testing.T) {
	log, _, taken := lived(t, 8)
	for i := range taken {
		bad := bytes.Clone(taken)
		bad[i] ^= 0x40
		if _, err := restore(t, log, bad, "v1"); err == nil {
			t.Errorf("byte %d of %d is flipped and nobody sees it", i, len(taken))
		}
		if _, err := restore(t, log, taken[:i], "v1"); err == nil {
			t.Errorf("%d of %d bytes are taken for a snapshot", i, len(taken))
		}
	}
}

// forgetful loses something when it is restored.
type forgetful struct{ *tally }

func (f forgetful) Restore(json.RawMessage) error { return nil }

// TestSnapshotOfAWrongFold: a fold that does not restore its own state is found
// out by the hash.
func TestSnapshotOfAWrongFold(t *testing.T) {
	log, _, taken := lived(t, 8)
	p := event.NewProjection(forgetful{newTally()}, &keeper{})
	if err := p.Restore(t.Context(), log, taken, "v1"); err == nil || !strings.Contains(err.Error(), "is not the one that the snapshot was made of") {
		t.Errorf("Restore = %v", err)
	}
}

// TestCheckpoint: every 256 events there is a mark, the same on every replica
// wherever it started, and later events do not change it.
func TestCheckpoint(t *testing.T) {
	log, ahead := event.NewMemLog(), event.NewProjection(newTally(), &keeper{})
	var then event.Mark
	for i := range 2*event.CheckEvery + 5 {
		if _, err := log.Append(t.Context(), eventtest.Event("flag.a", i), event.Any); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := ahead.Checkpoint(); ok {
			t.Fatal("there is a checkpoint before the first event is applied")
		}
		if i+1 == event.CheckEvery {
			p := event.NewProjection(newTally(), &keeper{})
			if err := p.Catch(t.Context(), log); err != nil {
				t.Fatal(err)
			}
			then = mark(t, p)
		}
	}
	for i := range 2 {
		if err := ahead.Meet(t.Context(), log, then); i == 0 && err != nil {
			t.Fatal(err)
		}
		if got, ok, err := ahead.Checkpoint(); !ok || err != nil || got.Seq != uint64((i+1)*event.CheckEvery) || i == 0 && got != then {
			t.Errorf("checkpoint %v, %t, %v", got, ok, err)
		}
		if err := ahead.Catch(t.Context(), log); err != nil {
			t.Fatal(err)
		}
	}
}

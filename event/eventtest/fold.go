package eventtest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/event"
)

// Fold checks the promises of event.Restorer over a history: at every place, a
// fold that is restored from its snapshot goes on exactly as the one that was
// folded from the first event, down to its unexported fields; and a state or
// snapshot that was taken stays as it was. The history should have every event
// that the fold knows. opts are for fields that cannot be compared otherwise;
// functions are passed over.
func Fold[F event.Restorer](t *testing.T, empty func() F, history []event.Recorded, opts ...cmp.Option) {
	t.Helper()
	opts = append(opts, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty(),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type().Kind() == reflect.Func }, cmp.Ignore()))
	for at := range len(history) + 1 {
		whole, restored := empty(), empty()
		apply(t, whole, history[:at])
		state, kept := whole.State(), whole.Snapshot()
		stateThen, keptThen := encode(t, state), encode(t, kept)
		if err := restored.Restore(json.RawMessage(keptThen)); err != nil {
			t.Fatalf("restoring after %d events: %v", at, err)
		}
		if d := cmp.Diff(whole, restored, opts...); d != "" {
			t.Fatalf("restored after %d events, it is another (-folded +restored):\n%s", at, d)
		}
		apply(t, whole, history[at:])
		apply(t, restored, history[at:])
		if d := cmp.Diff(whole, restored, opts...); d != "" {
			t.Fatalf("restored after %d of %d events, it goes on otherwise (-folded +restored):\n%s", at, len(history), d)
		}
		if d := cmp.Diff(encode(t, whole.State()), encode(t, restored.State())); d != "" {
			t.Fatalf("restored after %d events, its state has other bytes:\n%s", at, d)
		}
		if encode(t, state) != stateThen || encode(t, kept) != keptThen {
			t.Fatalf("what was taken after %d events has changed under the hands of whoever took it", at)
		}
	}
}

func apply(t *testing.T, f event.Fold, events []event.Recorded) {
	t.Helper()
	for _, r := range events {
		if err := f.Apply(r); err != nil {
			t.Fatalf("applying event %d (%s of %s): %v", r.Seq, r.Type, r.Subject, err)
		}
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

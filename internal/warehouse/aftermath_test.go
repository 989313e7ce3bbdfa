package warehouse

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// What a flag exposed after a change is counted by when it was, and is unsafe
// where an older revision gave another variant than the safe one.
func TestAftermath(t *testing.T) {
	w, _ := start(t)
	var s story
	at := func(revision uint64) func(*ingest.ExposureRow) {
		return func(r *ingest.ExposureRow) { r.Revision = revision }
	}
	after := func(d time.Duration) time.Time { return noon.Add(d) }
	s.expose(1, "on", after(-time.Millisecond), at(6)) // before the change
	s.expose(2, "on", after(0), at(6))
	s.expose(3, "on", after(900*time.Millisecond), at(6))
	s.expose(3, "off", after(950*time.Millisecond), at(6))                                                          // an older revision that is safe all the same
	s.expose(4, "on", after(time.Second), at(7))                                                                    // the change itself leaves it to some
	s.expose(5, "on", after(1500*time.Millisecond), at(0))                                                          // nobody knows by which revision
	s.expose(6, "on", after(time.Hour), at(6), func(r *ingest.ExposureRow) { r.Received = after(2 * time.Second) }) // a clock that is ahead
	s.expose(7, "on", after(time.Minute), at(6))                                                                    // later than asked for
	s.expose(8, "on", after(0), at(6), func(r *ingest.ExposureRow) { r.Synthetic = true })
	s.expose(9, "on", after(0), at(6), func(r *ingest.ExposureRow) { r.Flag = "other" })
	for seq, token := range []string{"story", "again"} { // every exposure twice
		if err := w.Insert(t.Context(), block(token, uint64(1+8*seq), s.n, s.rows)); err != nil {
			t.Fatal(err)
		}
	}
	q := AftermathQuestion{Environment: "production", Flag: "checkout", Safe: "off", Revision: 7, Since: noon, Until: after(10 * time.Second), Step: time.Second}
	for forced, want := range map[bool][]AftermathBin{
		false: {
			{At: after(0), All: 3, Unsafe: 2, Last: after(900 * time.Millisecond)}, {At: after(time.Second), All: 2},
			{At: after(2 * time.Second), All: 1, Unsafe: 1, Last: after(2 * time.Second)},
		},
		true: {
			{At: after(0), All: 3, Unsafe: 2, Last: after(900 * time.Millisecond)}, {At: after(time.Second), All: 2, Unsafe: 1, Last: after(1500 * time.Millisecond)},
			{At: after(2 * time.Second), All: 1, Unsafe: 1, Last: after(2 * time.Second)},
		},
	} {
		q.Forced = forced
		got, err := w.Aftermath(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Bins); diff != "" || len(got.Queries) != 1 || got.Queries[0].Hash == (event.Hash{}) {
			t.Errorf("forced %t, queries %+v, -want +got:\n%s", forced, got.Queries, diff)
		}
	}
	q.Flag = "nothing"
	if got, err := w.Aftermath(t.Context(), q); err != nil || got.Bins != nil {
		t.Errorf("of no flag: %+v, %v", got.Bins, err)
	}
}

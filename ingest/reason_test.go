package ingest

import "testing"

// TestLetter_Fix: every reason is known and says what to do; what cannot be sent
// again is not said to be.
func TestLetter_Fix(t *testing.T) {
	for _, r := range Reasons {
		l := Letter{Shard: "facts-0", Reason: r, Fact: []byte(`{}`)}
		if !r.Known() || l.Fix() == "" {
			t.Errorf("%s: %q", r, l.Fix())
		}
	}
	if len(Reasons) != len(fixOf) {
		t.Errorf("%d reasons, and what to do about %d", len(Reasons), len(fixOf))
	}
	const purge = "it cannot be sent again: purge it once its cause is mended"
	if got := (Letter{Shard: ControlShard, Reason: Rejected, Fact: []byte(`{}`)}).Fix(); got != purge {
		t.Errorf("a row of the log: %q", got)
	}
	if got := (Letter{Shard: "facts-0", Reason: Lost}).Fix(); got == purge {
		t.Errorf("what is lost: %q", got)
	}
}

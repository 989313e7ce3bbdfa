package decisions

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// claim appends an answer to an alarm that the test makes up.
func (h *house) claim(a Alarm) event.Recorded {
	h.t.Helper()
	doc, err := json.Marshal(a)
	h.must(err)
	blob, err := h.blobs.Put(h.ctx, doc)
	h.must(err)
	v, err := Answer(a)
	h.must(err)
	return h.forge(TypeAnswered, "incident.production.gate", Controlling, "", answered{
		Incident: a.Incident.ID, Verdict: v, Input: blob, Revision: h.gate().Revision,
	})
}

// An answer to an incident holds for the moment at which it was made: that
// incident was open, the flag said so, and no rollout served it.
func TestVerifyRefusesAnswersToNothing(t *testing.T) {
	for name, c := range map[string]struct {
		do  func(h *house, a *Alarm)
		why string
	}{
		"":                         {func(*house, *Alarm) {}, ""},
		"another incident":         {func(_ *house, a *Alarm) { a.Incident.ID = "other" }, "is not open in the log before it"},
		"a milder incident":        {func(_ *house, a *Alarm) { a.Incident.Text = "worse than it was" }, "is not open in the log before it"},
		"another flag":             {func(_ *house, a *Alarm) { a.Flag = "door" }, "is not open in the log before it"},
		"a flag that does not ask": {func(h *house, _ *Alarm) { h.careful(flags.Notify) }, `the flag said "notify" then`},
		"a flag that never asked":  {func(h *house, _ *Alarm) { h.careful("") }, `the flag said "" then`},
		"a rollout under way":      {func(h *house, _ *Alarm) { h.begin(catsPlan()) }, "production/gate/1 answered for the flag then"},
	} {
		h := newHouse(t)
		h.careful(flags.GoSafe)
		a := Alarm{Rules: Rules, Environment: "production", Flag: "gate", OnCritical: flags.GoSafe, Now: h.now}
		if name == "a rollout under way" { // none begins while an incident is open
			c.do(h, &a)
		}
		h.incident("pager", Critical, false)
		a.Incident = h.state.Incidents("production", "gate")[0]
		if name != "a rollout under way" {
			c.do(h, &a)
		}
		h.now = h.now.Add(time.Minute)
		bad := h.claim(a)
		r, err := Verify(h.ctx, h.log, h.blobs)
		h.must(err)
		failed := r.Recompute.Failed
		switch {
		case c.why == "" && failed != nil:
			t.Errorf("an answer as it should be: %+v", failed)
		case c.why != "" && (failed == nil || failed.Seq != bad.Seq || !strings.Contains(failed.Why, c.why)):
			t.Errorf("%s: %+v, want event %d to fail because %s", name, failed, bad.Seq, c.why)
		}
	}
}

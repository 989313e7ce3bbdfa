package decisions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// answeredIncident checks a decision about an incident: it follows from its
// record, and the incident was open, the flag said so, and no rollout served it.
func (v *verifier) answeredIncident(ctx context.Context, r event.Recorded) error {
	n, err := load[answered](r)
	if err != nil {
		return err
	}
	d := &verified{Recorded: r, made: made{Verdict: n.Verdict, Input: n.Input, Revision: n.Revision, From: -1}}
	d.environment, d.flag, _ = strings.Cut(strings.TrimPrefix(r.Subject, IncidentPrefix), ".")
	v.report.Recompute.Checked++
	if why := v.again(ctx, n, d); why != "" {
		v.report.Recompute.fail(r, "%s", why)
	}
	v.decisions[r.ID.String()] = d
	v.order = append(v.order, d)
	return nil
}

// again says why the recorded answer does not follow from the recorded alarm, or
// the alarm is not that of the log, or "".
func (v *verifier) again(ctx context.Context, n answered, d *verified) string {
	doc, err := v.blobs.Load(ctx, n.Input)
	if err != nil {
		return "its input cannot be read: " + err.Error()
	}
	var a Alarm
	if err := json.Unmarshal(doc, &a); err != nil {
		return "its input cannot be read: " + err.Error()
	}
	again, err := Answer(a)
	if err != nil {
		return err.Error()
	}
	want, _ := json.Marshal(n.Verdict) // cannot fail: it was decoded from JSON
	if got, err := json.Marshal(again); err != nil || !bytes.Equal(got, want) {
		return fmt.Sprintf("its input gives %s (%s), not %s (%s)", again.Action, again.Reason, n.Verdict.Action, n.Verdict.Reason)
	}
	same := func(i Incident) bool { return equal(i, a.Incident) }
	if a.Environment != d.environment || a.Flag != d.flag || !slices.ContainsFunc(v.state.Incidents(d.environment, d.flag), same) {
		return "the incident in its input is not open in the log before it"
	}
	if said := v.said(d); said != a.OnCritical {
		return fmt.Sprintf("its input has another onCritical: the flag said %q then", said)
	}
	if v.revisions[flags.SubjectPrefix+d.flag] == n.Revision && v.state.tended(d.environment, d.flag) {
		now, _ := v.state.Newest(d.environment, d.flag)
		return now.ID + " answered for the flag then"
	}
	return ""
}

// care is what a flag says of critical incidents from a revision on.
type care struct {
	since uint64
	says  flags.OnCritical
}

// cares notes what flags say of critical incidents.
func (v *verifier) cares(r event.Recorded) {
	for _, c := range changes(r.Data) {
		if c.Op == flags.Define && c.Flag != nil {
			v.careful[r.Subject] = append(v.careful[r.Subject], care{r.Seq, c.Flag.OnCritical})
		}
	}
}

// said returns what the flag said at the revision that an answer was made at: it
// may have changed before the answer was written.
func (v *verifier) said(d *verified) (says flags.OnCritical) {
	for _, c := range v.careful[flags.SubjectPrefix+d.flag] {
		if c.since <= d.Revision {
			says = c.says
		}
	}
	return says
}

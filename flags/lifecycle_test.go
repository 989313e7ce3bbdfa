package flags

import (
	"strings"
	"testing"
	"time"
)

func TestLifecycle(t *testing.T) {
	const day = 24 * time.Hour
	ago := func(days int) time.Time { return noon.Add(-time.Duration(days) * day) }
	seen := func(days int) *time.Time { at := ago(days); return &at }
	none, one, three := 0, 1, 3
	open, deciding := Course{Open: true}, Course{Open: true, Decides: true}
	for name, c := range map[string]struct {
		change    func(*Recorded)
		rollouts  []Course
		evaluated *time.Time
		places    *int
		want      Phase
		reasons   string // "" : not stale
		stale     bool
		ready     bool
	}{
		"draft":         {change: func(r *Recorded) { r.Environments[production] = Environment{} }, want: Draft},
		"live":          {want: Live},
		"rolling out":   {rollouts: []Course{{Ended: ago(90)}, open}, want: RollingOut},
		"experimenting": {rollouts: []Course{open, deciding}, want: Experimenting},
		"ramping": {change: func(r *Recorded) {
			r.Environments[production] = Environment{Enabled: true, Allocation: &Allocation{Ramp: true, Coverage: 10000}}
		}, want: RollingOut},
		"ramped to everybody": {change: func(r *Recorded) {
			r.Environments[production] = Environment{Enabled: true, Allocation: &Allocation{Ramp: true, Coverage: Whole}}
		}, want: Live},
		"decided":     {rollouts: []Course{{Ended: ago(1)}}, want: Decided},
		"cleanup due": {rollouts: []Course{{Ended: ago(30)}}, want: CleanupDue, reasons: "it was decided on 2026-10-03, and its cleanup (promote) was due on 2026-11-02"},
		"decided long ago": {rollouts: []Course{{Ended: ago(50)}}, want: CleanupDue, stale: true,
			reasons: "it was decided on 2026-09-13, and its cleanup (promote) was due on 2026-10-13\nit was decided 50 days ago; a release flag is over after 40"},
		"untouched":             {change: func(r *Recorded) { r.Changed = ago(41) }, want: Live, stale: true, reasons: "nobody has changed it for 41 days; a release flag is over after 40"},
		"untouched, under way":  {change: func(r *Recorded) { r.Changed = ago(41) }, rollouts: []Course{open}, want: RollingOut},
		"untouched switch":      {change: func(r *Recorded) { r.Changed, r.Purpose = ago(400), KillSwitch }, want: Live},
		"untouched, to be kept": {change: func(r *Recorded) { r.Changed, r.Cleanup = ago(400), &Cleanup{EndState: Keep} }, want: Live},
		"review": {change: func(r *Recorded) { r.Cleanup = &Cleanup{EndState: Keep, Review: "2026-11-01"} }, want: CleanupDue,
			reasons: "its review was due on 2026-11-01"},
		"last day":            {change: func(r *Recorded) { r.Dates = &Dates{Off: "2026-11-02"} }, want: CleanupDue, reasons: "its last day was 2026-11-02"},
		"before the last day": {change: func(r *Recorded) { r.Dates = &Dates{Off: "2026-11-03"} }, want: Live},
		"seen":                {evaluated: seen(14), want: Live},
		"unseen":              {evaluated: seen(15), want: Live, stale: true, reasons: "nobody has asked for it for 15 days"},
		"never seen":          {evaluated: &time.Time{}, want: Live, stale: true, reasons: "nobody has ever asked for it"},
		"new and unseen":      {change: func(r *Recorded) { r.Created = ago(13) }, evaluated: &time.Time{}, want: Live},
		"decided, no code":    {rollouts: []Course{{Ended: ago(1)}}, places: &none, want: Decided, ready: true, reasons: "no code uses it: it is ready to be archived"},
		"decided, code":       {rollouts: []Course{{Ended: ago(1)}}, places: &one, want: Decided, reasons: "code uses it in 1 place"},
		"decided, asked for":  {rollouts: []Course{{Ended: ago(1)}}, places: &none, evaluated: seen(7), want: Decided, reasons: "no code uses it"},
		"decided, quiet":      {rollouts: []Course{{Ended: ago(9)}}, places: &none, evaluated: seen(8), want: Decided, ready: true, reasons: "no code uses it: it is ready to be archived"},
		"decided, to be kept": {change: func(r *Recorded) { r.Cleanup = &Cleanup{EndState: Keep} }, rollouts: []Course{{Ended: ago(1)}}, places: &none, want: Decided, reasons: "no code uses it"},
		"unseen, code":        {evaluated: seen(15), places: &three, want: Live, stale: true, reasons: "nobody has asked for it for 15 days\ncode uses it in 3 places"},
		"live, no code":       {places: &none, want: Live},
		"rolling out, code":   {rollouts: []Course{open}, places: &three, want: RollingOut},
		"archived":            {change: func(r *Recorded) { r.Archived, r.Changed = true, ago(400) }, evaluated: seen(300), want: Ended},
	} {
		t.Run(name, func(t *testing.T) {
			r := Recorded{Flag: checkout(), Created: ago(100), Changed: ago(3)}
			if c.change != nil {
				c.change(&r)
			}
			got := Lifecycle(r, Known{c.rollouts, c.evaluated, c.places}, noon)
			if got.Stage != c.want || got.Stale != c.stale || got.Ready != c.ready || strings.Join(got.Reasons, "\n") != c.reasons {
				t.Errorf("got %+v, want %s, stale %v: %s", got, c.want, c.stale, c.reasons)
			}
		})
	}
}

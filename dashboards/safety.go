package dashboards

import (
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// Safety is how the rollout goes back, and how that went the last times.
type Safety struct {
	Command string    // that gives everybody the safe variant, frozen at the start
	Safe    string    // the variant that everybody gets then; empty: it is not started
	Back    *WentBack // the last time that it went back; nil: it never did
	Drill   *WentBack // the last drill; nil: there was none
}

// WentBack is how a return, or a drill of one, came through.
type WentBack struct {
	Mark Mark
	At   time.Time
	Took string // until everybody was safe; empty: it is not known yet
	Text string
}

func newSafety(s Seen) Safety {
	r := s.Rollout
	out := Safety{Command: s.Rollback, Back: back(r.Return), Drill: drilled(r.Drills)}
	if r.WayBack != nil {
		out.Safe = r.WayBack.Safe
	}
	return out
}

func back(r *decisions.Return) *WentBack {
	switch {
	case r == nil:
		return nil
	case r.Proven != nil:
		return &WentBack{Passed, r.Decided, took(time.Duration(r.Proven.TimeToSafe)), sentence(upper(r.Proven.Text()))}
	case r.Unproven != nil:
		return &WentBack{Failed, r.Decided, took(time.Duration(r.Unproven.TimeToSafe)), sentence(upper(r.Unproven.Text()))}
	}
	return &WentBack{Mark: Waiting, At: r.Decided, Text: "The flag is changed; who holds that is being counted."}
}

func drilled(all []decisions.Drill) *WentBack {
	if len(all) == 0 {
		return nil
	}
	d := all[len(all)-1]
	if d.Result == nil {
		return &WentBack{Mark: Waiting, At: d.At, Text: "It goes on, with the flag " + d.Flag + "."}
	}
	p := &WentBack{Passed, d.At, took(time.Duration(d.Result.TimeToSafe)), sentence(upper(d.Result.Text()))}
	if d.Result.Why != "" {
		p.Mark = Failed
	}
	return p
}

// took writes a time that was measured, to a tenth of a second where it is short.
func took(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Minute:
		return number(d.Seconds()) + space + "s"
	}
	return length(d)
}

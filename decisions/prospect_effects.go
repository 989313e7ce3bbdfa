package decisions

import (
	"fmt"
	"strings"
	"time"
)

// foretelling is a command with what it would record.
type foretelling struct {
	Rollout
	c    Command
	data any
	seen *Evidence
}

// effects says what a command does, a sentence each.
func (s *State) effects(o foretelling) []string {
	if m, ok := o.data.(made); ok {
		return o.decides(m, s.safe(o.Rollout))
	}
	switch o.c.Op {
	case OpStart:
		return o.starts("The plan is checked once more and frozen as version " + fmt.Sprint(o.Version))
	case OpSchedule:
		return o.starts("It starts by itself at the time that is written here, with the plan as it is now; the plan is checked now, and again then. A newer version of the plan takes the start off the calendar")
	case OpUnschedule:
		return []string{"The start at " + clock(o.Schedule.At) + " is taken back; nothing starts by itself"}
	case OpHold:
		return []string{"Nothing expands until somebody resumes it; " + o.keeps(), "It is still watched: what its plan rolls back for still rolls it back"}
	case OpResume:
		return o.resumes()
	case OpApprove:
		return s.approves(o)
	case OpOverride:
		return []string{"The checks that are ticked no longer stand in the way of leaving " + o.present() + ", for as long as they ask for no more than they do now",
			"What others have to agree to is still asked, and a reason to roll back is never overruled"}
	case OpConfirm:
		return []string{fmt.Sprintf("The condition of %s is met from then on, for as long as the rollout is in %s", o.c.Confirm.Owner, o.present())}
	case OpReject:
		return []string{"The rollout is over before anybody got the treatment; another try is another rollout"}
	case OpExplain:
		return []string{"The reason stands in the record, and the flag is unlocked: the rollout can be rolled forward, or another be planned"}
	case OpDrill:
		return []string{"A flag of its own is made and forced to its safe variant, which every SDK receives and nobody evaluates; the flag " + o.Plan.Flag + " is never touched",
			"It measures how long it takes until every replica and every connected SDK holds the change"}
	}
	return []string{}
}

// starts says how the first stage begins.
func (o foretelling) starts(first string) []string {
	stage := o.Plan.Stages[0]
	text := fmt.Sprintf("The first stage is %s: %s", stage.Name, o.Plan.Reach(0, 0))
	if stage.Compares() {
		text += ", and as many are kept to compare them with"
	}
	return []string{first, text, "Before, the last days are looked at: units that nobody sends and metrics without events are a reason not to start"}
}

// present names the stage that the rollout is in.
func (o foretelling) present() string {
	stage, _ := o.Rollout.Now()
	return or(stage.Name, "the first stage")
}

// keeps says who keeps the treatment.
func (o foretelling) keeps() string {
	text := o.Plan.Reach(o.Stage, o.Share) + ", as now"
	if n := o.treated(); n > 0 {
		text += fmt.Sprintf(" (%s so far)", o.units(n))
	}
	return text
}

func (o foretelling) resumes() []string {
	all := []string{"It goes on in " + o.present() + ", and looks again at once"}
	if o.Share > 0 {
		stage, _ := o.Rollout.Now()
		all = append(all, fmt.Sprintf("The share goes from %s back to the stage's own %s, unless something fails; the same units get it again", percent(o.Share.Fraction()), percent(stage.Exposure().Fraction())))
	}
	if over := o.pausing(); len(over) > 0 {
		all = append(all, "It goes on over what still stands: "+strings.Join(over, ", ")+". That pauses no more, and holds for as long as it stands")
	}
	return all
}

// approves says what the approval is bound to, and what it leads to.
func (s *State) approves(o foretelling) []string {
	d, _ := o.Last()
	asked := s.requested(o.Rollout)
	given := append(binding(o.Approvals, o.Version, asked.revision), Approval{By: o.c.Actor, Roles: o.c.Roles})
	all := []string{
		fmt.Sprintf("It is an approval of decision %d: %s", o.decision(d.ID)+1, d.Verdict.Text),
		fmt.Sprintf("It is bound to that decision, to version %d of the plan and revision %d of the flag, and void when any of them changes", o.Version, asked.revision),
	}
	after := "With it there are " + asks(asked.needs, given) + " approvals"
	switch next := o.Stage + 1; {
	case len(unmet(asked.needs, given)) > 0:
	case !o.Open():
		after += "; then it can be rolled forward to where it was rolled back from"
	case d.Verdict.Action != Review && next < len(o.Plan.Stages):
		after += fmt.Sprintf("; at the next look the rollout goes to %s: %s", o.Plan.Stages[next].Name, o.Plan.Reach(next, 0))
	}
	return append(all, after)
}

// decides says what a decision does to the units.
func (o foretelling) decides(m made, safe string) []string {
	v := m.Verdict
	if v.Action == Rollback {
		return o.goesBack(m, safe)
	}
	text := fmt.Sprintf("The rollout goes from %s to %s: %s", o.present(), o.Plan.Stages[v.Stage].Name, o.Plan.Reach(v.Stage, v.Share))
	if o.c.Op == OpForward {
		text = fmt.Sprintf("The rollout takes up %s again, with the same units: %s", o.Plan.Stages[v.Stage].Name, o.Plan.Reach(v.Stage, v.Share))
	}
	all := []string{text}
	if moved := o.moved(v); moved != "" {
		all = append(all, moved)
	}
	switch o.c.Op {
	case OpForward:
		all = append(all, "What it was rolled back for is known and holds it from now on; anything else rolls it back again")
	case OpReduce:
		all = append(all, "Rules stay on, and it stays there until somebody resumes it; the same units get the treatment again when it is raised")
	default:
		all = append(all, "Nobody has looked at that stage before it begins; its own gate is asked from then on")
	}
	return all
}

// moved estimates how many units change sides, from those that came so far. Who
// gets the treatment at a share gets it at every larger one.
func (o foretelling) moved(v Verdict) string {
	was, is := o.share(), or(v.Share, o.Plan.Stages[v.Stage].Exposure())
	n := o.treated()
	if o.Status == RolledBack || was == 0 || is == 0 || n == 0 || was == is {
		return ""
	}
	then := int64(float64(n)*is.Fraction()/was.Fraction() + 0.5)
	if is > was {
		return fmt.Sprintf("Of those who came so far, about %s more get the treatment when they come again: %s in the place of %s", o.units(then-n), count(then), count(n))
	}
	return fmt.Sprintf("About %s lose the treatment when they come again, and %s keep it", o.units(n-then), count(then))
}

// goesBack says what a rollback does.
func (o foretelling) goesBack(m made, safe string) []string {
	who := "Everybody gets " + safe + ", rules and targets included"
	if n := o.treated(); n > 0 {
		who += fmt.Sprintf(": %s that got %s so far", o.units(n), o.Rollout.Arms().Treatment)
	}
	all := []string{who, "It needs no approval, and keeps all evidence"}
	if p := o.Plan.Rollback.Prove; p != nil {
		all = append(all, fmt.Sprintf("It is proven when every replica and connected SDK holds it and at most %s of the exposures are unsafe, which the plan wants within %s", percent(p.UnsafeExposures.Fraction()), p.Within))
	}
	if last := o.measured(); last != "" {
		all = append(all, last)
	}
	switch {
	case m.Rejects:
		return append(all, "The change is rejected for good: it cannot be taken up again, and its cleanup is due")
	case o.Plan.Rollback.lockUntilExplained():
		return append(all, "The rollout is locked until somebody explains what happened")
	}
	return all
}

// measured says how long it took the last time until everybody was safe.
func (o foretelling) measured() string {
	if r := o.Return; r != nil && r.Proven != nil {
		return fmt.Sprintf("The last time it took %s until everybody was safe", time.Duration(r.Proven.TimeToSafe).Round(time.Millisecond))
	}
	for i := len(o.Drills) - 1; i >= 0; i-- {
		if d := o.Drills[i].Result; d != nil && d.Why == "" {
			return fmt.Sprintf("In the last drill it took %s until %s and %s held it", time.Duration(d.TimeToSafe).Round(time.Millisecond), plural(d.Replicas, "replica"), plural(d.Streams, "connected SDK"))
		}
	}
	return ""
}

// treated counts the units that got the treatment, as far as the evidence knows.
func (o foretelling) treated() int64 {
	if o.seen == nil {
		return 0
	}
	return o.seen.UnitsOf("", o.Rollout.Arms().Treatment)
}

// units writes a number of units with what they are.
func (o foretelling) units(n int64) string {
	return fmt.Sprintf("%s units (%s)", count(n), o.Plan.Unit)
}

// safe names the variant that a rollback serves.
func (s *State) safe(r Rollout) string {
	if r.WayBack != nil {
		return r.WayBack.Safe
	}
	f, _ := s.known.flag(r.Plan.Flag)
	return or(f.Safe, "the safe variant")
}

// evidenceOf says which evidence the record of a decision over another names.
func (r Rollout) evidenceOf(id string, seen *Evidence) string {
	i := r.decision(id)
	if i < 0 {
		return ""
	}
	d := r.Decisions[i]
	text := fmt.Sprintf("The record names the evidence of decision %d, of %s, SHA-256 %s", i+1, clock(d.At), d.Input.SHA256)
	if seen != nil {
		text += fmt.Sprintf("; %s exposures are counted by now", count(seen.Exposures))
	}
	return text
}

// voids says what of what people agreed to an operation ends.
func (r Rollout) voids(op Op) []string {
	switch op {
	case OpHold, OpOverride, OpAdvance, OpShip, OpReject, OpReduce, OpRollback, OpForward:
	default:
		return nil
	}
	var all []string
	for _, a := range r.Approvals {
		all = append(all, fmt.Sprintf("The approval of %s, of %s, is void", a.By, clock(a.At)))
	}
	if r.Overruled != nil && op != OpHold {
		all = append(all, "What "+r.Overruled.By+" overruled is asked again")
	}
	return all
}

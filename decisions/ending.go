package decisions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Ending is how a person carries out what becomes of a flag.
type Ending struct {
	EndState flags.EndState // empty: the plan's; after a rollback promote is remove
	Purpose  flags.Purpose  // of convert: what the flag becomes
	Why      string         // of keep and convert: why it stays
	Review   flags.Date     // of keep and convert: when that is asked again
	Reason   string         // why it is done although the readiness is blocked
}

// errNotReady says that a flag cannot have its end yet.
var errNotReady = fmt.Errorf("%w: it is blocked", ErrRefused)

// End returns the flag changes that carry an end state out, and the decision that
// is their cause, or says why not: event.Invalids, or ErrRefused with the reasons
// that stand against it.
func (r Rollout) End(w Ending, f flags.Recorded, ready Readiness) (changes []flags.Change, cause string, err error) {
	if r.Closed != nil {
		return nil, "", fmt.Errorf("%w: the cleanup of %s is closed", ErrRefused, r.ID)
	}
	if err := ready.refuses(w.Reason); err != nil {
		return nil, "", err
	}
	w = w.filled(r)
	if faults := w.check(); len(faults) > 0 {
		return nil, "", faults
	}
	return r.endings(w, f), r.final(), nil
}

// refuses says what blocks the first step of the cleanup. A person's reason
// overrules what is a matter of judgement.
func (c Readiness) refuses(reason string) error {
	var whys []string
	for _, r := range c.Reasons {
		if r.Step == StepEnd && r.State == Blocked && (r.final || strings.TrimSpace(reason) == "") {
			whys = append(whys, r.Why+" ("+r.Fix+")")
		}
	}
	if len(whys) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errNotReady, strings.Join(whys, "; "))
}

// EndState is what becomes of the flag: what the plan says, but that nothing is
// promoted that was rolled back.
func (r Rollout) EndState() flags.EndState {
	end := flags.Promote
	if r.Plan.Cleanup != nil {
		end = flags.EndState(r.Plan.Cleanup.EndState)
	}
	if end == flags.Promote && r.failed() {
		return flags.Remove
	}
	return end
}

// failed reports whether a rollout was over before everybody had the treatment
// for good.
func (r Rollout) failed() bool { return !r.Ended.IsZero() && r.Status != CleanupDue }

// Winner is the variant that everybody gets in the end.
func (r Rollout) Winner(f flags.Recorded) string {
	if !r.failed() && r.EndState() != flags.Remove {
		return r.released()
	}
	return or(f.Safe, r.Plan.Arms.Control)
}

// released is the variant that the last stage gives everybody.
func (r Rollout) released() string {
	if n := len(r.Plan.Stages); n > 0 && r.Plan.Stages[n-1].Arms != nil {
		return r.Plan.Stages[n-1].Arms.Treatment
	}
	return r.Plan.Arms.Treatment
}

func (w Ending) filled(r Rollout) Ending {
	w.EndState = or(w.EndState, r.EndState())
	w.Why = strings.TrimSpace(w.Why)
	return w
}

// Deviates reports whether the ending is another than the plan's, to which people
// have agreed with it.
func (w Ending) Deviates(r Rollout) bool {
	end := w.filled(r).EndState
	return end != r.EndState() || end == flags.Keep || end == flags.Convert
}

func (w Ending) check() (faults event.Invalids) {
	stays := w.EndState == flags.Keep || w.EndState == flags.Convert
	if !stays && w.EndState != flags.Promote && w.EndState != flags.Remove {
		faults.Add("endState", w.EndState, "is not an end state", "write promote, remove, keep or convert")
	}
	if stays && w.Why == "" {
		faults.Add("why", nil, "is missing", "say why the flag stays")
	}
	if stays && w.Review == "" {
		faults.Add("review", nil, "is missing", "say when that is asked again, such as 2027-06-30")
	}
	standing := []flags.Purpose{flags.Operational, flags.Permission, flags.KillSwitch}
	if w.EndState == flags.Convert && !slices.Contains(standing, w.Purpose) {
		faults.Add("purpose", w.Purpose, "is not what a flag can become", "write operational, permission or kill-switch")
	}
	if w.EndState != flags.Convert && w.Purpose != "" {
		faults.Add("purpose", w.Purpose, "has no meaning for "+string(w.EndState), "leave it out, or convert the flag")
	}
	return faults
}

// endings are the flag changes of an ending. The default comes last: while an
// allocation compares, a default that gives more units what it compares is
// refused.
func (r Rollout) endings(w Ending, f flags.Recorded) []flags.Change {
	env := r.Plan.Environment
	e := f.Environments[env]
	var out []flags.Change
	if e.Allocation != nil {
		out = append(out, flags.Change{Op: flags.Deallocate, Environment: env})
	}
	for _, rule := range e.Served {
		out = append(out, flags.Change{Op: flags.Unserve, Environment: env, Name: rule.Name})
	}
	winner := r.Winner(f)
	if w.EndState == flags.Remove {
		winner = or(f.Safe, r.Plan.Arms.Control)
	}
	if f.Default != winner {
		out = append(out, flags.Change{Op: flags.SetDefault, Variant: winner})
	}
	if w.EndState == flags.Convert {
		out = append(out, flags.Change{Op: flags.SetPurpose, Purpose: w.Purpose})
	}
	if w.EndState == flags.Keep || w.EndState == flags.Convert {
		out = append(out, flags.Change{Op: flags.SetCleanup, Cleanup: &flags.Cleanup{EndState: flags.Keep, Why: w.Why, Review: w.Review, Ticket: r.ticketLink()}})
	}
	if e.Forced != nil && r.decision(e.Forced.Decision) >= 0 { // what people forced for reasons of their own stays
		out = append(out, flags.Change{Op: flags.Unforce, Environment: env})
	}
	if len(out) == 0 { // there is nothing left to do, and that goes on record
		out = append(out, flags.Change{Op: flags.SetDefault, Variant: winner})
	}
	return out
}

func (r Rollout) ticketLink() string {
	if r.Plan.Cleanup == nil {
		return ""
	}
	return r.Plan.Cleanup.Ticket
}

// ending reports whether a change is one of those that carry out an end state.
func ending(op flags.Op) bool {
	switch op {
	case flags.Deallocate, flags.Unserve, flags.Unforce, flags.SetDefault, flags.SetPurpose, flags.SetCleanup:
		return true
	}
	return false
}

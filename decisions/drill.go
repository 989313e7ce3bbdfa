package decisions

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Drill is a rehearsed rollback: a flag is made for it beside the rollout's own,
// which nobody evaluates and every SDK receives, and forced to its safe variant
// by the same commands. The rollout's flag is never touched. It measures the way
// from the decision to the last connected SDK; what applications then do with
// the answer, a rollback's own proof tells.
type Drill struct {
	ID       string    `json:"id"`
	Flag     string    `json:"flag"` // that was made for it
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Comment  string    `json:"comment,omitempty"`
	Defined  uint64    `json:"defined,omitempty"`  // revision of its flag when it was made
	Forced   uint64    `json:"forced,omitempty"`   // revision of its flag when it was forced to its safe variant
	Decided  time.Time `json:"decided,omitzero"`   // when that was
	Ended    time.Time `json:"ended,omitzero"`     //
	Result   *Drilled  `json:"result,omitempty"`   // nil: it goes on
	Archived bool      `json:"archived,omitempty"` // its flag is
}

// Drilled is what a drill measured.
type Drilled struct {
	Held       time.Time      `json:"held,omitzero"` // when every replica and stream was first seen to hold the change; zero: not in time
	Replicas   int            `json:"replicas"`
	Behind     []string       `json:"behind,omitempty"` // of these, those that had not applied it
	Streams    int            `json:"streams"`
	Older      int            `json:"older,omitempty"`      // of these, those that held an older revision
	TimeToSafe event.Duration `json:"timeToSafe,omitempty"` // from the command until all held it
	Why        string         `json:"why,omitempty"`        // what it failed by; empty: everybody was safe
}

// Text says for people what a drill measured.
func (d Drilled) Text() string {
	who := fmt.Sprintf("%s and %s", plural(d.Replicas, "replica"), plural(d.Streams, "connected SDK"))
	if d.Why != "" {
		return fmt.Sprintf("not safe: %s (%s)", d.Why, who)
	}
	return fmt.Sprintf("safe after %s: held by %s", time.Duration(d.TimeToSafe).Round(time.Millisecond), who)
}

// beginDrill is a person's command. One drill of a rollout goes on at a time.
func (s *State) beginDrill(r Rollout, c Command) (drillBegun, error) {
	if err := r.mustBe("be drilled", Running, Paused, Observing); err != nil {
		return drillBegun{}, err
	}
	if d, ok := r.drilling(); ok {
		return drillBegun{}, fmt.Errorf("%w: a drill of %s goes on, with the flag %s", ErrRefused, r.ID, d.Flag)
	}
	n, key := len(r.Drills), ""
	for taken := true; taken; {
		n++
		key = fmt.Sprintf("%s%s%d-%d", r.Plan.Flag, drillMark, r.Number, n)
		_, taken = s.known.flag(key)
	}
	return drillBegun{Rollout: r.ID, Flag: key, Comment: c.Comment}, nil
}

// drillMark stands in the key of a drill's flag behind that of the rollout's.
const drillMark = ".drill-"

// drilling returns the drill that goes on.
func (r Rollout) drilling() (Drill, bool) {
	i := slices.IndexFunc(r.Drills, func(d Drill) bool { return d.Result == nil })
	if i < 0 {
		return Drill{}, false
	}
	return r.Drills[i], true
}

// drill notes that a drill begins or ends.
func (r *Rollout) drill(e event.Recorded) error {
	if e.Type == TypeDrillBegun {
		b, err := load[drillBegun](e)
		r.Drills = append(slices.Clip(r.Drills), Drill{ID: e.ID.String(), Flag: b.Flag, By: e.Actor, At: e.Time, Comment: b.Comment})
		return err
	}
	b, err := load[drillEnded](e)
	r.noteDrill(b.Drill, func(d *Drill) { d.Ended, d.Result = e.Time, &b.Result })
	return err
}

// noteDrill changes what is known of a drill, in a list of its own.
func (r *Rollout) noteDrill(id string, note func(*Drill)) {
	r.Drills = slices.Clone(r.Drills)
	for i := range r.Drills {
		if r.Drills[i].ID == id {
			note(&r.Drills[i])
		}
	}
}

// drilled notes what a drill did to its flag.
func (s *State) drilled(e event.Recorded, id string) {
	next, ok := s.Rollout(id)
	if !ok {
		return
	}
	next.noteDrill(e.Cause, func(d *Drill) {
		if e.Subject != flags.SubjectPrefix+d.Flag {
			return // it names the drill as its cause, and is none of its
		}
		for _, c := range changes(e.Data) {
			d.did(c.Op, e)
		}
		if d.Archived {
			delete(s.drills, d.ID)
		}
	})
	s.replace(Subject(next.Plan.Environment, next.Plan.Flag), next)
}

// endDrill forgets a drill whose flag could not be made: there is none to
// archive.
func (s *State) endDrill(e event.Recorded) error {
	b, err := load[drillEnded](e)
	r, _ := s.Rollout(b.Rollout)
	for _, d := range r.Drills {
		if d.ID == b.Drill && d.Defined == 0 {
			delete(s.drills, d.ID)
		}
	}
	return err
}

func (d *Drill) did(op flags.Op, e event.Recorded) {
	switch op {
	case flags.Define:
		d.Defined = e.Seq
	case flags.Force:
		d.Forced, d.Decided = e.Seq, e.Time
	case flags.Archive:
		d.Archived = true
	}
}

// drilled reports whether a change is what a drill does to its own flag.
func (v *verifier) drilled(r event.Recorded) bool {
	subject, ok := v.drills[r.Cause]
	list := changes(r.Data)
	return ok && subject == r.Subject && len(list) > 0 && !slices.ContainsFunc(list, func(c flags.Change) bool {
		return c.Op != flags.Define && c.Op != flags.Force && c.Op != flags.Archive
	})
}

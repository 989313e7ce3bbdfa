package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/access"
)

// crowdSize is how many made-up units a change is tried on before it is made.
const crowdSize = 1000

type foreseeIn struct {
	Precondition
	Key  string `path:"key" example:"checkout.payments.express-pay"`
	Body struct {
		Wanted
		Switch *Switched `json:"switch,omitempty" doc:"enable, disable, force, unforce, archive or restore, instead of changes"`
		Ramp   *Ramped   `json:"ramp,omitempty" doc:"a share of the units, instead of changes"`
	}
}

// Switched is what a switch of a flag is asked. It is exported because the API
// layer fills exported fields alone.
type Switched struct {
	Op          string `json:"op" enum:"enable,disable,force,unforce,archive,restore"`
	Environment string `json:"environment,omitempty"`
	Variant     string `json:"variant,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// Ramped is what a ramp is asked.
type Ramped struct {
	Environment string  `json:"environment"`
	Variant     string  `json:"variant,omitempty"`
	Percentage  float64 `json:"percentage"`
}

// ChangePreview is what changes of a flag would come to.
type ChangePreview struct {
	Revision    uint64             `json:"revision" doc:"of the flag that was looked at; 0: there is none yet"`
	Unchanged   bool               `json:"unchanged,omitempty" doc:"the flag is so already"`
	Differences []flags.Difference `json:"differences" doc:"in sentences"`
	Asks        string             `json:"asks,omitempty" doc:"what policies ask for first, by a change request: 1 approval (approver, production)"`
	Samples     []SampleView       `json:"samples" doc:"what it does to made-up units, in each environment of the flag"`
	Notes       []string           `json:"notes,omitempty" doc:"to archive: what could not be checked"`
}

// SampleView is what changes do to made-up units in an environment, by the
// evaluator that serves it.
type SampleView struct {
	Environment string       `json:"environment"`
	Bare        flags.Shift  `json:"bare" doc:"of whom nothing is known but an id"`
	Attributed  *flags.Shift `json:"attributed,omitempty" doc:"with attributes that conditions ask for, by turns; absent: none asks for any"`
	Attributes  []string     `json:"attributes,omitempty" doc:"those attributes"`
	Named       int          `json:"named" doc:"units among them that targets, segments and conditions name"`
}

type foreseeOut struct{ Body ChangePreview }

// foreseeChange says what changes of a flag would come to, and changes nothing.
// What would be refused is refused; what others have to agree to is not. It
// asks for no comment: that is written when the differences are known.
func (s *server) foreseeChange(ctx context.Context, in *foreseeIn) (*foreseeOut, error) {
	if err := s.mayForesee(ctx, in); err != nil {
		return nil, err
	}
	out := &foreseeOut{}
	var seen flags.Foreseen
	var err error
	s.Projection.View(func(uint64) {
		f, _ := s.Flags.Flag(in.Key)
		out.Body.Revision = f.Revision
		if seen, err = s.foreseen(ctx, in); errors.Is(err, flags.ErrUnchanged) {
			out.Body.Unchanged, err = true, nil
			seen = flags.Foreseen{Was: f, Is: f}
		}
		out.Body.Notes = s.doubts(in.Key, in.Body.Changes)
	})
	if err != nil {
		return nil, err
	}
	out.Body.Differences = append([]flags.Difference{}, flags.Diff(shown(ctx, seen.Was).Flag, shown(ctx, seen.Is).Flag)...)
	if len(seen.Needs) > 0 {
		out.Body.Asks = seen.Asks()
	}
	out.Body.Samples, err = s.sampled(ctx, seen)
	return out, err
}

// mayForesee asks for what it takes to write: to look at a switch as at any
// other change.
func (s *server) mayForesee(ctx context.Context, in *foreseeIn) error {
	if w := in.Body.Switch; w != nil {
		return may(ctx, access.Write, (&switchIn{Op: w.Op, Body: switchBody{Environment: w.Environment}}).touches())
	}
	if in.Body.Ramp != nil {
		return may(ctx, access.Write, in.Body.Ramp.Environment)
	}
	return s.mayPropose(ctx, in.Body.Changes)
}

// foreseen returns what the changes would come to. Call it in a View.
func (s *server) foreseen(ctx context.Context, in *foreseeIn) (flags.Foreseen, error) {
	w, err := s.wanted(in)
	if err != nil {
		return flags.Foreseen{}, err
	}
	w.Comment = "to be written" // when the differences are known
	c, err := s.commanded(ctx, in.Key, in.Precondition, w)
	if err == nil && in.Body.Switch == nil && in.Body.Ramp == nil {
		err = together(flags.CheckAsked(w.Changes).Err(), s.ownedAfter(w.Changes))
	}
	if err != nil {
		return flags.Foreseen{}, err
	}
	seen, err := s.Flags.Foresee(c)
	if errors.Is(err, flags.ErrUnchanged) {
		return seen, err
	}
	return seen, together(s.Decided(in.Key, w.Changes), err)
}

// wanted returns the changes that a switch or a ramp stands for. Call it in a
// View.
func (s *server) wanted(in *foreseeIn) (Wanted, error) {
	var err error
	w := in.Body.Wanted
	switch {
	case in.Body.Switch != nil:
		of := in.Body.Switch
		w.Changes, err = s.switching(&switchIn{Key: in.Key, Op: of.Op, Body: switchBody{
			Environment: of.Environment, Comment: "to be written", Variant: of.Variant, Reason: of.Reason}})
	case in.Body.Ramp != nil:
		w.Changes, err = s.ramping(in.Key, *in.Body.Ramp)
	}
	return w, err
}

// ramping returns the changes of a ramp. Call it in a View.
func (s *server) ramping(key string, r Ramped) ([]flags.Change, error) {
	coverage, err := thousandths(r.Percentage)
	if err != nil {
		return nil, err
	}
	next, err := s.freeRollout(r.Environment, key)
	if err != nil {
		return nil, err
	}
	return s.Flags.Ramp(key, flags.Ramp{Environment: r.Environment, Variant: r.Variant, Coverage: coverage, Number: next})
}

// sampled tries a change on made-up units, in each environment that the flag
// has before or after it and whoever asks may see.
func (s *server) sampled(ctx context.Context, seen flags.Foreseen) ([]SampleView, error) {
	names := slices.Collect(maps.Keys(seen.Was.Environments))
	names = slices.AppendSeq(names, maps.Keys(seen.Is.Environments))
	slices.Sort(names)
	out := []SampleView{}
	for _, name := range slices.Compact(names) {
		if !sees(ctx, name, seen.Is.Key) {
			continue
		}
		v, err := s.sample(ctx, name, seen)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *server) sample(ctx context.Context, environment string, seen flags.Foreseen) (SampleView, error) {
	var before, after flags.Ruleset
	s.Projection.View(func(uint64) {
		before, after = s.Flags.Excerpt(environment, seen.Was), s.Flags.Excerpt(environment, seen.Is)
	})
	lists, err := s.lists(ctx, append(before.Lists(), after.Lists()...), s.sets.fresh().lists)
	if err != nil {
		return SampleView{}, fmt.Errorf("%w: %w", errLists, err)
	}
	was, is := flags.NewSet(before, lists), flags.NewSet(after, lists)
	crowd := flags.NewCrowd(crowdSize, seen.Is.Unit, before, after)
	v := SampleView{Environment: environment, Bare: flags.Moved(was, is, seen.Is.Key, crowd.Bare()), Attributes: crowd.Drawn(), Named: crowd.Named()}
	if len(v.Attributes) > 0 {
		with := flags.Moved(was, is, seen.Is.Key, crowd.Attributed())
		v.Attributed = &with
	}
	return v, nil
}

package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// RolloutPath is the path of one rollout. It is exported because the API layer
// fills exported fields alone, also those that are embedded.
type RolloutPath struct {
	Environment string `path:"environment" example:"production"`
	Flag        string `path:"flag" example:"checkout.payments.express-pay"`
	Number      int    `path:"number" minimum:"1" doc:"1 is the flag's first rollout in the environment"`
}

func (id RolloutPath) String() string { return decisions.RolloutID(id.Environment, id.Flag, id.Number) }

// RolloutView is a rollout with the newest look at it.
type RolloutView struct {
	Rollout decisions.Rollout `json:"rollout"`
	Look    *decisions.Look   `json:"look,omitempty" doc:"what the controller saw last, and what it made of it"`
	Ask     *decisions.Ask    `json:"ask,omitempty" doc:"what the rollout waits for people to do, who is asked by now, and who next"`

	Agreement *decisions.Agreement `json:"agreement,omitempty" doc:"who has to agree before the present stage is left, and who has; absent when nobody has to"`
	Can       []decisions.Op       `json:"can,omitempty" doc:"what whoever asks can do about it now; of one rollout alone"`
}

type rolloutOut struct {
	ETag string `header:"ETag" doc:"the rollout as it is now, for If-Match"`
	Body RolloutView
}

func (s *server) getRollout(ctx context.Context, in *RolloutPath) (*rolloutOut, error) {
	v, err := s.view(in.String())
	if err == nil {
		v.Can = s.possible(ctx, v.Rollout)
	}
	return &rolloutOut{ETag: etagOf(v.Rollout), Body: v}, err
}

// view returns a rollout and the newest look at it.
func (s *server) view(id string) (v RolloutView, err error) {
	ok := false
	s.Projection.View(func(uint64) {
		if v.Rollout, ok = s.Rollouts.Rollout(id); !ok {
			return
		}
		v.Rollout.WayBack = s.Rollouts.WayBack(v.Rollout)
		if a, asked := s.Rollouts.Agreement(v.Rollout); asked {
			v.Agreement = &a
		}
	})
	if !ok {
		return v, fmt.Errorf("rollout %s: %w", id, errNoSuch)
	}
	if s.Looks != nil {
		if look, seen := s.Looks(id); seen {
			v.Look = &look
		}
	}
	if ask, waits := v.Rollout.Ask(s.Now()); waits {
		v.Ask = &ask
	}
	return v, nil
}

type rolloutsIn struct {
	Page
	Environment string `query:"environment" doc:"of one environment alone"`
}

type rolloutsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Rollouts []RolloutView `json:"rollouts"`
		Next     string        `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listRollouts(ctx context.Context, in *rolloutsIn) (*rolloutsOut, error) {
	if in.Environment != "" {
		if err := may(ctx, access.Read, in.Environment); err != nil {
			return nil, err
		}
	}
	out := &rolloutsOut{}
	page, next, err := cut(in.Page, rising("rollouts", placeOfRollout), s.views(ctx, in.Environment))
	out.Body.Rollouts, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// placeOfRollout sorts as decisions.State does: by subject, then by number.
func placeOfRollout(v RolloutView) string {
	return fmt.Sprintf("%s\x00%010d", decisions.Subject(v.Rollout.Plan.Environment, v.Rollout.Plan.Flag), v.Rollout.Number)
}

// visible returns the rollouts that whoever asks may see: a token that is
// bound to an environment sees those of its own.
func (s *server) visible(ctx context.Context) []decisions.Rollout {
	var all []decisions.Rollout
	s.Projection.View(func(uint64) { all = s.Rollouts.Rollouts() })
	return slices.DeleteFunc(all, func(r decisions.Rollout) bool { return !sees(ctx, r.Plan.Environment, r.Plan.Flag) })
}

// views returns every rollout that may be seen, or those of one environment.
func (s *server) views(ctx context.Context, environment string) []RolloutView {
	var ids []string
	for _, r := range s.visible(ctx) {
		if environment == "" || r.Plan.Environment == environment {
			ids = append(ids, r.ID)
		}
	}
	views := make([]RolloutView, 0, len(ids))
	for _, id := range ids {
		if v, err := s.view(id); err == nil {
			views = append(views, v)
		}
	}
	return views
}

type commandIn struct {
	RolloutPath
	Seen
	Op   string `path:"op" enum:"start,schedule,unschedule,hold,resume,approve,override,advance,ship,reject,reduce,rollback,explain,forward,drill"`
	Body struct {
		Comment  string     `json:"comment,omitempty" doc:"why; required to hold, override, advance, ship, reject, reduce, roll back, explain and roll forward, and to resume over what still stands"`
		Decision string     `json:"decision,omitempty" doc:"the decision that is approved or overridden; refused when it is no longer the newest"`
		At       *time.Time `json:"at,omitempty" doc:"of schedule: when the rollout is to be started"`
		Checks   []string   `json:"checks,omitempty" doc:"of override: the checks to overrule, as the decision names them; all that can be when absent"`
		Anyway   bool       `json:"anyway,omitempty" doc:"start, or schedule that, although something is lacking; the comment says why"`
		To       string     `json:"to,omitempty" doc:"of reduce: an earlier stage, or a share such as 5%"`
	}
}

// commandRollout carries out what a person wants of a rollout.
func (s *server) commandRollout(ctx context.Context, in *commandIn) (*rolloutOut, error) {
	c := decisions.Command{Op: decisions.Op(in.Op), Comment: strings.TrimSpace(in.Body.Comment), Decision: in.Body.Decision, Checks: in.Body.Checks, To: in.Body.To}
	if in.Body.At != nil {
		c.Start = *in.Body.At
	}
	if err := s.want(ctx, in, c); err != nil {
		return nil, err
	}
	return s.getRollout(ctx, &in.RolloutPath)
}

// DecisionView is a decision with the rollout it belongs to.
type DecisionView struct {
	decisions.Decision
	Rollout string `json:"rollout"`
}

type decisionsIn struct {
	Page
	Rollout     string           `query:"rollout" doc:"environment/flag/number; all when absent"`
	Environment string           `query:"environment" doc:"of one environment alone"`
	Flag        string           `query:"flag" doc:"of one flag alone"`
	Owner       string           `query:"owner" doc:"of rollouts of one owner alone"`
	Action      decisions.Action `query:"action" enum:"hold,expand,pause,rollback,reduce,ship,review,cleanup" doc:"that decided this alone"`
	By          string           `query:"by" enum:"controller,people" doc:"both when absent"`
	Overridden  bool             `query:"overridden" doc:"what people decided against the recommendation alone"`
	Since       string           `query:"since" doc:"how far back: a duration such as 7d, or a time; all when absent"`

	from time.Time
}

// selects reports whether the filters keep a decision.
func (in *decisionsIn) selects(r decisions.Rollout, d decisions.Decision) bool {
	return (in.Rollout == "" || in.Rollout == r.ID) &&
		(in.Environment == "" || in.Environment == r.Plan.Environment) &&
		(in.Flag == "" || in.Flag == r.Plan.Flag) &&
		(in.Owner == "" || in.Owner == r.Plan.Owner) &&
		(in.Action == "" || in.Action == d.Verdict.Action) &&
		(in.By == "" || (in.By == decisions.Controlling) == d.ByController()) &&
		(!in.Overridden || d.Against != "") &&
		!d.At.Before(in.from)
}

type decisionsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Decisions []DecisionView `json:"decisions" doc:"newest first"`
		Next      string         `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listDecisions(ctx context.Context, in *decisionsIn) (*decisionsOut, error) {
	if err := s.existing(ctx, in.Rollout); err != nil {
		return nil, err
	}
	if in.Since != "" {
		var err error
		if in.from, err = since(in.Since, s.Now()); err != nil {
			return nil, err
		}
	}
	var all []DecisionView
	for _, r := range s.visible(ctx) {
		for _, d := range r.Decisions {
			if in.selects(r, d) {
				all = append(all, DecisionView{d, r.ID})
			}
		}
	}
	newestFirst(all)
	out := &decisionsOut{}
	page, next, err := cut(in.Page, newest("decisions", func(d DecisionView) uint64 { return d.Seq }), all)
	out.Body.Decisions, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}

// existing refuses the name of a rollout that is none, or is another
// environment's; no name asks for all of them.
func (s *server) existing(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	environment, flag, _, err := decisions.SplitID(id)
	if err == nil {
		err = mayTouch(ctx, access.Read, environment, flag)
	}
	if err == nil {
		_, err = s.view(id)
	}
	return err
}

type decisionID struct {
	ID string `path:"id" doc:"of the decision, as lists and pages show it"`
}

// DecisionRecord is a decision with all it rests on.
type DecisionRecord struct {
	DecisionView
	Record *decisions.Input `json:"record,omitempty" doc:"plan, standing, evidence and time: what the verdict can be recomputed from"`
}

type decisionOut struct{ Body DecisionRecord }

func (s *server) getDecision(ctx context.Context, in *decisionID) (*decisionOut, error) {
	record, err := s.decision(ctx, in.ID)
	return &decisionOut{Body: record}, err
}

// decision returns the record: the event and the document it names.
func (s *server) decision(ctx context.Context, id string) (record DecisionRecord, err error) {
	ok := false
	s.Projection.View(func(uint64) {
		var r decisions.Rollout
		if r, record.Decision, ok = s.Rollouts.Decision(id); ok {
			record.Rollout = r.ID
		}
	})
	if !ok {
		return record, fmt.Errorf("decision %s: %w", id, errNoSuch)
	}
	if err := s.existing(ctx, record.Rollout); err != nil {
		return DecisionRecord{}, err
	}
	if record.Decision.Input == (event.Blob{}) {
		return record, nil
	}
	doc, err := s.Blobs.Load(ctx, record.Decision.Input)
	if err != nil {
		return record, fmt.Errorf("loading the evidence of %s: %w", id, err)
	}
	record.Record = &decisions.Input{}
	if err := json.Unmarshal(doc, record.Record); err != nil {
		return record, fmt.Errorf("reading the evidence of %s: %w", id, err)
	}
	return record, nil
}

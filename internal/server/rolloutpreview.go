package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/notify"
)

// confirms names the confirmation of a condition among the operations: it has
// a call of its own, and is previewed like the others.
const confirms = "confirm"

type previewIn struct {
	RolloutPath
	Op    string `path:"op" enum:"start,schedule,unschedule,hold,resume,approve,override,advance,ship,reject,reduce,rollback,explain,forward,drill,confirm"`
	Owner string `query:"owner" doc:"of confirm: as the plan names who has to confirm"`
	When  string `query:"when" enum:"advanceWhen,pauseWhen,rollbackWhen" doc:"of confirm: which list of the present stage; advanceWhen when absent"`
}

// PreviewView is what a command would do.
type PreviewView struct {
	Rollout string `json:"rollout"`
	decisions.Prospect

	Webhooks  []string            `json:"webhooks" doc:"keys of those that are told"`
	Listening *Listening          `json:"listening,omitempty" doc:"who hears of it; absent when this replica streams nothing"`
	Preflight decisions.Preflight `json:"preflight,omitempty" doc:"of start and schedule: what is looked at before; what is lacking refuses it"`
}

// Listening is who hears of a change of a flag at once.
type Listening struct {
	SDKs    int `json:"sdks" doc:"streams of rulesets that are open to this replica"`
	Clients int `json:"clients" doc:"streams of notices"`
}

type previewOut struct {
	ETag string `header:"ETag" doc:"the rollout as it is now, for If-Match of the command"`
	Body PreviewView
}

// previewCommand tells what a command would do. It changes nothing, and tells
// those too who may not give it.
func (s *server) previewCommand(ctx context.Context, in *previewIn) (*previewOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	out := &previewOut{ETag: etagOf(v.Rollout), Body: PreviewView{Rollout: v.Rollout.ID}}
	c := s.trying(ctx, v.Rollout, decisions.Op(in.Op))
	if in.Op == confirms {
		c.Op, c.Confirm = decisions.OpConfirm, &decisions.Confirming{When: decisions.CheckName(in.When), Owner: in.Owner}
	}
	var seen *decisions.Evidence
	if v.Look != nil {
		seen = &v.Look.Evidence
	}
	s.Projection.View(func(uint64) {
		if newest, _ := s.Rollouts.Newest(in.Environment, in.Flag); newest.ID != v.Rollout.ID {
			out.Body.Refused = fmt.Sprintf("%s is over; %s is the newest", v.Rollout.ID, newest.ID)
			return
		}
		c.Roles = s.rolesOf(ctx, in.Environment, in.Flag)
		out.Body.Prospect, err = s.Rollouts.Prospect(c, seen)
		out.Body.Webhooks = s.listeners(v.Rollout, out.Body.Prospect)
	})
	if err != nil {
		return nil, err
	}
	if refused := onlyPeople(ctx, c.Op); refused != nil && out.Body.Refused == "" {
		out.Body.Refused = refused.Error()
	}
	if actuates(c.Op) {
		out.Body.Listening = s.listening(ctx, in.Environment)
	}
	s.lookBack(ctx, v.Rollout, &out.Body)
	return out, nil
}

func etagOf(r decisions.Rollout) string { return fmt.Sprintf(`"%d"`, r.Seq) }

// trying is a command of whoever asks that nobody gives.
func (s *server) trying(ctx context.Context, r decisions.Rollout, op decisions.Op) decisions.Command {
	return decisions.Command{ID: event.New(), Op: op, Environment: r.Plan.Environment, Flag: r.Plan.Flag, Expect: event.Any, At: s.Now(), Actor: who(ctx).Name}
}

// possible returns what whoever asks can do about a rollout.
func (s *server) possible(ctx context.Context, r decisions.Rollout) (all []decisions.Op) {
	if mayTouch(ctx, access.Decide, r.Plan.Environment, r.Plan.Flag) != nil {
		return nil
	}
	s.Projection.View(func(uint64) {
		if newest, _ := s.Rollouts.Newest(r.Plan.Environment, r.Plan.Flag); newest.ID != r.ID {
			return
		}
		c := s.trying(ctx, r, "")
		c.Roles = s.rolesOf(ctx, r.Plan.Environment, r.Plan.Flag)
		all = s.Rollouts.Possible(c)
	})
	return slices.DeleteFunc(all, func(op decisions.Op) bool { return onlyPeople(ctx, op) != nil })
}

// listeners returns the webhooks that are told of what a command comes to. Call
// it in a View.
func (s *server) listeners(r decisions.Rollout, p decisions.Prospect) []string {
	about := notify.About{Types: p.Tells, Environments: []string{r.Plan.Environment}, Flag: r.Plan.Flag}
	if f, ok := s.Flags.Flag(r.Plan.Flag); ok {
		about.Tags = f.Tags
	}
	if slices.ContainsFunc(p.Tells, func(t string) bool { return strings.HasSuffix(t, "."+string(decisions.Rollback)) }) {
		about.To = r.Plan.Rollback.Webhooks()
	}
	keys := []string{}
	for _, h := range s.Webhooks.Hooks() {
		if len(p.Tells) > 0 && h.Wants(about) {
			keys = append(keys, h.Key)
		}
	}
	return keys
}

// actuates reports whether an operation changes what units get, so that those
// who evaluate have to hear of it.
func actuates(op decisions.Op) bool {
	return moves(op) || op == decisions.OpRollback || op == decisions.OpStart || op == decisions.OpDrill
}

func (s *server) listening(ctx context.Context, environment string) *Listening {
	if s.Streams == nil {
		return nil
	}
	l := &Listening{}
	for _, c := range s.streamsSeen(func(e string) bool { return e == environment && sees(ctx, e, access.AnyKey) }).Streams {
		if c.Notices {
			l.Clients += c.Streams
		} else {
			l.SDKs += c.Streams
		}
	}
	return l
}

// maxLookBack bounds how long a preview waits for the past.
const maxLookBack = 5 * time.Second

// lookBack looks at the past before a start. A past that cannot be read in time
// is told when the start is asked for.
func (s *server) lookBack(ctx context.Context, r decisions.Rollout, v *PreviewView) {
	if s.Pasts == nil || v.Refused != "" || v.Op != decisions.OpStart && v.Op != decisions.OpSchedule {
		return
	}
	ctx, stop := context.WithTimeout(ctx, maxLookBack)
	defer stop()
	until := s.Now()
	p, err := s.Pasts.Past(ctx, r, "", until.AddDate(0, 0, -decisions.PastDays), until)
	if err != nil {
		v.Preflight = decisions.Preflight{{Name: "past", State: decisions.Doubted, Text: "the past could not be read: " + err.Error()}}
		return
	}
	v.Preflight = r.Preflight(p)
}

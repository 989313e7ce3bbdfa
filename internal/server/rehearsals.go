package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
)

type rehearsalsIn struct {
	PastIn
	Seeds int    `query:"seeds" minimum:"0" maximum:"100" default:"20" doc:"runs of each scenario; 0: only say what would be rehearsed on"`
	Seed  uint64 `query:"seed" default:"1" doc:"of the first run; the others follow it"`

	ContentType string `header:"Content-Type" hidden:"true"`

	RawBody []byte `contentType:"application/yaml" doc:"documents as apply takes them; each of kind Rollout is rehearsed, with what the others would change. One of kind Rehearsal says what units are like and what happens"`
}

type rehearsalsOut struct {
	Body struct {
		Rehearsals []RehearsalView `json:"rehearsals"`
	}
}

// RehearsalView is a plan, what it was rehearsed on, and what came of it.
type RehearsalView struct {
	Rehearsal rehearsal.Rehearsal     `json:"rehearsal"`
	Scenarios []rehearsal.Scenario    `json:"scenarios" doc:"that are rehearsed, with their defaults"`
	Expect    []rehearsal.Expectation `json:"expect,omitempty"`
	Report    *rehearsal.Report       `json:"report,omitempty" doc:"absent with seeds=0"`
}

// mostRehearsed bounds the looks of one request: some half a minute of one
// processor, which evaluates flags too.
const mostRehearsed = 100_000

// rehearsePlans carries plans out that are not recorded, on units that are made
// up as the past suggests. Whatever stands beside them is carried out on copies.
func (s *server) rehearsePlans(ctx context.Context, in *rehearsalsIn) (*rehearsalsOut, error) {
	docs, err := (&applyIn{RawBody: in.RawBody, ContentType: in.ContentType}).documents()
	if err != nil {
		return nil, err
	}
	d, err := s.rehearsal()
	if err != nil {
		return nil, err
	}
	said, plans, err := d.rehearsed(ctx, docs)
	if err != nil {
		return nil, err
	}
	out := &rehearsalsOut{}
	for _, doc := range plans {
		r, err := d.drafted(ctx, doc)
		if err != nil {
			return nil, err
		}
		v, err := s.rehearseOne(ctx, said.On(d.materials(r, s.pastOf(ctx, r, in.PastIn))), said, in)
		if err != nil {
			return nil, doc.annotate(err)
		}
		out.Body.Rehearsals = append(out.Body.Rehearsals, v)
	}
	if len(out.Body.Rehearsals) == 0 {
		return nil, event.Invalids{{Path: "kind", Why: "is Rollout of no document", Fix: "send the plan of a rollout"}}
	}
	return out, nil
}

// rehearsed carries out the documents beside the plans, and returns the plans
// and what is said of the rehearsal.
func (s *server) rehearsed(ctx context.Context, docs []document) (said rehearsal.Document, plans []document, err error) {
	for _, doc := range docs {
		switch doc.Kind {
		case "Rollout":
			plans = append(plans, doc)
		case "Rehearsal":
			var more rehearsal.Document
			if err := doc.Decode(&more); err != nil {
				return said, nil, inFile(doc.file, err)
			}
			said = more.Over(said)
		default:
			if _, err := s.applyOne(unkeyed(ctx), doc.Document, &applyIn{}); err != nil {
				return said, nil, doc.annotate(err)
			}
		}
	}
	return said, plans, nil
}

// materials are what a plan is rehearsed with: its flag, its metrics, what
// policies ask of it and what units were like.
func (s *server) materials(r decisions.Rollout, past decisions.Past) rehearsal.Rehearsal {
	out := rehearsal.Rehearsal{Plan: r.Plan, Metrics: r.Metrics, Truth: rehearsal.TruthOf(past)}
	s.Projection.View(func(uint64) {
		f, _ := s.Flags.Flag(r.Plan.Flag)
		out.Flag, out.Policy = f.Flag, s.Rollouts.Policy(r.Plan)
	})
	return out
}

// pastOf returns the past of a plan, an empty one where it is not known: then
// the document has to say everything, and the rehearsal names what is missing.
func (s *server) pastOf(ctx context.Context, r decisions.Rollout, in PastIn) decisions.Past {
	if s.Pasts == nil {
		return decisions.Past{}
	}
	until := s.Now()
	p, err := s.Pasts.Past(ctx, r, in.Traffic, until.AddDate(0, 0, -in.Days), until)
	if err != nil {
		s.reportOperation("rehearse-plan", err)
		return decisions.Past{}
	}
	return p
}

func (s *server) rehearseOne(ctx context.Context, r rehearsal.Rehearsal, said rehearsal.Document, in *rehearsalsIn) (RehearsalView, error) {
	v := RehearsalView{Rehearsal: r, Scenarios: said.Scenarios, Expect: said.Expect}
	if len(v.Scenarios) == 0 {
		v.Scenarios = r.Scenarios()
	}
	if in.Seeds == 0 {
		return v, nil
	}
	if looks := r.Looks() * len(v.Scenarios) * in.Seeds; looks > mostRehearsed {
		return v, event.Invalids{{Path: "seeds", Value: fmt.Sprint(in.Seeds), Why: fmt.Sprintf("may come to %d looks, and %d are carried out at once", looks, mostRehearsed),
			Fix: "ask for fewer seeds or scenarios, or look less often (settings.every); sluice rehearse carries out more by itself"}}
	}
	report, err := r.Report(ctx, v.Scenarios, rehearsal.Seeds{From: in.Seed, Count: in.Seeds}, v.Expect)
	v.Report = &report
	return v, err
}

// spaced returns how far apart looks are of which so many are carried out, in
// whole hours.
func (v RehearsalView) spaced(seeds, most int) event.Duration {
	hours := (v.Rehearsal.Looks()*len(v.Scenarios)*seeds + most - 1) / most
	return event.Duration(max(hours, 1)) * rehearsal.DefaultEvery
}

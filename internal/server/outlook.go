package server

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// Pasts counts what units were like before a rollout.
type Pasts interface {
	// Past counts who met the flag between two times and what they did; of any
	// flag when flag is empty and the plan's own has no exposures.
	Past(ctx context.Context, r decisions.Rollout, flag string, from, until time.Time) (decisions.Past, error)
}

// PastIn says which past an outlook is taken from.
type PastIn struct {
	Days    int    `query:"days" minimum:"1" maximum:"90" default:"14" doc:"how many days of the past are looked at"`
	Traffic string `query:"traffic" doc:"flag whose exposures tell who will come; the plan's own, or any flag's when it has none"`
}

type outlookIn struct {
	RolloutPath
	PastIn
}

type outlookOut struct{ Body OutlookView }

// OutlookView is what a plan may expect.
type OutlookView struct {
	Environment string            `json:"environment"`
	Flag        string            `json:"flag"`
	Outlook     decisions.Outlook `json:"outlook" doc:"days are counted from the start, as if it were now; null stands for never"`

	Preflight decisions.Preflight `json:"preflight" doc:"what is looked at before a start; what is lacking refuses it"`
}

// getOutlook foresees a rollout from its first stage on, at the traffic of now.
func (s *server) getOutlook(ctx context.Context, in *outlookIn) (*outlookOut, error) {
	v, err := s.view(in.String())
	if err != nil {
		return nil, err
	}
	o, err := s.foresee(ctx, v.Rollout, in.PastIn)
	return &outlookOut{o}, err
}

type outlooksIn struct {
	PastIn
	RawBody []byte `contentType:"application/yaml" doc:"documents as apply takes them; each of kind Rollout is foreseen, with what the others would change"`
}

type outlooksOut struct {
	Body struct {
		Outlooks []OutlookView `json:"outlooks"`
	}
}

// foreseeDocuments foresees plans that are not recorded. What stands beside them
// is carried out on copies, so that flag and metrics may be in the same file.
func (s *server) foreseeDocuments(ctx context.Context, in *outlooksIn) (*outlooksOut, error) {
	docs, err := (&applyIn{RawBody: in.RawBody}).documents()
	if err != nil {
		return nil, err
	}
	d, err := s.rehearsal()
	if err != nil {
		return nil, err
	}
	out := &outlooksOut{}
	for _, doc := range docs {
		if doc.Kind != "Rollout" {
			if _, err := d.applyOne(unkeyed(ctx), doc.Document, &applyIn{}); err != nil {
				return nil, doc.annotate(err)
			}
			continue
		}
		r, err := d.drafted(ctx, doc)
		if err != nil {
			return nil, err
		}
		o, err := s.foresee(ctx, r, in.PastIn)
		if err != nil {
			return nil, err
		}
		out.Body.Outlooks = append(out.Body.Outlooks, o)
	}
	if len(out.Body.Outlooks) == 0 {
		return nil, event.Invalids{{Path: "kind", Why: "is Rollout of no document", Fix: "send the plan of a rollout"}}
	}
	return out, nil
}

// drafted is the rollout that a document would become.
func (s *server) drafted(ctx context.Context, doc document) (r decisions.Rollout, err error) {
	var p decisions.Plan
	if err := doc.Decode(&p); err != nil {
		return r, inFile(doc.file, err)
	}
	if err := mayTouch(ctx, access.Read, p.Environment, p.Flag); err != nil {
		return r, err
	}
	s.Projection.View(func(uint64) { r, err = s.Rollouts.Draft(p) })
	return r, doc.annotate(err)
}

var errNoPast = fmt.Errorf("this replica knows no past: %w", errNoSuch)

func (s *server) foresee(ctx context.Context, r decisions.Rollout, in PastIn) (OutlookView, error) {
	v := OutlookView{Environment: r.Plan.Environment, Flag: r.Plan.Flag}
	if s.Pasts == nil {
		return v, errNoPast
	}
	if in.Traffic != "" {
		if err := mayTouch(ctx, access.Read, r.Plan.Environment, in.Traffic); err != nil {
			return v, err
		}
	}
	until := s.Now()
	p, err := s.Pasts.Past(ctx, r, in.Traffic, until.AddDate(0, 0, -in.Days), until)
	if err == nil {
		v.Outlook, v.Preflight = r.Foresee(p), r.Preflight(p)
	}
	return v, err
}

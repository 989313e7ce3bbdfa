package server

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Recounts counts once more what a decision was made on.
type Recounts interface {
	// Recount counts what the evidence of a rollout counted, from the events as
	// they are stored today: those up to the watermark of the evidence, or with
	// late also those that came behind it, of the same units.
	Recount(ctx context.Context, r decisions.Rollout, e decisions.Evidence, late bool) (decisions.Evidence, error)
}

var errNoRecounts = fmt.Errorf("this replica counts nothing: %w", errNoSuch)

// fullRecord returns the record of a decision with its event, its document and
// what it did to the flag.
func (s *server) fullRecord(ctx context.Context, id string) (out decisions.Record, err error) {
	ok := false
	s.Projection.View(func(uint64) { out, ok = s.Rollouts.Record(id) })
	if !ok {
		return out, fmt.Errorf("decision %s: %w", id, errNoSuch)
	}
	if err := s.existing(ctx, out.Rollout); err != nil {
		return decisions.Record{}, err
	}
	environment, flag, _, err := decisions.SplitID(out.Rollout)
	if err != nil {
		return out, err
	}
	made, err := s.eventAt(ctx, decisions.Subject(environment, flag), out.Decision.Seq)
	if err != nil {
		return out, err
	}
	input := out.Decision.Input
	var advised, effect *event.Recorded
	if a := out.Recommended; a != nil {
		input = a.Input // a person's decision has the document of what he decided over
		if advised, err = s.eventOf(ctx, decisions.Subject(environment, flag), a.Seq); err != nil {
			return out, err
		}
	}
	if out.Decision.Effect > 0 {
		if effect, err = s.eventOf(ctx, flags.SubjectPrefix+flag, out.Decision.Effect); err != nil {
			return out, err
		}
	}
	doc, err := s.inputOf(ctx, input)
	if err != nil {
		return out, fmt.Errorf("loading the evidence of %s: %w", id, err)
	}
	return out.With(made, advised, effect, doc)
}

// inputOf loads what a decision rests on; nil: nothing.
func (s *server) inputOf(ctx context.Context, name event.Blob) ([]byte, error) {
	if name == (event.Blob{}) {
		return nil, nil
	}
	return s.Blobs.Load(ctx, name)
}

// eventOf is eventAt for what may be missing.
func (s *server) eventOf(ctx context.Context, subject string, seq uint64) (*event.Recorded, error) {
	e, err := s.eventAt(ctx, subject, seq)
	return &e, err
}

// eventAt reads one event of a subject.
func (s *server) eventAt(ctx context.Context, subject string, seq uint64) (event.Recorded, error) {
	for r, err := range s.Log.Read(ctx, event.Filter{Subjects: []string{subject}}, seq-1) {
		if err != nil {
			return r, fmt.Errorf("reading event %d: %w", seq, err)
		}
		if r.Seq == seq {
			return r, nil
		}
		break
	}
	return event.Recorded{}, fmt.Errorf("event %d of %s: %w", seq, subject, event.ErrNotFound)
}

type recordOut struct{ Body decisions.Record }

func (s *server) getRecord(ctx context.Context, in *decisionID) (*recordOut, error) {
	r, err := s.fullRecord(ctx, in.ID)
	return &recordOut{r}, err
}

// decisionMarkdown writes the page of a decision as a document.
func (s *server) decisionMarkdown(w http.ResponseWriter, r *http.Request) error {
	record, err := s.fullRecord(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	text, err := record.Page(r.URL.Query().Get("sql") == "true")
	if err != nil {
		return err
	}
	return writeMarkdown(w, text)
}

func writeMarkdown(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	_, _ = io.WriteString(w, text) // the client is gone if this fails
	return nil
}

type proofOut struct {
	Body struct {
		decisions.Proven
		Whole bool `json:"whole" doc:"everything holds"`
	}
}

// proveDecision checks the chain of the log, and the decision in it.
func (s *server) proveDecision(ctx context.Context, in *decisionID) (*proofOut, error) {
	record, err := s.fullRecord(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &proofOut{}
	out.Body.Proven, err = decisions.Prove(ctx, s.Log, s.Blobs, record.Decision.ID)
	out.Body.Whole = out.Body.OK()
	return out, err
}

type recomputeIn struct {
	ID    string `path:"id" doc:"of the decision, as lists and pages show it"`
	Today bool   `query:"today" doc:"also from today's data at the watermark of the record"`
	Late  bool   `query:"late" doc:"also with what has arrived since, as a list of what that makes different"`
}

// Recomputation is a decision made again.
type Recomputation struct {
	Decision string               `json:"decision"`
	Recorded decisions.Verdict    `json:"recorded" doc:"the verdict as it was made"`
	Record   decisions.Recomputed `json:"record" doc:"from the record alone"`
	Today    *decisions.Recounted `json:"today,omitempty" doc:"from today's data at the same watermark"`
	Late     *decisions.Recounted `json:"late,omitempty" doc:"with what has arrived since"`
	Forgot   int                  `json:"forgot,omitempty" doc:"units whose facts were deleted since; their numbers are gone from today's data"`
	Build    *decisions.Build     `json:"build,omitempty" doc:"the program that made the decision"`
}

type recomputeOut struct{ Body Recomputation }

// recomputeDecision makes a decision of the controller again.
func (s *server) recomputeDecision(ctx context.Context, in *recomputeIn) (*recomputeOut, error) {
	record, err := s.fullRecord(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !record.Decision.ByController() {
		return nil, fmt.Errorf("%w: %s decided that, and nothing but his word was it made from; recompute %s, which he decided over",
			decisions.ErrRefused, record.Decision.By, record.Decision.Advice)
	}
	out := &recomputeOut{Recomputation{Decision: in.ID, Recorded: record.Decision.Verdict}}
	if out.Body.Record, err = decisions.FromRecord(record.Document, record.Decision.Verdict); err != nil {
		return nil, err
	}
	for _, f := range s.Forgets.All() {
		if f.Before.After(record.Decision.At) {
			out.Body.Forgot++
		}
	}
	return out, s.recounts(ctx, record, in, &out.Body)
}

// recounts makes it again with counts of today, as far as that is asked for.
func (s *server) recounts(ctx context.Context, r decisions.Record, in *recomputeIn, out *Recomputation) error {
	input, err := r.Input()
	if err != nil {
		return err
	}
	out.Build = input.Build
	if in.Today {
		if out.Today, err = s.recount(ctx, r, *input, false); err != nil {
			return err
		}
	}
	if in.Late {
		out.Late, err = s.recount(ctx, r, *input, true)
	}
	return err
}

// recount makes the decision of an input again with counts of today. Before the
// first stage nothing was counted, and nothing is.
func (s *server) recount(ctx context.Context, r decisions.Record, in decisions.Input, late bool) (*decisions.Recounted, error) {
	if s.Recounts == nil {
		return nil, errNoRecounts
	}
	counted := in.Evidence
	if in.State.Stage >= 0 {
		var then decisions.Rollout
		s.Projection.View(func(uint64) { then, _ = s.Rollouts.Rollout(r.Rollout) })
		var err error
		if counted, err = s.Recounts.Recount(ctx, then.Then(in, r.Decision.ID), in.Evidence, late); err != nil {
			return nil, err
		}
	}
	out, err := decisions.Recount(in, counted, late)
	return &out, err
}

package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

func isConflict(err error) bool { return errors.Is(err, event.ErrConflict) }

// audit writes the control log as JSON lines, each with its hashes, so that
// anybody can check the copy without asking us.
func (s *server) audit(w http.ResponseWriter, r *http.Request) error {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	if err != nil && r.URL.Query().Has("after") {
		return event.Invalid{Path: "after", Value: r.URL.Query().Get("after"), Why: "is not a sequence", Fix: "write a number from 0"}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriter(w)
	defer out.Flush()
	lines := json.NewEncoder(out)
	for e, err := range s.Log.Read(r.Context(), event.Filter{}, after) {
		if err != nil {
			// The status is sent. An aborted answer cannot be taken for a whole one.
			s.report(r, err)
			panic(http.ErrAbortHandler)
		}
		if lines.Encode(e) != nil {
			return nil // the client has gone
		}
	}
	return nil
}

type verifyOut struct {
	Body Verification
}

// Verification is the answer to "is the record whole, and does it hold?".
type Verification struct {
	Seq    uint64           `json:"seq" doc:"last event that was checked"`
	Head   event.Hash       `json:"head" doc:"folded head of the log at seq"`
	State  event.Hash       `json:"state" doc:"hash of the state that the log folds to"`
	Seal   event.Mark       `json:"seal" doc:"what the newest seal says"`
	Replay string           `json:"replay" doc:"first law: empty when the fold from zero equals the running state"`
	Report decisions.Report `json:"report" doc:"recompute, cause and effect"`
	Whole  bool             `json:"whole" doc:"everything holds"`
}

// verify checks the chain and the four laws against the running state.
func (s *server) verify(ctx context.Context, _ *struct{}) (*verifyOut, error) {
	running, err := s.Projection.Mark()
	if err != nil {
		return nil, err
	}
	v, err := Verify(ctx, s.Log, s.Blobs, running)
	return &verifyOut{Body: v}, err
}

// Verify folds the log from zero, checks the chain on the way, compares the
// state with every seal and with the mark of a running state (the zero Mark:
// there is none), and checks the laws of the decisions.
func Verify(ctx context.Context, log event.Log, blobs event.Blobs, running event.Mark) (Verification, error) {
	marks, err := claims(ctx, log, running)
	if err != nil {
		return Verification{}, err
	}
	folds, v := NewFolds(), Verification{}
	p := event.NewProjection(folds.All()...)
	for r, err := range log.Read(ctx, event.Filter{}, 0) {
		if err == nil {
			err = p.Apply(r)
		}
		for _, c := range marks[p.Seq()] {
			if err == nil && v.Replay == "" {
				v.Replay, err = differs(c, p)
			}
		}
		if err != nil {
			return v, err
		}
	}
	m, err := p.Mark()
	if err != nil {
		return v, err
	}
	v.Seq, v.Head, v.State, v.Seal = m.Seq, m.Head, m.State, folds.Seals.Last
	if v.Report, err = decisions.Verify(ctx, log, blobs); err != nil {
		return v, err
	}
	v.Whole = v.Replay == "" && v.Report.OK()
	return v, nil
}

// claim is what somebody says of the log at one place.
type claim struct {
	by string
	event.Mark
}

// claims collects what seals and the running state say, by sequence. A seal may
// be of the very place where the running state is.
func claims(ctx context.Context, log event.Log, running event.Mark) (map[uint64][]claim, error) {
	all := map[uint64][]claim{}
	if running.Seq > 0 {
		all[running.Seq] = []claim{{by: "the running state", Mark: running}}
	}
	for r, err := range log.Read(ctx, event.Filter{Subjects: []string{event.SealSubject}}, 0) {
		if err != nil {
			return nil, err
		}
		c := claim{by: fmt.Sprintf("the seal at event %d", r.Seq)}
		if err := json.Unmarshal(r.Data, &c.Mark); err != nil {
			return nil, fmt.Errorf("%w: %s cannot be read: %v", event.ErrDamaged, c.by, err)
		}
		all[c.Seq] = append(all[c.Seq], c)
	}
	return all, nil
}

// differs says how a claim differs from what the log folds to, "" when it does
// not.
func differs(c claim, p *event.Projection) (string, error) {
	folded, err := p.Mark()
	return compare(c.by, c.Mark, folded), err
}

func compare(who string, says, folded event.Mark) string {
	switch {
	case says.Head != folded.Head:
		return fmt.Sprintf("%s has head %s at event %d; the log folds to %s", who, says.Head, says.Seq, folded.Head)
	case says.State != folded.State:
		return fmt.Sprintf("%s has state %s at event %d; the log folds to %s", who, says.State, says.Seq, folded.State)
	}
	return ""
}

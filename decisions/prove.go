package decisions

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// Proven says how one decision stands in its log.
type Proven struct {
	Decision string     `json:"decision"`
	Seq      uint64     `json:"seq"`               // of its event
	Hash     event.Hash `json:"hash"`              // of its event
	Head     event.Hash `json:"head"`              // of the log up to it
	Chain    string     `json:"chain,omitempty"`   // the first event that breaks the chain, or a seal; empty: none does
	Record   string     `json:"record,omitempty"`  // why its verdict does not follow from its record at this place of the log
	Effect   string     `json:"effect,omitempty"`  // why its effect is not the one that it asks for
	Pending  bool       `json:"pending,omitempty"` // its effect is still to come
	Person   bool       `json:"person,omitempty"`  // a person decided: there is nothing to recompute
}

// OK reports whether everything holds.
func (p Proven) OK() bool { return p.Chain == "" && p.Record == "" && p.Effect == "" }

// Prove reads a log from its start and checks the hash chain, and of one
// decision that it follows from its record and had the one effect that it asks
// for. An ID that is no decision's is event.ErrNotFound.
func Prove(ctx context.Context, log event.Log, blobs event.Blobs, id string) (Proven, error) {
	v, p := newVerifier(blobs), Proven{Decision: id}
	var chain event.Audit
	for r, err := range log.Read(ctx, event.Filter{}, 0) {
		if err == nil && p.Chain == "" {
			if broken := chain.Next(r); broken != nil {
				p.Chain = broken.Error()
			}
		}
		if err == nil {
			err = v.prove(ctx, r, &p)
		}
		if err == nil {
			err = v.state.Apply(r)
		}
		if err != nil {
			return p, fmt.Errorf("proving decision %s: %w", id, err)
		}
		if p.Seq == r.Seq {
			p.Head = chain.Head
		}
	}
	d, ok := v.decisions[id]
	if !ok {
		return p, fmt.Errorf("decision %s: %w", id, event.ErrNotFound)
	}
	p.Pending = d.Verdict.Action.Actuating() && d.effects == 0
	return p, ctx.Err()
}

// prove looks at an event as Verify does, but only at the decision in question
// for what takes a document.
func (v *verifier) prove(ctx context.Context, r event.Recorded, p *Proven) error {
	if r.Type == TypeMade && r.ID.String() != p.Decision {
		return v.noted(r)
	}
	about := r.ID.String() == p.Decision || r.Cause == p.Decision || v.lapses(r, p.Decision)
	if about {
		v.report.Recompute, v.report.Cause, v.report.Effect = Law{}, Law{}, Law{}
	}
	if err := v.next(ctx, r); err != nil || !about {
		return err
	}
	if r.ID.String() == p.Decision {
		p.Seq, p.Hash, p.Person = r.Seq, r.Hash, r.Actor != Controlling
		p.Record = v.report.Recompute.why()
	} else if p.Effect == "" {
		p.Effect = v.report.Cause.why() + v.report.Effect.why()
	}
	return nil
}

func (l Law) why() string {
	if l.Failed == nil {
		return ""
	}
	return l.Failed.Why
}

// lapses reports whether an event says that the decision gets no effect.
func (v *verifier) lapses(r event.Recorded, id string) bool {
	l, err := load[lapsed](r)
	return r.Type == TypeLapsed && err == nil && l.Decision == id
}

// noted keeps another decision in mind, without its document.
func (v *verifier) noted(r event.Recorded) error {
	m, err := load[made](r)
	if err != nil {
		return err
	}
	d := &verified{Recorded: r, made: m}
	d.environment, d.flag, _, err = SplitID(m.Rollout)
	v.decisions[r.ID.String()] = d
	return err
}

package event

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"
)

// Mark is a place in the log with the hashes that belong to it.
type Mark struct {
	Seq   uint64 `json:"seq"`
	Head  Hash   `json:"head"`  // folded head of the log at Seq
	State Hash   `json:"state"` // SHA-256 over the JSON of every fold's state, in order
}

// CheckEvery is the number of events between two checkpoints: sequences at
// which every replica hashes its state, so that there are some at which all
// replicas can be compared.
const CheckEvery = 256

// Mark returns where the projection is. Two projections of the same folds at
// the same sequence have equal marks, or one of them is wrong.
func (p *Projection) Mark() (Mark, error) {
	p.mu.RLock()
	s := p.still()
	p.mu.RUnlock()
	return s.mark()
}

// Checkpoint returns the mark of the newest checkpoint, and false before the
// first one and after a start until the next. It hashes the state when it is
// asked first; events go on being applied meanwhile.
func (p *Projection) Checkpoint() (Mark, bool, error) {
	p.mu.RLock()
	s := p.check
	p.mu.RUnlock()
	if s == nil {
		return Mark{}, false, nil
	}
	m, err := s.mark()
	return m, err == nil, err
}

// still is every fold's state at one place.
type still struct {
	at     Mark // without the state's hash
	states []any
	once   sync.Once
	state  Hash
	err    error
}

// still takes the state; whoever calls it holds the lock. It costs what copying
// the outer maps costs.
func (p *Projection) still() *still {
	s := &still{at: Mark{Seq: p.chain.Seq, Head: p.chain.Head}}
	for _, f := range p.folds {
		s.states = append(s.states, f.State())
	}
	return s
}

// mark hashes the state once and then lets go of it.
func (s *still) mark() (Mark, error) {
	s.once.Do(func() {
		h := sha256.New()
		for _, state := range s.states {
			if err := json.NewEncoder(h).Encode(state); err != nil {
				s.err = fmt.Errorf("encoding the state: %w", err)
				break
			}
		}
		s.state, s.states = Hash(h.Sum(nil)), nil
	})
	m := s.at
	m.State = s.state
	if s.err != nil {
		return Mark{}, s.err
	}
	return m, nil
}

package stream

import (
	"cmp"
	"slices"
)

// Count is how many streams of one kind stand at the same revision.
type Count struct {
	Environment  string `json:"environment"`
	SDK          string `json:"sdk" doc:"name and version, as it calls itself"`
	Notices      bool   `json:"notices,omitempty" doc:"OFREP clients, which hold no rules"`
	Given        uint64 `json:"given" doc:"revision that was written to the connection"`
	Acknowledged uint64 `json:"acknowledged,omitempty" doc:"revision that the SDK says it holds; absent when it never said"`
	Streams      int    `json:"streams"`
}

// Counts says which revision the streams of this replica are at, oldest first.
func (h *Hub) Counts() []Count {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := map[Count]int{}
	for _, s := range h.open {
		sum[s.count()]++
	}
	list := make([]Count, 0, len(sum))
	for c, n := range sum {
		c.Streams = n
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Revision(), b.Revision()),
			cmp.Compare(a.SDK, b.SDK), cmp.Compare(a.Given, b.Given))
	})
	return list
}

func (s *Stream) count() Count {
	return Count{
		Environment: s.request.Environment, SDK: s.sdk.Value(), Notices: s.request.Notices,
		Given: s.given.Load(), Acknowledged: s.held,
	}
}

// Revision is what a stream is known to hold: what it has acknowledged, else
// what was written to it.
func (c Count) Revision() uint64 { return cmp.Or(c.Acknowledged, c.Given) }

// Holds returns, for every revision, how many streams of rulesets of this
// replica hold it. Every change of a flag is written to the streams of all
// environments, so that one number speaks for all.
func (h *Hub) Holds() map[uint64]int {
	holds := map[uint64]int{}
	for _, c := range h.Counts() {
		if !c.Notices {
			holds[c.Revision()] += c.Streams
		}
	}
	return holds
}

// Acknowledge notes that the listener of a stream holds a revision. An SDK that
// acknowledges once is taken at its word from then on. A stream of an
// environment that whoever asks may not hear is unknown.
func (h *Hub) Acknowledge(id string, mayHear func(environment string) bool, revision uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.open[id]
	if !ok || s.request.Notices || !mayHear(s.request.Environment) {
		return ErrUnknown
	}
	s.held = min(revision, s.feed.tail.revision) // nobody holds what is not there yet
	return nil
}

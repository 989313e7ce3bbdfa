package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/ingest"
)

// FactsView says how far the facts are: what is acknowledged, what of it is
// countable, and whether anything is missing.
type FactsView struct {
	Shards      []ShardView `json:"shards"`
	Events      uint64      `json:"events" doc:"different events that are stored"`
	Reports     uint64      `json:"reports" doc:"of these: counts of evaluations, which replicas report themselves"`
	DeadLetters uint64      `json:"deadLetters" doc:"events that were put there, also those that were sent again or purged since"`
	Unaccounted int64       `json:"unaccounted" doc:"events that were loaded and are neither stored nor dead; 0 when all is well"`
	Control     ShardView   `json:"control" doc:"the control log"`
	ControlRows uint64      `json:"controlRows" doc:"events of the control log that are stored"`

	Pressure   ingest.Pressure   `json:"pressure" doc:"how much room there is for events"`
	Recordings ingest.Recordings `json:"recordings" doc:"evaluations that this replica has recorded as exposures"`
}

// ShardView is how far one stream is loaded.
type ShardView struct {
	ingest.Progress
	Last     uint64 `json:"last" doc:"sequence of the last message that is acknowledged"`
	FirstGap uint64 `json:"firstGap,omitempty" doc:"sequence of the first message with an event that is unaccounted for"`
}

// Accounts tells how far the facts are.
type Accounts interface {
	Facts(ctx context.Context) (FactsView, error)
}

type factsOut struct{ Body FactsView }

func (s *server) getFacts(ctx context.Context, _ *struct{}) (*factsOut, error) {
	if s.Accounts == nil {
		return nil, fmt.Errorf("this replica loads no facts: %w", errNoSuch)
	}
	v, err := s.Accounts.Facts(ctx)
	return &factsOut{Body: v}, err
}

func newestFirst(list []DecisionView) {
	slices.SortFunc(list, func(a, b DecisionView) int {
		if a.Seq != b.Seq {
			return int(b.Seq) - int(a.Seq)
		}
		return strings.Compare(a.ID, b.ID)
	})
}

package flags

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// EnvironmentCommand asks for a document of an environment.
type EnvironmentCommand struct {
	Order
	Key         string
	Environment *EnvironmentDoc // nil: none any more; one that exists without a document stays
}

// environmentChanged is the data of an environment.changed event.
type environmentChanged struct {
	Environment *EnvironmentDoc `json:"environment,omitempty"` // nil: it has no document any more
	Comment     string          `json:"comment,omitempty"`
}

// applyEnvironment folds an environment.changed event.
func (s *State) applyEnvironment(r event.Recorded) error {
	var data environmentChanged
	if err := json.Unmarshal(r.Data, &data); err != nil {
		return fmt.Errorf("reading a %s event: %w", EnvironmentEventType, err)
	}
	key := strings.TrimPrefix(r.Subject, EnvironmentSubject)
	next := RecordedEnvironment{Stamp: s.shared.Environments[key].follow(r, data.Comment)}
	if next.Deleted = data.Environment == nil; !next.Deleted {
		next.EnvironmentDoc = *data.Environment
	}
	next.Key = key
	s.shared.Environments[key] = next
	return nil
}

// PolicyCommand asks for a policy.
type PolicyCommand struct {
	Order
	Key    string
	Policy *Policy // nil: none any more
}

// policyChanged is the data of a policy.changed event.
type policyChanged struct {
	Policy  *Policy `json:"policy,omitempty"` // nil: it is gone
	Comment string  `json:"comment,omitempty"`
}

// applyPolicy folds a policy.changed event.
func (s *State) applyPolicy(r event.Recorded) error {
	var data policyChanged
	if err := json.Unmarshal(r.Data, &data); err != nil {
		return fmt.Errorf("reading a %s event: %w", PolicyEventType, err)
	}
	key := strings.TrimPrefix(r.Subject, PolicySubject)
	next := RecordedPolicy{Stamp: s.shared.Policies[key].follow(r, data.Comment)}
	if next.Deleted = data.Policy == nil; !next.Deleted {
		next.Policy = *data.Policy
	}
	next.Key = key
	s.shared.Policies[key] = next
	return nil
}

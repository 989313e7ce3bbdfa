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

// HandleEnvironment is Handle for the document of an environment.
func (s *State) HandleEnvironment(c EnvironmentCommand) (event.Event, event.Expect, error) {
	old, exists := s.Environment(c.Key)
	revision := s.shared.Environments[c.Key].Revision
	if err := c.expects("environment "+c.Key, revision); err != nil {
		return event.Event{}, 0, err
	}
	if c.Environment == nil && (!exists || revision == 0) {
		return event.Event{}, 0, fmt.Errorf("%w: environment %s", ErrUnknown, c.Key)
	}
	doc, faults := s.checkEnvironmentDoc(c)
	if c.Actor == "" {
		faults.Add("actor", nil, "is missing", "")
	}
	if err := faults.Err(); err != nil {
		return event.Event{}, 0, err
	}
	if exists && revision > 0 && doc != nil && same(old.EnvironmentDoc, *doc) {
		return event.Event{}, event.Expect(revision), fmt.Errorf("%w: environment %s at revision %d", ErrUnchanged, c.Key, revision)
	}
	return c.event(EnvironmentEventType, EnvironmentSubject+c.Key, revision, environmentChanged{doc, c.Comment})
}

// HandlePolicy is Handle for a policy.
func (s *State) HandlePolicy(c PolicyCommand) (event.Event, event.Expect, error) {
	old, exists := s.PolicyDoc(c.Key)
	revision := s.shared.Policies[c.Key].Revision
	if err := c.expects("policy "+c.Key, revision); err != nil {
		return event.Event{}, 0, err
	}
	if c.Policy == nil && !exists {
		return event.Event{}, 0, fmt.Errorf("%w: policy %s", ErrUnknown, c.Key)
	}
	faults := s.checkPolicy(c)
	if c.Actor == "" {
		faults.Add("actor", nil, "is missing", "")
	}
	if err := faults.Err(); err != nil {
		return event.Event{}, 0, err
	}
	if exists && c.Policy != nil && same(old.Policy, *c.Policy) {
		return event.Event{}, event.Expect(revision), fmt.Errorf("%w: policy %s at revision %d", ErrUnchanged, c.Key, revision)
	}
	return c.event(PolicyEventType, PolicySubject+c.Key, revision, policyChanged{c.Policy, c.Comment})
}

// checkPolicy refuses a policy that could never be asked.
func (s *State) checkPolicy(c PolicyCommand) event.Invalids {
	var faults event.Invalids
	if c.Policy == nil {
		return nil
	}
	if c.Policy.Key != c.Key {
		faults.Add("key", c.Policy.Key, "is not the policy that is being written, "+c.Key, "")
	}
	if found, ok := c.Policy.Validate().(event.Invalids); ok {
		faults = append(faults, found...)
	}
	for i, name := range c.Policy.Match.Environments {
		if _, ok := s.Environment(name); !ok {
			faults = append(faults, s.NoEnvironment(fmt.Sprintf("match.environments[%d]", i), name))
		}
	}
	return faults
}

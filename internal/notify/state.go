package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// The types of the events of a webhook, and what its subject has before the
// key.
const (
	TypeChanged   = "webhook.changed"
	TypeRemoved   = "webhook.removed"
	TypeSuspended = "webhook.suspended" // nothing is sent to it any more, until somebody resumes it
	TypeResumed   = "webhook.resumed"

	SubjectPrefix = "webhook."
)

// Errors of commands that callers test with errors.Is.
var (
	// ErrUnknown says that there is no such webhook, or no such delivery.
	ErrUnknown = errors.New("there is none of that name")
	// ErrUnchanged says that a webhook is already as it is wanted.
	ErrUnchanged = errors.New("nothing would change")
	// ErrRefused says that the webhook, as it stands, does not allow that.
	ErrRefused = errors.New("the webhook does not allow that")
)

// Hook is a webhook as the log has it. A Hook that State hands out never
// changes.
type Hook struct {
	Webhook
	Revision  uint64      `json:"revision"`            // sequence of its last event
	Made      uint64      `json:"made"`                // sequence of its first: it is told of what comes behind that
	Rotated   *Rotation   `json:"rotated,omitempty"`   // of its derived secret, the last one
	Suspended *Suspension `json:"suspended,omitempty"` // nil: it is sent to
}

// Rotation says which derived secret was in use before, so that both sign for a
// while.
type Rotation struct {
	From int       `json:"from"` // version
	At   time.Time `json:"at"`
}

// Suspension says why a webhook is not sent to.
type Suspension struct {
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
}

// The data of each type, as the log keeps it. Shapes are append-only: fields
// are added, never renamed or reused; testdata/events.json holds recorded ones.
type (
	changedData struct {
		Webhook storedWebhook `json:"webhook"`
		Comment string        `json:"comment,omitempty"`
	}
	noteData struct {
		Why     string `json:"why,omitempty"` // suspended
		Comment string `json:"comment,omitempty"`
	}
)

// storedWebhook is a Webhook as the log keeps it. The conversion between the
// two stops compiling when the document's type changes, and then it must be
// written by hand.
type storedWebhook struct {
	Key           string   `json:"key"`
	Description   string   `json:"description,omitempty"`
	Owner         string   `json:"owner,omitempty"`
	Format        Format   `json:"format,omitempty"`
	URL           string   `json:"url,omitempty"`
	Secret        string   `json:"secret,omitempty"`
	SecretVersion int      `json:"secretVersion,omitempty"`
	Events        []string `json:"events"`
	Environments  []string `json:"environments,omitempty"`
	Tags          []string `json:"tags,omitempty"`
}

// State is the fold of all webhooks. It is not safe for concurrent use; a
// projection guards it.
type State struct {
	// Told are the types of events that can be told: a webhook asks for some of
	// their families. Whoever builds the house knows them; what this room itself
	// records is not among them, or a webhook that failed would be told of it.
	Told []string

	hooks map[string]Hook
	last  map[string]uint64 // subject -> sequence of its last event, also of those that are gone
}

var _ event.Restorer = (*State)(nil)

// NewState returns the state before the first event.
func NewState() *State { return &State{hooks: map[string]Hook{}, last: map[string]uint64{}} }

// Hook returns one webhook.
func (s *State) Hook(key string) (Hook, bool) {
	h, ok := s.hooks[key]
	return h, ok
}

// Hooks lists the webhooks, by key.
func (s *State) Hooks() []Hook {
	list := make([]Hook, 0, len(s.hooks))
	for _, key := range slices.Sorted(maps.Keys(s.hooks)) {
		list = append(list, s.hooks[key])
	}
	return list
}

// Why says why nobody would hear of what is sent to a webhook, or returns "".
func (s *State) Why(key string) string {
	h, ok := s.hooks[key]
	switch {
	case !ok:
		return "is not a webhook"
	case h.Suspended != nil:
		return "is a webhook that is suspended: " + h.Suspended.Why
	}
	return ""
}

// Apply implements event.Fold.
func (s *State) Apply(r event.Recorded) error {
	key, ok := strings.CutPrefix(r.Subject, SubjectPrefix)
	if !ok {
		return nil
	}
	h, err := s.hooks[key].after(r)
	if err != nil {
		return fmt.Errorf("reading a %s event: %w", r.Type, err)
	}
	s.last[r.Subject] = r.Seq
	h.Revision = r.Seq
	if s.hooks[key] = h; r.Type == TypeRemoved {
		delete(s.hooks, key)
	}
	return nil
}

// after returns the webhook as an event leaves it.
func (h Hook) after(r event.Recorded) (Hook, error) {
	switch r.Type {
	case TypeChanged:
		var d changedData
		if err := json.Unmarshal(r.Data, &d); err != nil {
			return h, err
		}
		next := Webhook(d.Webhook)
		if h.Made == 0 {
			h.Made = r.Seq
		} else if h.version() != next.version() {
			h.Rotated = &Rotation{From: h.version(), At: r.Time}
		}
		h.Webhook = next
	case TypeSuspended:
		var d noteData
		if err := json.Unmarshal(r.Data, &d); err != nil {
			return h, err
		}
		h.Suspended = &Suspension{Since: r.Time, Why: d.Why}
	case TypeResumed:
		h.Suspended = nil
	}
	return h, nil
}

// kept is everything that a State keeps. It is left out while there is none.
type kept struct {
	Hooks map[string]Hook   `json:"hooks,omitempty"`
	Last  map[string]uint64 `json:"last,omitempty"`
}

// State implements event.Fold.
func (s *State) State() any { return kept{maps.Clone(s.hooks), maps.Clone(s.last)} }

// Snapshot implements event.Restorer.
func (s *State) Snapshot() any { return s.State() }

// Restore implements event.Restorer.
func (s *State) Restore(b json.RawMessage) error {
	k := kept{Hooks: s.hooks, Last: s.last}
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("reading the webhooks: %w", err)
	}
	s.hooks, s.last = k.Hooks, k.Last
	return nil
}

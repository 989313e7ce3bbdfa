package notify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Op names what is wanted of a webhook.
type Op string

// What can be done with a webhook.
const (
	Define  Op = "define"  // Webhook: the whole document
	Remove  Op = "remove"  //
	Suspend Op = "suspend" // Why
	Resume  Op = "resume"  // send again, beginning with what was not sent
)

// Command is what somebody wants of one webhook.
type Command struct {
	ID      event.ID
	Op      Op
	Key     string
	Webhook *Webhook // of Define
	Why     string   // of Suspend
	At      time.Time
	Actor   string // principal
	Comment string // why, for people
}

// Handle turns a command into its event and what the log must expect, or says
// why not. It changes nothing.
func (s *State) Handle(c Command) (event.Event, event.Expect, error) {
	kind, data, err := s.handle(c)
	if err != nil {
		return event.Event{}, 0, err
	}
	b, err := json.Marshal(data)
	if err != nil {
		return event.Event{}, 0, fmt.Errorf("encoding a %s: %w", kind, err)
	}
	subject := SubjectPrefix + c.Key
	return event.Event{ID: c.ID, Source: Source, Type: kind, Subject: subject, Time: c.At, Actor: c.Actor, Data: b}, event.Expect(s.last[subject]), nil
}

// handle returns the type and data of the command's event.
func (s *State) handle(c Command) (kind string, data any, err error) {
	h, known := s.hooks[c.Key]
	switch {
	case c.Op == Define:
		return s.define(c, h, known)
	case !known:
		return "", nil, fmt.Errorf("webhook %q: %w", c.Key, ErrUnknown)
	}
	switch c.Op {
	case Remove:
		return TypeRemoved, noteData{Comment: c.Comment}, nil
	case Suspend:
		if h.Suspended != nil {
			return "", nil, fmt.Errorf("%w: %s is suspended already", ErrRefused, c.Key)
		}
		return TypeSuspended, noteData{Why: c.Why, Comment: c.Comment}, nil
	case Resume:
		if h.Suspended == nil {
			return "", nil, fmt.Errorf("%w: %s is not suspended", ErrRefused, c.Key)
		}
		return TypeResumed, noteData{Comment: c.Comment}, nil
	}
	return "", nil, event.Invalids{{Path: "op", Value: string(c.Op), Why: "is not a command", Fix: "use define, remove, suspend or resume"}}
}

func (s *State) define(c Command, h Hook, known bool) (kind string, data any, err error) {
	w := c.Webhook
	if w == nil || w.Key != c.Key {
		return "", nil, event.Invalids{{Path: "key", Value: c.Key, Why: "is not the key of the document"}}
	}
	if err := w.Validate(s.Told); err != nil {
		return "", nil, err
	}
	if known && w.Secret == "" && h.Secret == "" && w.version() < h.version() {
		return "", nil, event.Invalids{{Path: "secretVersion", Value: strconv.Itoa(w.version()), Why: "was in use before; the webhook is at " + strconv.Itoa(h.version()), Fix: "write that, or raise it"}}
	}
	if known && same(h.Webhook, *w) {
		return "", nil, fmt.Errorf("%w: webhook %s", ErrUnchanged, c.Key)
	}
	return TypeChanged, changedData{storedWebhook(*w), c.Comment}, nil
}

// same compares what would be stored, where an empty list and none are one.
func same(a, b Webhook) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

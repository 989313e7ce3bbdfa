package notify

import (
	"net/http"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	ID          event.ID  `json:"id"`    // webhook-id, the same for every try
	Seq         uint64    `json:"seq"`   // of the event: the message is made of it anew for each try
	Event       event.ID  `json:"event"` //
	Type        string    `json:"type"`
	Environment string    `json:"environment,omitempty"` // the one that it is about; empty: several or all
	Flag        string    `json:"flag,omitempty"`
	At          time.Time `json:"at"` // of the event

	Standing Standing       `json:"standing"`
	Tries    int            `json:"tries,omitempty"`
	Failed   int            `json:"failed,omitempty"` // tries of these whose end was noted: those that a kill cut short make no later one wait longer
	First    time.Time      `json:"first,omitzero"`   // try
	Last     time.Time      `json:"last,omitzero"`    // try
	Next     time.Time      `json:"next,omitzero"`    // try, while it waits; zero: at once
	Status   int            `json:"status,omitempty"` // HTTP status of the last answer; 0: there was none
	Why      string         `json:"why,omitempty"`    // the last try failed
	Took     event.Duration `json:"took,omitempty"`   // the last try, to a millisecond
}

// Standing is how a delivery stands.
type Standing string

// The standings of a delivery.
const (
	Waiting   Standing = "waiting"   // for its next try
	Delivered Standing = "delivered" // the receiver has answered 2xx
	GivenUp   Standing = "givenUp"   // others came through, and this one did not for three days
)

// deliveryID names a delivery: the same event to the same webhook is the same
// delivery, however often anybody comes to it. made tells a webhook from an
// earlier one of its key.
func deliveryID(h Hook, e event.ID) event.ID {
	return event.Derive("delivery", h.Key, strconv.FormatUint(h.Made, 10), e.String())
}

func newDelivery(h Hook, r event.Recorded) Delivery {
	return Delivery{ID: deliveryID(h, r.ID), Seq: r.Seq, Event: r.ID, Type: r.Type, At: r.Time, Standing: Waiting}
}

// outcome is what became of one try.
type outcome struct {
	status int           // HTTP status; 0: there was no answer
	why    string        // it failed; empty: it did not
	gone   bool          // the receiver says that it wants nothing more
	rest   time.Duration // that the receiver asks for; 0: it does not
	took   time.Duration
}

func (o outcome) ok() bool { return o.why == "" }

// absent reports whether an answer says that the receiver could take nothing
// else either: it is not there, busy or broken.
func absent(status int) bool {
	return status == 0 || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

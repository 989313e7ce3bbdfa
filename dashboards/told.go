package dashboards

import "time"

// Receiver is a webhook: who is told of what happens, and how that goes.
type Receiver struct {
	Name   string
	Mark   Mark   // Passed: it takes what it is sent, Failed: it does not, Paused: nobody sends to it, Waiting: it was sent nothing
	Text   string // how many messages it took, and why it fails
	Newest []Message
}

// Message is something that a webhook was told, or is to be.
type Message struct {
	Mark  Mark
	At    time.Time // of what happened
	Of    string    // type of the event: "rollout.decided"
	About string    // the flag and its environment; empty: none
	Why   string    // the last try failed; empty: it did not
}

// Deliveries is how it goes with what a webhook is told.
type Deliveries struct {
	Webhook            string
	Delivered, GivenUp uint64
	Waiting            int
	Heard              *time.Time // when it took the last one; nil: it took none
	Failing            *time.Time // since when every try has failed; nil: the last one did not
	Why                string     // the newest try failed
	Suspended          string     // why it is not sent to; empty: it is
	Newest             []Message
}

// NewReceiver says how it goes with a webhook.
func NewReceiver(d Deliveries) Receiver {
	r := Receiver{Name: d.Webhook, Mark: Waiting, Text: "Nothing was sent to it yet.", Newest: d.Newest}
	sums := count(int64(d.Delivered)) + " delivered, " + count(int64(d.Waiting)) + " waiting, " + count(int64(d.GivenUp)) + " given up"
	switch {
	case d.Suspended != "":
		r.Mark, r.Text = Paused, "Nothing is sent to it: "+sentence(d.Suspended)+" "+sums+"."
	case d.Failing != nil:
		r.Mark, r.Text = Failed, "Every try has failed since "+moment(*d.Failing)+": "+sentence(d.Why)+" "+sums+"."
	case d.Heard != nil:
		r.Mark, r.Text = Passed, sums+", the last one on "+moment(*d.Heard)+"."
	case d.Waiting > 0:
		r.Text = sums + "."
	}
	return r
}

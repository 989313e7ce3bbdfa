package notify

import (
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Outbox is what is kept of the deliveries of one webhook: one small value,
// written over and over beside the log.
//
// Deliveries are not events. What is told to whom follows from the log: each
// event, by the webhooks that were there. Only how far that is does not, and it
// changes with every try, so that in the log, which is kept for ever, one
// receiver that is down would add a dozen events for every real one. Of an
// outbox the newest value counts alone. It stays small: an event is taken out of
// the log only while there is room in Waiting, and of those that ended the
// newest are kept. What is older, and what did not fit, is still in the log: no
// event is ever taken to be sent before the outbox that holds it is on disk. The
// one thing worth keeping for ever, that a receiver heard nothing any more, is
// an event (TypeSuspended).
type Outbox struct {
	Made      uint64     `json:"made"`              // of the webhook; that of another one starts afresh
	Done      uint64     `json:"done"`              // every event up to here that the webhook asks for is in Waiting, or through
	Revision  uint64     `json:"revision"`          // of the webhook, as of the last pass
	Waiting   []Delivery `json:"waiting,omitempty"` // oldest first
	Ended     []Delivery `json:"ended,omitempty"`   // newest last
	Delivered uint64     `json:"delivered"`         // in all
	GivenUp   uint64     `json:"givenUp"`           // in all
	Heard     time.Time  `json:"heard,omitzero"`    // when the receiver last took something
	Failing   time.Time  `json:"failing,omitzero"`  // since when every try has failed; zero: the last one did not
	Rest      time.Time  `json:"rest,omitzero"`     // the receiver asked to be left alone until then
}

// Bounds of an outbox: some 70 KB when both are full. It is written twice for
// every try.
const (
	mostWaiting = 100
	mostEnded   = 100
)

// open brings an outbox in line with its webhook, and reports whether that
// changed it. Whoever resumes a webhook or writes another address into it gives
// everything that waits another three days, beginning at once.
func (b *Outbox) open(h Hook) bool {
	switch {
	case b.Made != h.Made:
		*b = Outbox{Made: h.Made, Done: h.Made, Revision: h.Revision}
	case b.Revision != h.Revision:
		b.Revision, b.Failing, b.Rest = h.Revision, time.Time{}, time.Time{}
		for i := range b.Waiting {
			b.Waiting[i].renew()
		}
	default:
		return false
	}
	return true
}

// behind reports whether a webhook is older than the one that the outbox was
// opened for last: this replica has not read that far yet, and must not turn
// back what another one has done.
func (b *Outbox) behind(h Hook) bool { return h.Made < b.Made || h.Revision < b.Revision }

// renew starts the tries of a delivery over.
func (d *Delivery) renew() {
	d.Standing, d.Tries, d.Failed, d.First, d.Next = Waiting, 0, 0, time.Time{}, time.Time{}
}

func (b *Outbox) full() bool { return len(b.Waiting) >= mostWaiting }

// add puts the delivery of an event in.
func (b *Outbox) add(h Hook, r event.Recorded, a About) {
	d := newDelivery(h, r)
	d.Flag = a.Flag
	if len(a.Environments) == 1 {
		d.Environment = a.Environments[0]
	}
	b.Waiting = append(b.Waiting, d)
}

// due returns the delivery to try next: the oldest whose time has come.
func (b *Outbox) due(now time.Time) (Delivery, bool) {
	if now.Before(b.Rest) {
		return Delivery{}, false
	}
	for _, d := range b.Waiting {
		if !now.Before(d.Next) {
			return d, true
		}
	}
	return Delivery{}, false
}

func (b *Outbox) at(id event.ID) int {
	return slices.IndexFunc(b.Waiting, func(d Delivery) bool { return d.ID == id })
}

// claimed is how long a try is its own: longer than one may take, so that
// another replica does not make the same one meanwhile, and what a process that
// was killed had begun is tried again soon.
const claimed = 45 * time.Second

// begin counts the next try before it is made, and returns it.
func (b *Outbox) begin(now time.Time) (Delivery, bool) {
	d, ok := b.due(now)
	if !ok {
		return d, false
	}
	if d.Tries == 0 {
		d.First = now
	}
	d.Tries++
	d.Last, d.Next, d.Status, d.Why, d.Took = now, now.Add(claimed), 0, "no answer has been noted", 0
	b.Waiting[b.at(d.ID)] = d
	return d, true
}

// settle notes what became of a try. It returns why the webhook is to be
// suspended, "" when it is not. A try that somebody has started over meanwhile
// is passed over.
func (b *Outbox) settle(tried Delivery, o outcome, jitter float64) string {
	i := b.at(tried.ID)
	if i < 0 || b.Waiting[i].Tries != tried.Tries {
		return ""
	}
	d, now := &b.Waiting[i], tried.Last.Add(o.took)
	d.Status, d.Why, d.Took = o.status, o.why, event.Duration(o.took.Round(time.Millisecond))
	if o.ok() {
		b.heard(i, now)
		return ""
	}
	d.Failed++
	d.Next = now.Add(pause(d.Failed, jitter))
	if b.Failing.IsZero() {
		b.Failing = d.Last
	}
	if o.rest > 0 {
		b.Rest = now.Add(min(o.rest, mostRest))
	}
	switch {
	case o.gone:
		return "the receiver answered 410 Gone: it wants nothing more"
	case now.Sub(d.First) < lifetime:
		return ""
	case !b.Failing.After(d.First):
		return "nothing has come through since " + b.Failing.UTC().Format(time.RFC3339) + "; last: " + o.why
	}
	b.end(i, GivenUp)
	return ""
}

// heard ends a delivery. When the receiver had not been there, those that it
// missed are brought forward; one that it refused keeps its own time.
func (b *Outbox) heard(i int, now time.Time) {
	for j := range b.Waiting {
		if d := &b.Waiting[j]; !b.Failing.IsZero() && d.Tries > 0 && absent(d.Status) && d.Next.After(now) {
			d.Next = now
		}
	}
	b.Failing, b.Rest, b.Heard = time.Time{}, time.Time{}, now
	b.end(i, Delivered)
}

// end moves a delivery to those that ended.
func (b *Outbox) end(i int, how Standing) {
	d := b.Waiting[i]
	d.Standing, d.Next = how, time.Time{}
	b.Waiting = slices.Delete(b.Waiting, i, i+1)
	if how == Delivered {
		b.Delivered++
	} else {
		b.GivenUp++
	}
	b.Ended = append(b.Ended, d)
	b.Ended = b.Ended[max(len(b.Ended)-mostEnded, 0):]
}

// drop takes a delivery out that turned out to say nothing.
func (b *Outbox) drop(id event.ID) {
	b.Waiting = slices.DeleteFunc(b.Waiting, func(d Delivery) bool { return d.ID == id })
}

// again makes a delivery due at once, whatever became of it before.
func (b *Outbox) again(d Delivery) {
	if i := b.at(d.ID); i >= 0 {
		b.Waiting[i].renew()
		return
	}
	b.Ended = slices.DeleteFunc(b.Ended, func(old Delivery) bool { return old.ID == d.ID })
	d.renew()
	b.Waiting = append(b.Waiting, d)
}

// find returns a delivery that is kept.
func (b *Outbox) find(id event.ID) (Delivery, bool) {
	for _, d := range slices.Concat(b.Waiting, b.Ended) {
		if d.ID == id {
			return d, true
		}
	}
	return Delivery{}, false
}

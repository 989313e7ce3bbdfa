package notify

import (
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// What a webhook asks for: types, environments, tags, and what plans say.
func TestWants(t *testing.T) {
	about := func(change func(*About)) About {
		a := About{Types: []string{"decision.made", "decision.rollback"}, Environments: []string{"production"}, Flag: "shop.pay", Tags: []string{"payments", "shop"}}
		change(&a)
		return a
	}
	hook := func(events ...string) Webhook { return Webhook{Key: "release", Events: events} }
	with := func(w Webhook, change func(*Webhook)) Webhook { change(&w); return w }
	same := func(*About) {}
	for name, c := range map[string]struct {
		w    Webhook
		a    About
		want bool
	}{
		"its family":             {hook("decision.*"), about(same), true},
		"everything":             {hook("*"), about(same), true},
		"its type":               {hook("decision.made"), about(same), true},
		"what it comes to":       {hook("decision.rollback"), about(same), true},
		"what it does not":       {hook("decision.expand"), about(same), false},
		"another family":         {hook("flag.*", "segment.*"), about(same), false},
		"its environment":        {with(hook("*"), func(w *Webhook) { w.Environments = []string{"staging", "production"} }), about(same), true},
		"another environment":    {with(hook("*"), func(w *Webhook) { w.Environments = []string{"staging"} }), about(same), false},
		"all environments":       {with(hook("*"), func(w *Webhook) { w.Environments = []string{"staging"} }), about(func(a *About) { a.Environments = nil }), true},
		"its tag":                {with(hook("*"), func(w *Webhook) { w.Tags = []string{"search", "payments"} }), about(same), true},
		"another tag":            {with(hook("*"), func(w *Webhook) { w.Tags = []string{"search"} }), about(same), false},
		"no tag":                 {with(hook("*"), func(w *Webhook) { w.Tags = []string{"search"} }), about(func(a *About) { a.Tags = nil }), false},
		"the plan says so":       {hook("incident.*"), about(func(a *About) { a.To = []string{"release"} }), true},
		"the plan says another":  {hook("incident.*"), about(func(a *About) { a.To = []string{"support"} }), false},
		"an effect, to programs": {hook("decision.*", "decision.made"), about(func(a *About) { a.Effect = true }), true},
		"an effect, to people": {with(hook("*"), func(w *Webhook) { w.Format = Slack }), about(func(a *About) {
			a.Types, a.Effect = []string{"flag.changed"}, true
		}), false},
		"an effect, to people who hear of flags alone": {with(hook("flag.*"), func(w *Webhook) { w.Format = Slack }), about(func(a *About) {
			a.Types, a.Effect = []string{"flag.changed"}, true
		}), true},
	} {
		if got := c.w.Wants(c.a); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// A try that was started over meanwhile, or is gone, is passed over.
func TestSettle_late(t *testing.T) {
	h := Hook{Webhook: Webhook{Key: "release"}, Made: 1, Revision: 1}
	var b Outbox
	b.open(h)
	b.add(h, event.Recorded{Event: event.Event{ID: event.Derive("a")}, Seq: 2}, About{})
	d, ok := b.begin(time.Unix(100, 0))
	if !ok || d.Tries != 1 {
		t.Fatalf("began %+v", d)
	}
	if _, again := b.begin(time.Unix(101, 0)); again {
		t.Error("a try that is under way is begun by another")
	}
	b.again(d)
	b.settle(d, outcome{status: 200}, 0)
	if len(b.Waiting) != 1 || b.Delivered != 0 {
		t.Errorf("the outbox is %+v", b)
	}
	d, _ = b.begin(time.Unix(102, 0))
	b.settle(d, outcome{status: 200}, 0)
	b.settle(d, outcome{status: 200}, 0)
	if len(b.Waiting) != 0 || b.Delivered != 1 {
		t.Errorf("the outbox is %+v", b)
	}
}

// A replica that lags turns nothing back.
func TestBehind(t *testing.T) {
	var b Outbox
	b.open(Hook{Made: 4, Revision: 9})
	for _, c := range []struct {
		made, revision uint64
		want           bool
	}{{4, 9, false}, {4, 10, false}, {12, 12, false}, {4, 4, true}, {1, 3, true}} {
		if got := b.behind(Hook{Made: c.made, Revision: c.revision}); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

// Of those that ended the newest are kept.
func TestEnded_bounded(t *testing.T) {
	h := Hook{Webhook: Webhook{Key: "release"}, Made: 1}
	var b Outbox
	b.open(h)
	for i := range 3 * mostEnded {
		b.add(h, event.Recorded{Event: event.Event{ID: event.New()}, Seq: uint64(i + 2)}, About{})
		d, _ := b.begin(time.Unix(int64(i), 0))
		b.settle(d, outcome{status: 204}, 0)
	}
	if n := len(b.Ended); n != mostEnded || b.Ended[n-1].Seq != 3*mostEnded+1 || b.Delivered != 3*mostEnded {
		t.Errorf("%d are kept, the last of event %d", n, b.Ended[n-1].Seq)
	}
}

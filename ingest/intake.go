package ingest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/shapes"
	"github.com/sluice-hq/sluice/internal/trace"
)

// Intake takes requests with events: it reads, validates, packs and
// acknowledges. It is safe for concurrent use; Door and Packers are required.
type Intake struct {
	Door    *Door
	Packers []*Packer // one for each shard, in the order of their numbers
	Guard   *Guard    // nil: everything is let in
	Room    int64     // bytes of inflated bodies of all requests under way; zero: 128 MiB; one has up to 8 MiB

	// History is what the door's view of the flags is a fold of; nil: that view
	// is never behind.
	History *event.Projection
	// End returns the sequence of the last event of History's log, asked anew;
	// required with History.
	End func(context.Context) (uint64, error)

	inflater inflater
	tap      Tap
}

// Receipt is the answer to a request that was acknowledged: status 202.
type Receipt struct {
	Accepted    int         `json:"accepted"`              // events on disk, dead letters among them
	DeadLetters int         `json:"deadLetters,omitempty"` // events that wait until a metric declares them
	Ignored     int         `json:"ignored,omitempty"`     // calls that tell of no event, such as who somebody is
	Differs     int         `json:"differs,omitempty"`     // exposures whose claims are not what the history says
	Dropped     []string    `json:"dropped,omitempty"`     // names of attributes that the environment does not keep, the first ten
	Undeclared  []string    `json:"undeclared,omitempty"`  // names of the events among the dead letters, the first ten
	Rejected    []Rejection `json:"rejected,omitempty"`    // events that were not taken; sending them again as they are is no use
}

// Accept reads the events of a request and returns when all that it takes are
// on disk. It answers
//
//	event.Invalids  a body that is not what it says, 400, nothing kept
//	Refused         no event can be taken, 400, nothing kept
//	ErrMedia        unknown type or encoding, 415
//	ErrTooLarge     over the limits, 413
//	ErrBusy         not stored now, 503; sending again is safe
//
// and the errors of ctx and of reading the body.
func (in *Intake) Accept(ctx context.Context, req Request, now time.Time) (Receipt, error) {
	heard := hearing{environment: req.Environment, received: now}
	receipt, err := in.accept(ctx, req, now, &heard)
	if !req.Check {
		in.tap.tell(heard, err)
	}
	return receipt, err
}

// accept also writes down what there is to hear of the request.
func (in *Intake) accept(ctx context.Context, req Request, now time.Time, heard *hearing) (Receipt, error) {
	if err := in.Guard.admit(); err != nil { // before the body is read
		return Receipt{}, err
	}
	room := &hold{of: &in.inflater, most: orElse(in.Room, mostHeld)}
	defer room.release() // when its events are on disk: until then they take as much
	body, err := in.inflater.read(req, room)
	if err != nil {
		return Receipt{}, err
	}
	taken, err := in.take(ctx, in.door(req), req, body, now)
	if err != nil {
		return Receipt{}, err
	}
	receipt := taken.receipt()
	if req.Check {
		return receipt, nil
	}
	in.tap.note(heard, taken) // its events belong to the packs from here on
	return receipt, in.submit(ctx, taken.Batch)
}

// door returns the door that a request comes to.
func (in *Intake) door(req Request) *Door {
	if !req.Import && !req.Public {
		return in.Door
	}
	door := *in.Door
	door.Replay, door.Public = req.Import, req.Public
	return &door
}

// take lets the events through the door. An exposure may name a revision that
// another replica served before this one has heard of it: the history would
// say nothing of it, or what was in force before, and the unit would be counted
// elsewhere or nowhere. So the door looks again when the history has caught up.
func (in *Intake) take(ctx context.Context, door *Door, req Request, body []byte, now time.Time) (Taken, error) {
	look := func() (Taken, error) {
		if req.Shape != "" {
			return door.AcceptShape(req.Environment, shapes.Body{Shape: req.Shape, Media: req.Type, Header: req.Attributes, Data: body}, now)
		}
		if req.Logs {
			return door.AcceptLogs(req.Environment, req.media(), body, now)
		}
		return door.Accept(req.Environment, body, now)
	}
	if in.History == nil {
		return look()
	}
	seen := in.History.Seq() // before the door looks: what arrives meanwhile may have been looked for already
	taken, err := look()
	if taken.Revision <= seen {
		return taken, err
	}
	if err := in.catchUp(ctx, taken.Revision); err != nil {
		return Taken{}, fmt.Errorf("%w: revision %d is not known here yet: %w", ErrBusy, taken.Revision, err)
	}
	return look()
}

// patience bounds the wait for the history: longer, and it is the sender's
// turn to wait, who has the events.
const patience = 2 * time.Second

// catchUp waits until the history has a revision, or all that the log has: a
// revision that is nowhere is a claim like any other that the history does not
// bear out.
func (in *Intake) catchUp(ctx context.Context, revision uint64) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	end, err := in.End(ctx)
	if err != nil {
		return err
	}
	return in.History.Wait(ctx, min(revision, end))
}

// submit puts the events into their shards' packs, all before it waits for the
// first, so that the packs' times pass together.
func (in *Intake) submit(ctx context.Context, b Batch) (err error) {
	if err := in.Guard.admit(); err != nil {
		return err
	}
	ctx, span := trace.Start(ctx, trace.Producer, "publish events")
	defer func() { span.End(err) }()
	span.Number("sluice.events", int(b.Count))
	from := trace.Parent(ctx)
	var tickets []*ticket
	for i, part := range b.shards(len(in.Packers)) {
		if part.Count == 0 {
			continue
		}
		t, err := in.Packers[i].join(part, from)
		if err != nil {
			_ = waitAll(ctx, tickets) // others may be in the packs that it has opened
			return err
		}
		tickets = append(tickets, t)
	}
	return waitAll(ctx, tickets)
}

// waitAll waits for every ticket and returns the first error. Each may have packs
// to publish for others, who must not wait for the stream of another shard: so
// they are published side by side, in goroutines that end before it does.
func waitAll(ctx context.Context, tickets []*ticket) error {
	if len(tickets) == 1 {
		return tickets[0].wait(ctx)
	}
	errs := make([]error, len(tickets))
	var all sync.WaitGroup
	for i, t := range tickets {
		all.Go(func() { errs[i] = t.wait(ctx) })
	}
	all.Wait()
	return cmp.Or(errs...)
}

func (t Taken) receipt() Receipt {
	r := Receipt{Accepted: int(t.Count), DeadLetters: len(t.Dead), Ignored: t.Ignored, Differs: t.Differs, Dropped: t.Dropped, Rejected: t.Rejected}
	seen := map[string]bool{}
	for _, d := range t.Dead {
		if name := d.Name; !seen[name] && len(seen) < mostNamed {
			seen[name] = true
			r.Undeclared = append(r.Undeclared, name)
		}
	}
	return r
}

// shards distributes a batch by unit, so that a unit's exposures and metric
// events share a shard and its order. A metric event of units in two shards is
// one event in each; what has no unit goes by its ID.
func (b Batch) shards(n int) []Batch {
	if n == 1 {
		return []Batch{b}
	}
	parts := make([]Batch, n)
	for i := range parts {
		parts[i] = b.part(func(k Key) bool { return k.shard(n) == i })
	}
	return parts
}

func (k Key) shard(n int) int {
	if k.UnitKind != "" {
		return int(k.Unit % uint64(n))
	}
	return shardOf(k.ID, n)
}

func shardOf(id event.ID, n int) int { return int(id[15]) % n }

// part returns a copy of the rows that in selects and numbers their events
// anew.
func (b Batch) part(in func(Key) bool) Batch {
	part := b
	part.Rows = b.Keep(func(k Key, _ Place) bool { return in(k) })
	part.Dead = nil
	for _, d := range b.Dead {
		if in(Key{ID: d.ID}) {
			part.Dead = append(part.Dead, d)
		}
	}
	renumbered := map[uint32]uint32{}
	part.stamp(func(p *Place) {
		if _, ok := renumbered[p.Idx]; !ok {
			renumbered[p.Idx] = uint32(len(renumbered))
		}
		p.Idx = renumbered[p.Idx]
	})
	part.Count = uint32(len(renumbered))
	return part
}

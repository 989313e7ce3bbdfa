package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

// AcceptShape takes what another program sends. Exposures are those of the flag's
// unit, and count for the rollout that was in force when they happened; those whose
// sender does not know whether a unit takes part count when the allocation gives
// the unit that variant. Events without an ID get one that follows from what they
// say. Of attributes those are kept that the environment names, no others: nobody
// meant to send them as such. Errors are those of Accept; a body without events is
// taken.
func (d *Door) AcceptShape(environment string, body shapes.Body, now time.Time) (Taken, error) {
	content, err := shapes.Read(body)
	switch {
	case errors.Is(err, shapes.ErrMany):
		return Taken{}, fmt.Errorf("%w: %w; send several requests", ErrTooLarge, err)
	case err != nil:
		return Taken{}, err
	case len(content.Events) == 0:
		return Taken{Ignored: content.Ignored}, nil
	}
	v := d.visit(environment, now)
	v.equal = map[event.ID]int{}
	for i := range content.Events {
		v.shaped(string(body.Shape), &content.Events[i])
	}
	taken, err := v.result()
	taken.Ignored = content.Ignored
	return taken, err
}

// shaped files one event of another program. What is wrong with it is said in
// its sender's words.
func (v *visit) shaped(shape string, e *shapes.Event) {
	v.w, v.in.index = wire{}, e.Index
	first := len(v.out.Rejected)
	switch {
	case len(e.Faults) > 0:
		v.settle(v.faulty(e))
	case e.Kind == shapes.Own:
		v.own(shape, e)
	case e.Kind == shapes.Exposure:
		v.exposed(shape, e)
	default:
		v.happened(shape, e)
	}
	for i := range v.out.Rejected[first:] {
		r := &v.out.Rejected[first+i]
		r.Field = e.Field(r.Field)
	}
}

func (v *visit) faulty(e *shapes.Event) (faults []Rejection) {
	for _, f := range e.Faults {
		faults = append(faults, v.reject(Malformed, f.Field, f.Value, f.Why, f.Fix)...)
	}
	return faults
}

// exposed files an exposure.
func (v *visit) exposed(shape string, e *shapes.Event) {
	at := v.at(e)
	kind := cmp.Or(v.door.Flags.UnitKind(v.environment, e.Name, 0), "user") // of a flag that there is not, which check says
	x := Exposure{
		Flag: e.Name, Variant: e.Variants[0], Unit: Unit{Kind: kind, ID: e.Unit}, Reason: e.Reason, At: at, Source: Source(shape),
		Attributes: v.kept.named(e.Attributes), ID: v.named(shape, e, at),
	}
	if id := e.Attributes[kind]; id != "" { // as an evaluation finds the unit
		x.Unit.ID = id
	}
	v.place(&x, e)
	v.w = wireOf(x)
	v.w.has |= fEnrolled // no reason stands in for it
	v.settle(v.within(x))
}

// place finds out of which variant an exposure speaks, and for which rollout it
// counts.
func (v *visit) place(x *Exposure, e *shapes.Event) {
	past := v.door.Past
	if past == nil {
		return
	}
	if name, ok := past.Variant(x.Flag, e.Variants); ok {
		x.Variant = name
	}
	x.Revision = past.RevisionAt(v.environment, x.Flag, x.At)
	if kind := v.door.Flags.UnitKind(v.environment, x.Flag, x.Revision); kind != x.Unit.Kind {
		return // the allocation is about other units
	}
	_, armed := v.door.Flags.Assigned(v.environment, x.Flag, x.Revision, x.Variant)
	x.Enrolled = armed && (e.Claim == shapes.Takes ||
		e.Claim == shapes.Unsaid && past.Given(v.environment, x.Flag, x.Revision, x.Unit.ID) == x.Variant)
}

// happened files a metric event, of its unit and of those units of other kinds
// that its attributes name, as evaluations find them.
func (v *visit) happened(shape string, e *shapes.Event) {
	at := v.at(e)
	w := &v.w
	*w = wire{
		has: fKind | fID | fName | fUnits | fAt, kind: KindMetric, id: v.named(shape, e, at), name: e.Name, at: at.Truncate(time.Millisecond),
		units: v.units(e), attributes: v.kept.named(e.Attributes),
	}
	faults := append(v.bound("name", w.name, maxKey), v.boundAttributes(w.attributes)...)
	for _, u := range w.units {
		faults = append(faults, v.bound("units."+u.Kind, u.ID, maxUnitID)...)
	}
	if e.Value != nil {
		w.has |= fValue
		scaled := math.Round(*e.Value * one)
		if w.value = int64(scaled); math.Abs(scaled) >= 1<<63 {
			faults = append(faults, v.reject(Malformed, "value", strconv.FormatFloat(*e.Value, 'g', -1, 64), "does not fit into 64 bits of millionths", "send a smaller number")...)
		}
	}
	v.settle(faults)
}

func (v *visit) units(e *shapes.Event) (units []Unit) {
	if e.Unit != "" {
		units = append(units, Unit{Kind: "user", ID: e.Unit})
	}
	if v.door.Past == nil {
		return units
	}
	for _, kind := range v.door.Past.UnitKinds() {
		if id := e.Attributes[kind]; id != "" && kind != "user" && len(units) < maxUnits {
			units = append(units, Unit{Kind: kind, ID: id})
		}
	}
	slices.SortFunc(units, func(a, b Unit) int { return strings.Compare(a.Kind, b.Kind) })
	return units
}

// own files an event of ours in another one's envelope.
func (v *visit) own(shape string, e *shapes.Event) {
	outer := v.in
	v.in = reader{scanner: scanner{b: e.Data}, index: e.Index}
	faults := v.in.event(&v.w)
	v.end()
	if v.in.err != nil {
		faults = v.reject(Malformed, "", string(e.Data), "is not an event in JSON", "send the event's fields")
	}
	v.in, v.in.index = outer, e.Index
	v.enveloped(shape, e)
	v.settle(faults)
}

// enveloped puts down what the event leaves out and its envelope says.
func (v *visit) enveloped(shape string, e *shapes.Event) {
	w := &v.w
	if w.has&fKind == 0 && e.Name != "" {
		w.has, w.kind = w.has|fKind, e.Name
	}
	if w.has&fAt == 0 && !e.At.IsZero() {
		w.has, w.at = w.has|fAt, e.At.Truncate(time.Millisecond)
	}
	if w.has&fID != 0 {
		return
	}
	w.has |= fID
	if id, ok := parseID([]byte(e.ID)); ok && isVersion7(id) {
		w.id = id
		return
	}
	if e.At.IsZero() && w.has&fAt != 0 {
		e.At = w.at
	}
	w.id = v.named(shape, e, v.at(e))
}

// at is when an event happened, as far as its sender says.
func (v *visit) at(e *shapes.Event) time.Time {
	if e.At.IsZero() {
		return v.now
	}
	return e.At
}

// named returns the ID of an event. What its sender tells it apart by goes in as a
// keyed hash, as units do: from an ID nobody shall be able to guess who it was. Of
// events that are equal in everything the second is another one than the first.
// An event with an ID and without a time has the day on which it came in its ID, so
// that it is the same one when it is sent again on that day.
func (v *visit) named(shape string, e *shapes.Event, at time.Time) event.ID {
	if day := at.Truncate(24 * time.Hour); e.Named && e.At.IsZero() && !day.Before(v.now.Add(-v.window.late())) {
		at = day
	}
	parts := []string{shape, v.environment, hashedText(v.hasher.hash(shape, e.Identity))}
	id := DeriveID(at, parts...)
	if e.Named {
		return id
	}
	v.equal[id]++
	if n := v.equal[id]; n > 1 {
		return DeriveID(at, append(parts, strconv.Itoa(n))...)
	}
	return id
}

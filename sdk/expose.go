package sdk

import (
	"context"
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/flags"
)

// expose records that a unit met an allocation's answer, once in a window. Who
// is not enrolled is in no comparison, and is counted alone.
func (p *Provider) expose(r *flags.Result, c *flags.Context) {
	if !r.Enrolled || r.UnitID == "" {
		return
	}
	if !p.seen.first(r, c.Now, p.config.window()) {
		return
	}
	f := newFact("exposure", c.Now)
	f.Flag, f.Variant, f.Unit, f.Revision, f.Reason = r.Key, r.Variant, &unit{r.Unit, r.UnitID}, r.Revision, r.Reason
	f.Rollout, f.Stage, f.Epoch, f.Enrolled, f.SDK = r.Rollout, r.Stage, r.Epoch, true, itself
	f.Attributes = chosen(p.config.Attributes, c.Attributes)
	p.exposures.Add(1)
	p.enqueue(&f)
}

var _ openfeature.Tracker = (*Provider)(nil)

// Track implements openfeature.Tracker: a metric event of every unit that the
// context names and any flag is about. The details' value is the event's, and
// their attributes are its attributes. Without details the value is left to the
// server, which counts 1. It waits for nothing.
func (p *Provider) Track(_ context.Context, name string, c openfeature.EvaluationContext, details openfeature.TrackingEventDetails) {
	f := newFact("metric", p.config.now())
	who, _ := plainMap(c.Attributes()) // as an evaluation sees it, or units would have other ids in exposures
	f.Name, f.Units, f.Attributes = name, p.unitsOf(c.TargetingKey(), who), chosen(p.config.Attributes, who)
	for key, v := range details.Attributes() {
		if f.Attributes == nil {
			f.Attributes = map[string]string{}
		}
		value, _ := plain(v)
		f.Attributes[key] = text(value)
	}
	if v := details.Value(); !reflect.ValueOf(details).IsZero() { // a value of zero is one, when it was given
		f.Value = &v
	}
	p.tracked.Add(1)
	switch {
	case len(f.Units) == 0:
		p.refuse(&f, "units", "names no unit", "give the context a targeting key")
	case f.Value != nil && (math.IsNaN(*f.Value) || math.IsInf(*f.Value, 0)):
		f.Value = nil // or there would be no JSON to show
		p.refuse(&f, "value", "is not a number", "send a number")
	default:
		p.enqueue(&f)
	}
}

// mostUnits is how many units one event may have.
const mostUnits = 8

// unitsOf returns the units that a context names, of the kinds that flags are
// about; a user without any flags.
func (p *Provider) unitsOf(targetingKey string, attributes map[string]any) map[string]string {
	kinds := []string{flags.DefaultUnit}
	if s := p.held.Load(); s != nil {
		kinds = s.units
	}
	units := make(map[string]string, 2)
	for _, kind := range kinds {
		if id := unitID(kind, targetingKey, attributes); id != "" && len(units) < mostUnits {
			units[kind] = id
		}
	}
	return units
}

// unitKinds lists the kinds of unit that flags are about, users first. It
// changes the set.
func unitKinds(kinds map[string]bool) []string {
	delete(kinds, "") // which stands for users
	delete(kinds, flags.DefaultUnit)
	return append([]string{flags.DefaultUnit}, slices.Sorted(maps.Keys(kinds))...)
}

// enqueue puts a fact into the queue.
func (p *Provider) enqueue(f *fact) {
	b, err := f.encode()
	if err != nil {
		p.config.log().Error("an event has no JSON", "event", f.ID, "error", err) // unreachable: facts are texts and finite numbers
		return
	}
	if len(b) > mostFact {
		f.Attributes, f.Labels = nil, nil // what makes it so large
		p.refuse(f, "attributes", "make the event larger than 256 KiB", "send less")
		return
	}
	p.queue.add(b)
}

package shapes

import (
	"encoding/json"
	"fmt"
)

// Fixes that both shapes of FeatBit share.
const (
	keyFix  = "send the key that the flag was evaluated with"
	nameFix = "name the event"
	flagFix = "name the flag"
)

// insight reads one element of the Track Insights API
// (docs.featbit.co/api-docs/track-insights-api). Its variations name FeatBit's own
// UUID of a variation and its value; sendToExperiment says whether the unit counts.
func (r *reading) insight(i int, o *object) {
	user := o.object("user")
	who := person{key: user.must("keyId", keyFix), attributes: with(nil, "name", user.text("name"))}
	properties, err := user.list("customizedProperties")
	for j, raw := range properties {
		p, _ := objectOf(raw, fmt.Sprintf("user.customizedProperties[%d]", j))
		who.attributes = with(who.attributes, p.text("name"), p.scalar("value"))
		user.faults = append(user.faults, p.faults...)
	}
	r.person(i, o, user, who, err, func(o *object) Event {
		variation := o.object("variation")
		e := Event{
			Name: o.must("featureFlagKey", flagFix), Variants: []string{variation.must("value", "send the value of the variation"), variation.text("id")},
			Claim: Out, fields: insightFields,
		}
		if o.truth("sendToExperiment") {
			e.Claim = Takes
		}
		o.faults = append(o.faults, variation.faults...)
		return e
	})
}

var insightFields = map[string]string{"flag": "featureFlagKey", "variant": "variation.value", "unit.id": "/user.keyId", "at": "timestamp", "id": "timestamp"}

// tracked reads one element of the track service of the release decision agent
// (github.com/featbit/featbit-release-decision-agent, modules/track-service). All
// that it takes down is analysed.
func (r *reading) tracked(i int, o *object) {
	user := o.object("user")
	who := person{key: user.must("keyId", keyFix)}
	properties := user.object("properties")
	who.attributes = properties.scalars(nil)
	user.faults = append(user.faults, properties.faults...)
	r.person(i, o, user, who, nil, func(o *object) Event {
		return Event{
			Name: o.must("flagKey", flagFix), Variants: []string{o.must("variant", "name the variant")}, Claim: Takes,
			Attributes: with(with(nil, "experimentId", o.text("experimentId")), "layerId", o.text("layerId")), fields: trackedFields,
		}
	})
}

var (
	trackedFields = map[string]string{"flag": "flagKey", "variant": "variant", "unit.id": "/user.keyId", "at": "timestamp", "id": "timestamp"}
	metricFields  = map[string]string{"name": "eventName", "value": "numericValue", "units.user": "/user.keyId", "at": "timestamp", "id": "timestamp"}
)

// person is whom an element of either shape is about.
type person struct {
	key        string
	attributes map[string]string
}

// person files the exposures and metric events of an element. What is wrong with
// the user, or with a list, is wrong with all of it.
func (r *reading) person(i int, o, user *object, who person, err error, exposure func(*object) Event) {
	variations, err1 := o.list("variations")
	metrics, err2 := o.list("metrics")
	if err != nil || err1 != nil || err2 != nil {
		o.faults = append(o.faults, Fault{Why: ErrMany.Error(), Fix: "send smaller lists"})
	}
	if len(o.faults)+len(user.faults) > 0 {
		r.file(Event{Index: i}, o, user)
		return
	}
	r.exposures(i, variations, who, exposure)
	r.metrics(i, metrics, who)
}

func (r *reading) exposures(i int, list []json.RawMessage, who person, read func(*object) Event) {
	for j, raw := range list {
		o, ok := r.objectAt(i, raw, fmt.Sprintf("variations[%d]", j))
		if !ok {
			continue
		}
		e := read(o)
		e.Index, e.Kind, e.prefix = i, Exposure, o.path
		e.Unit, e.At, e.Identity = who.key, o.epoch("timestamp"), identity(who.key, raw)
		for name, text := range who.attributes {
			e.Attributes = with(e.Attributes, name, text)
		}
		r.file(e, o)
	}
}

func (r *reading) metrics(i int, list []json.RawMessage, who person) {
	for j, raw := range list {
		o, ok := r.objectAt(i, raw, fmt.Sprintf("metrics[%d]", j))
		if !ok {
			continue
		}
		r.file(Event{
			Index: i, Kind: Metric, Name: o.must("eventName", nameFix), Unit: who.key, Value: o.number("numericValue"), At: o.epoch("timestamp"),
			Attributes: o.scalars(clone(who.attributes), "eventName", "numericValue", "timestamp"),
			Identity:   identity(who.key, raw), prefix: o.path, fields: metricFields,
		}, o)
	}
}

func clone(m map[string]string) (out map[string]string) {
	for name, text := range m {
		out = with(out, name, text)
	}
	return out
}

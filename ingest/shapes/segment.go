package shapes

// ExperimentViewed is the event by which tools that speak to Segment say who saw
// which variation (segment.com/docs/connections/spec/ab-testing).
const ExperimentViewed = "Experiment Viewed"

// segment reads a call of the HTTP Tracking API, or a batch of calls
// (segment.com/docs/connections/sources/catalog/libraries/server/http-api).
func (r *reading) segment(body []byte) error {
	if o, ok := objectOf(body, ""); !ok || !o.has("batch") {
		return r.each(body, "", func(i int, o *object) { r.call(i, o, "track") })
	}
	return r.each(body, "batch", func(i int, o *object) { r.call(i, o, "") })
}

// call reads one call; kind is what it is when it does not say.
func (r *reading) call(i int, o *object, kind string) {
	if o.has("type") {
		kind = o.text("type")
	}
	switch kind {
	case "track":
		r.track(i, o)
	case "identify", "page", "screen", "group", "alias":
		r.Ignored++
	default:
		o.fault("type", "is not a kind of call", "send track; identify, page, screen, group and alias are passed over")
		r.file(Event{Index: i}, o)
	}
}

func (r *reading) track(i int, o *object) {
	properties, context := o.object("properties"), o.object("context")
	e := Event{
		Index: i, Kind: Metric, Name: o.must("event", nameFix), Unit: o.text("userId"), At: o.instant("timestamp"), fields: callFields,
		Identity: o.text("messageId"), Named: o.has("messageId"),
	}
	anonymous := o.text("anonymousId")
	if e.Unit == "" {
		e.Unit = anonymous
	}
	if e.Unit == "" && len(o.faults) == 0 {
		o.fault("userId", "is missing", "send userId or anonymousId")
	}
	if !e.Named {
		e.Identity = identity("", o.whole)
	}
	if !o.has("timestamp") { // as libraries call it whose service corrects times
		e.At = o.instant("originalTimestamp")
	}
	e.Attributes = with(with(properties.scalars(nil), "anonymous", anonymous), "group", context.text("groupId"))
	if e.Name == ExperimentViewed {
		e.viewed(properties)
	} else if e.Value = properties.number("value"); e.Value == nil {
		e.Value = properties.number("revenue")
	}
	r.file(e, o, properties, context)
}

var callFields = map[string]string{
	"name": "event", "value": "properties.value", "units.user": "userId", "unit.id": "userId", "at": "timestamp", "id": "timestamp",
	"flag": "properties.experiment_id", "variant": "properties.variation_id",
}

// viewed makes the event an exposure. Who sees an experiment takes part in it.
func (e *Event) viewed(properties *object) {
	e.Kind, e.Claim = Exposure, Takes
	flag, variant := "experiment_id", "variation_id"
	if !properties.has(flag) {
		flag = "experiment_name"
	}
	if !properties.has(variant) {
		variant = "variation_name"
	}
	e.Name = properties.must(flag, "send the flag's key as experiment_id")
	e.Variants = []string{properties.must(variant, "send the variant's name as variation_id"), properties.text("variation_name")}
}

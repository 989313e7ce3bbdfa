package shapes

// collected reads one event of GO Feature Flag's data collector
// (github.com/thomaspoignant/go-feature-flag, cmd/relayproxy). The exporters of its
// OpenFeature providers send them: evaluations, which do not say why a unit got
// its variant, and what OpenFeature's track was called with. Their times have whole
// seconds, so that two equal events of one second differ in nothing.
func (r *reading) collected(i int, o *object) {
	e := Event{
		Index: i, Unit: o.must("userKey", "evaluate with a targeting key"), At: o.epoch("creationDate"),
		Identity: identity("", o.whole), prefix: o.path,
	}
	context := o.object("evaluationContext")
	e.Attributes = context.scalars(nil, "targetingKey")
	switch kind := o.text("kind"); kind {
	case "tracking":
		details := o.object("trackingEventDetails")
		e.Kind, e.Name, e.Value = Metric, o.must("key", nameFix), details.number("value")
		e.fields = map[string]string{"name": "key", "value": "trackingEventDetails.value", "units.user": "userKey", "at": "creationDate", "id": "creationDate"}
		r.file(e, o, context, details)
	case "feature", "": // the collector takes whatever is not tracking for an evaluation
		e.Kind, e.Name, e.Variants = Exposure, o.must("key", flagFix), []string{o.must("variation", "name the variation")}
		if o.truth("default") { // the code's own value, because the evaluation failed
			e.Claim, e.Reason = Out, "ERROR"
		}
		e.fields = map[string]string{"flag": "key", "variant": "variation", "unit.id": "userKey", "at": "creationDate", "id": "creationDate"}
		r.file(e, o, context)
	default:
		o.fault("kind", "is not a kind of event", "send feature or tracking")
		r.file(e, o)
	}
}

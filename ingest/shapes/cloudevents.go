package shapes

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Media types of CloudEvents in JSON (CloudEvents 1.0.2, JSON event format).
const (
	OneCloudEvent    = "application/cloudevents+json"
	CloudEventsBatch = "application/cloudevents-batch+json"
)

// ownType begins the types of CloudEvents whose data is an event of ours:
// "sluice.exposure".
const ownType = "sluice."

// cloudEvents reads one event, a batch, or one whose attributes came in headers.
func (r *reading) cloudEvents(b Body) error {
	if b.Header != nil {
		r.cloudEvent(0, binary(b))
		return nil
	}
	list, err := elements(b.Data, "")
	if err != nil {
		return err
	}
	for i, raw := range list {
		if o, ok := r.objectAt(i, raw, ""); ok {
			r.cloudEvent(i, o)
		}
	}
	return nil
}

// binary writes an event of headers and a body as one in JSON.
func binary(b Body) *object {
	o := &object{members: map[string]json.RawMessage{}}
	for name, text := range b.Header {
		o.members[name], _ = json.Marshal(text) // text always can be
	}
	media, _ := json.Marshal(b.Media)
	o.members["datacontenttype"] = media
	if isJSON(b.Media) && json.Valid(b.Data) {
		o.members["data"] = b.Data
	}
	return o
}

func isJSON(media string) bool {
	media, _, _ = strings.Cut(media, ";")
	media = strings.TrimSpace(media)
	return media == "" || strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json")
}

// cloudEvent reads one event. Source and ID name it together. Its subject is whom
// it is about, and its type the name of a metric event, unless its data is an event
// of ours.
func (r *reading) cloudEvent(i int, o *object) {
	if version := o.must("specversion", `send "1.0"`); version != "" && version != "1.0" {
		o.fault("specversion", "is not a version that is read", `send "1.0"`)
	}
	e := Event{
		Index: i, Kind: Metric, Name: o.must("type", "say what happened"), Unit: o.text("subject"), At: o.instant("time"), Named: true,
		Identity: o.must("source", "say where it comes from") + "\x00" + o.must("id", "give it an ID, and keep it on every retry"),
		fields:   cloudFields,
	}
	if kind, ok := strings.CutPrefix(e.Name, ownType); ok {
		e.own(kind, o)
		r.file(e, o)
		return
	}
	data := o.data()
	e.Value = data.number("value")
	e.Attributes = data.scalars(o.scalars(nil, "specversion", "type", "source", "id", "time", "subject", "datacontenttype", "dataschema", "data", "data_base64"), "value")
	r.file(e, o, data)
}

var cloudFields = map[string]string{"name": "type", "value": "data.value", "units": "subject", "units.user": "subject", "at": "time", "id": "time"}

// own makes the event one of ours.
func (e *Event) own(kind string, o *object) {
	e.Kind, e.Name, e.Data = Own, kind, o.members["data"]
	if o.has("data_base64") {
		text, err := base64.StdEncoding.DecodeString(o.text("data_base64"))
		if err != nil {
			o.fault("data_base64", "is not base64", "send the event as data")
		}
		e.Data = text
	}
	if !json.Valid(e.Data) {
		o.fault("data", "is not an event in JSON", "send the event's fields")
	}
	if id := o.text("id"); e.Name != "" && id != "" {
		e.ID = id
	}
}

// data returns the data of an event when that is an object in JSON, else an empty
// one: it may be anything.
func (o *object) data() *object {
	if raw := o.members["data"]; isJSON(o.text("datacontenttype")) && len(raw) > 0 && raw[0] == '{' {
		return o.object("data")
	}
	return &object{path: "data."}
}

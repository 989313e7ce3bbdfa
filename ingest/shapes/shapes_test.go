package shapes_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

func recorded(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func value(v float64) *float64 { return &v }

// TestRead_examples reads what each program documents as an example of what it
// takes: the files of testdata, from the pages that are named here.
func TestRead_examples(t *testing.T) {
	type m = map[string]string
	for file, c := range map[string]struct {
		shape shapes.Shape
		want  shapes.Content
	}{
		// https://docs.featbit.co/api-docs/track-insights-api, "Complete Example"
		"featbit": {shapes.FeatBit, shapes.Content{Events: []shapes.Event{
			{
				Kind: shapes.Exposure, Name: "recommendation-algorithm", Variants: []string{"algorithm-v2", "7d2e4f3b-8c6a-4d9e-b2f7-1a5c3e8b6d4f"}, Claim: shapes.Takes,
				Unit: "user-456", Attributes: m{"name": "Jane Smith", "country": "USA", "plan": "enterprise"}, At: time.UnixMilli(1704067300000).UTC(),
			}, {
				Kind: shapes.Metric, Name: "purchase-completed", Unit: "user-456", Value: value(299.99), At: time.UnixMilli(1704067350000).UTC(),
				Attributes: m{"name": "Jane Smith", "country": "USA", "plan": "enterprise", "route": "/api/checkout/complete", "type": "CustomEvent", "appType": "Web"},
			}, {
				Kind: shapes.Metric, Name: "item-added", Unit: "user-456", Value: value(1), At: time.UnixMilli(1704067250000).UTC(),
				Attributes: m{"name": "Jane Smith", "country": "USA", "plan": "enterprise", "route": "/api/items/add-to-cart", "type": "CustomEvent", "appType": "Web"},
			},
		}}},
		// https://github.com/featbit/featbit-release-decision-agent, modules/track-service/README.md
		"featbit-agent": {shapes.Agent, shapes.Content{Events: []shapes.Event{
			{
				Kind: shapes.Exposure, Name: "new-checkout", Variants: []string{"treatment"}, Claim: shapes.Takes, Unit: "user-123",
				Attributes: m{"country": "US", "experimentId": "exp-1"}, At: time.UnixMilli(1776300000000).UTC(),
			},
			{Kind: shapes.Metric, Name: "checkout-completed", Unit: "user-123", Attributes: m{"country": "US"}, At: time.UnixMilli(1776300060000).UTC()},
		}}},
		// https://github.com/thomaspoignant/go-feature-flag, cmd/relayproxy/testdata/controller/collect_eval_data/valid_request.json
		"go-feature-flag": {shapes.Collector, shapes.Content{Events: []shapes.Event{{
			Kind: shapes.Exposure, Name: "my-feature-flag", Variants: []string{"admin-variation"}, Unit: "94a25909-20d8-40cc-8500-fee99b569345", At: time.UnixMilli(1680246000011).UTC(),
		}}}},
		// https://github.com/open-feature/go-sdk-contrib, providers/go-feature-flag/pkg/manager/data_collector_manager_test.go
		"go-feature-flag-tracking": {shapes.Collector, shapes.Content{Events: []shapes.Event{{
			Kind: shapes.Metric, Name: "clicked-checkout", Unit: "EFGH", Value: value(99.99), At: time.Unix(1722266324, 0).UTC(),
		}}}},
		// https://segment.com/docs/connections/sources/catalog/libraries/server/http-api, "Track"
		"segment": {shapes.Segment, shapes.Content{Events: []shapes.Event{{
			Kind: shapes.Metric, Name: "Item Purchased", Unit: "019mr8mf4r", Value: value(14.99), At: time.Date(2012, 12, 2, 0, 30, 12, 984e6, time.UTC),
			Attributes: m{"name": "Leap to Conclusions Mat", "revenue": "14.99"},
		}}}},
		// the same page, "Batch", where months have one digit
		"segment-batch": {shapes.Segment, shapes.Content{Ignored: 2, Events: []shapes.Event{
			{Index: 1, Kind: shapes.Metric, Name: "Song Played", Unit: "019mr8mf4r", At: time.Date(2012, 12, 2, 0, 30, 12, 984e6, time.UTC), Attributes: m{"name": "Fallin for You", "artist": "Dierks Bentley"}},
			{Index: 3, Kind: shapes.Metric, Name: "Song Played", Unit: "971mj8mk7p", At: time.Date(2015, 2, 2, 0, 30, 12, 984e6, time.UTC), Attributes: m{"name": "Get Right", "artist": "Jennifer Lopez"}},
		}}},
		// https://github.com/cloudevents/spec, cloudevents/spec.md, "Example"
		"cloudevent": {shapes.CloudEvents, shapes.Content{Events: []shapes.Event{{
			Kind: shapes.Metric, Name: "com.github.pull_request.opened", Unit: "123", At: time.Date(2018, 4, 5, 17, 31, 0, 0, time.UTC), Named: true,
			Attributes: m{"comexampleextension1": "value", "comexampleothervalue": "5"},
		}}}},
		// https://github.com/cloudevents/spec, cloudevents/formats/json-format.md, section 4.3
		"cloudevents-batch": {shapes.CloudEvents, shapes.Content{Events: []shapes.Event{
			{Kind: shapes.Metric, Name: "com.example.someevent", At: time.Date(2018, 4, 5, 17, 31, 0, 0, time.UTC), Named: true, Attributes: m{"comexampleextension1": "value", "comexampleothervalue": "5"}},
			{Index: 1, Kind: shapes.Metric, Name: "com.example.someotherevent", At: time.Date(2018, 4, 5, 17, 31, 5, 0, time.UTC), Named: true,
				Attributes: m{"comexampleextension1": "value", "comexampleothervalue": "5", "appinfoA": "abc", "appinfoB": "123", "appinfoC": "true"}},
		}}},
	} {
		got, err := shapes.Read(shapes.Body{Shape: c.shape, Data: recorded(t, file)})
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(shapes.Event{}), cmpopts.IgnoreFields(shapes.Event{}, "Identity")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		seen := map[string]bool{}
		for _, e := range got.Events {
			if e.Identity == "" || seen[e.Identity] {
				t.Errorf("%s: %s has the identity %q, which tells it from nothing", file, e.Name, e.Identity)
			}
			seen[e.Identity] = true
		}
	}
}

// TestRead_faults: what is wrong is said with the place of the event, the field as
// its sender calls it, the value and what to send instead.
func TestRead_faults(t *testing.T) {
	const user, time = `"user":{"keyId":"u"}`, `"timestamp":1704067300000`
	for name, c := range map[string]struct {
		shape shapes.Shape
		body  string
		index int
		want  shapes.Fault
	}{
		"no element":          {shapes.FeatBit, `[{` + user + `},7]`, 1, shapes.Fault{Field: "", Value: "7", Why: "is not an object of at most 1000 members"}},
		"nobody":              {shapes.FeatBit, `[{"user":{"keyId":""},"metrics":[{}]}]`, 0, shapes.Fault{Field: "user.keyId", Why: "is missing or empty"}},
		"a key of numbers":    {shapes.FeatBit, `[{"user":{"keyId":7}}]`, 0, shapes.Fault{Field: "user.keyId", Value: "7", Why: "is not a string"}},
		"no list":             {shapes.FeatBit, `[{` + user + `,"metrics":{}}]`, 0, shapes.Fault{Field: "metrics", Value: "{}", Why: "is not a list"}},
		"no flag":             {shapes.FeatBit, `[{` + user + `,"variations":[{"variation":{"value":"true"},` + time + `}]}]`, 0, shapes.Fault{Field: "variations[0].featureFlagKey", Why: "is missing or empty"}},
		"no variation":        {shapes.FeatBit, `[{` + user + `,"variations":[{"featureFlagKey":"f",` + time + `}]}]`, 0, shapes.Fault{Field: "variations[0].variation.value", Why: "is missing or empty"}},
		"perhaps":             {shapes.FeatBit, `[{` + user + `,"variations":[{"featureFlagKey":"f","variation":{"value":"true"},"sendToExperiment":"yes",` + time + `}]}]`, 0, shapes.Fault{Field: "variations[0].sendToExperiment", Value: "yes", Why: "is neither true nor false"}},
		"no time":             {shapes.FeatBit, `[{` + user + `,"metrics":[{"eventName":"e"}]}]`, 0, shapes.Fault{Field: "metrics[0].timestamp", Why: "is missing"}},
		"no time at all":      {shapes.FeatBit, `[{` + user + `,"metrics":[{"eventName":"e","timestamp":-1}]}]`, 0, shapes.Fault{Field: "metrics[0].timestamp", Value: "-1", Why: "is not a time"}},
		"text for a number":   {shapes.FeatBit, `[{` + user + `,"metrics":[{"eventName":"e","numericValue":"much",` + time + `}]}]`, 0, shapes.Fault{Field: "metrics[0].numericValue", Value: "much", Why: "is not a number"}},
		"not a number":        {shapes.FeatBit, `[{` + user + `,"metrics":[{"eventName":"e","numericValue":"NaN",` + time + `}]}]`, 0, shapes.Fault{Field: "metrics[0].numericValue", Value: "NaN", Why: "is not a number"}},
		"agent, no variant":   {shapes.Agent, `{` + user + `,"variations":[{"flagKey":"f",` + time + `}]}`, 0, shapes.Fault{Field: "variations[0].variant", Why: "is missing or empty"}},
		"agent, no user":      {shapes.Agent, `[{"metrics":[]}]`, 0, shapes.Fault{Field: "user.keyId", Why: "is missing or empty"}},
		"another kind":        {shapes.Collector, `{"events":[{"kind":"index","userKey":"u","creationDate":1}]}`, 0, shapes.Fault{Field: "kind", Value: "index", Why: "is not a kind of event"}},
		"collector, nobody":   {shapes.Collector, `{"events":[{"kind":"tracking","key":"k","creationDate":1}]}`, 0, shapes.Fault{Field: "userKey", Why: "is missing or empty"}},
		"collector, value":    {shapes.Collector, `{"events":[{"kind":"tracking","userKey":"u","key":"k","creationDate":1,"trackingEventDetails":{"value":[]}}]}`, 0, shapes.Fault{Field: "trackingEventDetails.value", Value: "[]", Why: "is not a number"}},
		"segment, nobody":     {shapes.Segment, `{"event":"e"}`, 0, shapes.Fault{Field: "userId", Why: "is missing"}},
		"segment, no event":   {shapes.Segment, `{"batch":[{"type":"page"},{"type":"track","userId":"u"}]}`, 1, shapes.Fault{Field: "event", Why: "is missing or empty"}},
		"segment, no call":    {shapes.Segment, `{"batch":[{"type":"delete","userId":"u"}]}`, 0, shapes.Fault{Field: "type", Value: "delete", Why: "is not a kind of call"}},
		"segment, no type":    {shapes.Segment, `{"batch":[{"userId":"u","event":"e"}]}`, 0, shapes.Fault{Field: "type", Why: "is not a kind of call"}},
		"segment, no time":    {shapes.Segment, `{"userId":"u","event":"e","timestamp":"yesterday"}`, 0, shapes.Fault{Field: "timestamp", Value: "yesterday", Why: "is not a time"}},
		"segment, value":      {shapes.Segment, `{"userId":"u","event":"e","properties":{"value":"blue"}}`, 0, shapes.Fault{Field: "properties.value", Value: "blue", Why: "is not a number"}},
		"no experiment":       {shapes.Segment, `{"userId":"u","event":"Experiment Viewed","properties":{"variation_id":"v"}}`, 0, shapes.Fault{Field: "properties.experiment_name", Why: "is missing or empty"}},
		"another version":     {shapes.CloudEvents, `{"specversion":"0.3","type":"t","source":"s","id":"i"}`, 0, shapes.Fault{Field: "specversion", Value: "0.3", Why: "is not a version that is read"}},
		"no source":           {shapes.CloudEvents, `[{"specversion":"1.0","type":"t","id":"i"}]`, 0, shapes.Fault{Field: "source", Why: "is missing or empty"}},
		"no ID":               {shapes.CloudEvents, `[{"specversion":"1.0","type":"t","source":"s"}]`, 0, shapes.Fault{Field: "id", Why: "is missing or empty"}},
		"own without data":    {shapes.CloudEvents, `{"specversion":"1.0","type":"sluice.metric","source":"s","id":"i"}`, 0, shapes.Fault{Field: "data", Why: "is not an event in JSON"}},
		"own in other digits": {shapes.CloudEvents, `{"specversion":"1.0","type":"sluice.metric","source":"s","id":"i","data_base64":"§"}`, 0, shapes.Fault{Field: "data_base64", Value: "§", Why: "is not base64"}},
	} {
		got, err := shapes.Read(shapes.Body{Shape: c.shape, Data: []byte(c.body)})
		if err != nil || len(got.Events) == 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		last := got.Events[len(got.Events)-1]
		if last.Index != c.index || len(last.Faults) == 0 {
			t.Errorf("%s: got %+v, want a fault of %d", name, last, c.index)
			continue
		}
		f := last.Faults[0]
		if f.Fix == "" {
			t.Errorf("%s: nothing is said of what to do", name)
		}
		if f.Fix = ""; f != c.want {
			t.Errorf("%s: got %+v, want %+v", name, f, c.want)
		}
	}
}

// TestRead_bodies: what is no body of the shape is refused whole.
func TestRead_bodies(t *testing.T) {
	for _, shape := range shapes.Shapes {
		for name, body := range map[string]string{"empty": "", "text": `"x"`, "half a list": `[{"user":{}}`, "half an object": `{"events":[`, "more": `[] []`, "a number": "7"} {
			_, err := shapes.Read(shapes.Body{Shape: shape, Data: []byte(body)})
			var faults event.Invalids
			if !errors.As(err, &faults) || faults[0].Path != "body" || faults[0].Fix == "" {
				t.Errorf("%s, %s: %v", shape, name, err)
			}
		}
	}
	if got, err := shapes.Read(shapes.Body{Shape: shapes.CloudEvents, Data: []byte(`[]`)}); err != nil || len(got.Events) != 0 {
		t.Errorf("a batch of none: %+v, %v", got, err)
	}
}

// TestRead_many bounds what a small body costs: elements, lists in elements and
// members.
func TestRead_many(t *testing.T) {
	many := strings.Repeat("{},", shapes.MaxEvents) + "{}"
	metrics := strings.Repeat(`{"eventName":"e","timestamp":1},`, 600)
	user := `{"user":{"keyId":"u"},"metrics":[` + strings.TrimSuffix(metrics, ",") + `]}`
	for name, b := range map[string]shapes.Body{
		"elements":  {Shape: shapes.FeatBit, Data: []byte("[" + many + "]")},
		"of two":    {Shape: shapes.FeatBit, Data: []byte("[" + user + "," + user + "]")},
		"collected": {Shape: shapes.Collector, Data: []byte(`{"events":[` + many + `]}`)},
		"calls":     {Shape: shapes.Segment, Data: []byte(`{"batch":[` + many + `]}`)},
		"a batch":   {Shape: shapes.CloudEvents, Data: []byte("[" + many + "]")},
	} {
		if _, err := shapes.Read(b); !errors.Is(err, shapes.ErrMany) {
			t.Errorf("%s: %v", name, err)
		}
	}
	inner, err := shapes.Read(shapes.Body{Shape: shapes.FeatBit, Data: []byte(`[{"user":{"keyId":"u"},"metrics":[` + many + `]}]`)})
	if err != nil || len(inner.Events) != 1 || len(inner.Events[0].Faults) == 0 {
		t.Errorf("a list in an element: %+v, %v", inner, err)
	}
	var members []string
	for i := range 1001 {
		members = append(members, fmt.Sprintf(`"m%d":1`, i))
	}
	wide, err := shapes.Read(shapes.Body{Shape: shapes.Segment, Data: []byte(`{"event":"e","userId":"u","properties":{` + strings.Join(members, ",") + `}}`)})
	if err != nil || len(wide.Events) != 1 || len(wide.Events[0].Faults) == 0 {
		t.Errorf("members: %+v, %v", wide, err)
	}
}

// TestRead_binary: in headers an event says the same as in JSON.
func TestRead_binary(t *testing.T) {
	header := map[string]string{
		"specversion": "1.0", "type": "com.example.someevent", "source": "/mycontext", "id": "C234-1234-1234", "time": "2018-04-05T17:31:00Z", "comexampleextension1": "value",
	}
	data := `{"value":2.5,"appinfoA":"abc"}`
	got, err := shapes.Read(shapes.Body{Shape: shapes.CloudEvents, Header: header, Media: "application/json", Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	one := map[string]any{"data": json.RawMessage(data), "datacontenttype": "application/json"}
	for name, text := range header {
		one[name] = text
	}
	b, _ := json.Marshal(one)
	want, err := shapes.Read(shapes.Body{Shape: shapes.CloudEvents, Data: b})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(shapes.Event{})); diff != "" || *got.Events[0].Value != 2.5 {
		t.Errorf("-structured +binary:\n%s", diff)
	}
	raw, err := shapes.Read(shapes.Body{Shape: shapes.CloudEvents, Header: header, Media: "application/vnd.apache.thrift.binary", Data: []byte{0, 1, 255}})
	if err != nil || len(raw.Events) != 1 || len(raw.Events[0].Faults) != 0 {
		t.Errorf("bytes: %+v, %v", raw, err)
	}
}

// TestRead_identity: white space and order of sending make no other event, what it
// says does.
func TestRead_identity(t *testing.T) {
	read := func(body string) string {
		got, err := shapes.Read(shapes.Body{Shape: shapes.Segment, Data: []byte(body)})
		if err != nil || len(got.Events) != 1 {
			t.Fatalf("%s: %+v, %v", body, got, err)
		}
		return got.Events[0].Identity
	}
	if read(`{"userId":"u","event":"e"}`) != read(`{ "userId": "u", "event": "e" }`) {
		t.Error("white space makes another event")
	}
	if read(`{"userId":"u","event":"e"}`) == read(`{"userId":"u","event":"e","properties":{"a":1}}`) {
		t.Error("another property makes no other event")
	}
	if read(`{"userId":"u","event":"e","messageId":"m","properties":{"a":1}}`) != read(`{"userId":"u","event":"e","messageId":"m"}`) {
		t.Error("the sender's own ID does not count")
	}
}

func FuzzRead(f *testing.F) {
	for i, shape := range []string{"featbit", "featbit-agent", "go-feature-flag", "segment-batch", "cloudevents-batch"} {
		b, err := os.ReadFile(filepath.Join("testdata", shape+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b)
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		got, err := shapes.Read(shapes.Body{Shape: shapes.Shapes[int(n)%len(shapes.Shapes)], Data: body})
		if err == nil && len(got.Events) > shapes.MaxEvents {
			t.Errorf("%d events", len(got.Events))
		}
		for _, e := range got.Events {
			if e.Kind == 0 && len(e.Faults) == 0 || e.Kind == shapes.Exposure && len(e.Variants) == 0 {
				t.Errorf("%+v", e)
			}
		}
	})
}

package ingest_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

// peers is what the door sees of flags that other programs evaluate: each of them
// in a rollout since revision 4, which begins at since. Units of seats.flag are
// workspaces, and its sender knows nothing of enrolment.
type peers struct{ since time.Time }

func (peers) Known(environment, flag string) bool {
	return environment == "production" && slices.Contains([]string{"recommendation-algorithm", "new-checkout", "my-feature-flag", "seats"}, flag)
}

func (p peers) UnitKind(environment, flag string, _ uint64) string {
	switch {
	case !p.Known(environment, flag):
		return ""
	case flag == "seats":
		return "workspace"
	}
	return "user"
}

func (peers) Assigned(environment, flag string, revision uint64, variant string) (ingest.Assignment, bool) {
	return ingest.Assignment{Rollout: environment + "/" + flag + "/1", Stage: "half", Epoch: 1, Arm: variant}, revision == 4 && variant != "nothing"
}

func (peers) Declared(name string) bool { return name != "nobody-declared" }

func (p peers) RevisionAt(_, _ string, at time.Time) uint64 {
	if at.Before(p.since) {
		return 0
	}
	return 4
}

func (peers) Given(_, _ string, _ uint64, unit string) string {
	if strings.HasPrefix(unit, "in-") {
		return "on"
	}
	return ""
}

func (peers) Variant(_ string, names []string) (string, bool) {
	if i := slices.Index(names, "true"); i >= 0 {
		return "on", true
	}
	return names[0], true
}

func (peers) UnitKinds() []string { return []string{"user", "workspace"} }

func doorOfPeers() *ingest.Door {
	return &ingest.Door{Flags: peers{}, Past: peers{}, Metrics: peers{}, Privacy: keeps{Only: []string{"country", "plan"}}, Key: unitKey}
}

// shaped sends a body of a shape to a door and returns what it took, which it must.
func shaped(t *testing.T, d *ingest.Door, shape shapes.Shape, body string, now time.Time) ingest.Taken {
	t.Helper()
	got, err := d.AcceptShape("production", shapes.Body{Shape: shape, Data: []byte(body)}, now)
	if err != nil {
		t.Fatalf("%s: %v", shape, err)
	}
	return got
}

func example(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("shapes/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDoor_shapes: the documented example of each program in, the rows out; sent
// again it is the same rows.
func TestDoor_shapes(t *testing.T) {
	user := func(id string) uint64 { return ingest.UnitHash(unitKey, "user", id) }
	exposed := func(flag, variant, unit string, enrolled bool, source shapes.Shape, at time.Time, attributes map[string]string) ingest.ExposureRow {
		r := ingest.ExposureRow{
			Environment: "production", Flag: flag, Variant: variant, UnitKind: "user", Unit: user(unit), Revision: 4, Rollout: "production/" + flag + "/1", Stage: "half", Epoch: 1,
			Enrolled: enrolled, At: at, Attributes: attributes, Source: ingest.Source(source),
		}
		if enrolled {
			r.Arm = variant
		}
		return r
	}
	happened := func(name, unit string, value int64, at time.Time, attributes map[string]string) ingest.MetricRow {
		return ingest.MetricRow{Environment: "production", Name: name, UnitKind: "user", Unit: user(unit), Value: value, At: at, Attributes: attributes}
	}
	usa := map[string]string{"country": "USA", "plan": "enterprise"}
	for file, c := range map[string]struct {
		shape   shapes.Shape
		now     time.Time
		ignored int
		want    ingest.Rows
	}{
		"featbit": {shapes.FeatBit, time.UnixMilli(1704067400000), 0, ingest.Rows{
			Exposures: []ingest.ExposureRow{exposed("recommendation-algorithm", "algorithm-v2", "user-456", true, shapes.FeatBit, time.UnixMilli(1704067300000), usa)},
			Metrics: []ingest.MetricRow{
				happened("purchase-completed", "user-456", 299_990_000, time.UnixMilli(1704067350000), usa),
				happened("item-added", "user-456", 1_000_000, time.UnixMilli(1704067250000), usa),
			},
		}},
		"featbit-agent": {shapes.Agent, time.UnixMilli(1776300100000), 0, ingest.Rows{
			Exposures: []ingest.ExposureRow{exposed("new-checkout", "treatment", "user-123", true, shapes.Agent, time.UnixMilli(1776300000000), map[string]string{"country": "US"})},
			Metrics:   []ingest.MetricRow{happened("checkout-completed", "user-123", 1_000_000, time.UnixMilli(1776300060000), map[string]string{"country": "US"})},
		}},
		"go-feature-flag": {shapes.Collector, time.UnixMilli(1680246001000), 0, ingest.Rows{
			Exposures: []ingest.ExposureRow{exposed("my-feature-flag", "admin-variation", "94a25909-20d8-40cc-8500-fee99b569345", false, shapes.Collector, time.UnixMilli(1680246000011), nil)},
		}},
		"go-feature-flag-tracking": {shapes.Collector, time.Unix(1722266330, 0), 0, ingest.Rows{
			Metrics: []ingest.MetricRow{happened("clicked-checkout", "EFGH", 99_990_000, time.Unix(1722266324, 0), nil)},
		}},
		"segment": {shapes.Segment, time.Date(2012, 12, 2, 1, 0, 0, 0, time.UTC), 0, ingest.Rows{
			Metrics: []ingest.MetricRow{happened("Item Purchased", "019mr8mf4r", 14_990_000, time.Date(2012, 12, 2, 0, 30, 12, 984e6, time.UTC), nil)},
		}},
		"cloudevent": {shapes.CloudEvents, time.Date(2018, 4, 5, 18, 0, 0, 0, time.UTC), 0, ingest.Rows{
			Metrics: []ingest.MetricRow{happened("com.github.pull_request.opened", "123", 1_000_000, time.Date(2018, 4, 5, 17, 31, 0, 0, time.UTC), nil)},
		}},
	} {
		got := shaped(t, doorOfPeers(), c.shape, example(t, file), c.now)
		again := shaped(t, doorOfPeers(), c.shape, example(t, file), c.now.Add(time.Minute))
		for i := range got.Exposures {
			r := &got.Exposures[i]
			c.want.Exposures[i].Place, c.want.Exposures[i].ID, c.want.Exposures[i].Day, c.want.Exposures[i].Received = r.Place, r.ID, ingest.DayOf(r.ID), c.now.UTC()
			c.want.Exposures[i].At = c.want.Exposures[i].At.UTC()
			if r.ID == (event.ID{}) || again.Exposures[i].ID != r.ID {
				t.Errorf("%s: exposure %v, sent again %v", file, r.ID, again.Exposures[i].ID)
			}
		}
		for i := range got.Metrics {
			r := &got.Metrics[i]
			c.want.Metrics[i].Place, c.want.Metrics[i].ID, c.want.Metrics[i].Day, c.want.Metrics[i].Received = r.Place, r.ID, ingest.DayOf(r.ID), c.now.UTC()
			c.want.Metrics[i].At = c.want.Metrics[i].At.UTC()
			if r.ID == (event.ID{}) || again.Metrics[i].ID != r.ID {
				t.Errorf("%s: metric event %v, sent again %v", file, r.ID, again.Metrics[i].ID)
			}
		}
		if diff := cmp.Diff(c.want, got.Rows); diff != "" || got.Ignored != c.ignored {
			t.Errorf("%s: %d ignored (-want +got):\n%s", file, got.Ignored, diff)
		}
	}
}

// TestDoor_shapedUnits: an exposure is of the unit that the flag is about, and a
// metric event of every unit that its sender names.
func TestDoor_shapedUnits(t *testing.T) {
	body := `{"events":[
		{"kind":"feature","userKey":"u-1","creationDate":1764590400,"key":"seats","variation":"on","evaluationContext":{"workspace":"in-w"}},
		{"kind":"feature","userKey":"in-2","creationDate":1764590400,"key":"seats","variation":"on"},
		{"kind":"feature","userKey":"in-3","creationDate":1764590400,"key":"seats","variation":"off"},
		{"kind":"feature","userKey":"in-4","creationDate":1764590400,"key":"seats","variation":"on","default":true},
		{"kind":"tracking","userKey":"u-1","creationDate":1764590400,"key":"purchase","evaluationContext":{"workspace":"in-w","team":"t"}}]}`
	got := shaped(t, doorOfPeers(), shapes.Collector, body, time.Unix(1764590401, 0))
	type seen struct {
		unit             uint64
		kind, arm, cause string
	}
	workspace := func(id string) uint64 { return ingest.UnitHash(unitKey, "workspace", id) }
	want := []seen{
		{workspace("in-w"), "workspace", "on", ""}, {workspace("in-2"), "workspace", "on", ""},
		{workspace("in-3"), "workspace", "", ""}, // the allocation gives it another variant: a target or a rule did not
		{workspace("in-4"), "workspace", "", "ERROR"},
		{workspace("in-w"), "workspace", "", ""}, {ingest.UnitHash(unitKey, "user", "u-1"), "user", "", ""},
	}
	var have []seen
	for _, r := range got.Exposures {
		have = append(have, seen{r.Unit, r.UnitKind, r.Arm, r.Reason})
	}
	for _, r := range got.Metrics {
		have = append(have, seen{r.Unit, r.UnitKind, "", ""})
	}
	slices.SortFunc(have[4:], func(a, b seen) int { return -strings.Compare(a.kind, b.kind) })
	if diff := cmp.Diff(want, have, cmp.AllowUnexported(seen{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Metrics[0].ID != got.Metrics[1].ID {
		t.Error("one event is two")
	}
}

// TestDoor_shapedClaims: what a sender says of a unit holds while a rollout is in
// force, and for its time.
func TestDoor_shapedClaims(t *testing.T) {
	at := time.UnixMilli(1704067300000)
	body := func(value, takes string) string {
		return `[{"user":{"keyId":"u"},"variations":[{"featureFlagKey":"seats","variation":{"id":"x","value":"` + value + `"},"sendToExperiment":` + takes + `,"timestamp":1704067300000}]}]`
	}
	for name, c := range map[string]struct {
		since        time.Time
		value, takes string
		variant, arm string
		revision     uint64
	}{
		"takes part":         {at, "true", "true", "on", "on", 4},
		"does not":           {at, "true", "false", "on", "", 4},
		"before the rollout": {at.Add(1), "true", "true", "on", "", 0},
		"in no arm":          {at, "nothing", "true", "nothing", "", 4},
	} {
		d := doorOfPeers()
		d.Past = peers{since: c.since}
		r := shaped(t, d, shapes.FeatBit, body(c.value, c.takes), at).Exposures[0]
		if r.Variant != c.variant || r.Arm != c.arm || r.Revision != c.revision || r.Enrolled != (c.arm != "") || r.Differs {
			t.Errorf("%s: %+v", name, r)
		}
	}
	d := doorOfPeers()
	d.Past = nil
	if r := shaped(t, d, shapes.FeatBit, body("true", "true"), at).Exposures[0]; r.Enrolled || r.Variant != "true" {
		t.Errorf("without a past: %+v", r)
	}
}

// TestDoor_equalEvents: what is equal in everything is counted as often as it is
// sent in one request, and once when that is repeated.
func TestDoor_equalEvents(t *testing.T) {
	now := time.Unix(1722266330, 0)
	one := `{"kind":"tracking","userKey":"u","creationDate":1722266324,"key":"click","trackingEventDetails":{"value":1}}`
	ids := func(body string) map[event.ID]bool {
		out := map[event.ID]bool{}
		for _, r := range shaped(t, doorOfPeers(), shapes.Collector, `{"events":[`+body+`]}`, now).Metrics {
			out[r.ID] = true
		}
		return out
	}
	two := ids(one + "," + one)
	if len(two) != 2 || !cmp.Equal(two, ids(one+","+one)) {
		t.Errorf("two clicks are %d, and %d when they are sent again", len(two), len(ids(one+","+one)))
	}
	named := `{"type":"track","userId":"u","event":"click","messageId":"m","timestamp":"2024-07-29T15:18:44Z"}`
	got := shaped(t, doorOfPeers(), shapes.Segment, `{"batch":[`+named+`,`+named+`]}`, now)
	if got.Metrics[0].ID != got.Metrics[1].ID {
		t.Error("one message is two events")
	}
	d := doorOfPeers()
	d.Key = []byte("another installation's key, as long as is")
	if other := shaped(t, d, shapes.Segment, `{"batch":[`+named+`]}`, now); other.Metrics[0].ID == got.Metrics[0].ID {
		t.Error("the ID follows from what was sent alone, so that it could be guessed")
	}
}

// TestDoor_timeless: what has an ID and no time is the same event when it is sent
// again on the day on which it came; what has neither is another one, since two
// that are equal may both have happened.
func TestDoor_timeless(t *testing.T) {
	for name, c := range map[string]struct {
		shape      shapes.Shape
		body       string
		late       time.Duration
		sameDay    bool
		anotherDay bool
	}{
		"a message":            {shapes.Segment, `{"type":"track","userId":"u","event":"e","messageId":"m"}`, 0, true, false},
		"an event":             {shapes.CloudEvents, `{"specversion":"1.0","type":"t","source":"s","id":"i","subject":"u"}`, 0, true, false},
		"one of ours":          {shapes.CloudEvents, `{"specversion":"1.0","type":"sluice.metric","source":"s","id":"i","data":{"name":"e","units":{"user":"u"}}}`, 0, true, false},
		"one that says when":   {shapes.CloudEvents, `{"specversion":"1.0","type":"sluice.metric","source":"s","id":"i","data":{"name":"e","units":{"user":"u"},"at":"` + noon.Format(time.RFC3339) + `"}}`, 0, true, true},
		"no message":           {shapes.Segment, `{"type":"track","userId":"u","event":"e"}`, 0, false, false},
		"its own time":         {shapes.Segment, `{"type":"track","userId":"u","event":"e","originalTimestamp":"` + noon.Format(time.RFC3339) + `"}`, 0, true, true},
		"the day is too early": {shapes.Segment, `{"type":"track","userId":"u","event":"e","messageId":"m"}`, 2 * time.Hour, false, false},
	} {
		d := doorOfPeers()
		if c.late > 0 {
			d.Windows = windows{"production": {Late: c.late}}
		}
		id := func(at time.Time) event.ID {
			r := shaped(t, d, c.shape, c.body, at)
			if len(r.Metrics) != 1 {
				t.Fatalf("%s: %+v", name, r)
			}
			return r.Metrics[0].ID
		}
		first := id(noon)
		if same := id(noon.Add(time.Hour)) == first; same != c.sameDay {
			t.Errorf("%s: the same an hour later: %v", name, same)
		}
		if same := id(noon.Add(24*time.Hour)) == first; same != c.anotherDay {
			t.Errorf("%s: the same a day later: %v", name, same)
		}
	}
}

// TestDoor_ownCloudEvents: an event of ours in an envelope is the event, with what
// the envelope says where it says nothing.
func TestDoor_ownCloudEvents(t *testing.T) {
	envelope := func(kind, id, data string) string {
		return `{"specversion":"1.0","type":"sluice.` + kind + `","source":"shop","id":"` + id + `","time":"` + noon.Format(time.RFC3339) + `","data":` + data + `}`
	}
	metric := `{"name":"purchase","value":2,"units":{"user":"u"}}`
	got := shaped(t, doorOfPeers(), shapes.CloudEvents, "["+strings.Join([]string{
		envelope("metric", id1.String(), metric), envelope("metric", "order-7", metric), envelope("metric", "order-7", `{"id":"`+id1.String()+`",`+metric[1:]),
		envelope("deployment", "d", `{"service":"shop","version":"1"}`), envelope("reading", "r", `{"name":"cpu","value":0.5}`),
		envelope("exposure", "e", `{"flag":"seats","variant":"on","unit":{"kind":"workspace","id":"w"},"revision":4,"enrolled":true}`),
	}, ",")+"]", noon)
	if got.Count != 6 || len(got.Metrics) != 3 || len(got.Deployments) != 1 || len(got.Readings) != 1 || len(got.Exposures) != 1 {
		t.Fatalf("%+v", got)
	}
	if m := got.Metrics; m[0].ID != id1 || m[1].ID == id1 || m[2].ID != id1 || !m[1].At.Equal(noon) || m[1].Value != 2_000_000 {
		t.Errorf("metric events: %+v", m)
	}
	if e := got.Exposures[0]; !e.Enrolled || e.Source != ingest.BySender {
		t.Errorf("exposure: %+v", e)
	}
	d := doorOfPeers()
	d.Public = true
	if _, err := d.AcceptShape("production", shapes.Body{Shape: shapes.CloudEvents, Data: []byte(envelope("reading", "r", `{"name":"cpu","value":1}`))}, noon); err == nil {
		t.Error("a client's token sends readings")
	}
}

// TestDoor_shapesThatAreRefused: what the door does not take is named as its sender
// names it.
func TestDoor_shapesThatAreRefused(t *testing.T) {
	long := strings.Repeat("x", 2000)
	insight := func(flag, rest string) string {
		return `[{"user":{"keyId":"u"},"variations":[{"featureFlagKey":"` + flag + `","variation":{"value":"true"},` + rest + `}]}]`
	}
	event := func(more string) string {
		return `[{"specversion":"1.0","source":"s","id":"i",` + more + `}]`
	}
	const now = `"timestamp":1764590400000`
	for name, c := range map[string]struct {
		shape      shapes.Shape
		body       string
		field, why string
		reason     ingest.Reason
	}{
		"another flag":      {shapes.FeatBit, insight("none", now), "variations[0].featureFlagKey", "not a flag of production", ingest.UnknownFlag},
		"too old":           {shapes.FeatBit, insight("seats", `"timestamp":1704067300000`), "variations[0].timestamp", "late window", ingest.TimeWindow},
		"no time":           {shapes.FeatBit, insight("seats", `"sendToExperiment":true`), "variations[0].timestamp", "is missing", ingest.Malformed},
		"long key":          {shapes.Agent, `[{"user":{"keyId":"` + long + `"},"variations":[{"flagKey":"seats","variant":"on",` + now + `}]}]`, "user.keyId", "longer than 512", ingest.Malformed},
		"long variant":      {shapes.Agent, `[{"user":{"keyId":"u"},"variations":[{"flagKey":"seats","variant":"` + long + `",` + now + `}]}]`, "variations[0].variant", "longer than 128", ingest.Malformed},
		"long name":         {shapes.Segment, `{"userId":"u","event":"` + long + `"}`, "event", "longer than 128", ingest.Malformed},
		"long user":         {shapes.Segment, `{"userId":"` + long + `","event":"e"}`, "userId", "longer than 512", ingest.Malformed},
		"long attribute":    {shapes.Segment, `{"userId":"u","event":"e","properties":{"plan":"` + long + `"}}`, "attributes.plan", "longer than 1024", ingest.Malformed},
		"great":             {shapes.Segment, `{"userId":"u","event":"e","properties":{"value":1e300}}`, "properties.value", "does not fit", ingest.Malformed},
		"no subject":        {shapes.CloudEvents, event(`"type":"t"`), "subject", "names no unit", ingest.Malformed},
		"own, another kind": {shapes.CloudEvents, event(`"type":"sluice.thing","data":{}`), "data.kind", "is not a kind", ingest.UnknownKind},
		"own, a field":      {shapes.CloudEvents, event(`"type":"sluice.metric","data":{"name":7,"units":{"user":"u"}}`), "data.name", "is not a string", ingest.Malformed},
		"own, no object":    {shapes.CloudEvents, event(`"type":"sluice.metric","data":[]`), "data", "is not an object", ingest.Malformed},
		"own, twice":        {shapes.CloudEvents, event(`"type":"sluice.metric","data":{"name":"e","name":"e","units":{"user":"u"}}`), "data.name", "is given twice", ingest.Malformed},
		"own, too deep":     {shapes.CloudEvents, event(`"type":"sluice.metric","data":{"name":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`), "data", "is not an event in JSON", ingest.Malformed},
	} {
		got, err := doorOfPeers().AcceptShape("production", shapes.Body{Shape: c.shape, Data: []byte(c.body)}, time.UnixMilli(1764590400000))
		var refused ingest.Refused
		if !errors.As(err, &refused) || got.Count != 0 || !named(refused, c.field, c.why, c.reason) {
			t.Errorf("%s: %v, want %s %q", name, err, c.field, c.why)
		}
	}
	body := `{"events":[{"kind":"tracking","userKey":"u","creationDate":1764590400,"key":"a"},{"kind":"tracking","creationDate":1764590400,"key":"b"}]}`
	got := shaped(t, doorOfPeers(), shapes.Collector, body, time.Unix(1764590401, 0))
	if got.Count != 1 || len(got.Rejected) != 1 || got.Rejected[0].Index != 1 || got.Rejected[0].Field != "userKey" {
		t.Errorf("one of two: %+v", got)
	}
	if got := shaped(t, doorOfPeers(), shapes.Segment, `{"batch":[{"type":"identify","userId":"u"}]}`, noon); got.Count != 0 || got.Ignored != 1 {
		t.Errorf("nothing but who somebody is: %+v", got)
	}
	many := `{"batch":[` + strings.Repeat(`{},`, 1000) + `{}]}`
	if _, err := doorOfPeers().AcceptShape("production", shapes.Body{Shape: shapes.Segment, Data: []byte(many)}, noon); !errors.Is(err, ingest.ErrTooLarge) {
		t.Errorf("too many: %v", err)
	}
}

// TestIntake_shapes sends bodies of other programs the whole way, in every encoding
// that events have, and as what they are not.
func TestIntake_shapes(t *testing.T) {
	in, streams := intake(1)
	in.Door = doorOfPeers()
	now := time.UnixMilli(1704067400000)
	for _, c := range []struct{ encoding, body string }{{"", example(t, "featbit")}, {"gzip", gzipped(t, example(t, "featbit"))}} {
		req := request(c.encoding, c.body)
		req.Shape = shapes.FeatBit
		got, err := in.Accept(t.Context(), req, now)
		if err != nil || got.Accepted != 3 {
			t.Errorf("%q: %+v, %v", c.encoding, got, err)
		}
	}
	if last, _ := streams[0].Last(t.Context()); last != 2 {
		t.Errorf("%d messages", last)
	}
	req := request("", example(t, "featbit"))
	req.Shape, req.Type = shapes.FeatBit, "application/xml"
	if _, err := in.Accept(t.Context(), req, now); !errors.Is(err, ingest.ErrMedia) {
		t.Errorf("as XML: %v", err)
	}
	req = ingest.Request{
		Environment: "production", Shape: shapes.CloudEvents, Type: "application/octet-stream", Body: bytes.NewReader([]byte{0, 255}),
		Attributes: map[string]string{"specversion": "1.0", "type": "t", "source": "s", "id": "i", "subject": "u"},
	}
	if got, err := in.Accept(t.Context(), req, now); err != nil || got.Accepted != 1 {
		t.Errorf("bytes with headers: %+v, %v", got, err)
	}
}

package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// house is what the door sees: the flag checkout, in canary at revision 4, and
// the metric events purchase and latency.
type house struct{}

func (house) Known(environment, flag string) bool {
	return environment == "production" && flag == "checkout"
}

func (house) UnitKind(environment, flag string, _ uint64) string {
	if (house{}).Known(environment, flag) {
		return "user"
	}
	return ""
}

func (house) Assigned(environment, flag string, revision uint64, variant string) (ingest.Assignment, bool) {
	a := ingest.Assignment{Rollout: "production/checkout/1", Stage: "canary", Epoch: 2, Arm: variant}
	return a, revision == 4 && (variant == "on" || variant == "off")
}

func (house) Declared(name string) bool { return name == "purchase" || name == "latency" }

var (
	unitKey = []byte("0123456789abcdef0123456789abcdef")
	noon    = ingesttest.Noon
	id1     = ingesttest.ID(noon, 1)
)

func door() *ingest.Door { return &ingest.Door{Flags: house{}, Metrics: house{}, Key: unitKey} }

func accept(body string) (ingest.Taken, error) {
	return door().Accept("production", []byte(body), noon)
}

func exposure() ingest.Exposure {
	return ingest.Exposure{
		Kind: ingest.KindExposure, ID: id1, Flag: "checkout", Variant: "on", Unit: ingest.Unit{Kind: "user", ID: "u-1"},
		Revision: 4, Rollout: "production/checkout/1", Stage: "canary", Epoch: 2, Enrolled: true, Reason: "SPLIT",
		At: noon.Add(time.Second), Attributes: map[string]string{"country": "DE"}, Synthetic: true,
	}
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDoor_everyFieldOfEveryKind sends what the exported types hold and finds
// all of it in the rows.
func TestDoor_everyFieldOfEveryKind(t *testing.T) {
	value := 19.99
	body := marshal(t, []any{
		exposure(),
		ingest.MetricEvent{
			Kind: ingest.KindMetric, ID: id1, Name: "purchase", Value: &value, Units: map[string]string{"workspace": "w-1", "user": "u-1"},
			At: noon.Add(-time.Second), Attributes: map[string]string{"a": "b"}, Synthetic: true,
		},
		ingest.Deployment{
			Kind: ingest.KindDeployment, ID: id1, Service: "shop", Version: "1.2", Environment: "production",
			At: noon, Attributes: map[string]string{"a": "b"}, Synthetic: true,
		},
		ingest.Reading{Kind: ingest.KindReading, ID: id1, Name: "cpu", Value: -0.5, Labels: map[string]string{"host": "a"}, At: noon, Synthetic: true},
	})
	got, err := accept(body)
	if err != nil {
		t.Fatal(err)
	}
	day := ingest.DayOf(id1)
	user, workspace := ingest.UnitHash(unitKey, "user", "u-1"), ingest.UnitHash(unitKey, "workspace", "w-1")
	metric := ingest.MetricRow{
		Place: ingest.Place{Idx: 1}, ID: id1, Day: day, Environment: "production", Name: "purchase", UnitKind: "user", Unit: user,
		Value: 19_990_000, At: noon.Add(-time.Second), Received: noon, Attributes: map[string]string{"a": "b"}, Synthetic: true,
	}
	second := metric
	second.UnitKind, second.Unit = "workspace", workspace
	want := ingest.Taken{Revision: 4, Batch: ingest.Batch{
		Count: 4, Oldest: noon.Add(-time.Second), Newest: noon, Received: noon, // the exposure's clock is fast
		Rows: ingest.Rows{
			Exposures: []ingest.ExposureRow{{
				ID: id1, Day: day, Environment: "production", Flag: "checkout", Variant: "on", UnitKind: "user", Unit: user, Revision: 4,
				Rollout: "production/checkout/1", Stage: "canary", Epoch: 2, Arm: "on", Enrolled: true, Reason: "SPLIT",
				At: noon.Add(time.Second), Received: noon, Attributes: map[string]string{"country": "DE"}, Synthetic: true,
			}},
			Metrics: []ingest.MetricRow{metric, second},
			Deployments: []ingest.DeploymentRow{{
				Place: ingest.Place{Idx: 2}, ID: id1, Day: day, Environment: "production", Service: "shop", Version: "1.2",
				At: noon, Received: noon, Attributes: map[string]string{"a": "b"}, Synthetic: true,
			}},
			Readings: []ingest.ReadingRow{{
				Place: ingest.Place{Idx: 3}, ID: id1, Day: day, Environment: "production", Name: "cpu", Value: -500_000,
				At: noon, Received: noon, Labels: map[string]string{"host": "a"}, Synthetic: true,
			}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// TestUnitHash pins the hash: if it changes, stored units are never met again.
// The value is from `printf 'user\0u-1' | openssl dgst -sha256 -hmac <key>`.
func TestUnitHash(t *testing.T) {
	if got := fmt.Sprintf("%016x", ingest.UnitHash(unitKey, "user", "u-1")); got != "f88a74cbfa9570db" {
		t.Errorf("hash of user u-1 = %s", got)
	}
	if ingest.UnitHash(unitKey, "user", "u-1") == ingest.UnitHash(unitKey, "useru", "-1") {
		t.Error("kind and id run together")
	}
}

// TestDoor_refusals sends one bad event beside a good one, which is kept.
func TestDoor_refusals(t *testing.T) {
	at := func(d time.Duration) string { return ingesttest.ID(noon.Add(d), 1).String() }
	metric := func(fields string) string {
		return `{"kind":"metric","id":"` + id1.String() + `","name":"purchase","units":{"user":"u-1"}` + fields + `}`
	}
	expose := func(change func(*ingest.Exposure)) string {
		e := exposure()
		change(&e)
		return marshal(t, e)
	}
	report := func(fields string) string {
		return `{"kind":"reading","id":"` + id1.String() + `","name":"flag.evaluations",` + fields + `}`
	}
	long := strings.Repeat("x", 2000)
	for _, c := range []struct {
		name, event, field string
		reason             ingest.Reason
		why                string
	}{
		{"not an object", `7`, "", ingest.Malformed, "not an object"},
		{"no kind", `{"id":"` + id1.String() + `"}`, "kind", ingest.Malformed, "missing"},
		{"SDK without a name", expose(func(e *ingest.Exposure) { e.SDK.Version = "1" }), "sdk.name", ingest.Malformed, "missing"},
		{"SDK with another field", strings.Replace(expose(func(e *ingest.Exposure) { e.SDK.Name = "go" }), `"sdk":{`, `"sdk":{"language":"go",`, 1), "sdk.language", ingest.Malformed, "not a field of an SDK"},
		{"SDK a text", strings.Replace(expose(func(e *ingest.Exposure) { e.SDK.Name = "go" }), `"sdk":{"name":"go"}`, `"sdk":"go"`, 1), "sdk", ingest.Malformed, "not an object"},
		{"unknown kind", `{"kind":"click","id":"` + id1.String() + `"}`, "kind", ingest.UnknownKind, "not a kind"},
		{"unknown field", metric(`,"valeu":1`), "valeu", ingest.Malformed, "not a field"},
		{"field twice", metric(`,"value":1,"value":2`), "value", ingest.Malformed, "twice"},
		{"field of another kind", metric(`,"flag":"checkout"`), "flag", ingest.Malformed, "does not belong"},
		{"required field", `{"kind":"metric","id":"` + id1.String() + `","units":{"user":"u"}}`, "name", ingest.Malformed, "missing"},
		{"id of version 4", strings.Replace(metric(""), id1.String(), "6ba7b810-9dad-41d1-80b4-00c04fd430c8", 1), "id", ingest.Malformed, "version 7"},
		{"id in braces", strings.Replace(metric(""), id1.String(), "{"+id1.String()+"}", 1), "id", ingest.Malformed, "not a UUID"},
		{"id a number", `{"kind":"metric","id":7,"name":"purchase","units":{"user":"u"}}`, "id", ingest.Malformed, "not a string"},
		{"id in the future", strings.Replace(metric(""), id1.String(), at(time.Hour+time.Millisecond), 1), "id", ingest.TimeWindow, "future"},
		{"id too old", strings.Replace(metric(""), id1.String(), at(-7*24*time.Hour-time.Millisecond), 1), "id", ingest.TimeWindow, "late window"},
		{"at in the future", metric(`,"at":"2026-11-20T14:00:00Z"`), "at", ingest.TimeWindow, "future"},
		{"at too old", metric(`,"at":"2026-11-01T14:00:00Z"`), "at", ingest.TimeWindow, "late window"},
		{"at not a time", metric(`,"at":"yesterday"`), "at", ingest.Malformed, "not a time"},
		{"at a number", metric(`,"at":1763640000`), "at", ingest.Malformed, "not a string"},
		{"value a string", metric(`,"value":"1"`), "value", ingest.Malformed, "not a number"},
		{"value null", metric(`,"value":null`), "value", ingest.Malformed, "not a number"},
		{"value too large", metric(`,"value":9223372036855`), "value", ingest.Malformed, "64 bits"},
		{"value infinite", metric(`,"value":1e999`), "value", ingest.Malformed, "64 bits"},
		{"no units", strings.Replace(metric(""), `{"user":"u-1"}`, `{}`, 1), "units", ingest.Malformed, "no unit"},
		{"units a list", strings.Replace(metric(""), `{"user":"u-1"}`, `["u"]`, 1), "units", ingest.Malformed, "not an object"},
		{"empty unit id", strings.Replace(metric(""), `"u-1"`, `""`, 1), "units.user", ingest.Malformed, "empty"},
		{"long unit id", strings.Replace(metric(""), `u-1`, long, 1), "units.user", ingest.Malformed, "longer than 512"},
		{"bad unit kind", strings.Replace(metric(""), `"user"`, `"us er"`, 1), "units", ingest.Malformed, "character"},
		{"nine units", strings.Replace(metric(""), `{"user"`, `{"a":"1","b":"1","c":"1","d":"1","e":"1","f":"1","g":"1","h":"1","user"`, 1), "units.user", ingest.Malformed, "one more"},
		{"unit twice", strings.Replace(metric(""), `{"user"`, `{"user":"u-2","user"`, 1), "units.user", ingest.Malformed, "twice"},
		{"synthetic a string", metric(`,"synthetic":"yes"`), "synthetic", ingest.Malformed, "neither true nor false"},
		{"attribute a number", metric(`,"attributes":{"a":1}`), "attributes.a", ingest.Malformed, "not a string"},
		{"long attribute", metric(`,"attributes":{"a":"` + long + `"}`), "attributes.a", ingest.Malformed, "longer than 1024"},
		{"long attribute name", metric(`,"attributes":{"` + long + `":"a"}`), "attributes." + long[:61] + "…", ingest.Malformed, "name longer"},
		{"attribute without a name", metric(`,"attributes":{"":"a"}`), "attributes.", ingest.Malformed, "empty name"},
		{"attributes a list", metric(`,"attributes":[]`), "attributes", ingest.Malformed, "not an object"},
		{"long name", strings.Replace(metric(""), `"purchase"`, `"`+long+`"`, 1), "name", ingest.Malformed, "longer than 128"},
		{"empty name", strings.Replace(metric(""), `"purchase"`, `""`, 1), "name", ingest.Malformed, "empty"},
		{"unknown flag", expose(func(e *ingest.Exposure) { e.Flag = "chekout" }), "flag", ingest.UnknownFlag, "not a flag of production"},
		{"empty variant", expose(func(e *ingest.Exposure) { e.Variant = "" }), "variant", ingest.Malformed, "empty"},
		{"empty unit", expose(func(e *ingest.Exposure) { e.Unit.ID = "" }), "unit.id", ingest.Malformed, "empty"},
		{"no unit kind", expose(func(e *ingest.Exposure) { e.Unit.Kind = "" }), "unit.kind", ingest.Malformed, "empty"},
		{"source nobody knows", expose(func(e *ingest.Exposure) { e.Source = "hearsay" }), "source", ingest.Malformed, "not a source"},
		{"enrolled without a revision", expose(func(e *ingest.Exposure) { e.Revision = 0 }), "revision", ingest.Malformed, "missing"},
		{"unit with a third field", strings.Replace(expose(func(*ingest.Exposure) {}), `{"kind":"user"`, `{"x":"y","kind":"user"`, 1), "unit.x", ingest.Malformed, "not a field of a unit"},
		{"revision negative", strings.Replace(expose(func(*ingest.Exposure) {}), `"revision":4`, `"revision":-4`, 1), "revision", ingest.Malformed, "whole number"},
		{"revision a fraction", strings.Replace(expose(func(*ingest.Exposure) {}), `"revision":4`, `"revision":4.5`, 1), "revision", ingest.Malformed, "whole number"},
		{"epoch too large", strings.Replace(expose(func(*ingest.Exposure) {}), `"epoch":2`, `"epoch":4294967296`, 1), "epoch", ingest.Malformed, "whole number"},
		{"deployment elsewhere", `{"kind":"deployment","id":"` + id1.String() + `","service":"s","version":"1","environment":"staging"}`, "environment", ingest.Malformed, "not the environment"},
		{"deployment of nothing", `{"kind":"deployment","id":"` + id1.String() + `","service":"","version":"1"}`, "service", ingest.Malformed, "empty"},
		{"report without a flag", report(`"value":1,"labels":{"reason":"SPLIT"}`), "labels.flag", ingest.Malformed, "is missing"},
		{"report of an unknown flag", report(`"value":1,"labels":{"flag":"chekout","reason":"SPLIT"}`), "labels.flag", ingest.UnknownFlag, "not a flag of production"},
		{"report without a reason", report(`"value":1,"labels":{"flag":"checkout"}`), "labels.reason", ingest.Malformed, "is missing"},
		{"report of another way", report(`"value":1,"labels":{"flag":"checkout","reason":"SPLIT","way":"guessed"}`), "labels.way", ingest.Malformed, "neither asked nor listed"},
		{"report of nothing", report(`"value":0,"labels":{"flag":"checkout","reason":"SPLIT"}`), "value", ingest.Malformed, "is not a number of evaluations"},
		{"report of less than nothing", report(`"value":-1,"labels":{"flag":"checkout","reason":"SPLIT"}`), "value", ingest.Malformed, "is not a number of evaluations"},
		{"report of a half", report(`"value":1.5,"labels":{"flag":"checkout","reason":"SPLIT"}`), "value", ingest.Malformed, "is not a number of evaluations"},
		{"report of too many", report(`"value":1000000001,"labels":{"flag":"checkout","reason":"SPLIT"}`), "value", ingest.Malformed, "is not a number of evaluations"},
		{"reading without a value", `{"kind":"reading","id":"` + id1.String() + `","name":"cpu"}`, "value", ingest.Malformed, "missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := accept("[" + metric("") + "," + c.event + "]")
			if err != nil || got.Count != 1 || len(got.Rejected) != 1 {
				t.Fatalf("taken %d, rejected %v, %v; want one each", got.Count, got.Rejected, err)
			}
			r := got.Rejected[0]
			if r.Index != 1 || r.Field != c.field || r.Reason != c.reason || !strings.Contains(r.Why, c.why) {
				t.Errorf("rejection %+v, want field %q, reason %s, why …%s…", r, c.field, c.reason, c.why)
			}
			if _, err := accept(c.event); !errors.As(err, new(ingest.Refused)) && c.event != "7" {
				t.Errorf("alone: %v, want Refused", err)
			}
		})
	}
}

func TestDoor_severalFaultsOfOneEvent(t *testing.T) {
	_, err := accept(`{"kind":"metric","id":"x","name":7,"value":"a","at":"b","attributes":{"c":1}}`)
	var refused ingest.Refused
	if !errors.As(err, &refused) || len(refused) != 5 {
		t.Fatalf("got %v, want five rejections", err)
	}
	want := "[0].name \"7\" is not a string\n"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want it to say %q", err, want)
	}
}

func TestDoor_syntax(t *testing.T) {
	good := `{"kind":"metric","id":"` + id1.String() + `","name":"purchase","units":{"user":"u-1"}}`
	for _, c := range []struct{ name, body, want string }{
		{"empty", "", "holds no event"},
		{"white space", " \n ", "holds no event"},
		{"empty array", "[]", "holds no event"},
		{"cut array", "[" + good, "line 1"},
		{"cut event", "[" + good + "," + good[:40], "line 1"},
		{"cut line", good + "\n" + good[:40], "line 2"},
		{"comma at the end", "[" + good + ",]", "not a JSON value"},
		{"two events on a line", good + " " + good, "same line"},
		{"text behind the array", "[" + good + "] x", "follows the end"},
		{"zero byte", good + "\n\x00", "follows the end"},
		{"lines of text", "hello", "not a JSON value"},
		{"bare NaN", `[{"kind":"reading","value":NaN}]`, "not a JSON value"},
		{"number cut", `[{"kind":"reading","value":1.}]`, "ends too soon"},
		{"number with a zero in front", `[{"kind":"reading","value":012}]`, "no '}'"},
		{"not UTF-8", "[\"\xff\"]", "UTF-8"},
		{"control character", "[\"\x01\"]", "control character"},
		{"bad escape", `["\x"]`, "escapes nothing"},
		{"half a surrogate pair", `["\ud800"]`, "surrogate"},
		{"bad digits", `["\u12g4"]`, "hexadecimal"},
		{"colon missing", `[{"kind" "metric"}]`, "no ':'"},
		{"deep", strings.Repeat("[", 17), "nested deeper than 16"},
		{"deep in an event", `[{"kind":` + strings.Repeat("[", 10_000), "nested deeper than 16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := accept(c.body)
			var invalid event.Invalids
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want Invalids that say %q", err, c.want)
			}
			if got.Count != 0 {
				t.Errorf("%d events are kept", got.Count)
			}
		})
	}
}

func TestDoor_lines(t *testing.T) {
	line := `{"kind":"metric","id":"` + id1.String() + `","name":"pur\u0063hase","units":{"user":"\ud83d\ude00"}}`
	got, err := accept("\n" + line + "\r\n\n" + line + "\n  " + line)
	if err != nil || got.Count != 3 || len(got.Metrics) != 3 {
		t.Fatalf("taken %d, %v; want 3", got.Count, err)
	}
	if want := ingest.UnitHash(unitKey, "user", "😀"); got.Metrics[2].Unit != want || got.Metrics[2].Value != 1_000_000 {
		t.Errorf("row %+v, want unit %d and value 1", got.Metrics[2], want)
	}
}

func TestDoor_tooManyEvents(t *testing.T) {
	line := `{"kind":"metric","id":"` + id1.String() + `","name":"purchase","units":{"user":"u-1"}}` + "\n"
	if got, err := accept(strings.Repeat(line, 1000)); err != nil || got.Count != 1000 {
		t.Errorf("1,000 events: %d, %v", got.Count, err)
	}
	if got, err := accept(strings.Repeat(line, 1001)); !errors.Is(err, ingest.ErrTooLarge) || got.Count != 0 {
		t.Errorf("1,001 events: %d, %v; want ErrTooLarge", got.Count, err)
	}
}

// TestDoor_claims compares what senders say of the allocation with what the
// history says at the revision.
func TestDoor_claims(t *testing.T) {
	for _, c := range []struct {
		name              string
		change            func(*ingest.Exposure)
		enrolled, differs bool
		rollout           string
	}{
		{"true", func(*ingest.Exposure) {}, true, false, "production/checkout/1"},
		{"other stage", func(e *ingest.Exposure) { e.Stage = "ramp" }, true, true, "production/checkout/1"},
		{"other epoch", func(e *ingest.Exposure) { e.Epoch = 1 }, true, true, "production/checkout/1"},
		{"other rollout", func(e *ingest.Exposure) { e.Rollout = "production/checkout/2" }, true, true, "production/checkout/1"},
		{"no claims", func(e *ingest.Exposure) { e.Rollout, e.Stage, e.Epoch = "", "", 0 }, true, false, "production/checkout/1"},
		{"forced since", func(e *ingest.Exposure) { e.Revision = 5 }, false, true, ""},
		{"variant of no arm", func(e *ingest.Exposure) { e.Variant = "blue" }, false, true, ""},
		{"not enrolled", func(e *ingest.Exposure) { e.Enrolled = false }, false, false, "production/checkout/1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := exposure()
			c.change(&e)
			got, err := accept(marshal(t, e))
			if err != nil {
				t.Fatal(err)
			}
			r := got.Exposures[0]
			if r.Enrolled != c.enrolled || r.Differs != c.differs || r.Rollout != c.rollout || (got.Differs == 1) != c.differs {
				t.Errorf("row %+v, differs %d; want enrolled %v, differs %v, rollout %q", r, got.Differs, c.enrolled, c.differs, c.rollout)
			}
			if (r.Arm == e.Variant) != c.enrolled {
				t.Errorf("arm %q of a unit that is enrolled: %v", r.Arm, c.enrolled)
			}
		})
	}
}

// TestDoor_reasonEnrols takes OpenFeature's reason for a sender's word when it
// says nothing of enrolment.
func TestDoor_reasonEnrols(t *testing.T) {
	for reason, want := range map[string]bool{"SPLIT": true, "TARGETING_MATCH": false} {
		body := fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":"checkout","variant":"on","revision":4,"unit":{"kind":"user","id":"u"},"reason":%q}`, id1, reason)
		got, err := accept(body)
		if err != nil || got.Exposures[0].Enrolled != want {
			t.Errorf("reason %s: %+v, %v; want enrolled %v", reason, got.Exposures, err, want)
		}
	}
}

// TestDoor_undeclaredMetric keeps the event as a dead letter that can be sent
// again after declaring, without the IDs of its units.
func TestDoor_undeclaredMetric(t *testing.T) {
	body := `{"kind":"metric","id":"` + id1.String() + `","name":"puchase","value":2.5,"units":{"user":"secret-id"},"attributes":{"a":"b"}}`
	got, err := accept(body)
	if err != nil || got.Count != 1 || len(got.Dead) != 1 || got.Rows.Len() != 0 {
		t.Fatalf("taken %+v, %v; want one dead letter", got, err)
	}
	d := got.Dead[0]
	if d.Reason != ingest.UnknownMetric || d.Name != "puchase" || d.ID != id1 || strings.Contains(string(d.Fact), "secret-id") {
		t.Errorf("dead letter %+v", d)
	}
	again := door()
	again.Replay, again.Metrics = true, declareAll{}
	replayed, err := again.Accept("production", d.Fact, noon.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	want := ingest.MetricRow{
		ID: id1, Day: ingest.DayOf(id1), Environment: "production", Name: "puchase", UnitKind: "user",
		Unit: ingest.UnitHash(unitKey, "user", "secret-id"), Value: 2_500_000, At: noon, Received: noon.AddDate(1, 0, 0),
		Attributes: map[string]string{"a": "b"},
	}
	if diff := cmp.Diff([]ingest.MetricRow{want}, replayed.Metrics); diff != "" {
		t.Errorf("replayed (-want +got):\n%s", diff)
	}
	if direct, err := accept(strings.Replace(string(d.Fact), "puchase", "purchase", 1)); err != nil || direct.Metrics[0].Unit == want.Unit {
		t.Errorf("a sender who names a hash is taken for the unit itself: %+v, %v", direct.Metrics, err)
	}
}

type declareAll struct{}

func (declareAll) Declared(string) bool { return true }

func FuzzDoor(f *testing.F) {
	f.Add([]byte(`[{"kind":"metric","id":"` + id1.String() + `","name":"purchase","value":-1.5e-3,"units":{"user":"\ud83d\ude00"}},7]`))
	f.Add([]byte(marshal(f, exposure()) + "\n" + `{"kind":"reading","value":1,"labels":{"a":"b"}}`))
	d := door()
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := d.Accept("production", body, noon)
		if err != nil {
			if got.Count != 0 || got.Rows.Len() != 0 {
				t.Errorf("error %v keeps %d events", err, got.Count)
			}
			return
		}
		packed, err := codec.Decode("", event.Message{Data: codec.Encode(got.Batch)})
		if err != nil {
			t.Fatalf("what the door takes cannot be packed: %v", err)
		}
		if diff := cmp.Diff(got.Batch, packed); diff != "" {
			t.Errorf("packed and unpacked (-want +got):\n%s", diff)
		}
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) && !json.Valid(body) {
			t.Errorf("taken and not JSON: %q", body)
		}
	})
}

package ingest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/otlp"
)

// evaluated are the attributes of a record of an evaluation in revision 4.
func evaluated(more ...string) map[string]string {
	a := map[string]string{
		"feature_flag.key": "checkout", "feature_flag.result.variant": "on", "feature_flag.result.reason": "split", "feature_flag.context.id": "u-1",
		"feature_flag.set.id": "production", "feature_flag.version": "4", "plan": "pro", "session.id": "secret",
	}
	for i := 0; i+1 < len(more); i += 2 {
		if a[more[i]] = more[i+1]; more[i+1] == "" {
			delete(a, more[i])
		}
	}
	return a
}

// body is an OTLP request in JSON with one record each, all of one event.
func logsBody(event string, at time.Time, records ...map[string]string) []byte {
	var list []string
	for _, r := range records {
		var attributes []string
		for name, text := range r {
			quoted, _ := json.Marshal(text)
			attributes = append(attributes, fmt.Sprintf(`{"key":%q,"value":{"stringValue":%s}}`, name, quoted))
		}
		list = append(list, fmt.Sprintf(`{"timeUnixNano":"%d","eventName":%q,"traceId":"ab","attributes":[%s]}`, at.UnixNano(), event, strings.Join(attributes, ",")))
	}
	return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Join(list, ",") + `]}]}]}`)
}

// TestDoor_logs: a record of an evaluation is a lossy exposure of the unit, in
// the arm that the history says, with the attributes that are named alone.
func TestDoor_logs(t *testing.T) {
	d := door()
	d.Privacy = keeps{Only: []string{"plan", "country"}}
	at := noon.Add(-time.Minute + 123456*time.Microsecond)
	take := func(body []byte) ingest.ExposureRow {
		t.Helper()
		got, err := d.AcceptLogs("production", otlp.JSON, body, noon)
		if err != nil || got.Count != 1 || len(got.Exposures) != 1 || got.Revision != 4 {
			t.Fatalf("%+v, %v", got, err)
		}
		return got.Exposures[0]
	}
	body := logsBody("feature_flag.evaluation", at, evaluated())
	row := take(body)
	want := ingest.ExposureRow{
		ID: row.ID, Day: ingest.DayOf(row.ID), Environment: "production", Flag: "checkout", Variant: "on", UnitKind: "user", Unit: ingest.UnitHash(unitKey, "user", "u-1"),
		Revision: 4, Rollout: "production/checkout/1", Stage: "canary", Epoch: 2, Arm: "on", Enrolled: true, Reason: "SPLIT",
		At: at.Truncate(time.Millisecond), Received: noon, Attributes: map[string]string{"plan": "pro"}, Source: ingest.ByTelemetry,
	}
	if diff := cmp.Diff(want, row); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	if again := take(body); again.ID != row.ID {
		t.Error("exported again it is another event")
	}
	ids := map[string]bool{row.ID.String(): true}
	for _, other := range [][]byte{
		logsBody("feature_flag.evaluation", at.Add(1), evaluated()),
		logsBody("feature_flag.evaluation", at, evaluated("feature_flag.context.id", "u-2")),
		logsBody("feature_flag.evaluation", at, evaluated("feature_flag.result.variant", "off")),
	} {
		ids[take(other).ID.String()] = true
	}
	if len(ids) != 4 {
		t.Errorf("four evaluations have the IDs %v", ids)
	}
	d.Key = []byte("another installation's key, as long as is")
	if take(body).ID == row.ID {
		t.Error("the ID follows from the unit's name alone, so that it could be guessed")
	}
	if d.Key = unitKey; !take(logsBody("feature_flag.evaluation", at, evaluated("user_agent.synthetic.type", "bot"))).Synthetic {
		t.Error("a bot is analysed")
	}
	d.Privacy = nil
	if row := take(body); row.Attributes != nil {
		t.Errorf("nobody named attributes, and %v are kept", row.Attributes)
	}
	if row := take(logsBody("", noon, with(evaluated(), "event.name", "feature_flag.evaluation"))); !row.Enrolled {
		t.Error("an event that an attribute names is none")
	}
}

func with(m map[string]string, name, text string) map[string]string {
	m = maps.Clone(m)
	m[name] = text
	return m
}

func TestDoor_logsThatAreRefused(t *testing.T) {
	const evaluation = "feature_flag.evaluation"
	long := strings.Repeat("x", 2000)
	for name, c := range map[string]struct {
		event, field, why string
		at                time.Time
		record            map[string]string
		reason            ingest.Reason
	}{
		"another event":       {"http.request", "eventName", "not the name of an event", noon, evaluated(), ingest.UnknownKind},
		"no event":            {"", "eventName", "not the name of an event", noon, evaluated(), ingest.UnknownKind},
		"no flag":             {evaluation, "flag", "not a flag of production", noon, evaluated("feature_flag.key", ""), ingest.UnknownFlag},
		"another flag":        {evaluation, "flag", "not a flag of production", noon, evaluated("feature_flag.key", "chekout"), ingest.UnknownFlag},
		"another environment": {evaluation, "feature_flag.set.id", "not the environment", noon, evaluated("feature_flag.set.id", "staging"), ingest.Malformed},
		"no variant":          {evaluation, "feature_flag.result.variant", "missing", noon, evaluated("feature_flag.result.variant", ""), ingest.Malformed},
		"no unit":             {evaluation, "feature_flag.context.id", "missing", noon, evaluated("feature_flag.context.id", ""), ingest.Malformed},
		"split of nowhere":    {evaluation, "revision", "missing", noon, evaluated("feature_flag.version", "v1.2"), ingest.Malformed},
		"long variant":        {evaluation, "variant", "longer than 128", noon, evaluated("feature_flag.result.variant", long), ingest.Malformed},
		"long unit":           {evaluation, "unit.id", "longer than 512", noon, evaluated("feature_flag.context.id", long), ingest.Malformed},
		"long attribute":      {evaluation, "attributes.plan", "longer than 1024", noon, evaluated("plan", long), ingest.Malformed},
		"too old":             {evaluation, "id", "late window", noon.AddDate(0, 0, -8), evaluated(), ingest.TimeWindow},
		"in the future":       {evaluation, "at", "future", noon.Add(2 * time.Hour), evaluated(), ingest.TimeWindow},
	} {
		d := door()
		d.Privacy = keeps{Only: []string{"plan"}}
		got, err := d.AcceptLogs("production", otlp.JSON, logsBody(c.event, c.at, c.record), noon)
		var refused ingest.Refused
		if !errors.As(err, &refused) || got.Count != 0 || !named(refused, c.field, c.why, c.reason) {
			t.Errorf("%s: %v, want %s %q", name, err, c.field, c.why)
		}
	}
	if _, err := door().AcceptLogs("production", otlp.JSON, []byte("{"), noon); err == nil {
		t.Error("half a body is taken")
	}
	if got, err := door().AcceptLogs("production", otlp.JSON, []byte("{}"), noon); err != nil || got.Count != 0 {
		t.Errorf("an empty body: %+v, %v", got, err)
	}
}

// named reports whether a fault of the first record is the one.
func named(list ingest.Refused, field, why string, reason ingest.Reason) bool {
	for _, r := range list {
		if r.Index == 0 && r.Field == field && strings.Contains(r.Why, why) && r.Reason == reason {
			return true
		}
	}
	return false
}

// TestIntake_logs sends records the whole way, and records and events as what
// they are not.
func TestIntake_logs(t *testing.T) {
	in, streams := intake(1)
	req := request("", string(logsBody("feature_flag.evaluation", noon, evaluated(), evaluated("feature_flag.key", "none"))))
	req.Logs, req.Type = true, "application/json; charset=utf-8"
	got, err := in.Accept(t.Context(), req, noon)
	if err != nil || got.Accepted != 1 || len(got.Rejected) != 1 || got.Rejected[0].Index != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if last, _ := streams[0].Last(t.Context()); last != 1 {
		t.Errorf("%d messages", last)
	}
	for _, media := range []string{"", "text/plain", "application/x-ndjson"} {
		req.Type = media
		if _, err := in.Accept(t.Context(), req, noon); !errors.Is(err, ingest.ErrMedia) {
			t.Errorf("records as %q: %v", media, err)
		}
	}
	req = request("", marshal(t, exposure()))
	req.Type = otlp.Protobuf
	if _, err := in.Accept(t.Context(), req, noon); !errors.Is(err, ingest.ErrMedia) {
		t.Errorf("events as protobuf: %v", err)
	}
}

package server

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// logs is a request with one record for each list of attributes, as a hook of
// OpenFeature exports them.
func logs(records ...map[string]string) string {
	var list []string
	for i, r := range records {
		var attributes []string
		for name, text := range r {
			attributes = append(attributes, fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, name, text))
		}
		list = append(list, fmt.Sprintf(`{"timeUnixNano":"%d","eventName":"feature_flag.evaluation","attributes":[%s]}`,
			start.UnixNano()+int64(i), strings.Join(attributes, ",")))
	}
	return `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"openfeature"},"logRecords":[` + strings.Join(list, ",") + `]}]}]}`
}

// stored returns the exposures of all packs.
func (h *house) stored() (list []ingest.ExposureRow) {
	h.t.Helper()
	messages, err := h.facts.Read(h.t.Context(), 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, m := range messages {
		b, err := ingest.NewCodec().Decode("facts-0", event.Message{Seq: m.Seq, Data: m.Data})
		if err != nil {
			h.t.Fatal(err)
		}
		list = append(list, b.Exposures...)
	}
	return list
}

// TestLogs_answersOfOFREP: what OFREP answers is what a stock hook exports, and
// what is exported is an exposure of the unit that was hashed.
func TestLogs_answersOfOFREP(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	var answer struct {
		Variant, Reason string
		Metadata        map[string]any
	}
	text := h.want("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.checkout", `{"context":{"targetingKey":"u-1","ring":"internal"}}`, 200, "")
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	record := map[string]string{
		"feature_flag.key": "shop.checkout", "feature_flag.result.variant": answer.Variant, "feature_flag.result.reason": strings.ToLower(answer.Reason),
		"feature_flag.context.id": fmt.Sprint(answer.Metadata["contextId"]), "feature_flag.set.id": fmt.Sprint(answer.Metadata["flagSetId"]),
		"feature_flag.version": fmt.Sprint(answer.Metadata["version"]), "feature_flag.provider.name": "ofrep",
	}
	code, body, header := h.ask("sdk", "POST", "/v1/logs", logs(record), "Content-Type", "application/json")
	if code != 200 || body != "{}" || header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s %v", code, body, header)
	}
	got := h.stored()
	if len(got) != 1 {
		t.Fatalf("stored %+v", got)
	}
	e := got[0]
	if e.Flag != "shop.checkout" || e.Variant != "on" || e.Reason != "TARGETING_MATCH" || e.Source != ingest.ByTelemetry || e.UnitKind != "user" ||
		e.Unit != ingest.UnitHash([]byte("a key of the test"), "user", "u-1") || strconv.FormatUint(e.Revision, 10) != answer.Metadata["version"] || !e.At.Equal(start) {
		t.Errorf("stored %+v", e)
	}
}

// TestLogs_refusals: exporters read the HTTP status and a Status message, in the
// encoding that they send.
func TestLogs_refusals(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	good := map[string]string{"feature_flag.key": "shop.checkout", "feature_flag.result.variant": "on", "feature_flag.context.id": "u"}
	without := func(name string) map[string]string {
		r := map[string]string{}
		for k, v := range good {
			if k != name {
				r[k] = v
			}
		}
		return r
	}
	for name, c := range map[string]struct {
		who, body, media string
		code             int
		want             string
	}{
		"not JSON":        {"sdk", "{", "application/json", 400, `{"message":"body is not an ExportLogsServiceRequest in JSON`},
		"not protobuf":    {"sdk", "\x0a\xff", "application/x-protobuf", 400, "is not an ExportLogsServiceRequest in protobuf"},
		"another type":    {"sdk", "{}", "text/plain", 415, `{"message":"the body is in a format that is not accepted`},
		"nobody":          {"", "{}", "application/json", 401, `{"message":"no valid token`},
		"no right":        {"viewer", "{}", "application/json", 403, `{"message":"this token may not do that`},
		"nobody, in bits": {"", "", "application/x-protobuf", 401, "no valid token"},
		"nothing":         {"sdk", "{}", "application/json", 200, "{}"},
		"nothing in bits": {"sdk", "", "application/x-protobuf", 200, ""},
		"one of two":      {"sdk", logs(good, without("feature_flag.context.id")), "application/json; charset=utf-8", 200, `{"partialSuccess":{"errorMessage":"[1].feature_flag.context.id is missing`},
		"none of two":     {"sdk", logs(without("feature_flag.key"), without("feature_flag.key")), "application/json", 200, `and 1 more records","rejectedLogRecords":"2"`},
	} {
		code, body, header := h.ask(c.who, "POST", "/v1/logs", c.body, "Content-Type", c.media)
		if code != c.code || !strings.Contains(body, c.want) || strings.Contains(header.Get("Content-Type"), "problem") {
			t.Errorf("%s: got %d %q as %s, want %d with %q", name, code, body, header.Get("Content-Type"), c.code, c.want)
		}
	}
	if n := len(h.stored()); n != 1 {
		t.Errorf("%d exposures are stored", n)
	}
}

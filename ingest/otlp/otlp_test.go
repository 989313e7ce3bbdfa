package otlp_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/otlp"
)

// recorded are the same three records in both encodings, as the code that the
// OpenTelemetry project generates (proto/otlp 1.11.1) wrote them.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRead_bothEncodings(t *testing.T) {
	want := []otlp.Record{
		{
			Event: "feature_flag.evaluation", At: time.Unix(0, 1795176000123456789).UTC(),
			Trace: "30313233343536373839616263646566", Span: "3031323334353637",
			Attributes: map[string]string{
				"feature_flag.key": "checkout", "feature_flag.result.variant": "on", "feature_flag.result.reason": "split", "feature_flag.context.id": "u-1",
				"feature_flag.set.id": "production", "feature_flag.version": "4", "feature_flag.provider.name": "ofrep",
				"plan": "pro", "beta": "true", "visits": "-7", "share": "0.25",
			},
		},
		{
			Event: "feature_flag.evaluation", At: time.Unix(1795176002, 0).UTC(),
			Attributes: map[string]string{"event.name": "feature_flag.evaluation", "feature_flag.key": "checkout"},
		},
		{At: time.Unix(1795176003, 0).UTC()},
	}
	for media, file := range map[string]string{otlp.Protobuf: "records.binpb", otlp.JSON: "records.json"} {
		got, err := otlp.Read(media, recorded(t, file))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", media, err, diff)
		}
	}
}

func TestRead_refusals(t *testing.T) {
	whole := recorded(t, "records.binpb")
	many := bytes.Repeat([]byte{0x12, 0}, otlp.MaxRecords+1) // records without a field
	packed := wrap(0x0a, wrap(0x12, many))
	for name, c := range map[string]struct {
		media string
		body  []byte
		want  string
	}{
		"cut off":        {otlp.Protobuf, whole[:len(whole)-1], "in protobuf"},
		"a group":        {otlp.Protobuf, []byte{0x0b}, "in protobuf"},
		"field 0":        {otlp.Protobuf, []byte{0x02, 0}, "in protobuf"},
		"a long varint":  {otlp.Protobuf, bytes.Repeat([]byte{0xff}, 11), "in protobuf"},
		"a long length":  {otlp.Protobuf, []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, "in protobuf"},
		"many":           {otlp.Protobuf, packed, "more than 10000 records"},
		"many, in JSON":  {otlp.JSON, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}` + strings.Repeat(",{}", otlp.MaxRecords) + `]}]}]}`), "more than 10000 records"},
		"not JSON":       {otlp.JSON, whole, "in JSON"},
		"another shape":  {otlp.JSON, []byte(`{"resourceLogs":7}`), "in JSON"},
		"time of text":   {otlp.JSON, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"noon"}]}]}]}`), "in JSON"},
		"number of text": {otlp.JSON, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"a","value":{"intValue":"x"}}]}]}]}]}`), "in JSON"},
	} {
		_, err := otlp.Read(c.media, c.body)
		var faults event.Invalids
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if got, err := otlp.Read(otlp.Protobuf, wrap(0x0a, wrap(0x12, many[2:]))); len(got) != otlp.MaxRecords || err != nil {
		t.Errorf("as many as may be: %d, %v", len(got), err)
	}
}

// wrap returns a message with one field, whose tag is given.
func wrap(tag byte, b []byte) []byte {
	size := []byte{}
	for n := len(b); ; n >>= 7 {
		if n < 0x80 {
			size = append(size, byte(n))
			break
		}
		size = append(size, byte(n)|0x80)
	}
	return append(append([]byte{tag}, size...), b...)
}

func TestAnswer(t *testing.T) {
	for name, c := range map[string]struct{ got, want string }{
		"all, JSON":          {string(otlp.Answer(otlp.JSON, 0, "")), "{}"},
		"all, protobuf":      {string(otlp.Answer(otlp.Protobuf, 0, "")), ""},
		"but some, JSON":     {string(otlp.Answer(otlp.JSON, 300, `"a"`)), `{"partialSuccess":{"errorMessage":"\"a\"","rejectedLogRecords":"300"}}`},
		"but some, protobuf": {string(otlp.Answer(otlp.Protobuf, 300, "why")), "\x0a\x08\x08\xac\x02\x12\x03why"},
		"status, JSON":       {string(otlp.Status(otlp.JSON, "why")), `{"message":"why"}`},
		"status, protobuf":   {string(otlp.Status(otlp.Protobuf, "why")), "\x12\x03why"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
}

// FuzzRead: no panic, and no more records than bytes.
func FuzzRead(f *testing.F) {
	f.Add(true, recorded(f, "records.binpb"))
	f.Add(false, recorded(f, "records.json"))
	f.Fuzz(func(t *testing.T, protobuf bool, body []byte) {
		media := otlp.JSON
		if protobuf {
			media = otlp.Protobuf
		}
		records, err := otlp.Read(media, body)
		if err == nil && len(records) > len(body) {
			t.Errorf("%d records in %d bytes", len(records), len(body))
		}
	})
}

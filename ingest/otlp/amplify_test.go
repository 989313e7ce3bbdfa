package otlp_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/otlp"
)

// Empty messages are three bytes each on the wire and hundreds in memory, and a
// body of them compresses to nothing: whoever sends one must not make the server
// take hundreds of MB.
func TestRead_emptyMessagesCostNoMemory(t *testing.T) {
	const n = 1 << 20
	many := "{}" + strings.Repeat(",{}", n)
	for name, body := range map[string]string{
		"records":    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + many + `]}]}]}`,
		"scopes":     `{"resourceLogs":[{"scopeLogs":[` + many + `]}]}`,
		"resources":  `{"resourceLogs":[` + many + `]}`,
		"attributes": `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[` + many + `]}]}]}]}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		records, err := otlp.Read(otlp.JSON, []byte(body))
		runtime.ReadMemStats(&after)
		var faults event.Invalids
		if name == "records" && (!errors.As(err, &faults) || !strings.Contains(err.Error(), "more than")) || len(records) > 1 {
			t.Errorf("%s: %d records, %v", name, len(records), err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 80<<20 {
			t.Errorf("%s: %d MB for a body of %d MB", name, took>>20, len(body)>>20)
		}
	}
}

// A refusal is shown to people who watch events come in, who are not to read what
// was in them.
func TestRead_refusalsRepeatNoValue(t *testing.T) {
	for _, body := range []string{
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"email","value":{"intValue":"ann@example.com"}}]}]}]}]}`,
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"ann@example.com"}]}]}]}`,
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":["ann@example.com"]}]}]}]}`,
		`{"resourceLogs":[]} {"more":"ann@example.com"}`,
		`{"resourceLogs":[]}]`,
	} {
		_, err := otlp.Read(otlp.JSON, []byte(body))
		var faults event.Invalids
		if !errors.As(err, &faults) || strings.Contains(err.Error(), "ann@") || !strings.Contains(err.Error(), "in JSON") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

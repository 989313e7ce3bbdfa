package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
)

// Whoever holds a client token, which is everybody, can name an event so that its
// name would command the terminal of the person who looks at it.
func TestEventsTail_namesCommandNoTerminal(t *testing.T) {
	const name = "Käufe\x1b]0;x\a\u009b2J\r"
	data, err := json.Marshal(ingest.Heard{Verdict: ingest.Buried, Kind: ingest.KindMetric, Name: name, Notes: []ingest.Note{{Why: "no metric declares " + name}}})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := (eventsTailCmd{Output: "table"}).tell(&out, "heard", string(data)); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.ContainsAny(got, "\x1b\a\r\u009b") || !strings.Contains(got, "Käufe\ufffd]0;x") || strings.Count(got, "\n") != 2 {
		t.Errorf("%q", got)
	}
}

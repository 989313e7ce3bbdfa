package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

const searchFlag = `apiVersion: sluice/v1
kind: Flag
key: search
purpose: operational
owner: search-team
type: boolean
variants: {on: true, off: false}
safe: off
environments: {production: {enabled: true}}
`

// What OFREP answers is counted by flag, variant and reason, one by one and in
// answers of all flags, and comes back as the flag's usage.
func TestEvaluationsAreCounted(t *testing.T) {
	enginetest.Library(t)
	h := stand(t, config{Data: t.TempDir()})
	if answer, body := h.ask("POST", "/api/v1/apply?comment=x", searchFlag); answer.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	for range 3 {
		h.ask("POST", "/ofrep/v1/evaluate/flags/search?environment=production", `{}`)
	}
	h.ask("POST", "/ofrep/v1/evaluate/flags?environment=production", `{}`)
	h.ask("POST", "/ofrep/v1/evaluate/flags/nothing?environment=production", `{}`)

	var got struct {
		Seen  flags.Seen
		Usage []flags.Usage
	}
	for len(got.Usage) == 0 {
		if err := h.usage.report(t.Context(), now()); err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
		if err := h.usage.look(t.Context(), now()); err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
		answer, body := h.ask("GET", "/api/v1/flags/search/usage?environment=production", "")
		if answer.StatusCode == http.StatusOK {
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []flags.Usage{{Day: flags.Date(now().Format(time.DateOnly)), Variant: "off", Reason: flags.Static, Asked: 3, Listed: 1}}
	if d := cmp.Diff(want, got.Usage, cmpopts.IgnoreFields(flags.Usage{}, "Day")); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

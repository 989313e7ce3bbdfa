package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/server"
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

// sdkReport is what an SDK sends that evaluates by itself. Its shape is
// documented: users' programs have it.
func sdkReport(flag string) string {
	return fmt.Sprintf(`{"kind":"reading","id":%q,"name":"flag.evaluations","value":41,"labels":{"flag":%q,"variant":"on","reason":"TARGETING_MATCH"}}`, event.New(), flag)
}

// What OFREP answers and what SDKs report is counted by flag, variant and
// reason, one by one and in answers of all flags, and comes back as the flag's
// usage. Nothing of a flag that there is not is counted.
func TestEvaluationsAreCounted(t *testing.T) {
	library := enginetest.Library(t)
	t.Chdir(t.TempDir())
	h := stand(t, config{Data: "data", Lib: library}) // a relative path, as by default
	if answer, body := h.ask("POST", "/api/v1/apply?comment=x", searchFlag); answer.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	for range 3 {
		h.ask("POST", "/ofrep/v1/evaluate/flags/search?environment=production", `{}`)
	}
	h.ask("POST", "/ofrep/v1/evaluate/flags?environment=production", `{}`)
	h.ask("POST", "/ofrep/v1/evaluate/flags/nothing?environment=production", `{}`)
	if answer, body := h.ask("POST", "/v1/events?environment=production", sdkReport("search")+"\n"+sdkReport("serach")); answer.StatusCode != http.StatusAccepted ||
		!strings.Contains(body, `"accepted":1`) || !strings.Contains(body, "labels.flag") || !strings.Contains(body, "is not a flag of production") {
		t.Errorf("the report of an SDK: %s %s", answer.Status, body)
	}
	h.ask("GET", "/debug/flags/search?environment=production&targetingKey=u", "")
	h.ask("GET", "/api/v1/flags/search/explain?environment=production&unit=u", "")

	var got struct {
		Seen  flags.Seen
		Usage []flags.Usage
	}
	for len(got.Usage) < 2 {
		if err := h.usage.report(t.Context(), now()); err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
		answer, body := h.ask("GET", "/api/v1/flags/search/usage?environment=production", "")
		if answer.StatusCode == http.StatusOK {
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := h.usage.look(t.Context(), now()); err != nil { // the last look was before the rows were there
		t.Fatal(err)
	}
	want := []flags.Usage{{Variant: "off", Reason: flags.Static, Asked: 3, Listed: 1}, {Variant: "on", Reason: flags.TargetingMatch, Asked: 41}}
	if d := cmp.Diff(want, got.Usage, cmpopts.IgnoreFields(flags.Usage{}, "Day")); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	t.Setenv("SLUICE_SERVER", h.address())
	t.Setenv("SLUICE_TOKEN", h.token)
	lines := strings.Split(says(t, []string{"usage", "search", "--days", "2"}), "\n")
	if len(lines) < 4 || strings.Join(strings.Fields(lines[2])[1:], " ") != "on TARGETING_MATCH 41 0 0" || !strings.HasPrefix(lines[3], "Last asked for: 20") {
		t.Errorf("the command says:\n%s", strings.Join(lines, "\n"))
	}
}

// A replica that only evaluates reports it, too: else nobody knows that its
// flags are used.
func TestEvaluationsAreReportedByEveryRole(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Roles: roles{server.Flags}})
	s.want(http.StatusOK, "created", "POST", "/api/v1/apply?comment=x", searchFlag)
	s.want(http.StatusOK, "search", "POST", "/ofrep/v1/evaluate/flags/search?environment=production", `{}`)
	if err := s.usage.report(t.Context(), now()); err != nil {
		t.Fatal(err)
	}
	in, err := s.intake.get()
	if err != nil {
		t.Fatal(err)
	}
	if last, err := in.streams[0].Last(t.Context()); err != nil || last == 0 {
		t.Errorf("the stream of facts ends at %d, %v", last, err)
	}
	s.want(http.StatusNotFound, "does not have the role ingest", "POST", "/v1/events?environment=production", anEvent(s))
}

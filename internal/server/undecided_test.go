package server

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
)

// known is a Usage that knows when the flags of each environment were last
// used.
type known map[string]flags.Seen

func (known) Usage(context.Context, string, string, time.Time) ([]flags.Usage, error) {
	return nil, nil
}

func (k known) Seen(environment, _ string) flags.Seen { return k[environment] }

// quiet is an environment that has been counted for a year, where nobody has
// asked for anything.
var quiet = flags.Seen{Since: start.AddDate(-1, 0, 0)}

func everywhere() known {
	return known{"development": quiet, "staging": quiet, "production": quiet}
}

// asked is a quiet environment in which a flag was asked for so long ago.
func asked(ago time.Duration) flags.Seen {
	return flags.Seen{Since: quiet.Since, Asked: start.Add(-ago)}
}

// TestArchive_saysEverythingAgainstIt: who asks, what is undecided and who
// needs the flag, at once. The comment that every change has is no reason.
func TestArchive_saysEverythingAgainstIt(t *testing.T) {
	use := everywhere()
	h := newHouseWith(t, func(h *House) { h.Usage = use })
	h.want("approver", "POST", "/api/v1/apply?start=true", documents+"---\n"+plan, http.StatusOK, "created")
	needs := strings.Replace(switches("needs", "shop", "operational"), "production: {enabled: true}",
		"production: {enabled: true, prerequisites: [{flag: shop.checkout, variant: on}]}", 1)
	h.want("editor", "POST", "/api/v1/apply", needs, http.StatusOK, "created")
	use["production"], use["staging"] = asked(time.Hour), asked(8*24*time.Hour)
	const archive = "/api/v1/flags/shop.checkout/archive"
	body := h.want("approver", "POST", archive, `{"comment":"it is old"}`, http.StatusBadRequest, "rollout production/shop.checkout/1 is undecided; end it first, or give a reason")
	for _, want := range []string{"production last asked for the flag at 2026-11-01T08:00:00Z", "nobody has asked for 7 days, or give a reason", "it is a prerequisite of needs"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in %s", want, body)
		}
	}
	if strings.Contains(body, "staging") {
		t.Errorf("staging asked 8 days ago: %s", body)
	}
	h.want("approver", "PATCH", "/api/v1/flags/shop.checkout", `{"changes":[{"op":"archive"}]}`, http.StatusBadRequest, "production last asked")
	h.want("approver", "POST", "/api/v1/flags/none/archive", `{"comment":"it is old"}`, http.StatusNotFound, "not-found")
	answer := h.want("approver", "POST", archive, `{"comment":"it is old","reason":"the shop is closed"}`, http.StatusOK, `"archived":true`)
	if strings.Contains(answer, "notes") {
		t.Errorf("what is overridden needs no notes: %s", answer)
	}
}

// TestArchive_notesWhatCannotBeTold: what nobody knows refuses nothing, and is
// said.
func TestArchive_notesWhatCannotBeTold(t *testing.T) {
	use := everywhere()
	use["production"] = flags.Seen{Since: start.AddDate(0, 0, -2)}
	use["staging"] = flags.Seen{Since: quiet.Since, Listed: start.Add(-time.Minute)}
	use["development"] = flags.Seen{}
	h := shop(t, func(h *House) { h.Usage = use })
	body := h.want("approver", "POST", checkout+"/archive", `{"comment":"it is old"}`, http.StatusOK, `"archived":true`)
	for _, want := range []string{
		"it cannot be told whether somebody still asks for it in production: evaluations are counted since 2026-10-30T09:00:00Z alone",
		"it cannot be told whether somebody still asks for it in staging: clients fetch it with all other flags",
		"it cannot be told whether somebody still asks for it in development: evaluations are not counted there, or not known yet",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in %s", want, body)
		}
	}
}

// TestPrune_keepsWhatIsAskedFor: a flag that left the files too early stays
// until nobody asks for it, and so does what it needs; the rest is done.
func TestPrune_keepsWhatIsAskedFor(t *testing.T) {
	use := everywhere()
	h := newHouseWith(t, func(h *House) { h.Usage = use })
	needs := strings.Replace(switches("needs", "shop", "operational"), "production: {enabled: true}",
		"production: {enabled: true, prerequisites: [{flag: needed, variant: on}]}", 1)
	h.want("editor", "POST", "/api/v1/apply?set=shop", switches("needed", "shop", "operational")+needs, http.StatusOK, "created")
	use["staging"] = asked(time.Minute)
	const query = "/api/v1/apply?prune=true&set=shop"
	for _, dry := range []string{"&dryRun=true", ""} {
		body := h.want("approver", "POST", query+dry, switches("new", "shop", "operational"), http.StatusOK, `"key":"new","change":"created"`)
		if strings.Count(body, `"change":"kept"`) != 2 || !strings.Contains(body, "staging last asked for the flag at 2026-11-01T08:59:00Z") {
			t.Errorf("%s: %s", dry, body)
		}
	}
	use["staging"] = asked(8 * 24 * time.Hour)
	want := []string{"Flag new unchanged", "Flag needs archived", "Flag needed archived"}
	if d := cmp.Diff(want, h.applied("approver", "?prune=true&set=shop", switches("new", "shop", "operational"))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestArchive_byRequestAndSchedule: what is agreed to is looked at again when
// it is made; what is scheduled is looked at when its time has come.
func TestArchive_byRequestAndSchedule(t *testing.T) {
	use := everywhere()
	h := shop(t, func(h *House) { h.Usage = use })
	_, _, header := h.ask("editor", "POST", checkout+"/requests", `{"changes":[{"op":"archive"}]}`)
	request := header.Get("Location")
	h.want("approver", "POST", request+"/approve", `{}`, http.StatusOK, "approvals")
	use["production"] = asked(time.Hour)
	h.want("editor", "POST", request+"/apply", `{}`, http.StatusBadRequest, "production last asked for the flag")
	h.want("editor", "POST", checkout+"/requests", `{"changes":[{"op":"archive"}]}`, http.StatusBadRequest, "production last asked for the flag")
	h.want("approver", "POST", checkout+"/schedules", `{"changes":[{"op":"archive"}],"at":"2026-12-01T00:00:00Z"}`, http.StatusCreated, `"standing":"pending"`)
	use["production"] = quiet
	h.want("editor", "POST", request+"/apply", `{}`, http.StatusOK, `"standing":"done"`)
}

// TestFlag_tellsItsLife: who asks, and how much code uses it.
func TestFlag_tellsItsLife(t *testing.T) {
	use := everywhere()
	use["production"] = asked(time.Hour)
	h := shop(t, func(h *House) { h.Usage = use })
	h.want("viewer", "GET", checkout, "", http.StatusOK, `"seen":{"production":{"asked":"2026-11-01T08:00:00Z"`)
	h.want("editor", "POST", "/api/v1/references", scan("acme/shop", "v1", "shop.checkout"), http.StatusOK, "")
	h.want("viewer", "GET", checkout, "", http.StatusOK, `"lifecycle":{"stage":"live","stale":false}`)
	h.want("viewer", "GET", checkout, "", http.StatusOK, `"references":2`)
}

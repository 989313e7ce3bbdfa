package server

import (
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	flagdoc "github.com/sluice-hq/sluice/flags/flagd"
)

func TestFlagsJSON(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	const path = "/flagd/production/flags.json"
	code, body, header := h.ask("sdk", "GET", path, "")
	tag := header.Get("ETag")
	if code != http.StatusOK || !strings.Contains(body, `"shop.checkout"`) || tag == "" || header.Get("Last-Modified") != "Sun, 01 Nov 2026 09:00:00 GMT" {
		t.Fatalf("got %d %v %s", code, header, body)
	}
	for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		if code, body, _ := h.ask("sdk", "GET", path, "", "If-None-Match", match); code != http.StatusNotModified || body != "" {
			t.Errorf("If-None-Match %s: got %d %s", match, code, body)
		}
	}
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(documents, "description: Units", "description: All units", 1), http.StatusOK, "changed")
	if code, _, _ := h.ask("sdk", "GET", path, "", "If-None-Match", tag); code != http.StatusNotModified {
		t.Errorf("after a change of a metric: got %d", code)
	}
	h.want("admin", "POST", "/api/v1/flags/shop.checkout/disable", `{"environment":"production","comment":"test"}`, http.StatusOK, "")
	if code, _, header := h.ask("sdk", "GET", path, "", "If-None-Match", tag); code != http.StatusOK || header.Get("ETag") == tag {
		t.Errorf("after a change of a flag: got %d %s", code, header.Get("ETag"))
	}
	h.want("sdk", "GET", "/flagd/staging/flags.json", "", http.StatusForbidden, "")
	h.want("viewer", "GET", "/flagd/nowhere/flags.json", "", http.StatusBadRequest, "is not an environment")
	h.want("client", "GET", path, "", http.StatusForbidden, "")
}

// One flag that flagd cannot say keeps no other from its clients, and is never
// missing without a word.
func TestFlagsJSON_namesWhatIsNotInIt(t *testing.T) {
	h := newHouse(t)
	regex := strings.Replace(strings.Replace(documents, "op: eq", "op: regex", 1), "shop.checkout", "shop.regex", 1)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	h.want("admin", "POST", "/api/v1/apply", regex, http.StatusOK, "created")
	code, body, header := h.ask("sdk", "GET", "/flagd/production/flags.json", "")
	if code != http.StatusOK || !strings.Contains(body, `"notExported":"shop.regex"`) || !strings.Contains(body, `"shop.checkout": {`) || header.Get("Sluice-Not-Exported") != "1" {
		t.Errorf("got %d %v %s", code, header, body)
	}
	h.want("sdk", "GET", "/flagd/production/flags.json?whole=true", "", http.StatusConflict, "flags.shop.regex.environments.production.rules[0].when.op")
	h.want("sdk", "GET", "/flagd/production/flags.json?whole=sure", "", http.StatusBadRequest, "is not true or false")
}

// published is flags/flagd/testdata/cases.json.
type published struct {
	Document json.RawMessage
	Cases    []struct {
		Group, Name, Flag, Type, Reason, Error string
		Context, Metadata                      map[string]any
		Value                                  any
	}
}

// TestPublishedCasesOverOFREP asks what flagd's project says that its
// evaluators answer. The flags come by the log, as it may hold them: one of
// them has a reference to nothing, which a definition is refused for today.
func TestPublishedCasesOverOFREP(t *testing.T) {
	h := newHouse(t)
	raw, err := os.ReadFile("../../flags/flagd/testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var p published
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	list, _, _ := flagdoc.Import(p.Document, flagdoc.Options{Environment: "production"})
	for _, f := range list {
		h.record(f)
	}
	passed := map[string]int{}
	for _, c := range p.Cases {
		request, _ := json.Marshal(map[string]any{"context": c.Context})
		code, body, _ := h.ask("sdk", "POST", "/ofrep/v1/evaluate/flags/"+c.Flag, string(request))
		var answer struct {
			Value, ErrorCode any
			Reason           string
			Metadata         map[string]any
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		mismatch := c.Error == "TYPE_MISMATCH" // OFREP carries no type: the provider compares it with the value
		switch {
		case mismatch && code == http.StatusOK && reflect.TypeOf(answer.Value).Kind() == reflect.String:
		case mismatch, c.Error != "" && answer.ErrorCode != c.Error, c.Error == "" && (code != http.StatusOK || !reflect.DeepEqual(answer.Value, c.Value)),
			c.Reason != "" && answer.Reason != c.Reason:
			t.Errorf("%s: %s: %s: %d %s; want %v %s %s", c.Group, c.Name, request, code, body, c.Value, c.Error, c.Reason)
			continue
		}
		for name, value := range c.Metadata {
			if answer.Metadata[name] != value {
				t.Errorf("%s: metadata %s is %v, want %v", c.Flag, name, answer.Metadata[name], value)
			}
		}
		passed[c.Group]++
	}
	t.Logf("passed: %v", passed)
}

// record appends a definition to the log, unchecked.
func (h *house) record(f flags.Flag) {
	h.t.Helper()
	data, err := json.Marshal(map[string]any{"changes": []any{map[string]any{"op": flags.Define, "flag": f}}})
	if err != nil {
		h.t.Fatal(err)
	}
	seq, err := h.Log.Append(h.t.Context(), event.Event{
		ID: event.New(), Source: "test", Type: flags.EventType, Subject: flags.SubjectPrefix + f.Key, Time: start, Actor: "test", Data: data,
	}, event.Any)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.Projection.Wait(h.t.Context(), seq); err != nil {
		h.t.Fatal(err)
	}
}

package notify_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/internal/notify"
)

// told are the types of events that the webhooks of the tests can be told of.
var told = []string{"flag.changed", "segment.changed", "rollout.started", "decision.made", "incident.opened", "rollback.proven", "cleanup.reminded"}

// whole is a webhook in which every field has a value that may stand there.
func whole() notify.Webhook {
	return notify.Webhook{
		Key: "release", Description: "The release channel", Owner: "payments-team", Format: notify.Standard, URL: "https://hooks.example.com/sluice",
		SecretVersion: 1, Events: []string{"flag.*", "decision.rollback", "*"}, Environments: []string{"production"}, Tags: []string{"payments"},
	}
}

// story writes every change of a webhook there is.
func story(t *testing.T) *house {
	h := newHouse(t)
	w := whole()
	h.must(h.do(notify.Command{Op: notify.Define, Webhook: &w, Comment: "for the release"}))
	w.SecretVersion = 2
	h.must(h.do(notify.Command{Op: notify.Define, Webhook: &w}))
	h.must(h.do(notify.Command{Op: notify.Suspend, Key: w.Key, Why: "the receiver answered 410 Gone"}))
	h.must(h.do(notify.Command{Op: notify.Resume, Key: w.Key, Comment: "it is back"}))
	slack := notify.Webhook{Key: "people", Format: notify.Slack, Secret: "slack-release", Events: []string{"incident.*"}}
	h.must(h.do(notify.Command{Op: notify.Define, Webhook: &slack}))
	h.must(h.do(notify.Command{Op: notify.Remove, Key: slack.Key, Comment: "nobody reads it"}))
	return h
}

func TestState(t *testing.T) {
	h := story(t)
	got, ok := h.state.Hook("release")
	want := whole()
	want.SecretVersion = 2
	if diff := cmp.Diff(want, got.Webhook); diff != "" || !ok || got.Made != 1 || got.Revision != 4 || got.Suspended != nil || got.Rotated == nil || got.Rotated.From != 1 {
		t.Errorf("got %+v; -want +got:\n%s", got, diff)
	}
	if list := h.state.Hooks(); len(list) != 1 || h.state.Why("people") != "is not a webhook" || h.state.Why("release") != "" {
		t.Errorf("there are %+v", list)
	}
	var events []event.Recorded
	for r, err := range h.log.Read(t.Context(), event.Filter{}, 0) {
		h.must(err)
		events = append(events, r)
	}
	eventtest.Fold(t, notify.NewState, events)
}

// TestRecordedEvents reads the events of an older version: their meaning never
// changes.
func TestRecordedEvents(t *testing.T) {
	const file = "testdata/events.json"
	if *rewrite {
		var events []event.Recorded
		h := story(t)
		for r, err := range h.log.Read(t.Context(), event.Filter{}, 0) {
			h.must(err)
			events = append(events, r)
		}
		b, err := json.MarshalIndent(events, "", "  ")
		h.must(err)
		h.must(os.WriteFile(file, append(b, '\n'), 0o644))
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var events []event.Recorded
	if err := json.Unmarshal(b, &events); err != nil {
		t.Fatal(err)
	}
	s := notify.NewState()
	for _, r := range events {
		if err := s.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := story(t).state.Hook("release")
	got, _ := s.Hook("release")
	if diff := cmp.Diff(want, got); diff != "" || len(s.Hooks()) != 1 {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestValidate_refuses(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		change func(*notify.Webhook)
	}{
		"no key":                      {"key", func(w *notify.Webhook) { w.Key = "" }},
		"a key that is none":          {"key", func(w *notify.Webhook) { w.Key = "a b" }},
		"a long key":                  {"key", func(w *notify.Webhook) { w.Key = strings.Repeat("k", 65) }},
		"no address":                  {"url", func(w *notify.Webhook) { w.URL = "" }},
		"a path":                      {"url", func(w *notify.Webhook) { w.URL = "/hooks" }},
		"another protocol":            {"url", func(w *notify.Webhook) { w.URL = "ftp://hooks.example.com" }},
		"a password":                  {"url", func(w *notify.Webhook) { w.URL = "https://a:b@hooks.example.com" }},
		"a token in the query":        {"url", func(w *notify.Webhook) { w.URL += "?env=production&token=" + vectorSecret }},
		"a key in the query":          {"url", func(w *notify.Webhook) { w.URL += "?X-API-Key=" + vectorSecret }},
		"a signature in the query":    {"url", func(w *notify.Webhook) { w.URL += "?sv=1.0&sig=" + vectorSecret }},
		"a fragment":                  {"url", func(w *notify.Webhook) { w.URL += "#here" }},
		"another format":              {"format", func(w *notify.Webhook) { w.Format = "teams" }},
		"slack with an address":       {"url", func(w *notify.Webhook) { w.Format = notify.Slack }},
		"slack without a secret":      {"secret", func(w *notify.Webhook) { w.Format, w.URL = notify.Slack, "" }},
		"grafana without a token":     {"secret", func(w *notify.Webhook) { w.Format = notify.Grafana }},
		"a secret itself":             {"secret", func(w *notify.Webhook) { w.Secret = vectorSecret }},
		"a secret of no name":         {"secret", func(w *notify.Webhook) { w.Secret = "../unit.key" }},
		"a version that is none":      {"secretVersion", func(w *notify.Webhook) { w.SecretVersion = -1 }},
		"a version of a named secret": {"secretVersion", func(w *notify.Webhook) { w.Secret = "mine" }},
		"no events":                   {"events", func(w *notify.Webhook) { w.Events = nil }},
		"another family":              {"events[1]", func(w *notify.Webhook) { w.Events = []string{"flag.*", "token.*"} }},
		"its own events":              {"events[0]", func(w *notify.Webhook) { w.Events = []string{"webhook.*"} }},
		"a family alone":              {"events[0]", func(w *notify.Webhook) { w.Events = []string{"flag"} }},
		"a star within":               {"events[0]", func(w *notify.Webhook) { w.Events = []string{"flag.*.approved"} }},
		"an environment of no name":   {"environments[0]", func(w *notify.Webhook) { w.Environments = []string{"the moon"} }},
		"an empty tag":                {"tags[0]", func(w *notify.Webhook) { w.Tags = []string{" "} }},
	} {
		w := whole()
		c.change(&w)
		var faults event.Invalids
		if err := w.Validate(told); !errors.As(err, &faults) || !slices.ContainsFunc(faults, func(f event.Invalid) bool { return f.Path == c.path }) {
			t.Errorf("%s: got %v, want a fault at %s", name, err, c.path)
		}
		for _, f := range faults {
			if strings.Contains(f.Error(), vectorSecret) {
				t.Errorf("%s: the refusal repeats the secret", name)
			}
		}
	}
	for _, query := range []string{"", "?env=production", "?monkey=1&keyboard=us&authors=all"} {
		w := whole()
		w.URL += query
		if err := w.Validate(told); err != nil {
			t.Errorf("a whole webhook with %q: %v", query, err)
		}
	}
	var faults event.Invalids
	if err := (notify.Webhook{}).Validate(told); !errors.As(err, &faults) || len(faults) != 3 { // key, url, events
		t.Errorf("of an empty one: %v", err)
	}
}

func TestHandle_refuses(t *testing.T) {
	h := story(t)
	w := whole()
	w.SecretVersion = 1
	for name, c := range map[string]struct {
		command notify.Command
		want    error
	}{
		"remove what is not there":  {notify.Command{Op: notify.Remove, Key: "none"}, notify.ErrUnknown},
		"resume what is well":       {notify.Command{Op: notify.Resume, Key: "release"}, notify.ErrRefused},
		"an old secret":             {notify.Command{Op: notify.Define, Webhook: &w}, nil},
		"no document":               {notify.Command{Op: notify.Define, Key: "release"}, nil},
		"a document of another key": {notify.Command{Op: notify.Define, Key: "other", Webhook: &w}, nil},
		"something else":            {notify.Command{Op: "explode", Key: "release"}, nil},
	} {
		err := h.do(c.command)
		var faults event.Invalids
		if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &faults) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	hook, _ := h.state.Hook("release")
	if err := h.do(notify.Command{Op: notify.Define, Webhook: &hook.Webhook}); !errors.Is(err, notify.ErrUnchanged) {
		t.Errorf("the same again: %v", err)
	}
	h.must(h.do(notify.Command{Op: notify.Suspend, Key: "release", Why: "x"}))
	if err := h.do(notify.Command{Op: notify.Suspend, Key: "release", Why: "x"}); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("suspended twice: %v", err)
	}
}

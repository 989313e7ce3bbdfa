package notify_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/notify"
)

var rewrite = flag.Bool("update", false, "rewrite testdata; read the diff")

// saying is a teller with the words of the test.
type saying struct {
	about notify.About
	words notify.Words
}

func (s saying) About(event.Recorded) (notify.About, bool) { return s.about, true }
func (s saying) Say(context.Context, event.Recorded, []string) (notify.Words, bool, error) {
	return s.words, true, nil
}

// TestBody pins what each format sends, whatever the words try.
func TestBody(t *testing.T) {
	s := saying{
		notify.About{Types: []string{"decision.made", "decision.rollback"}, Environments: []string{"production"}, Flag: "shop.pay", Tags: []string{"payments"}},
		notify.Words{Title: "production/shop.pay is rolled back", Text: "*errors* <!channel> & <https://evil.example|show>\nsecond \"line\"", Path: "/decisions/1"},
	}
	for _, format := range []notify.Format{notify.Standard, notify.Slack, notify.Grafana} {
		t.Run(string(format), func(t *testing.T) {
			h, x := newHouse(t), newReceiver(t)
			h.Teller = s
			w := notify.Webhook{Key: "release", Format: format, URL: x.URL, Secret: "kept", Events: []string{"decision.*"}}
			kept := vectorSecret
			switch format {
			case notify.Slack:
				w.URL, kept = "", x.URL+"/services/T0/B0/secret"
			case notify.Grafana:
				kept = x.URL + "/ glsa_token"
			case notify.Standard:
			}
			h.Secrets = func(string) ([]string, error) { return []string{kept}, nil }
			h.must(h.do(notify.Command{Op: notify.Define, Webhook: &w}))
			_, err := h.log.Append(t.Context(), event.Event{
				ID: event.Derive("told"), Source: "test", Type: "decision.made", Subject: "rollout.production.shop.pay", Time: noon.Add(1500 * time.Millisecond), Actor: "controller", Data: []byte("{}"),
			}, event.Any)
			h.must(err)
			h.catch()
			h.step()
			got := x.arrivals()
			if len(got) != 1 {
				t.Fatalf("%d arrived: %+v", len(got), h.outbox())
			}
			golden(t, "testdata/"+string(format)+".json", got[0].body)
			if want := map[notify.Format]string{notify.Grafana: "Bearer glsa_token"}[format]; got[0].header.Get("Authorization") != want {
				t.Errorf("it is authorised by %q, not %q", got[0].header.Get("Authorization"), want)
			}
			if got[0].header.Get("Content-Type") != "application/json" || (got[0].signature != "") != (format == notify.Standard) {
				t.Errorf("the headers are %v", got[0].header)
			}
		})
	}
}

// golden compares a message with the one that is recorded.
func golden(t *testing.T, file, got string) {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(got), &tree); err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(b)+"\n"); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// However much there is to say, a message stays small.
func TestBody_bounded(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.hook(x.URL)
	h.happen(strings.Repeat("long ", 20_000))
	h.step()
	if n := len(x.arrivals()[0].body); n > 20<<10 {
		t.Errorf("the message has %d bytes", n)
	}
}

// An address that is a secret stands in no error and no log.
func TestSlack_hidesItsAddress(t *testing.T) {
	h := newHouse(t)
	h.Secrets = func(string) ([]string, error) { return []string{"http://127.0.0.1:1/services/T0/B0/secret"}, nil }
	h.must(h.do(notify.Command{Op: notify.Define, Webhook: &notify.Webhook{Key: "release", Format: notify.Slack, Secret: "kept", Events: []string{"*"}}}))
	h.happen("a")
	h.step()
	if d := h.outbox().Waiting[0]; d.Why == "" || strings.Contains(d.Why, "services") {
		t.Errorf("got %+v", d)
	}
	h.Secrets = func(string) ([]string, error) { return []string{"services/secret"}, nil }
	h.clock.move(time.Minute)
	h.step()
	if d := h.outbox().Waiting[0]; !strings.Contains(d.Why, "is not an address") || strings.Contains(d.Why, "services") {
		t.Errorf("got %+v", d)
	}
}

// A test is sent at once, is kept nowhere, and says what came of it.
func TestTest(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	h.hook(x.URL)
	got, err := h.Test(t.Context(), "release", "person:ana")
	h.must(err)
	if a := x.arrivals(); !got.OK || got.Status != 200 || len(a) != 1 || a[0].id != got.ID || string(got.Body) != a[0].body || !strings.Contains(a[0].body, "person:ana asked for it") {
		t.Errorf("got %+v, and %v arrived", got, a)
	}
	x.answers(status(http.StatusForbidden))
	if got, err = h.Test(t.Context(), "release", "person:ana"); err != nil || got.OK || got.Why != "it answered 403 Forbidden" {
		t.Errorf("got %+v, %v", got, err)
	}
	if b := h.outbox(); len(b.Waiting)+len(b.Ended) > 0 {
		t.Errorf("tests are kept: %+v", b)
	}
	if _, err := h.Test(t.Context(), "none", ""); err == nil {
		t.Error("a webhook that is none is tested")
	}
}

// A delivery is found by its id, and any event by its sequence, also one from
// before the webhook.
func TestFind(t *testing.T) {
	h, x := newHouse(t), newReceiver(t)
	before := h.happen("before")
	h.hook(x.URL)
	h.happen("a")
	h.step()
	kept := h.outbox().Ended[0]
	for text, want := range map[string]uint64{kept.ID.String(): kept.Seq, "3": 3, "1": before} {
		d, err := h.Find(t.Context(), "release", text)
		if err != nil || d.Seq != want || d.Seq == kept.Seq && d.ID != kept.ID {
			t.Errorf("%s: got %+v, %v", text, d, err)
		}
	}
	for _, text := range []string{"0", "4", "-1", "all", event.New().String(), "2"} { // event 2 is the webhook's own
		if d, err := h.Find(t.Context(), "release", text); err == nil {
			t.Errorf("%s: found %+v", text, d)
		}
	}
	d, err := h.Find(t.Context(), "release", "1")
	h.must(err)
	h.must(h.Redeliver(t.Context(), "release", d))
	h.step()
	if diff := cmp.Diff([]string{"a", "before"}, x.texts()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	body, err := h.Body(t.Context(), "release", d)
	if h.must(err); string(body) != x.arrivals()[1].body {
		t.Errorf("it shows %s", body)
	}
}

// TestGrafana_tokenIsBound: a token is sent to the host that the operator wrote
// before it, and nowhere else, whatever the document says.
func TestGrafana_tokenIsBound(t *testing.T) {
	x := newReceiver(t)
	for name, c := range map[string]struct {
		kept []string
		want string // what the delivery says; empty: it arrives
	}{
		"of this host":         {[]string{x.URL + " glsa_token"}, ""},
		"below a path of it":   {[]string{strings.ToUpper(x.URL[:4]) + x.URL[4:] + "/grafana  glsa_token"}, ""},
		"the second of two":    {[]string{"https://other.example:443 glsa_other", x.URL + " glsa_token"}, ""},
		"of another host":      {[]string{"https://grafana.example:443 glsa_token"}, "secret kept is for https://grafana.example, and is not sent to " + x.URL},
		"of the other scheme":  {[]string{"https" + x.URL[4:] + " glsa_token"}, "and is not sent to " + x.URL},
		"of nobody":            {[]string{"glsa_token"}, "secret kept does not say whom its token is for: write the address before it, such as " + x.URL + " TOKEN"},
		"a host without a way": {[]string{"grafana glsa_token"}, "does not say whom its token is for"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.Teller = saying{notify.About{Types: []string{"decision.made"}, Environments: []string{"production"}}, notify.Words{Title: "so"}}
			h.Secrets = func(string) ([]string, error) { return c.kept, nil }
			w := notify.Webhook{Key: "release", Format: notify.Grafana, URL: x.URL, Secret: "kept", Events: []string{"decision.*"}}
			h.must(h.do(notify.Command{Op: notify.Define, Webhook: &w}))
			before := len(x.arrivals())
			_, err := h.log.Append(t.Context(), event.Event{
				ID: event.Derive("told", name), Source: "test", Type: "decision.made", Subject: "rollout.production.shop.pay", Time: noon, Actor: "controller", Data: []byte("{}"),
			}, event.Any)
			h.must(err)
			h.catch()
			h.step()
			got := x.arrivals()[before:]
			if c.want == "" && (len(got) != 1 || got[0].header.Get("Authorization") != "Bearer glsa_token") {
				t.Errorf("arrived: %+v; %+v", got, h.outbox())
			}
			if c.want != "" && (len(got) != 0 || !strings.Contains(fmt.Sprintf("%+v", h.outbox()), c.want) || strings.Contains(fmt.Sprintf("%+v", h.outbox()), "glsa_")) {
				t.Errorf("arrived: %+v; want %q in %+v", got, c.want, h.outbox())
			}
		})
	}
}

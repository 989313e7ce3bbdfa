package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/internal/access"
	evaluationv1 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1/evaluationv1connect"
	syncv1 "github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1"
	"github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1/syncv1connect"
	"github.com/sluice-hq/sluice/internal/stream"
)

// flagdClients opens a door for HTTP/2 to a house, and returns its address and
// a client for it.
func flagdClients(t *testing.T, h *house) (string, *http.Client) {
	t.Helper()
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	s := httptest.NewUnstartedServer(New(h.House))
	s.Config.Protocols = p
	s.Start()
	t.Cleanup(s.Close)
	only2 := new(http.Protocols)
	only2.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: only2}
	t.Cleanup(transport.CloseIdleConnections)
	return s.URL, &http.Client{Transport: transport}
}

// flagdProtocols are the ways in which a client of flagd's services can ask.
var flagdProtocols = map[string][]connect.ClientOption{
	"gRPC": {connect.WithGRPC()}, "gRPC-Web": {connect.WithGRPCWeb()}, "Connect": nil, "Connect JSON": {connect.WithProtoJSON()},
}

// TestFlagd_guard: whoever lacks the permission is told so in the protocol he
// speaks, and a selector moves nobody into an environment that is not his.
func TestFlagd_guard(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	url, over := flagdClients(t, h)
	const refused, unknown, none = connect.CodePermissionDenied, connect.CodeUnauthenticated, connect.Code(0)
	for _, c := range []struct {
		who, selector  string
		evaluate, sync connect.Code
	}{
		{"", "", unknown, unknown},
		{"", "flagSetId=production", unknown, unknown},
		{"sdk", "", none, none},
		{"sdk", "flagSetId=production", none, none},
		{"sdk", "staging", refused, refused},
		{"client", "", none, refused},
		{"foreign", "flagSetId=production", refused, refused},
		{"viewer", "flagSetId=production", refused, none},
		{"editor", "flagSetId=production", none, none},
		{"editor", "", connect.CodeInvalidArgument, connect.CodeInvalidArgument}, // which environment?
		{"home", "", none, none},
		{"bound", "flagSetId=production", refused, refused},
	} {
		for name, options := range flagdProtocols {
			r := connect.NewRequest(&evaluationv1.ResolveBooleanRequest{FlagKey: "shop.checkout"})
			all := connect.NewRequest(&syncv1.FetchAllFlagsRequest{})
			for _, header := range []http.Header{r.Header(), all.Header()} {
				header.Set("Authorization", "Bearer "+h.tokens[c.who])
				header.Set("Flagd-Selector", c.selector)
			}
			_, err := evaluationv1connect.NewServiceClient(over, url, options...).ResolveBoolean(t.Context(), r)
			if got := codeOf(err); got != c.evaluate {
				t.Errorf("%s: %q evaluates with selector %q: got %v, want %v", name, c.who, c.selector, err, c.evaluate)
			}
			_, err = syncv1connect.NewFlagSyncServiceClient(over, url, options...).FetchAllFlags(t.Context(), all)
			if got := codeOf(err); got != c.sync {
				t.Errorf("%s: %q syncs with selector %q: got %v, want %v", name, c.who, c.selector, err, c.sync)
			}
		}
	}
}

// codeOf is the code of an error, 0 for none.
func codeOf(err error) connect.Code {
	if err == nil {
		return 0
	}
	return connect.CodeOf(err)
}

// TestFlagd_bodySelector: what only a body names is asked about too.
func TestFlagd_bodySelector(t *testing.T) {
	h := newHouse(t)
	url, over := flagdClients(t, h)
	r := connect.NewRequest(&syncv1.FetchAllFlagsRequest{Selector: "flagSetId=production"})
	r.Header().Set("Authorization", "Bearer "+h.tokens["foreign"])
	_, err := syncv1connect.NewFlagSyncServiceClient(over, url, connect.WithGRPC()).FetchAllFlags(t.Context(), r)
	if connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("got %v", err)
	}
}

// TestFlagd_answersLikeOFREP: value, variant, reason and metadata are those
// that the other protocol gives the same unit.
func TestFlagd_answersLikeOFREP(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	for _, ring := range []string{"internal", "public"} {
		context := `"context":{"targetingKey":"u-1","ring":"` + ring + `"}}`
		_, ours, _ := h.ask("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.checkout", "{"+context)
		_, theirs, _ := h.ask("sdk", "POST", "/flagd.evaluation.v1.Service/ResolveBoolean", `{"flagKey":"shop.checkout",`+context, "Content-Type", "application/json")
		var want, got map[string]any
		if err := json.Unmarshal([]byte(ours), &want); err != nil {
			t.Fatal(err)
		}
		delete(want, "key")
		if err := json.Unmarshal([]byte(theirs), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || got["value"] != (ring == "internal") {
			t.Errorf("%s (-OFREP +flagd):\n%s", ring, diff)
		}
	}
}

// TestFlagd_streamsAreAdmitted: one limit holds for the streams of all
// protocols.
func TestFlagd_streamsAreAdmitted(t *testing.T) {
	h, _ := streaming(t, stream.Limits{Open: 1})
	url, over := flagdClients(t, h)
	tuned := h.tune(t, h.Client(), "sdk", listenHere)
	tuned.next("put")
	r := connect.NewRequest(&syncv1.SyncFlagsRequest{})
	r.Header().Set("Authorization", "Bearer "+h.tokens["sdk"])
	s, err := syncv1connect.NewFlagSyncServiceClient(over, url, connect.WithGRPC()).SyncFlags(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeUnavailable {
		t.Errorf("the second stream: got %v, %v", s.Msg(), s.Err())
	}
}

// TestFlagd_streamsEndWithTheirToken: rules are for sls_ tokens alone, and for
// as long as those live.
func TestFlagd_streamsEndWithTheirToken(t *testing.T) {
	h := newHouse(t)
	s := &server{House: h.House}
	sdk := h.issue("service", access.Token{Class: access.ServerSDK, Environment: "production"})
	client := h.issue("browser", access.Token{Class: access.ClientSDK, Environment: "production"})
	as := func(token access.Token) context.Context {
		return context.WithValue(t.Context(), askerKey{}, &asker{Principal: access.Principal{Token: token.ID}})
	}
	if !s.mayStay(as(sdk), "production", true) || !s.mayStay(as(client), "production", false) {
		t.Error("a token that lives may not stay")
	}
	if s.mayStay(as(client), "production", true) || s.mayStay(as(sdk), "staging", true) {
		t.Error("a token may hear what it may not ask for")
	}
	h.want("admin", "DELETE", "/api/v1/tokens/"+sdk.ID, "", http.StatusNoContent, "")
	if s.mayStay(as(sdk), "production", true) {
		t.Error("a token that was revoked may stay")
	}
}

// TestFlagd_eventStream: a change that is applied reaches a stream.
func TestFlagd_eventStream(t *testing.T) {
	closing := make(chan struct{})
	h := newHouseWith(t, func(h *House) { h.Closing = closing })
	url, over := flagdClients(t, h)
	r := connect.NewRequest(&evaluationv1.EventStreamRequest{})
	r.Header().Set("X-API-Key", h.tokens["client"])
	s, err := evaluationv1connect.NewServiceClient(over, url, connect.WithGRPC()).EventStream(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	step := func(want string) {
		t.Helper()
		if !s.Receive() || s.Msg().GetType() != want {
			t.Fatalf("got %v, %v; want %s", s.Msg(), s.Err(), want)
		}
	}
	step("provider_ready")
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	step("configuration_change")
	want := map[string]any{"flags": map[string]any{"shop.checkout": map[string]any{"type": "write"}}}
	if diff := cmp.Diff(want, s.Msg().GetData().AsMap()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	close(closing)
	step("provider_shutdown")
}

// TestFlagd_sync: the document is the exporter's, and a change reaches a stream.
func TestFlagd_sync(t *testing.T) {
	h := newHouse(t)
	url, over := flagdClients(t, h)
	r := connect.NewRequest(&syncv1.SyncFlagsRequest{})
	r.Header().Set("Authorization", "Bearer "+h.tokens["sdk"])
	s, err := syncv1connect.NewFlagSyncServiceClient(over, url, connect.WithGRPC()).SyncFlags(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	next := func() (document struct {
		Flags    map[string]struct{ DefaultVariant string }
		Metadata map[string]string
	}) {
		t.Helper()
		if !s.Receive() {
			t.Fatal(s.Err())
		}
		if err := json.Unmarshal([]byte(s.Msg().GetFlagConfiguration()), &document); err != nil {
			t.Fatal(err)
		}
		return document
	}
	if d := next(); len(d.Flags) != 0 || d.Metadata["flagSetId"] != "production" {
		t.Errorf("first came %+v", d)
	}
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	if d := next(); d.Flags["shop.checkout"].DefaultVariant != "off" {
		t.Errorf("then came %+v", d)
	}
}

// TestToken_asPassword: whoever can give an address and no header gives the
// token as the password in it.
func TestToken_asPassword(t *testing.T) {
	h := newHouse(t)
	for who, want := range map[string]int{"sdk": http.StatusNotFound, "": http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/ofrep/v1/evaluate/flags/none", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("any", h.tokens[who])
		answer, err := h.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != want {
			t.Errorf("%q: got %s", who, answer.Status)
		}
	}
}

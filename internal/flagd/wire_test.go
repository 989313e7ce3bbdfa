package flagd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/sluice-hq/sluice/flags"
	evaluationv1 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1/evaluationv1connect"
	evaluationv2 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2/evaluationv2connect"
	syncv1 "github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1"
	"github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1/syncv1connect"
)

// overHTTP2 speaks HTTP/2 without TLS, as gRPC clients do.
func overHTTP2(t testing.TB) *http.Client {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: p}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// protocols are the ways in which a client can ask.
var protocols = map[string][]connect.ClientOption{
	"gRPC":         {connect.WithGRPC()},
	"gRPC-Web":     {connect.WithGRPCWeb()},
	"Connect":      nil,
	"Connect JSON": {connect.WithProtoJSON()},
	"gRPC JSON":    {connect.WithGRPC(), connect.WithProtoJSON()},
	"compressed":   {connect.WithGRPC(), connect.WithSendGzip()},
}

func attributes(t testing.TB, of map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(of)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestProtocols asks for every type in every protocol, over HTTP/2 and, where
// the protocol allows, over HTTP/1.1.
func TestProtocols(t *testing.T) {
	h := newHouse(t).defineAll().serve()
	for name, options := range protocols {
		clients := map[string]*http.Client{"HTTP/2": overHTTP2(t)}
		if !strings.HasPrefix(name, "gRPC") && name != "compressed" || name == "gRPC-Web" {
			clients["HTTP/1.1"] = h.Client()
		}
		for version, over := range clients {
			t.Run(name+" over "+version, func(t *testing.T) { askAll(t, over, h.URL, options) })
		}
	}
}

func askAll(t *testing.T, over connect.HTTPClient, url string, options []connect.ClientOption) {
	ctx, staff := t.Context(), attributes(t, map[string]any{"ring": "staff", "targetingKey": "u-1"})
	v1 := evaluationv1connect.NewServiceClient(over, url, options...)
	v2 := evaluationv2connect.NewServiceClient(over, url, options...)
	for _, context := range []*structpb.Struct{nil, staff} {
		var got, got2 []any
		add := func(list *[]any, value any, m interface {
			GetReason() string
			GetVariant() string
		}, err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
				return
			}
			*list = append(*list, value, m.GetReason(), m.GetVariant())
		}
		b, err := v1.ResolveBoolean(ctx, connect.NewRequest(&evaluationv1.ResolveBooleanRequest{FlagKey: "bool", Context: context}))
		add(&got, b.Msg.GetValue(), b.Msg, err)
		s, err := v1.ResolveString(ctx, connect.NewRequest(&evaluationv1.ResolveStringRequest{FlagKey: "text", Context: context}))
		add(&got, s.Msg.GetValue(), s.Msg, err)
		i, err := v1.ResolveInt(ctx, connect.NewRequest(&evaluationv1.ResolveIntRequest{FlagKey: "int", Context: context}))
		add(&got, i.Msg.GetValue(), i.Msg, err)
		f, err := v1.ResolveFloat(ctx, connect.NewRequest(&evaluationv1.ResolveFloatRequest{FlagKey: "float", Context: context}))
		add(&got, f.Msg.GetValue(), f.Msg, err)
		o, err := v1.ResolveObject(ctx, connect.NewRequest(&evaluationv1.ResolveObjectRequest{FlagKey: "object", Context: context}))
		add(&got, o.Msg.GetValue().AsMap(), o.Msg, err)
		want := []any{false, "DEFAULT", "a", "", "DEFAULT", "a", int64(42), "DEFAULT", "a", 4.5, "DEFAULT", "a", map[string]any{"a": []any{1.0, nil}}, "DEFAULT", "a"}
		if context != nil {
			const why = "TARGETING_MATCH"
			want = []any{true, why, "z", "z", why, "z", int64(9007199254740993), why, "z", 0.0, why, "z", map[string]any{}, why, "z"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("v1 (-want +got):\n%s", diff)
		}

		b2, err := v2.ResolveBoolean(ctx, connect.NewRequest(&evaluationv2.ResolveBooleanRequest{FlagKey: "bool", Context: context}))
		add(&got2, b2.Msg.GetValue(), b2.Msg, err)
		i2, err := v2.ResolveInt(ctx, connect.NewRequest(&evaluationv2.ResolveIntRequest{FlagKey: "int", Context: context}))
		add(&got2, i2.Msg.GetValue(), i2.Msg, err)
		if b2.Msg.Value == nil || b2.Msg.Variant == nil {
			t.Error("v2: a value that is there is absent")
		}
		if diff := cmp.Diff([]any{want[0], want[1], want[2], want[6], want[7], want[8]}, got2); diff != "" {
			t.Errorf("v2 (-want +got):\n%s", diff)
		}
	}
}

// TestTimestamp: rules see the time by which they turn flags on and off, as
// they do over OFREP.
func TestTimestamp(t *testing.T) {
	h := newHouse(t)
	h.imported("timed", "off", `{"if":[{">=":[{"var":"$flagd.timestamp"},1000]},"on","off"]}`, true)
	client := evaluationv1connect.NewServiceClient(overHTTP2(t), h.serve().URL, connect.WithGRPC())
	one, err := client.ResolveBoolean(t.Context(), connect.NewRequest(&evaluationv1.ResolveBooleanRequest{FlagKey: "timed"}))
	if err != nil || !one.Msg.GetValue() {
		t.Errorf("alone: got %v, %v", one, err)
	}
	all, err := client.ResolveAll(t.Context(), connect.NewRequest(&evaluationv1.ResolveAllRequest{}))
	if err != nil || !all.Msg.GetFlags()["timed"].GetBoolValue() {
		t.Errorf("among all: got %v, %v", all, err)
	}
}

// post sends JSON over HTTP/1.1, as curl does.
func (h *house) post(path, body string, headers ...string) (int, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := h.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	var compact bytes.Buffer // protobuf's JSON has blanks at random
	if err := json.Compact(&compact, text); err != nil {
		h.t.Fatalf("%s: %s", err, text)
	}
	return answer.StatusCode, compact.String()
}

// TestJSON: what a client without any library sees. Fields without a value are
// there, and a whole number is a string, as protobuf's JSON has it.
func TestJSON(t *testing.T) {
	h := newHouse(t).defineAll().serve()
	const tail = `,"reason":"DEFAULT","variant":"a","metadata":{"enrolled":false,"flagSetId":"production","revision":R,"unit":"user","version":"R"}}`
	for path, value := range map[string]string{
		EvaluationV1 + "ResolveBoolean bool 1":  `{"value":false`,
		EvaluationV2 + "ResolveBoolean bool 1":  `{"value":false`,
		SchemaV1 + "ResolveBoolean bool 1":      `{"value":false`,
		EvaluationV1 + "ResolveString text 2":   `{"value":""`,
		SchemaV1 + "ResolveInt int 3":           `{"value":"42"`,
		EvaluationV1 + "ResolveFloat float 4":   `{"value":4.5`,
		EvaluationV1 + "ResolveFloat int 3":     `{"value":42`,
		EvaluationV2 + "ResolveObject object 5": `{"value":{"a":[1,null]}`,
	} {
		part := strings.Fields(path)
		want := value + strings.ReplaceAll(tail, "R", part[2])
		code, got := h.post(part[0], `{"flagKey":"`+part[1]+`","context":{"ring":"public"},"later":1}`)
		if code != http.StatusOK || got != want {
			t.Errorf("%s: got %d %s\nwant %s", path, code, got, want)
		}
	}
}

// TestAnswersAreCounted: one answer of any service shows use, one of all flags
// does not, and what sync hands out is counted by whoever evaluates it.
func TestAnswersAreCounted(t *testing.T) {
	h := newHouse(t).defineAll().serve()
	for _, service := range []string{EvaluationV1, EvaluationV2, SchemaV1} {
		h.post(service+"ResolveBoolean", `{"flagKey":"bool","context":{"ring":"staff"}}`)
	}
	h.post(EvaluationV1+"ResolveBoolean", `{"flagKey":"none"}`)
	h.post(SyncV1+"FetchAllFlags", `{}`)
	h.post(SchemaV1+"ResolveAll", `{}`)
	var got []flags.Count
	for _, c := range h.set.Drain() {
		if c.Flag == "bool" || c.Asked > 0 {
			got = append(got, c)
		}
	}
	want := []flags.Count{
		{Flag: "bool", Variant: "a", Reason: flags.DefaultReason, Listed: 1},
		{Flag: "bool", Variant: "z", Reason: flags.TargetingMatch, Asked: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestResolveAll(t *testing.T) {
	h := newHouse(t).defineAll().serve()
	for _, service := range []string{EvaluationV1, SchemaV1} {
		_, got := h.post(service+"ResolveAll", `{"context":{"targetingKey":"u-1"}}`)
		var answer struct {
			Flags    map[string]map[string]any
			Metadata map[string]any
		}
		if err := json.Unmarshal([]byte(got), &answer); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]any{"bool boolValue": false, "text stringValue": "", "int doubleValue": 42.0, "float doubleValue": 4.5,
			"object objectValue": map[string]any{"a": []any{1.0, nil}}} {
			key, field, _ := strings.Cut(key, " ")
			flag := answer.Flags[key]
			if diff := cmp.Diff(want, flag[field]); diff != "" || flag["variant"] != "a" || flag["reason"] != "DEFAULT" {
				t.Errorf("%s of %s (-want +got):\n%s%v", key, service, diff, flag)
			}
			if m, _ := flag["metadata"].(map[string]any); (service == EvaluationV1) != (m["contextId"] == "u-1") {
				t.Errorf("%s of %s: metadata %v", key, service, flag["metadata"])
			}
		}
		if want := any("5"); service == EvaluationV1 && answer.Metadata["version"] != want {
			t.Errorf("the set's metadata: %v", answer.Metadata)
		}
	}
	answer, err := h.Client().Post(h.URL+EvaluationV2+"ResolveAll", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body.Close(); answer.StatusCode != http.StatusNotFound {
		t.Errorf("v2 has no ResolveAll: got %s", answer.Status)
	}
}

// TestErrors is every row of what flagd answers when it has no value.
func TestErrors(t *testing.T) {
	h := newHouse(t).defineAll().serve()
	deep := strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20)
	const notFound, mismatch = `{"code":"not_found","message":"Flag not found"}`, `{"code":"invalid_argument","message":"Type mismatch error"}`
	for _, c := range []struct {
		method, body, selector string
		status                 int
		want                   string
	}{
		{"ResolveBoolean", `{"flagKey":"none"}`, "", 404, notFound},
		{"ResolveBoolean", `{}`, "", 404, notFound},
		{"ResolveBoolean", `{"flagKey":"text"}`, "", 400, mismatch},
		{"ResolveString", `{"flagKey":"int"}`, "", 400, mismatch},
		{"ResolveInt", `{"flagKey":"float"}`, "", 400, mismatch},
		{"ResolveInt", `{"flagKey":"bool"}`, "", 400, mismatch},
		{"ResolveFloat", `{"flagKey":"object"}`, "", 400, mismatch},
		{"ResolveObject", `{"flagKey":"text"}`, "", 400, mismatch},
		{"ResolveBoolean", `{"flagKey":"bool","context":{"targetingKey":7}}`, "", 500,
			`{"code":"data_loss","message":"Error parsing input or configuration: targetingKey is not a string"}`},
		{"ResolveAll", `{"context":` + deep + `}`, "", 500,
			`{"code":"data_loss","message":"Error parsing input or configuration: the context is nested deeper than 16"}`},
		{"ResolveBoolean", `{"flagKey":"bool"}`, "flagSetId=moon", 400,
			`{"code":"invalid_argument","message":"environment \"moon\" is not an environment; clients of flagd name it by the selector flagSetId=…"}`},
		{"ResolveBoolean", `{"flagKey":"bool"}`, "source=git", 400,
			`{"code":"invalid_argument","message":"the selector \"source=git\" selects by \"source\"; select an environment: flagSetId=production"}`},
		{"ResolveBoolean", `{"flagKey":"bool"}`, "flagSetId=", 400,
			`{"code":"invalid_argument","message":"the selector \"flagSetId=\" asks for flags of no set; each belongs to an environment: flagSetId=production"}`},
		{"ResolveBoolean", `{"flagKey":"` + strings.Repeat("x", maxRequest) + `"}`, "", 429, "resource_exhausted"},
		{"ResolveBoolean", ``, "", 400, "the body is empty"},
		{"ResolveBoolean", `{"flagKey":`, "", 400, "invalid_argument"},
	} {
		for _, service := range []string{EvaluationV1, EvaluationV2, SchemaV1} {
			if service == EvaluationV2 && c.method == "ResolveAll" {
				continue
			}
			status, got := h.post(service+c.method, c.body, "Flagd-Selector", c.selector)
			if status != c.status || !strings.Contains(got, c.want) {
				t.Errorf("%s%s %.80s %s: got %d %s\nwant %d %s", service, c.method, c.body, c.selector, status, got, c.status, c.want)
			}
		}
	}
}

// TestImported: what leaves the value to the code, and what cannot be evaluated.
// Only the newer service can answer without a value.
func TestImported(t *testing.T) {
	h := newHouse(t)
	h.imported("on", "off", `"on"`, true)
	h.imported("off", "off", ``, false)
	h.imported("none", "", ``, true)
	h.imported("astray", "off", `{"var":"pick"}`, true)
	h.serve()
	const notFound = `404 {"code":"not_found","message":"Flag not found"}`
	for key, want := range map[string][2]string{
		"on":     {`200 {"value":true,"reason":"TARGETING_MATCH","variant":"on",`, `200 {"value":true,"reason":"TARGETING_MATCH","variant":"on",`},
		"off":    {notFound, `200 {"reason":"DISABLED",`},
		"none":   {notFound, `200 {"reason":"DEFAULT",`},
		"astray": {`500 {"code":"unknown","message":"General error"}`, `500 {"code":"unknown","message":"General error"}`},
	} {
		for i, service := range []string{EvaluationV1, EvaluationV2} {
			code, got := h.post(service+"ResolveBoolean", `{"flagKey":"`+key+`","context":{"pick":"up"}}`)
			if got = fmt.Sprintf("%d %s", code, got); !strings.HasPrefix(got, want[i]) {
				t.Errorf("%s of %s: got %s, want %s", key, service, got, want[i])
			}
		}
	}
	_, all := h.post(EvaluationV1+"ResolveAll", `{"context":{"pick":"up"}}`)
	if !strings.Contains(all, `"on":{`) || strings.Contains(all, `"none":`) || strings.Contains(all, `"astray":`) {
		t.Errorf("all: %s", all)
	}
	for code, want := range map[flags.ErrorCode]string{
		flags.FlagNotFound: "not_found: Flag not found", flags.ParseError: "data_loss: Error parsing input or configuration", flags.General: "unknown: General error",
	} {
		if got := failed(code).Error(); got != want {
			t.Errorf("%s: got %s, want %s", code, got, want)
		}
	}
}

// TestErrors_overGRPC: the codes are the same for clients that know codes
// alone.
func TestErrors_overGRPC(t *testing.T) {
	h := newHouse(t).defineAll().serve()
	for name, options := range protocols {
		client := evaluationv2connect.NewServiceClient(overHTTP2(t), h.URL, options...)
		for key, want := range map[string]connect.Code{"none": connect.CodeNotFound, "text": connect.CodeInvalidArgument} {
			_, err := client.ResolveBoolean(t.Context(), connect.NewRequest(&evaluationv2.ResolveBooleanRequest{FlagKey: key}))
			if connect.CodeOf(err) != want {
				t.Errorf("%s, %s: got %v, want %v", name, key, err, want)
			}
		}
		sync := syncv1connect.NewFlagSyncServiceClient(overHTTP2(t), h.URL, options...)
		for selector, want := range map[string]connect.Code{"foreign": connect.CodePermissionDenied, "source=x": connect.CodeInvalidArgument, "moon": connect.CodeInvalidArgument} {
			_, err := sync.FetchAllFlags(t.Context(), connect.NewRequest(&syncv1.FetchAllFlagsRequest{Selector: selector}))
			if connect.CodeOf(err) != want {
				t.Errorf("%s, selector %s: got %v, want %v", name, selector, err, want)
			}
			stream, err := sync.SyncFlags(t.Context(), connect.NewRequest(&syncv1.SyncFlagsRequest{Selector: selector}))
			if err != nil {
				t.Fatal(err)
			}
			if stream.Receive() || connect.CodeOf(stream.Err()) != want {
				t.Errorf("%s, stream with selector %s: got %v, want %v", name, selector, stream.Err(), want)
			}
		}
	}
}

// TestSelector: the header wins over the body, and a bare name is one.
func TestSelector(t *testing.T) {
	h := newHouse(t).defineAll().serve()
	client := syncv1connect.NewFlagSyncServiceClient(overHTTP2(t), h.URL, connect.WithGRPC())
	for _, c := range []struct {
		header, body string
		want         connect.Code // 0: none
	}{
		{"", "", 0}, {"flagSetId=production", "", 0}, {"production", "", 0}, {"", "flagSetId=production", 0}, {"flagSetId=production", "foreign", 0},
		{"moon", "production", connect.CodeInvalidArgument},
	} {
		r := connect.NewRequest(&syncv1.FetchAllFlagsRequest{Selector: c.body})
		r.Header().Set("Flagd-Selector", c.header)
		_, err := client.FetchAllFlags(t.Context(), r)
		if c.want == 0 && err != nil || c.want != 0 && connect.CodeOf(err) != c.want {
			t.Errorf("header %q, body %q: got %v", c.header, c.body, err)
		}
	}
}

func TestRefuse(t *testing.T) {
	for status, want := range map[int]connect.Code{
		400: connect.CodeInvalidArgument, 401: connect.CodeUnauthenticated, 403: connect.CodePermissionDenied, 404: connect.CodeNotFound,
		429: connect.CodeUnavailable, 503: connect.CodeUnavailable, 500: connect.CodeUnknown,
	} {
		if got := code(status); got != want {
			t.Errorf("%d: got %v, want %v", status, got, want)
		}
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://sluice"+EvaluationV1+"ResolveAll", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/html")
	if Refuse(nil, r, http.StatusForbidden, errors.New("no")) {
		t.Error("a media type of no protocol was answered")
	}
	r.Header.Set("Content-Type", "application/grpc")
	r.URL.Path = "/ofrep/v1/evaluate/flags"
	if Refuse(nil, r, http.StatusForbidden, errors.New("no")) {
		t.Error("a path of no service was answered")
	}
}

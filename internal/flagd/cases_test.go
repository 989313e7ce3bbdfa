package flagd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	definitions "github.com/sluice-hq/sluice/flags/flagd"
	evaluationv2 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2/evaluationv2connect"
)

// publishedCase is what flagd's own project says its evaluators must answer.
type publishedCase struct {
	Group, Name, Flag, Type, Reason, Error string
	Context, Metadata                      map[string]any
	Value                                  any // nil: the code decides
}

// TestPublishedCases asks the services what the Go function is asked in
// flags/flagd, over gRPC and over Connect.
func TestPublishedCases(t *testing.T) {
	b, err := os.ReadFile("../../flags/flagd/testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		Document json.RawMessage
		Cases    []publishedCase
	}
	if err := json.Unmarshal(b, &published); err != nil {
		t.Fatal(err)
	}
	list, _, err := definitions.Import(published.Document, definitions.Options{Environment: "production"})
	var faults event.Invalids
	if err != nil && !errors.As(err, &faults) { // one flag of the document is faulty, and cases ask for it
		t.Fatal(err)
	}
	rules := flags.Ruleset{Environment: "production"}
	for i, f := range list {
		rules.Flags = append(rules.Flags, flags.Recorded{Flag: f, Revision: uint64(i + 1)})
	}
	set := flags.NewSet(rules, nil)
	h := newHouse(t)
	h.Set = func(string) (*flags.Set, error) { return set, nil }
	h.serve()
	for name, options := range map[string][]connect.ClientOption{"gRPC": {connect.WithGRPC()}, "Connect JSON": {connect.WithProtoJSON()}} {
		client := evaluationv2connect.NewServiceClient(overHTTP2(t), h.URL, options...)
		passed := map[string]int{}
		for _, c := range published.Cases {
			if got, want := c.ask(t, client), c.want(); got != want {
				t.Errorf("%s: %s: %s: %s for %v: got %s, want %s", name, c.Group, c.Name, c.Flag, c.Context, got, want)
				continue
			}
			passed[c.Group]++
		}
		t.Logf("%s passed: %v", name, passed)
	}
}

// ask returns what a provider makes of the answer: an OpenFeature error, or the
// value as JSON; and the reason where the case says one.
func (c publishedCase) ask(t *testing.T, client evaluationv2connect.ServiceClient) string {
	t.Helper()
	ctx, context := t.Context(), attributes(t, c.Context)
	switch c.Type {
	case "Boolean":
		r, err := client.ResolveBoolean(ctx, connect.NewRequest(&evaluationv2.ResolveBooleanRequest{FlagKey: c.Flag, Context: context}))
		return told(c, r, err, func(m *evaluationv2.ResolveBooleanResponse) any { return m.Value })
	case "String":
		r, err := client.ResolveString(ctx, connect.NewRequest(&evaluationv2.ResolveStringRequest{FlagKey: c.Flag, Context: context}))
		return told(c, r, err, func(m *evaluationv2.ResolveStringResponse) any { return m.Value })
	case "Integer":
		r, err := client.ResolveInt(ctx, connect.NewRequest(&evaluationv2.ResolveIntRequest{FlagKey: c.Flag, Context: context}))
		return told(c, r, err, func(m *evaluationv2.ResolveIntResponse) any { return m.Value })
	case "Float":
		r, err := client.ResolveFloat(ctx, connect.NewRequest(&evaluationv2.ResolveFloatRequest{FlagKey: c.Flag, Context: context}))
		return told(c, r, err, func(m *evaluationv2.ResolveFloatResponse) any { return m.Value })
	}
	r, err := client.ResolveObject(ctx, connect.NewRequest(&evaluationv2.ResolveObjectRequest{FlagKey: c.Flag, Context: context}))
	return told(c, r, err, func(m *evaluationv2.ResolveObjectResponse) any {
		if m.Value == nil {
			return nil
		}
		return m.Value.AsMap()
	})
}

// told puts an answer into words.
func told[M any, P interface {
	*M
	GetReason() string
	GetMetadata() *structpb.Struct
}](c publishedCase, r *connect.Response[M], err error, value func(*M) any) string {
	if err != nil {
		return map[connect.Code]string{
			connect.CodeNotFound: "FLAG_NOT_FOUND", connect.CodeInvalidArgument: "TYPE_MISMATCH", connect.CodeDataLoss: "PARSE_ERROR", connect.CodeUnknown: "GENERAL",
		}[connect.CodeOf(err)]
	}
	said := P(r.Msg).GetMetadata().AsMap()
	for name, want := range c.Metadata { // beside Sluice's own
		if !reflect.DeepEqual(said[name], want) {
			return fmt.Sprintf("metadata %v", said)
		}
	}
	return c.words(value(r.Msg), P(r.Msg).GetReason())
}

func (c publishedCase) want() string {
	if c.Error != "" {
		return c.Error
	}
	return c.words(c.Value, c.Reason)
}

func (c publishedCase) words(value any, reason string) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	if c.Reason == "" {
		return string(text)
	}
	return fmt.Sprintf("%s %s", text, reason)
}

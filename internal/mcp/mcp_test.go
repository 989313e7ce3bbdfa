package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sluice-hq/sluice/event"
)

// notebook writes down what is asked, and answers with it. The real server is
// asked in cmd/sluice.
type notebook struct{ asked []string }

func (n *notebook) note(line string) (json.RawMessage, error) {
	n.asked = append(n.asked, line)
	return json.Marshal(map[string]string{"asked": line})
}

func (n *notebook) Read(_ context.Context, path string, q url.Values) (json.RawMessage, error) {
	return n.note("read " + strings.TrimSuffix(path+"?"+q.Encode(), "?"))
}

func (n *notebook) Foresee(_ context.Context, flag string, _ Wanted) (json.RawMessage, error) {
	return n.note("foresee " + flag)
}

func (n *notebook) Trace(_ context.Context, u Unit) (json.RawMessage, error) {
	return n.note("trace " + u.Kind + " " + u.ID + "/" + u.Hash + " in " + u.Environment + "/" + u.Flag)
}

func (n *notebook) Propose(_ context.Context, flag string, w Wanted) (json.RawMessage, error) {
	if w.Revision == 1 {
		return nil, &Refusal{Status: 412, Detail: "the flag is at revision 2"}
	}
	return n.note("propose " + flag + ": " + w.Comment)
}

// connect returns an assistant that is connected to the tools.
func connect(t *testing.T, api API) *sdk.ClientSession {
	t.Helper()
	here, there := sdk.NewInMemoryTransports()
	served, err := New(api, "test").Connect(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = session.Close(), served.Wait() })
	return session
}

// TestTools_ask: what each tool asks of the server.
func TestTools_ask(t *testing.T) {
	n := &notebook{}
	session := connect(t, n)
	var want []string
	for _, c := range [][3]string{
		{"list_flags", `{}`, "read /api/v1/flags?limit=20"},
		{"list_flags", `{"text":"a b","tag":"x","cursor":"c","limit":5}`, "read /api/v1/flags?cursor=c&limit=5&q=a+b&tag=x"},
		{"get_flag", `{"flag":"a.b"}`, "read /api/v1/flags/a.b"},
		{"flag_history", `{"flag":"a"}`, "read /api/v1/flags/a/history"},
		{"explain_flag", `{"flag":"a","environment":"production","unit":"u&1","attributes":{"plan":"pro"},"at":"3"}`, "read /api/v1/flags/a/explain?at=3&attribute.plan=pro&environment=production&unit=u%261"},
		{"list_requests", `{}`, "read /api/v1/requests"},
		{"list_requests", `{"flag":"a"}`, "read /api/v1/flags/a/requests"},
		{"preview_change", `{"flag":"a","changes":[{"op":"enable"}]}`, "foresee a"},
		{"propose_change", `{"flag":"a","comment":"why","changes":[{"op":"enable"}]}`, "propose a: why"},
		{"list_rollouts", `{"environment":"production"}`, "read /api/v1/rollouts?environment=production&limit=20"},
		{"get_rollout", `{"rollout":"production/a/1"}`, "read /api/v1/rollouts/production/a/1"},
		{"get_readout", `{"rollout":" production/a/1 "}`, "read /api/v1/readouts/production/a/1"},
		{"list_two_arms", `{"rollout":"production/a/1"}`, "read /api/v1/readouts/production/a/1/two-arms"},
		{"explain_unit", `{"environment":"production","flag":"a","kind":"user","unit":"u-1"}`, "trace user u-1/ in production/a"},
		{"explain_unit", `{"environment":"production","flag":"a","kind":"user","unit":"hash:00"}`, "trace user /hash:00 in production/a"},
		{"list_decisions", `{"action":"hold","since":"7d"}`, "read /api/v1/decisions?action=hold&limit=20&since=7d"},
		{"get_decision", `{"decision":"d-1"}`, "read /api/v1/decisions/d-1"},
		{"verify_decision", `{"decision":"d-1"}`, "read /api/v1/decisions/d-1/verify"},
		{"list_metrics", `{}`, "read /api/v1/catalogue"},
		{"list_metrics", `{"metric":"m"}`, "read /api/v1/catalogue/m"},
		{"list_cleanups", `{"state":"due"}`, "read /api/v1/cleanup?limit=20&state=due"},
		{"search", `{"text":"a b"}`, "read /api/v1/search?q=a+b"},
	} {
		answer, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: c[0], Arguments: json.RawMessage(c[1])})
		if err != nil || answer.IsError {
			t.Errorf("%s %s: %+v, %v", c[0], c[1], answer, err)
		}
		want = append(want, c[2])
	}
	if d := cmp.Diff(want, n.asked); d != "" {
		t.Errorf("asked (-want +got):\n%s", d)
	}
}

// TestTools_refuse: what can be seen to be wrong is asked of nobody.
func TestTools_refuse(t *testing.T) {
	n := &notebook{}
	session := connect(t, n)
	for _, c := range []struct {
		tool, arguments string
		paths           []string
	}{
		{"get_flag", `{}`, []string{"flag"}},
		{"get_flag", `{"flag":7}`, []string{"flag"}},
		{"get_flag", `{"flag":"..","b":1,"a":2}`, []string{"a", "b"}},
		{"get_flag", `{"flag":"a/../../tokens"}`, []string{"flag"}},
		{"flag_history", `{"flag":""}`, []string{"flag"}},
		{"explain_flag", `{"flag":"a?x"}`, []string{"flag"}},
		{"get_rollout", `{"rollout":"a"}`, []string{"rollout"}},
		{"get_readout", `{"rollout":"production/../1"}`, []string{"rollout"}},
		{"get_decision", `{"decision":"a/b"}`, []string{"decision"}},
		{"list_metrics", `{"metric":".."}`, []string{"metric"}},
		{"preview_change", `{"flag":"a b","changes":[]}`, []string{"flag", "changes"}},
		{"preview_change", `{"flag":"a","changes":[{"op":"enable"},{"op":1},{}]}`, []string{"changes[1].op", "changes[2].op"}},
		{"propose_change", `{}`, []string{"flag", "changes", "comment"}},
		{"propose_change", `{"flag":"a","comment":"why","changes":[]}`, []string{"changes"}},
	} {
		answer, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: c.tool, Arguments: json.RawMessage(c.arguments)})
		if err != nil {
			t.Fatal(err)
		}
		var said Refusal
		b, err := json.Marshal(answer.StructuredContent)
		if err = errors.Join(err, json.Unmarshal(b, &said)); err != nil || !answer.IsError {
			t.Errorf("%s %s: %+v, %v", c.tool, c.arguments, answer, err)
		}
		var paths []string
		for _, f := range said.Errors {
			if paths = append(paths, f.Path); f.Why == "" || f.Fix == "" {
				t.Errorf("%s %s: %s says no way out", c.tool, c.arguments, f.Path)
			}
		}
		if d := cmp.Diff(c.paths, paths); d != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.tool, c.arguments, d)
		}
	}
	answer, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "propose_change", Arguments: json.RawMessage(`{"flag":"a","revision":1,"comment":"why","changes":[{"op":"enable"}]}`)})
	if text, ok := answer.Content[0].(*sdk.TextContent); err != nil || !ok || !answer.IsError || text.Text != "the flag is at revision 2" {
		t.Errorf("what the server refuses: %+v, %v", answer, err)
	}
	if len(n.asked) > 0 {
		t.Errorf("asked %v", n.asked)
	}
}

// TestRefusal_saysEveryFault: in the words of the server, a line each.
func TestRefusal_saysEveryFault(t *testing.T) {
	faults := event.Invalids{{Path: "a", Value: "1", Why: "is odd", Fix: "write 2"}, {Path: "b", Why: "is missing", Fix: "write it"}}
	got := (&Refusal{Status: 400, Detail: "two faults", Errors: faults}).Error()
	for _, want := range []string{"a", "is odd", "write 2", "b", "is missing", "\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	doors "github.com/sluice-hq/sluice/internal/server"
)

// desk is an assistant's program, connected to "sluice mcp" over its standard
// input and output.
type desk struct {
	*mcp.ClientSession
	t *testing.T
	s *standing
}

func (s *standing) desk(token string) *desk {
	s.t.Helper()
	program, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	sluice := filepath.Join(s.t.TempDir(), "sluice")
	if err := os.Symlink(program, sluice); err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command(sluice, "mcp", "--server", s.address())
	command.Env = append(os.Environ(), "SLUICE_TOKEN="+token)
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(s.t.Context(), &mcp.CommandTransport{Command: command}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = session.Close() })
	return &desk{session, s.t, s}
}

// call uses a tool, and returns what it says as text; structured content says
// the same.
func (d *desk) call(tool, arguments string) (text string, failed bool) {
	d.t.Helper()
	answer, err := d.CallTool(d.t.Context(), &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	if err != nil {
		d.t.Fatalf("%s %s: %v", tool, arguments, err)
	}
	object, structured := answer.StructuredContent.(map[string]any)
	content, isText := answer.Content[0].(*mcp.TextContent)
	if !structured || len(object) == 0 || len(answer.Content) != 1 || !isText {
		d.t.Fatalf("%s %s: got %+v", tool, arguments, answer)
	}
	if again := map[string]any{}; !answer.IsError && (json.Unmarshal([]byte(content.Text), &again) != nil || len(again) != len(object)) {
		d.t.Errorf("%s %s: text and structured content differ: %s", tool, arguments, content.Text)
	}
	return content.Text, answer.IsError
}

func (d *desk) want(tool, arguments, text string) {
	d.t.Helper()
	if got, failed := d.call(tool, arguments); failed || !strings.Contains(got, text) {
		d.t.Errorf("%s %s: failed %v, %s\nwant %q", tool, arguments, failed, got, text)
	}
}

// refuse wants an error that says all of that.
func (d *desk) refuse(tool, arguments string, all ...string) {
	d.t.Helper()
	got, failed := d.call(tool, arguments)
	for _, text := range all {
		if !failed || !strings.Contains(got, text) {
			d.t.Errorf("%s %s: failed %v, %s\nwant %q", tool, arguments, failed, got, text)
		}
	}
}

func (s *standing) end() uint64 {
	s.t.Helper()
	last, err := s.house.streams.Log.Last(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return last
}

const aChange = `"changes": [{"op": "disable", "environment": "production"}]`

// looks are calls that work of every tool that reads, and calls that do not.
var looks = map[string][]string{
	"list_flags":      {`{}`, `{"text": "checkout", "environment": "production", "limit": 1}`, `{"state": "asleep"}`},
	"get_flag":        {`{"flag": "checkout.express"}`, `{"flag": "none"}`},
	"flag_history":    {`{"flag": "checkout.express"}`},
	"explain_flag":    {`{"flag": "checkout.express", "environment": "production", "unit": "u-1", "attributes": {"plan": "pro"}}`},
	"list_requests":   {`{}`, `{"flag": "checkout.express"}`},
	"preview_change":  {`{"flag": "checkout.express", ` + aChange + `}`, `{"flag": "checkout.express", "changes": [{"op": "explode"}]}`},
	"list_rollouts":   {`{}`},
	"get_rollout":     {`{"rollout": "production/checkout.express/1"}`},
	"get_readout":     {`{"rollout": "production/checkout.express/1"}`},
	"list_two_arms":   {`{"rollout": "production/checkout.express/1"}`},
	"explain_unit":    {`{"environment": "production", "flag": "checkout.express", "kind": "user", "unit": "u-1"}`, `{"environment": "nowhere", "flag": "checkout.express", "kind": "user", "unit": "u-1"}`},
	"list_decisions":  {`{}`, `{"action": "hold", "since": "7d"}`},
	"get_decision":    {`{"decision": "none"}`},
	"verify_decision": {`{"decision": "none"}`},
	"list_metrics":    {`{}`, `{"metric": "none"}`},
	"list_cleanups":   {`{}`},
	"search":          {`{"text": "checkout"}`},
}

// TestMCP: an assistant reads with the rights of its token, and whatever it
// calls, even with an admin's, the log grows by its requests alone.
func TestMCP(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Roles: roles{doors.Flags, doors.Web}, Lib: "/no/such/libchdb.so"})
	s.want(200, "", "POST", "/api/v1/apply", aFlag)
	d := s.desk(s.token)
	before := s.end()
	for tool, calls := range looks {
		for _, arguments := range calls {
			d.call(tool, arguments)
		}
		d.call(tool, `{"apply": true}`)
	}
	if after := s.end(); after != before {
		t.Errorf("looking wrote %d events", after-before)
	}
	d.want("list_flags", `{"text": "express"}`, `"key":"checkout.express"`)
	d.want("get_flag", `{"flag": "checkout.express"}`, `"purpose":"kill-switch"`)
	d.want("explain_flag", looks["explain_flag"][0], `"variant":"on"`)
	d.want("preview_change", looks["preview_change"][0], `"differences":`)
	d.want("search", `{"text": "express"}`, "checkout.express")

	before = s.end()
	d.want("propose_change", `{"flag": "checkout.express", "comment": "support is flooded", `+aChange+`}`, `"page":"`+s.address()+`/flags/checkout.express/requests/`)
	if after := s.end(); after != before+1 {
		t.Fatalf("a proposal wrote %d events", after-before)
	}
	for r, err := range s.house.streams.Log.Read(t.Context(), event.Filter{}, before) {
		if err != nil || r.Type != flags.TypeProposed || r.Subject != "flag.checkout.express" || r.Actor != "person:admin" {
			t.Errorf("a proposal is the event %+v, %v", r, err)
		}
	}
	s.want(200, `"value":true`, "POST", "/ofrep/v1/evaluate/flags/checkout.express?environment=production", `{"context":{"targetingKey":"u"}}`)
	d.want("list_requests", `{}`, "support is flooded")
	d.said()
}

// said checks what the server says when it does not do something: the field,
// what it was given, and what to write instead. None of it is an event.
func (d *desk) said() {
	before := d.s.end()
	d.refuse("get_flag", `{}`, "flag", "is missing", "write a key such as")
	d.refuse("get_flag", `{"flag": 7}`, "flag", "number", "write string")
	d.refuse("get_flag", `{"flag": "../tokens"}`, "flag", "../tokens", "write a key")
	d.refuse("get_flag", `{"flag": "none"}`, "none")
	d.refuse("get_flag", `{"key": "checkout.express", "flag": "a"}`, "key", "is no argument", "flag")
	d.refuse("get_rollout", `{"rollout": "checkout.express"}`, "rollout", "checkout.express", "environment/flag/number")
	d.refuse("get_rollout", `{"rollout": "production/../1"}`, "rollout")
	d.refuse("list_flags", `{"limit": 5000}`, "limit", "1000")
	d.refuse("propose_change", `{"flag": "checkout.express", `+aChange+`}`, "comment", "is missing", "why")
	d.refuse("propose_change", `{"flag": "checkout.express", "comment": "why", "changes": []}`, "changes", "are none", "at least one")
	d.refuse("propose_change", `{"flag": "checkout.express", "comment": "why", "changes": [{}]}`, "changes[0].op", "is missing")
	d.refuse("propose_change", `{"flag": "checkout.express", "comment": "why", "changes": [{"op": "explode"}]}`, "changes[0].op", "explode")
	d.refuse("propose_change", `{"flag": "checkout.express", "comment": "why", "revision": 1, `+aChange+`}`, "revision")
	d.refuse("propose_change", `{"flag": "none", "comment": "why", `+aChange+`}`, "none")
	viewer := d.s.desk(d.s.issued("viewer"))
	viewer.want("get_flag", `{"flag": "checkout.express"}`, "checkout.express")
	viewer.refuse("propose_change", `{"flag": "checkout.express", "comment": "why", `+aChange+`}`, "may not")
	d.s.desk("sla_none").refuse("list_flags", `{}`, "no valid token")
	if after := d.s.end(); after != before+1 { // the viewer's token
		d.t.Errorf("refusals wrote %d events", after-before-1)
	}
}

// assistantReads: an assistant is told what the facts say of the rollout gate, in
// the words of the HTTP interface: its readout, its units in two arms, one unit,
// and a decision with its proof.
func (s *standing) assistantReads() {
	d := s.desk(s.issued("viewer"))
	const rollout = `{"rollout": "production/gate/1"}`
	unit := func(id string) string {
		return `{"environment": "production", "flag": "gate", "kind": "user", "unit": "` + id + `", "attributes": {"plan": "pro"}}`
	}
	d.want("get_readout", rollout, `"exposures":7,`)
	d.want("list_two_arms", rollout, `"unstableUnitId"`)
	d.want("explain_unit", unit("u-4"), "kept out")
	d.want("explain_unit", unit("u-3"), `"metric":"wins"`)
	d.want("explain_unit", unit("nobody"), `"exposures":[]`)
	d.refuse("get_readout", `{"rollout": "production/gate/9"}`, "production/gate/9")
	d.refuse("list_two_arms", `{"rollout": "production/gate/9"}`, "production/gate/9")
	d.refuse("explain_unit", `{"environment": "nowhere", "flag": "gate", "kind": "user", "unit": "u-1"}`, "environment", "nowhere")

	var made struct{ Decisions []struct{ ID string } }
	s.awaits("/api/v1/decisions?rollout=production/gate/1", func(body string) bool {
		return json.Unmarshal([]byte(body), &made) == nil && len(made.Decisions) > 0
	})
	decision := `{"decision": "` + made.Decisions[0].ID + `"}`
	d.want("list_decisions", rollout, made.Decisions[0].ID)
	d.want("get_decision", decision, `"verdict"`)
	d.want("verify_decision", decision, `"whole":true`)
}

// issued makes a token of a role.
func (s *standing) issued(role string) string {
	s.t.Helper()
	c := client{Server: s.address(), Token: s.token}
	text, err := c.made(s.t.Context(), "/api/v1/tokens", map[string]string{"class": "sla", "name": role, "role": role})
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// TestMCP_describesItself: every tool and every argument says what it is; one
// tool alone does more than read, and docs/mcp.md lists them all.
func TestMCP_describesItself(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Roles: roles{doors.Flags, doors.Web}, Lib: "/no/such/libchdb.so"})
	d := s.desk(s.token)
	all, err := d.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/mcp.md")
	if err != nil {
		t.Fatal(err)
	}
	var writes []string
	for _, tool := range all.Tools {
		schema, _ := tool.InputSchema.(map[string]any)
		properties, _ := schema["properties"].(map[string]any)
		for name, p := range properties {
			if about, _ := p.(map[string]any)["description"].(string); about == "" {
				t.Errorf("%s does not say what %s is", tool.Name, name)
			}
		}
		if tool.Description == "" || tool.Title == "" || tool.Annotations == nil || !strings.Contains(string(page), "`"+tool.Name+"`") {
			t.Errorf("%s is not described: %+v", tool.Name, tool)
		}
		if !tool.Annotations.ReadOnlyHint {
			writes = append(writes, tool.Name)
		} else if looks[tool.Name] == nil {
			t.Errorf("no test looks with %s", tool.Name)
		}
	}
	if !slices.Equal(writes, []string{"propose_change"}) || len(all.Tools) != len(looks)+1 {
		t.Errorf("%d tools, of which %v do more than read", len(all.Tools), writes)
	}
	if about := d.InitializeResult(); !strings.Contains(about.Instructions, "propose_change") || about.ServerInfo.Name != "sluice" {
		t.Errorf("the server says of itself %+v", about)
	}
}

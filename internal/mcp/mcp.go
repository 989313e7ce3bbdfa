// Package mcp lets an assistant look at Sluice and propose changes of flags, by
// the Model Context Protocol. It asks the HTTP interface and nothing else, with
// the token of whoever runs it, so that what may be seen and proposed is decided
// there. Of that interface it knows the calls that read, those that foresee, and
// the one that files a change request: no tool can change anything, whatever the
// token may do.
//
//	err := mcp.New(api, "1.2.3").Run(ctx, mcp.Stdio(os.Stdin, os.Stdout))
package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sluice-hq/sluice/event"
)

// API is all that is asked of the server. Paths are of its HTTP interface. What
// the server refuses is a *Refusal.
type API interface {
	// Read gets what stands at a path. It changes nothing.
	Read(ctx context.Context, path string, query url.Values) (json.RawMessage, error)
	// Foresee asks what changes of a flag would come to. It changes nothing.
	Foresee(ctx context.Context, flag string, wanted Wanted) (json.RawMessage, error)
	// Trace follows one unit to the rows that count. It changes nothing.
	Trace(ctx context.Context, asked Unit) (json.RawMessage, error)
	// Propose asks people to agree to changes of a flag: one event.
	Propose(ctx context.Context, flag string, wanted Wanted) (json.RawMessage, error)
}

// Wanted is what somebody wants of a flag.
type Wanted struct {
	Changes  []map[string]any `json:"changes"`
	Comment  string           `json:"comment,omitempty"`
	Revision uint64           `json:"-"` // that was seen; 0: whichever it is at
}

// Unit names a unit, and the rollout in which it is followed.
type Unit struct {
	Kind        string         `json:"kind"`
	ID          string         `json:"id,omitempty"`
	Hash        string         `json:"unit,omitempty"` // instead of the id
	Environment string         `json:"environment"`
	Flag        string         `json:"flag"`
	Number      int            `json:"number,omitempty"` // 0: the flag's newest rollout
	Attributes  map[string]any `json:"attributes,omitempty"`
}

// Refusal is what the server says when it does not do something.
type Refusal struct {
	Status int             `json:"status"`
	Detail string          `json:"detail"`
	Errors []event.Invalid `json:"errors,omitempty"` // each fault with its field and what to do
}

// Error implements error: every fault in a line of its own.
func (r *Refusal) Error() string {
	if len(r.Errors) == 0 {
		return r.Detail
	}
	lines := make([]string, len(r.Errors))
	for i, f := range r.Errors {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// instructions are told to the assistant when it connects.
const instructions = `Sluice releases risky changes on evidence. A flag gives each unit (a user, a workspace, a device) a variant; a rollout carries a plan out stage by stage; ` +
	`a gate holds every stage against success metrics and guardrails, and each verdict (hold, expand, pause, rollback, ship, review, cleanup) is a decision with its evidence on record. ` +
	`Every tool but propose_change only reads. propose_change files a change request, which changes nothing until people have agreed to it: say so, and give its link, instead of saying that something was changed. ` +
	`Numbers carry their doubt: tell the interval and the warnings beside an estimate, and never call a rollout safe when its verdict does not.`

// New returns the server of the protocol, with its tools.
func New(api API, version string) *sdk.Server {
	s := sdk.NewServer(&sdk.Implementation{Name: "sluice", Title: "Sluice", Version: version}, &sdk.ServerOptions{
		Instructions: instructions,
		Capabilities: &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}}, // the tools never change, and it logs nothing
	})
	t := tools{api}
	t.flags(s)
	t.rollouts(s)
	t.rest(s)
	return s
}

// tools answer by asking the server.
type tools struct{ api API }

// reads adds a tool that changes nothing.
func reads[In any](s *sdk.Server, name, title, about string, answer func(context.Context, In) (json.RawMessage, error)) {
	add(s, &sdk.Tool{Name: name, Title: title, Description: about, Annotations: &sdk.ToolAnnotations{ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: new(bool)}}, answer)
}

// add adds a tool whose arguments are the fields of In. Those without omitempty
// are required.
func add[In any](s *sdk.Server, t *sdk.Tool, answer func(context.Context, In) (json.RawMessage, error)) {
	schema, err := jsonschema.For[In](nil)
	if err != nil {
		panic(err) // unreachable unless a field of In has a type that JSON has not
	}
	t.InputSchema = schema
	s.AddTool(t, func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		var in In
		if err := arguments(r.Params.Arguments, schema, &in); err != nil {
			return refused(err), nil
		}
		out, err := answer(ctx, in)
		if err != nil {
			return refused(err), nil
		}
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: string(out)}}, StructuredContent: out}, nil
	})
}

// refused is the answer of a tool that could not do it: for people and for
// programs. It is not an error of the protocol, so that the assistant sees it.
func refused(err error) *sdk.CallToolResult {
	var r *Refusal
	var faults event.Invalids
	switch {
	case errors.As(err, &r):
	case errors.As(err, &faults):
		r = &Refusal{Status: 400, Detail: faults.Error(), Errors: faults}
	default:
		r = &Refusal{Detail: err.Error()}
	}
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: r.Error()}}, StructuredContent: r}
}

// arguments reads what a tool is called with, and reports every fault of its
// shape at once. What the values mean, the server checks.
func arguments(raw json.RawMessage, schema *jsonschema.Schema, into any) error {
	given := map[string]json.RawMessage{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &given); err != nil {
			return event.Invalids{{Path: "arguments", Why: "are no object", Fix: "send one with the fields of the tool"}}
		}
	}
	var faults event.Invalids
	for _, name := range schema.Required {
		if _, ok := given[name]; !ok {
			faults.Add(name, nil, "is missing", "write "+schema.Properties[name].Description)
		}
	}
	for _, name := range sorted(given) {
		if schema.Properties[name] == nil {
			faults.Add(name, string(given[name]), "is no argument of this tool", "leave it out, or write one of "+strings.Join(sorted(schema.Properties), ", "))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	var wrong *json.UnmarshalTypeError
	err := json.Unmarshal(raw, into)
	if errors.As(err, &wrong) {
		return event.Invalids{{Path: wrong.Field, Value: wrong.Value, Why: "is not of the type that it must have", Fix: "write " + wrong.Type.String()}}
	}
	if len(raw) == 0 {
		return nil
	}
	return err
}

// path joins parts of a path, each of which is a key: nothing in them leads
// elsewhere.
func path(base string, parts ...part) (string, error) {
	var faults event.Invalids
	for _, p := range parts {
		if why := event.CheckKey(p.value); why != "" {
			faults.Add(p.name, p.value, why, "write "+p.fix)
		}
		base += "/" + p.value
	}
	return base, faults.Err()
}

type part struct{ name, value, fix string }

// rollout returns the parts of an address such as production/shop.checkout/1.
func rollout(id string) ([]part, error) {
	names := strings.Split(id, "/")
	if len(names) != 3 {
		return nil, event.Invalids{{Path: "rollout", Value: id, Why: "is no rollout", Fix: "write environment/flag/number, such as production/shop.checkout/1; list_rollouts has them"}}
	}
	const fix = "environment/flag/number, such as production/shop.checkout/1"
	return []part{{"rollout", names[0], fix}, {"rollout", names[1], fix}, {"rollout", names[2], fix}}, nil
}

// sorted are the names of a map, in order.
func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// query is a query without its empty values.
func query(pairs map[string]string) url.Values {
	q := url.Values{}
	for name, value := range pairs {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// Page is how much of a list is asked for.
type Page struct {
	Limit  int    `json:"limit,omitempty" jsonschema:"at most so many, 1 to 1000; 20 when absent"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next of the page before"`
}

// some is how much of a list is enough for an assistant that does not say.
const some = 20

func (p Page) of(q url.Values) url.Values {
	if p.Limit == 0 {
		p.Limit = some
	}
	q.Set("limit", fmt.Sprint(p.Limit))
	if p.Cursor != "" {
		q.Set("cursor", p.Cursor)
	}
	return q
}

package mcp

import (
	"context"
	"encoding/json"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sluice-hq/sluice/event"
)

// aKey is what to write for the key of a flag.
const aKey = "a key such as checkout.payments.express-pay; list_flags has them"

type flagsIn struct {
	Page
	Text        string `json:"text,omitempty" jsonschema:"a part of key, description, owner or a tag"`
	Environment string `json:"environment,omitempty" jsonschema:"flags that this environment has, such as production"`
	Owner       string `json:"owner,omitempty" jsonschema:"exactly this owner"`
	Tag         string `json:"tag,omitempty" jsonschema:"one of the flag's tags"`
	Purpose     string `json:"purpose,omitempty" jsonschema:"release, experiment, operational, permission or kill-switch"`
	Lifecycle   string `json:"lifecycle,omitempty" jsonschema:"draft, rollingOut, experimenting, decided, live, cleanupDue or archived"`
	State       string `json:"state,omitempty" jsonschema:"enabled, disabled or forced, in the environment or in any"`
	Health      string `json:"health,omitempty" jsonschema:"healthy, critical or unknown"`
	Stale       string `json:"stale,omitempty" jsonschema:"true: those alone that nobody has used or changed for long"`
}

type flagIn struct {
	Flag string `json:"flag" jsonschema:"a key such as checkout.payments.express-pay"`
}

type explainIn struct {
	Flag        string            `json:"flag" jsonschema:"a key such as checkout.payments.express-pay"`
	Environment string            `json:"environment,omitempty" jsonschema:"such as production; needed unless the token is bound to one"`
	Unit        string            `json:"unit,omitempty" jsonschema:"id of the flag's unit, such as u-1"`
	Attributes  map[string]string `json:"attributes,omitempty" jsonschema:"attributes of the context by name, each as JSON or as text: {\"plan\": \"pro\"}"`
	At          string            `json:"at,omitempty" jsonschema:"a revision of the flag, or a time such as 2027-01-31T09:00:00Z; now when absent"`
}

type wantedIn struct {
	Flag     string           `json:"flag" jsonschema:"a key such as checkout.payments.express-pay"`
	Changes  []map[string]any `json:"changes" jsonschema:"operations, carried out in order, all or none. Each has op and its fields: {op: enable|disable, environment}; {op: add-rule, environment, rule: {name, serve, when: {attribute, op, value}}, place}; {op: change-rule|move-rule|remove-rule, environment, name}; {op: add-units|remove-units, environment, variant, units}; {op: set-default|set-safe, variant}; {op: set-description|set-owner|set-purpose|set-unit, description|owner|purpose|unit}; {op: add-tag|remove-tag, tag}; {op: add-variant|change-variant|remove-variant, variant, value}; {op: add-prerequisite, environment, prerequisite: {flag, variant}}; {op: copy, from, environment}; {op: archive|restore}"`
	Revision uint64           `json:"revision,omitempty" jsonschema:"of the flag as you saw it; refused when it has changed since"`
}

type proposeIn struct {
	wantedIn
	Comment string `json:"comment" jsonschema:"why, in a sentence: it stays on record, and those who have to agree read it"`
}

// flags adds the tools about flags.
func (t tools) flags(s *sdk.Server) {
	reads(s, "list_flags", "Flags", "The flags, by key, with owner, variants, environments, where each is in its life, its health and when it was last used. Filters narrow the list.", t.listFlags)
	reads(s, "get_flag", "One flag", "One flag as it is defined: variants, default, safe variant, targets and rules of each environment, the allocation that a rollout gives it, its revision and its life.",
		func(ctx context.Context, in flagIn) (json.RawMessage, error) { return t.ofFlag(ctx, in, "") })
	reads(s, "flag_history", "History of a flag", "Who changed a flag, when, why, and what that made different; newest first.",
		func(ctx context.Context, in flagIn) (json.RawMessage, error) { return t.ofFlag(ctx, in, "/history") })
	reads(s, "explain_flag", "Why a unit gets what it gets", "Evaluates a flag for one unit, now or as it was, and says step by step why: targets, rules with what they compared, buckets, allocation and arm. It counts as no exposure.", t.explain)
	reads(s, "list_requests", "Change requests", "What waits for people to agree, of one flag or of all, with what each would make different.", t.listRequests)
	reads(s, "preview_change", "What a change would come to", "What changes of a flag would make different, in sentences, who has to agree to them, and how many of 1,000 made-up units would get another variant. It changes nothing.", t.preview)
	add(s, &sdk.Tool{
		Name: "propose_change", Title: "Propose a change",
		Description: "Files a change request: people are asked to agree to changes of a flag. Nothing changes until they have, and one of them applies it. It is a request also where the token could make the change at once. Preview it first.",
		Annotations: &sdk.ToolAnnotations{DestructiveHint: new(bool), OpenWorldHint: new(bool)},
	}, t.propose)
}

func (t tools) listFlags(ctx context.Context, in flagsIn) (json.RawMessage, error) {
	return t.api.Read(ctx, "/api/v1/flags", in.of(query(map[string]string{
		"q": in.Text, "environment": in.Environment, "owner": in.Owner, "tag": in.Tag, "purpose": in.Purpose, "lifecycle": in.Lifecycle,
		"state": in.State, "health": in.Health, "stale": in.Stale,
	})))
}

func (t tools) ofFlag(ctx context.Context, in flagIn, what string) (json.RawMessage, error) {
	at, err := path("/api/v1/flags", part{"flag", in.Flag, aKey})
	if err != nil {
		return nil, err
	}
	return t.api.Read(ctx, at+what, nil)
}

func (t tools) explain(ctx context.Context, in explainIn) (json.RawMessage, error) {
	at, err := path("/api/v1/flags", part{"flag", in.Flag, aKey})
	if err != nil {
		return nil, err
	}
	q := query(map[string]string{"environment": in.Environment, "unit": in.Unit, "at": in.At})
	for name, value := range in.Attributes {
		q.Set("attribute."+name, value)
	}
	return t.api.Read(ctx, at+"/explain", q)
}

type requestsIn struct {
	Flag string `json:"flag,omitempty" jsonschema:"of this flag alone, those that ended too; of all when absent, those that wait alone"`
}

func (t tools) listRequests(ctx context.Context, in requestsIn) (json.RawMessage, error) {
	if in.Flag == "" {
		return t.api.Read(ctx, "/api/v1/requests", nil)
	}
	return t.ofFlag(ctx, flagIn(in), "/requests")
}

// check refuses what leads elsewhere or says nothing, before anything is asked.
func (in wantedIn) check() error {
	var faults event.Invalids
	if why := event.CheckKey(in.Flag); why != "" {
		faults.Add("flag", in.Flag, why, "write "+aKey)
	}
	if len(in.Changes) == 0 {
		faults.Add("changes", nil, "are none", "write at least one, such as {\"op\": \"set-owner\", \"owner\": \"payments\"}")
	}
	for i, c := range in.Changes {
		if op, _ := c["op"].(string); op == "" {
			faults.Add(fmt.Sprintf("changes[%d].op", i), c["op"], "is missing", "write what is to be done, such as enable")
		}
	}
	return faults.Err()
}

func (t tools) preview(ctx context.Context, in wantedIn) (json.RawMessage, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return t.api.Foresee(ctx, in.Flag, Wanted{Changes: in.Changes, Revision: in.Revision})
}

func (t tools) propose(ctx context.Context, in proposeIn) (json.RawMessage, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return t.api.Propose(ctx, in.Flag, Wanted{Changes: in.Changes, Comment: in.Comment, Revision: in.Revision})
}

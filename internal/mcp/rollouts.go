package mcp

import (
	"context"
	"encoding/json"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

type rolloutsIn struct {
	Page
	Environment string `json:"environment,omitempty" jsonschema:"of this environment alone, such as production"`
}

type rolloutIn struct {
	Rollout string `json:"rollout" jsonschema:"environment/flag/number, such as production/shop.checkout/1"`
}

type unitIn struct {
	Environment string         `json:"environment" jsonschema:"such as production"`
	Flag        string         `json:"flag" jsonschema:"a key such as checkout.payments.express-pay"`
	Number      int            `json:"number,omitempty" jsonschema:"of the rollout; the flag's newest when absent"`
	Kind        string         `json:"kind" jsonschema:"kind of the unit, such as user"`
	Unit        string         `json:"unit" jsonschema:"id of the unit, such as u-1, or its keyed hash as lists have it, such as hash:00c0ffee00c0ffee"`
	Attributes  map[string]any `json:"attributes,omitempty" jsonschema:"attributes of the context that the flag is evaluated with"`
}

type decisionsIn struct {
	Page
	Rollout     string `json:"rollout,omitempty" jsonschema:"environment/flag/number, such as production/shop.checkout/1"`
	Environment string `json:"environment,omitempty" jsonschema:"of this environment alone"`
	Flag        string `json:"flag,omitempty" jsonschema:"of this flag alone"`
	Owner       string `json:"owner,omitempty" jsonschema:"of rollouts of this owner alone"`
	Action      string `json:"action,omitempty" jsonschema:"hold, expand, pause, rollback, reduce, ship, review or cleanup"`
	By          string `json:"by,omitempty" jsonschema:"controller or people; both when absent"`
	Since       string `json:"since,omitempty" jsonschema:"how far back: 7d, or a time; all when absent"`
}

type decisionIn struct {
	Decision string `json:"decision" jsonschema:"id, as list_decisions shows it"`
}

// rollouts adds the tools about rollouts, readouts and decisions.
func (t tools) rollouts(s *sdk.Server) {
	reads(s, "list_rollouts", "Rollouts", "The rollouts with plan, status and stage, and the newest look at each: the verdict of its gate, and why.",
		func(ctx context.Context, in rolloutsIn) (json.RawMessage, error) {
			return t.api.Read(ctx, "/api/v1/rollouts", in.of(query(map[string]string{"environment": in.Environment})))
		})
	reads(s, "get_rollout", "One rollout and its gate", "One rollout: its plan, stage, approvals and decisions, and the newest look with every check of the gate, its numbers, what is missing, and what can be done now.",
		func(ctx context.Context, in rolloutIn) (json.RawMessage, error) {
			return t.ofRollout(ctx, "/api/v1/rollouts", in)
		})
	reads(s, "get_readout", "Readout of a rollout", "What the data say of a rollout, up to a watermark: units of each arm, and for each success metric, guardrail and diagnostic the lift with its intervals, warnings and the query behind it.",
		func(ctx context.Context, in rolloutIn) (json.RawMessage, error) {
			return t.ofRollout(ctx, "/api/v1/readouts", in)
		})
	reads(s, "list_two_arms", "Units in two arms", "Units of a rollout that saw two arms, which no number counts, and why they probably did.",
		func(ctx context.Context, in rolloutIn) (json.RawMessage, error) {
			return t.ofRollout(ctx, "/api/v1/readouts", in, part{"", "two-arms", ""})
		})
	reads(s, "explain_unit", "One unit, event by event", "One unit of a rollout from its bucket to the rows of the analysis: what it gets and why, its exposures and events, and which of them count for which metric, or why not.", t.trace)
	reads(s, "list_decisions", "Decisions", "Decisions, newest first: what was decided about a rollout, by the controller or by people, and why.", t.listDecisions)
	reads(s, "get_decision", "One decision", "One decision with all it rests on: the evidence, every check, the verdict, who agreed, and the effect that it had on the flag.",
		func(ctx context.Context, in decisionIn) (json.RawMessage, error) { return t.ofDecision(ctx, in) })
	reads(s, "verify_decision", "Proof of a decision", "Whether a decision follows from its record, was made once, and had the one effect that it asks for.",
		func(ctx context.Context, in decisionIn) (json.RawMessage, error) {
			return t.ofDecision(ctx, in, part{"", "verify", ""})
		})
}

func (t tools) ofRollout(ctx context.Context, base string, in rolloutIn, more ...part) (json.RawMessage, error) {
	parts, err := rollout(strings.TrimSpace(in.Rollout))
	if err != nil {
		return nil, err
	}
	at, err := path(base, append(parts, more...)...)
	if err != nil {
		return nil, err
	}
	return t.api.Read(ctx, at, nil)
}

// hashed begins what lists show in the place of a unit's id.
const hashed = "hash:"

func (t tools) trace(ctx context.Context, in unitIn) (json.RawMessage, error) {
	u := Unit{Kind: in.Kind, ID: in.Unit, Environment: in.Environment, Flag: in.Flag, Number: in.Number, Attributes: in.Attributes}
	if strings.HasPrefix(in.Unit, hashed) {
		u.ID, u.Hash = "", in.Unit
	}
	return t.api.Trace(ctx, u)
}

func (t tools) listDecisions(ctx context.Context, in decisionsIn) (json.RawMessage, error) {
	return t.api.Read(ctx, "/api/v1/decisions", in.of(query(map[string]string{
		"rollout": in.Rollout, "environment": in.Environment, "flag": in.Flag, "owner": in.Owner, "action": in.Action, "by": in.By, "since": in.Since,
	})))
}

func (t tools) ofDecision(ctx context.Context, in decisionIn, more ...part) (json.RawMessage, error) {
	at, err := path("/api/v1/decisions", append([]part{{"decision", in.Decision, "an id that list_decisions shows"}}, more...)...)
	if err != nil {
		return nil, err
	}
	return t.api.Read(ctx, at, nil)
}

package mcp

import (
	"context"
	"encoding/json"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

type metricsIn struct {
	Metric string `json:"metric,omitempty" jsonschema:"key of one metric, with its versions and what every rollout did to it; all when absent"`
}

type cleanupsIn struct {
	Page
	Environment string `json:"environment,omitempty" jsonschema:"of this environment alone"`
	State       string `json:"state,omitempty" jsonschema:"open, waiting, due or closed; all when absent"`
}

type searchIn struct {
	Text string `json:"text" jsonschema:"words of what is looked for"`
}

// rest adds the tools about metrics, the end of flags, and everything.
func (t tools) rest(s *sdk.Server) {
	reads(s, "list_metrics", "Catalogue of metrics", "The declared metrics: what each counts and in which direction it is better, where it is used, what past rollouts did to it, when its events came last; and events that no metric declares.", t.listMetrics)
	reads(s, "list_cleanups", "Flags that have to end", "How far the end of every released flag is, when it is due, what speaks against it, and where the code still uses it.",
		func(ctx context.Context, in cleanupsIn) (json.RawMessage, error) {
			return t.api.Read(ctx, "/api/v1/cleanup", in.of(query(map[string]string{"environment": in.Environment, "state": in.State})))
		})
	reads(s, "search", "Search", "Flags, rollouts, metrics, segments, people, teams and decisions by words.",
		func(ctx context.Context, in searchIn) (json.RawMessage, error) {
			return t.api.Read(ctx, "/api/v1/search", query(map[string]string{"q": in.Text}))
		})
}

func (t tools) listMetrics(ctx context.Context, in metricsIn) (json.RawMessage, error) {
	if in.Metric == "" {
		return t.api.Read(ctx, "/api/v1/catalogue", nil)
	}
	at, err := path("/api/v1/catalogue", part{"metric", in.Metric, "a key that list_metrics shows"})
	if err != nil {
		return nil, err
	}
	return t.api.Read(ctx, at, nil)
}

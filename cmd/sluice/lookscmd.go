package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// history prints the looks at the rollout.
func (c readoutCmd) history(ctx context.Context) error {
	path, err := rolloutPath(c.Rollout)
	if err != nil {
		return err
	}
	query := url.Values{}
	if !c.At.IsZero() {
		query.Set("until", c.At.Format("2006-01-02T15:04:05.999Z07:00"))
	}
	looks, err := list[server.LookView](ctx, c.client, "/api/v1/readouts/"+path+"/looks", "looks", query, c.Limit)
	if err != nil {
		return err
	}
	return c.write(looks, func(w io.Writer) {
		for _, l := range looks {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s units\t%s\n", l.At.Format("2006-01-02 15:04:05"), cmp.Or(l.Stage, "-"), l.Action, thousands(l.Units), l.Reason)
			for _, m := range l.Metrics {
				fmt.Fprintf(w, "\t%s\t%s\n", m.Metric, lookedAt(m))
			}
		}
	})
}

func lookedAt(m server.LookedAt) string {
	if m.Refused != "" {
		return m.Refused
	}
	return strings.TrimSpace(percent(m.Lift) + " in " + span(m.Band) + " " + m.State)
}

// writeQueries writes each query with its parameters, ready for clickhouse
// client. A query is put to the warehouse as it stands here: its hash covers
// text and parameters.
func writeQueries(w io.Writer, queries []decisions.Query) error {
	for _, q := range queries {
		settings, err := parameters(q.Params)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "-- %s\n-- SHA-256 %s\n%s%s;\n\n", strings.Join(q.Of, ", "), q.Hash, settings, strings.TrimSpace(q.SQL)); err != nil {
			return fmt.Errorf("writing the queries: %w", err)
		}
	}
	return nil
}

// parameters writes what stands in the {name:Type} places of a query.
func parameters(recorded json.RawMessage) (string, error) {
	params := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(recorded))
	d.UseNumber() // sequences have 64 bits
	if err := d.Decode(&params); len(recorded) > 0 && err != nil {
		return "", fmt.Errorf("reading the parameters of a query: %w", err)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&b, "SET param_%s = %s;\n", name, literal(params[name]))
	}
	return b.String(), nil
}

// literal writes a value as ClickHouse reads it.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = literal(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/internal/server"
)

// getCmd shows what the house holds.
type getCmd struct {
	client
	output
	Kind string `arg:"" help:"flags, metrics, rollouts, segments, environments, policies, references, streams, replicas, people, teams or tokens; with a key, the one."`
	Key  string `arg:"" optional:"" help:"Key of one."`

	At          string `help:"A flag as it was: revision or time, such as 2027-01-31T09:00:00Z."`
	Owner       string `help:"Flags of this person or team."`
	Tag         string `help:"Flags with this tag."`
	Purpose     string `help:"Flags of this purpose: release, experiment, operational, permission or kill-switch."`
	Lifecycle   string `help:"Flags at this stage: draft, rollingOut, experimenting, decided, live, cleanupDue or archived."`
	Stale       bool   `help:"Flags that somebody should look at."`
	Archived    string `help:"true: archived flags alone; false: all others." enum:"true,false," default:""`
	Environment string `short:"e" help:"Flags or rollouts of this environment."`
	State       string `help:"Flags that are enabled, disabled or forced there." enum:"enabled,disabled,forced," default:""`
	Query       string `short:"q" help:"Flags with this text in key, description, owner or tags."`
	Limit       int    `help:"At most so many; 0: all."`
}

// shelf is where things of a kind are found.
type shelf struct {
	kind, path string // path below /api/v1/; lists have the kind as their name
	columns    []string
}

// shelves are the kinds that can be got, by their plural.
var shelves = []shelf{
	{"flags", "flags", nil},
	{"metrics", "metrics", []string{"metric.key", "metric.aggregate", "metric.owner", "metric.description"}},
	{"rollouts", "rollouts", []string{"rollout.id", "rollout.status", "rollout.plan.owner", "rollout.plan.hypothesis"}},
	{"segments", "segments", []string{"key", "owner", "unit", "description"}},
	{"environments", "environments", []string{"key", "order", "description"}},
	{"policies", "policies", []string{"key", "rank", "description"}},
	{"references", "references", []string{"repository", "revision", "at", "flags", "places", "unknown"}},
	{"streams", "streams", []string{"environment", "sdk", "given", "acknowledged", "streams"}},
	{"replicas", "replicas", []string{"id", "name", "seq", "at", "out"}},
	{"people", "people", []string{"key", "name", "teams"}},
	{"teams", "teams", []string{"key", "name", "members"}},
	{"webhooks", "webhooks", []string{"key", "format", "events", "environments", "suspended.why"}},
	{"tokens", "tokens", []string{"id", "class", "principal", "environment", "lastUsed"}},
}

// Run prints what was asked for.
func (c getCmd) Run(ctx context.Context) error {
	s, err := c.shelf()
	switch {
	case err != nil:
		return err
	case c.Key != "":
		return c.one(ctx, s)
	case s.kind == "flags":
		return c.flags(ctx)
	}
	return c.all(ctx, s)
}

// shelf finds the kind, also by its singular.
func (c getCmd) shelf() (shelf, error) {
	plural := map[string]string{"policy": "policies", "person": "people"}[c.Kind]
	if plural == "" {
		plural = strings.TrimSuffix(c.Kind, "s") + "s"
	}
	var names []string
	for _, s := range shelves {
		if s.kind == c.Kind || s.kind == plural {
			return s, nil
		}
		names = append(names, s.kind)
	}
	return shelf{}, fmt.Errorf("%q is not a kind; write one of %s", c.Kind, strings.Join(names, ", "))
}

func (c getCmd) flags(ctx context.Context) error {
	query := set(url.Values{}, "owner", c.Owner, "tag", c.Tag, "purpose", c.Purpose, "lifecycle", c.Lifecycle,
		"archived", c.Archived, "environment", c.Environment, "state", c.State, "q", c.Query)
	if c.Stale {
		query.Set("stale", "true")
	}
	all, err := list[server.FlagView](ctx, c.client, "/api/v1/flags", "flags", query, c.Limit)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "There is no such flag.")
			return
		}
		fmt.Fprintln(w, "FLAG\tPURPOSE\tOWNER\tSTAGE\tENABLED IN\tWHY TO LOOK")
		for _, f := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Key, f.Purpose, f.Owner, f.Lifecycle.Stage, enabledIn(f), strings.Join(f.Lifecycle.Reasons, "; "))
		}
	})
}

func enabledIn(f server.FlagView) string {
	var names []string
	for name, e := range f.Environments {
		switch {
		case e.Enabled && e.Forced != nil:
			names = append(names, name+" (forced)")
		case e.Enabled:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return orDash(strings.Join(names, ", "))
}

// all prints a list of any kind, by the columns of its shelf.
func (c getCmd) all(ctx context.Context, s shelf) error {
	all, err := list[map[string]any](ctx, c.client, "/api/v1/"+s.path, s.kind, set(url.Values{}, "environment", c.Environment), c.Limit)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		var heads []string
		for _, column := range s.columns {
			heads = append(heads, strings.ToUpper(column[strings.LastIndex(column, ".")+1:]))
		}
		fmt.Fprintln(w, strings.Join(heads, "\t"))
		for _, item := range all {
			var cells []string
			for _, column := range s.columns {
				cells = append(cells, orDash(cell(item, column)))
			}
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
	})
}

// cell writes the value that a path leads to.
func cell(item any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		m, _ := item.(map[string]any)
		item = m[name]
	}
	switch v := item.(type) {
	case nil:
		return ""
	case float64: // a revision of seven digits is written as one
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var parts []string
		for _, part := range v {
			parts = append(parts, fmt.Sprint(part))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		return strings.Join(slices.Sorted(maps.Keys(v)), ", ")
	}
	return fmt.Sprint(item)
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// one prints one thing whole; what is for people is YAML, as it is written.
func (c getCmd) one(ctx context.Context, s shelf) error {
	found, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	if c.Output == "table" {
		c.Output = "yaml"
	}
	return c.write(found, nil)
}

// find asks for a flag or a rollout, which have an address of their own, and
// looks through the list of other kinds: those are short.
func (c getCmd) find(ctx context.Context, s shelf) (found json.RawMessage, err error) {
	switch s.kind {
	case "flags":
		err = c.get(ctx, "/api/v1/flags/"+url.PathEscape(c.Key)+"?"+set(url.Values{}, "at", c.At).Encode(), &found)
		return found, err
	case "rollouts":
		id, err := rolloutPath(c.Key)
		if err == nil {
			err = c.get(ctx, "/api/v1/rollouts/"+id, &found)
		}
		return found, err
	}
	all, err := list[json.RawMessage](ctx, c.client, "/api/v1/"+s.path, s.kind, url.Values{}, 0)
	for _, item := range all {
		var fields map[string]any
		if json.Unmarshal(item, &fields) == nil && cell(fields, s.columns[0]) == c.Key {
			return item, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("there is no %q among the %s", c.Key, s.kind)
	}
	return nil, err
}

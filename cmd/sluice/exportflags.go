package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/server"
)

// exportFlagsCmd writes flags for others.
type exportFlagsCmd struct {
	client
	To          string `enum:"flagd,yaml" default:"flagd" help:"flagd: an environment as flagd reads it; yaml: the documents that apply reads."`
	Environment string `short:"e" help:"Environment; for flagd required, for yaml all without it."`
	Partial     bool   `help:"For flagd: leave out what it cannot say, and name it, instead of failing."`
	File        string `short:"f" default:"-" help:"Where to write; - is standard output."`
}

// Run writes nothing unless it can write all.
func (c exportFlagsCmd) Run(ctx context.Context) error {
	export := c.flagd
	if c.To == "yaml" {
		export = c.yaml
	}
	out, err := export(ctx)
	if err != nil {
		return err
	}
	if c.File == "-" {
		_, err = os.Stdout.Write(out)
		return err
	}
	if err := os.WriteFile(c.File, out, 0o644); err != nil {
		return fmt.Errorf("writing the flags: %w", err)
	}
	return nil
}

func (c exportFlagsCmd) flagd(ctx context.Context) ([]byte, error) {
	if c.Environment == "" {
		return nil, errors.New("name the environment that flagd is to have: --environment production")
	}
	path := "/flagd/" + url.PathEscape(c.Environment) + "/flags.json"
	if !c.Partial {
		path += "?whole=true"
	}
	var out []byte
	err := c.get(ctx, path, &out)
	var refused *apiError
	if errors.As(err, &refused) {
		if faults := refused.faults(); len(faults) > 0 {
			return nil, fmt.Errorf("flagd cannot say these; --partial leaves them out:\n%s", strings.Join(faults, "\n"))
		}
	}
	return out, err
}

// yaml writes the definitions, without what belongs to rollouts.
func (c exportFlagsCmd) yaml(ctx context.Context) ([]byte, error) {
	all, err := list[server.FlagView](ctx, c.client, "/api/v1/flags", "flags", url.Values{"archived": {"false"}}, 0)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, f := range all {
		doc, err := manifest.Encode(written{manifest.APIVersion, "Flag", c.definition(f.Flag)})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "---\n%s", doc)
	}
	return out.Bytes(), nil
}

// definition leaves out what apply would refuse, and other environments than
// the one that is asked for.
func (c exportFlagsCmd) definition(f flags.Flag) flags.Flag {
	kept := map[string]flags.Environment{}
	for name, e := range f.Environments {
		if c.Environment == "" || name == c.Environment {
			e.Served, e.Allocation, e.Forced = nil, nil, nil
			kept[name] = e
		}
	}
	f.Environments = kept
	return f
}

// faults returns those of a problem, one a line.
func (e *apiError) faults() []string {
	var problem struct {
		Errors event.Invalids `json:"errors"`
	}
	if json.Unmarshal(e.Body, &problem) != nil {
		return nil
	}
	var out []string
	for _, f := range problem.Errors {
		out = append(out, "  "+f.Error())
	}
	return out
}

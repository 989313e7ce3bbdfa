package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/flagd"
	"github.com/sluice-hq/sluice/internal/server"
)

// importCmd brings flags along from elsewhere.
type importCmd struct {
	client
	File        string        `arg:"" help:"Definitions, or - for standard input."`
	From        string        `enum:"flagd,unleash,launchdarkly,growthbook,featbit,flagsmith" default:"flagd" help:"Whose definitions: flagd, unleash, launchdarkly, growthbook, featbit or flagsmith."`
	Environment string        `short:"e" required:"" help:"Environment that they are for."`
	Convert     bool          `help:"Of flagd: turn targeting into rules where every unit keeps its variant."`
	Owner       string        `help:"Person or team; without it the definition's metadata, or it is marked."`
	Purpose     string        `help:"release, experiment, operational, permission or kill-switch; operational without it, and marked."`
	Safe        string        `help:"Of flagd: variant for when a flag is disabled or rolled back; without it the code decides."`
	Unit        string        `help:"What a rollout hashes; user without it."`
	CleanupDue  time.Duration `help:"How long after the decision the flag has to go: 720h."`
	EndState    string        `enum:"promote,remove,convert" default:"remove" help:"How the flag ends: promote, remove or convert."`
	Key         string        `help:"Not of flagd: attribute by which units are known there, and that is sent as targeting key here; without it the other's own."`
	Strict      bool          `help:"Not of flagd: do nothing if a flag cannot be carried over."`
	Existing    string        `enum:"refuse,keep,replace" default:"refuse" help:"Of what is here already and differs: refuse (nothing is done), keep or replace."`
	Write       string        `placeholder:"DIR" help:"Write the documents to a folder, or to - as YAML, instead of applying them."`
	DryRun      bool          `help:"Say what would change, or everything that would be refused."`
	Comment     string        `short:"m" help:"Why, for the history."`
}

// Run turns the definitions into documents and applies them, or writes them.
func (c importCmd) Run(ctx context.Context) error {
	source, err := slurp(c.File)
	if err != nil {
		return fmt.Errorf("reading definitions: %w", err)
	}
	bring := c.fromPeer
	if c.From == "flagd" {
		bring = c.fromFlagd
	}
	found, err := bring(source)
	here := map[string]bool{}
	if err == nil && c.Write == "" {
		here, err = c.beside(ctx, found.flags)
	}
	if err != nil {
		return listed(c.File, err)
	}
	for _, line := range found.report {
		fmt.Fprintln(os.Stderr, line)
	}
	if c.Write != "" {
		return writeDocuments(c.Write, found.segments, found.flags)
	}
	docs, err := transfersOf(head(found.segments, found.flags))
	if err != nil {
		return err
	}
	return c.applyAll(ctx, docs, here)
}

// brought is what definitions became.
type brought struct {
	segments []flags.Segment
	flags    []flags.Flag
	report   []string // line by line
}

// fromFlagd reads definitions of flagd.
func (c importCmd) fromFlagd(source []byte) (brought, error) {
	list, report, err := flagd.Import(source, c.options())
	b := brought{flags: list}
	for _, w := range report.Warnings {
		b.report = append(b.report, w.Path+": "+w.Text)
	}
	return b, err
}

// beside keeps what other environments have of flags that there are already, and
// returns the keys of those that this environment has, too.
func (c importCmd) beside(ctx context.Context, imported []flags.Flag) (map[string]bool, error) {
	all, err := list[server.FlagView](ctx, c.client, "/api/v1/flags", "flags", url.Values{}, 0)
	if err != nil {
		return nil, err
	}
	there, here := make(map[string]flags.Flag, len(all)), map[string]bool{}
	for _, f := range all {
		there[f.Key] = f.Flag
		_, has := f.Environments[c.Environment]
		here[f.Key] = has || len(f.Environments) == 0
	}
	var faults event.Invalids
	for i, f := range imported {
		var err error
		imported[i], err = flagd.Beside(there[f.Key], f, c.Environment)
		found, _ := err.(event.Invalids)
		faults = append(faults, found...)
	}
	return here, faults.Err()
}

func (c importCmd) options() flagd.Options {
	o := flagd.Options{
		Environment: c.Environment, Owner: c.Owner, Purpose: flags.Purpose(c.Purpose), Safe: c.Safe, Unit: c.Unit, Convert: c.Convert,
	}
	if c.CleanupDue > 0 {
		o.Cleanup = &flags.Cleanup{Due: event.Duration(c.CleanupDue), EndState: flags.EndState(c.EndState)}
	}
	return o
}

// listed writes each fault on a line of its own.
func listed(file string, err error) error {
	var faults event.Invalids
	if !errors.As(err, &faults) {
		return err
	}
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = "  " + f.Error()
	}
	return fmt.Errorf("%s cannot be imported:\n%s", file, strings.Join(lines, "\n"))
}

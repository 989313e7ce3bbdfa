package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/flagd"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/server"
)

// importCmd brings flags along from elsewhere.
type importCmd struct {
	client
	File        string        `arg:"" help:"Definitions, or - for standard input."`
	From        string        `enum:"flagd" default:"flagd" help:"Whose definitions: flagd."`
	Environment string        `short:"e" required:"" help:"Environment that they are for."`
	Convert     bool          `help:"Turn targeting into rules where every unit keeps its variant."`
	Owner       string        `help:"Person or team; without it the definition's metadata, or it is marked."`
	Purpose     string        `help:"release, experiment, operational, permission or kill-switch; operational without it, and marked."`
	Safe        string        `help:"Variant for when a flag is disabled or rolled back; without it the code decides."`
	Unit        string        `help:"What a rollout hashes; user without it."`
	CleanupDue  time.Duration `help:"How long after the decision the flag has to go: 720h."`
	EndState    string        `enum:"promote,remove,convert" default:"remove" help:"How the flag ends: promote, remove or convert."`
	DryRun      bool          `help:"Say what would change, or everything that would be refused."`
	Comment     string        `short:"m" help:"Why, for the history."`
}

// Run turns the definitions into documents and applies them.
func (c importCmd) Run(ctx context.Context) error {
	source, err := slurp(c.File)
	if err != nil {
		return fmt.Errorf("reading definitions: %w", err)
	}
	list, report, err := flagd.Import(source, c.options())
	if err == nil {
		list, err = c.beside(ctx, list)
	}
	if err != nil {
		return listed(c.File, err)
	}
	for _, w := range report.Warnings {
		fmt.Fprintf(os.Stderr, "%s: %s\n", w.Path, w.Text)
	}
	query := set(url.Values{}, "comment", c.Comment)
	if c.DryRun {
		query.Set("dryRun", "true")
	}
	for len(list) > 0 {
		files, rest, err := fitting(list)
		if err != nil {
			return err
		}
		done, err := c.applyFiles(ctx, files, query)
		if c.DryRun && err == nil {
			wouldChange(os.Stdout, slices.DeleteFunc(done, func(d server.Applied) bool { return d.Change == "unchanged" }))
			done = nil
		}
		for _, d := range done {
			fmt.Printf("flag %s %s (revision %d)\n", d.Key, d.Change, d.Revision)
		}
		if err != nil {
			return err
		}
		list = rest
	}
	return nil
}

// beside keeps what other environments have of flags that there are already.
func (c importCmd) beside(ctx context.Context, imported []flags.Flag) ([]flags.Flag, error) {
	all, err := list[server.FlagView](ctx, c.client, "/api/v1/flags", "flags", url.Values{}, 0)
	if err != nil {
		return nil, err
	}
	there := make(map[string]flags.Flag, len(all))
	for _, f := range all {
		there[f.Key] = f.Flag
	}
	var faults event.Invalids
	for i, f := range imported {
		var err error
		imported[i], err = flagd.Beside(there[f.Key], f, c.Environment)
		found, _ := err.(event.Invalids)
		faults = append(faults, found...)
	}
	return imported, faults.Err()
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

// fitting takes as many flags as one request can hold.
func fitting(list []flags.Flag) (files []named, rest []flags.Flag, err error) {
	size := 0
	for i, f := range list {
		doc, err := document(f)
		if err != nil {
			return nil, nil, err
		}
		if size += len(doc); size > manifest.MaxBytes && i > 0 {
			return files, list[i:], nil
		}
		files = append(files, named{f.Key, string(doc)})
	}
	return files, nil, nil
}

// document writes a flag as a manifest reads it.
func document(f flags.Flag) ([]byte, error) {
	doc, err := json.Marshal(written{manifest.APIVersion, "Flag", f})
	if err != nil {
		return nil, fmt.Errorf("encoding flag %s: %w", f.Key, err)
	}
	return doc, nil
}

// written is a flag with the head of a document.
type written struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	flags.Flag
}

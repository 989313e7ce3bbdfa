package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sluice-hq/sluice/decisions"
)

// decisionsExportCmd writes the records of decisions.
type decisionsExportCmd struct {
	client
	ID      string `arg:"" optional:"" help:"A decision; all of a rollout when absent."`
	Rollout string `help:"Every decision of this rollout: environment/flag/number."`
	As      string `enum:"md,json" default:"md" help:"md: the page that an auditor reads; json: the record, which verify checks without a server."`
	Dir     string `help:"One file for each decision in this folder, instead of the screen."`
	SQL     bool   `help:"Pages with the text of every query at the end."`
}

// Run writes them, oldest first.
func (c decisionsExportCmd) Run(ctx context.Context) error {
	ids, err := c.ids(ctx)
	if err != nil {
		return err
	}
	if c.Dir != "" {
		if err := os.MkdirAll(c.Dir, 0o755); err != nil {
			return fmt.Errorf("making the folder: %w", err)
		}
	}
	for _, id := range ids {
		record, err := c.record(ctx, id)
		if err != nil {
			return err
		}
		if err := c.export(record); err != nil {
			return fmt.Errorf("writing decision %s: %w", id, err)
		}
	}
	return nil
}

func (c decisionsExportCmd) ids(ctx context.Context) ([]string, error) {
	if (c.ID == "") == (c.Rollout == "") {
		return nil, errors.New("name one decision, or a rollout with --rollout")
	}
	if c.ID != "" {
		return []string{c.ID}, nil
	}
	all, err := c.decisions(ctx, c.Rollout)
	ids := make([]string, len(all))
	for i, d := range all {
		ids[len(all)-1-i] = d.ID
	}
	return ids, err
}

func (c decisionsExportCmd) export(r decisions.Record) error {
	text, err := c.text(r)
	if err != nil {
		return err
	}
	if c.Dir == "" {
		_, err := terminal{os.Stdout}.Write(text)
		return err
	}
	name := filepath.Join(c.Dir, fmt.Sprintf("%08d-%s.%s", r.Decision.Seq, r.Decision.Verdict.Action, c.As))
	if err := os.WriteFile(name, text, 0o644); err != nil {
		return err
	}
	fmt.Println(name)
	return nil
}

// text is the record in the form that was asked for.
func (c decisionsExportCmd) text(r decisions.Record) ([]byte, error) {
	if c.As == "md" {
		text, err := r.Page(c.SQL)
		return []byte(text), err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	err := e.Encode(r)
	return b.Bytes(), err
}

package main

import (
	"context"
	"fmt"
	"net/url"
)

// flagCmd switches one flag, beside its definition.
type flagCmd struct {
	client
	Op          string `arg:"" enum:"enable,disable,force,unforce,archive,restore" help:"enable, disable, force (the safe variant for everybody), unforce, archive or restore."`
	Key         string `arg:"" help:"Key of the flag."`
	Environment string `short:"e" help:"Environment; not for archive and restore."`
	Comment     string `short:"m" required:"" help:"Why; it stays on record."`
	Variant     string `help:"What an archived flag answers."`
	Reason      string `help:"Why it is archived although it is needed, asked for or undecided."`
}

// Run switches the flag and prints its new revision.
func (c flagCmd) Run(ctx context.Context) error {
	body := map[string]string{"comment": c.Comment}
	for key, value := range map[string]string{"environment": c.Environment, "variant": c.Variant, "reason": c.Reason} {
		if value != "" {
			body[key] = value
		}
	}
	var f struct {
		Revision uint64   `json:"revision"`
		Notes    []string `json:"notes"`
	}
	if err := c.post(ctx, "/api/v1/flags/"+url.PathEscape(c.Key)+"/"+c.Op, body, &f); err != nil {
		return err
	}
	fmt.Printf("flag %s: %s (revision %d)\n", c.Key, c.Op, f.Revision)
	for _, note := range f.Notes {
		fmt.Println(" ", note)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/internal/server"
)

// rampCmd gives a share of the units a variant, without a plan.
type rampCmd struct {
	client
	Key         string `arg:"" help:"Key of the flag."`
	Percentage  string `arg:"" help:"Share of the units, 0 to 100, such as 12.5 or 12.5%; 0 ends the ramp."`
	Environment string `short:"e" help:"Environment."`
	Variant     string `help:"What they get; default: the one before, or the variant of a boolean flag that is true."`
	Comment     string `short:"m" help:"Why; it stays on record."`
}

// Run sets the share and prints how the ramp stands.
func (c rampCmd) Run(ctx context.Context) error {
	share, err := strconv.ParseFloat(strings.TrimSuffix(c.Percentage, "%"), 64)
	if err != nil {
		return fmt.Errorf("%q is not a percentage; write one such as 12.5", c.Percentage)
	}
	body := map[string]any{"percentage": share}
	for name, value := range map[string]string{"environment": c.Environment, "variant": c.Variant, "comment": c.Comment} {
		if value != "" {
			body[name] = value
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%q is not a percentage; write one such as 12.5", c.Percentage) // NaN and Inf are numbers, and no JSON
	}
	var v server.RampView
	if err := c.do(ctx, http.MethodPatch, "/v1/flags/"+url.PathEscape(c.Key)+"/rollout", "application/json", b, &v); err != nil {
		return err
	}
	fmt.Println(rampLine(v))
	return nil
}

func rampLine(v server.RampView) string {
	line := fmt.Sprintf("flag %s: no ramp in %s (revision %d)", v.Flag, v.Environment, v.Revision)
	if v.Percentage > 0 {
		line = fmt.Sprintf("flag %s: %g %% of the units get %s in %s (revision %d)", v.Flag, v.Percentage, v.Variant, v.Environment, v.Revision)
	}
	if v.Note != "" {
		line += "\n" + v.Note
	}
	return line
}

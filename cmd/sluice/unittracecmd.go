package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// unitTraceCmd follows one unit.
type unitTraceCmd struct {
	client
	output
	unitFlags
	Attribute   []string `arg:"" optional:"" help:"Attributes that the flag is evaluated with, as name=value; a value is JSON, or else text." placeholder:"NAME=VALUE"`
	Environment string   `short:"e" required:"" help:"Environment."`
	Flag        string   `required:"" help:"Key of the flag."`
	Number      int      `help:"Of the rollout; the flag's newest when absent."`
}

// Run prints what the unit gets, then what became of its events.
func (c unitTraceCmd) Run(ctx context.Context) error {
	named, err := c.named(os.Stdin)
	if err != nil {
		return err
	}
	ask := server.TraceAsked{UnitNamed: named, Environment: c.Environment, Flag: c.Flag, Number: c.Number, Attributes: map[string]any{}}
	for _, attribute := range c.Attribute {
		name, text, ok := strings.Cut(attribute, "=")
		if !ok || name == "" {
			return fmt.Errorf("%q is not an attribute; write one such as plan=pro", attribute)
		}
		ask.Attributes[name] = jsonOrText(text)
	}
	var t server.UnitTrace
	if err := c.post(ctx, "/api/v1/units/traces", ask, &t); err != nil {
		return err
	}
	return c.write(t, func(w io.Writer) { tableTrace(w, t) })
}

func jsonOrText(text string) (v any) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return text
	}
	return v
}

func tableTrace(w io.Writer, t server.UnitTrace) {
	if x := t.Evaluation; x != nil {
		explained(w, *x)
		fmt.Fprintln(w)
	}
	switch {
	case t.Rollout == "":
		fmt.Fprintf(w, "%s has no rollout in %s: nothing is analysed.\n", t.Flag, t.Environment)
	case t.Trace == nil:
		fmt.Fprintf(w, "%s has not begun: nothing is analysed.\n", t.Rollout)
	default:
		tableTraced(w, *t.Trace)
	}
	if len(t.Letters) > 0 {
		fmt.Fprintln(w)
		tableLetters(w, t.Letters)
	}
}

func tableTraced(w io.Writer, t ingest.Trace) {
	fmt.Fprintf(w, "%s %s in %s\n\nEPOCH\tSTAGE\tARM\tFIRST EXPOSURE\tEXPOSURES\tSTANDS\tWHY\n", t.Kind, t.Unit, t.Rollout)
	for _, e := range t.Entries {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\t%s\n", e.Epoch, e.Stage, e.Arm, moment(e.First), e.Exposures, e.Standing, orDash(e.Why))
	}
	fmt.Fprintln(w, "\nEPOCH\tMETRIC\tEVENTS\tBEFORE\tVALUE\tCOUNTED\tWHY")
	for _, e := range t.Entries {
		for _, v := range e.Values {
			fmt.Fprintf(w, "%d\t%s\t%d\t%d\t%s\t%s\t%s\n", e.Epoch, v.Metric, v.Events, v.Before, valued(v.Value), yesNo(v.Counted), orDash(v.Why))
		}
	}
	fmt.Fprintln(w, "\nTIME\tEVENT\tIS\tWHY")
	for _, x := range t.Exposures {
		is := fmt.Sprintf("of %s in epoch %d", x.Arm, x.Epoch)
		if !x.Counted {
			is = "not counted"
		}
		fmt.Fprintf(w, "%s\texposure to %s\t%s\t%s\n", moment(x.At), x.Variant, is, orDash(x.Why))
	}
	for _, e := range t.Events {
		for _, u := range e.Uses {
			fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\n", moment(e.At), e.Name, valued(&e.Value), usedFor(u), orDash(u.Why))
		}
		if len(e.Uses) == 0 {
			fmt.Fprintf(w, "%s\t%s %s\tnot counted\t%s\n", moment(e.At), e.Name, valued(&e.Value), e.Why)
		}
	}
}

func valued(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.4g", *v)
}

// usedFor says what an event is for a metric.
func usedFor(u ingest.Use) string {
	if u.As == ingest.PartNone {
		return "not in " + u.Metric
	}
	return fmt.Sprintf("%s of %s in epoch %d", u.As, u.Metric, u.Epoch)
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

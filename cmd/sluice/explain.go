package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/server"
)

// asked is the context that a person evaluates a flag for.
type asked struct {
	Key          string   `arg:"" help:"Key of the flag."`
	Attribute    []string `arg:"" optional:"" help:"Attributes of the context as name=value; a value is JSON, or else text." placeholder:"NAME=VALUE"`
	Environment  string   `short:"e" help:"Environment; a token that is bound to one needs none."`
	Unit         string   `short:"u" help:"Id of the flag's unit."`
	TargetingKey string   `help:"Targeting key, when it is not the unit's id."`
}

// query writes what was asked as parameters; attributes carry a prefix.
func (a asked) query() (url.Values, error) {
	query := set(url.Values{}, "environment", a.Environment, "unit", a.Unit, "targetingKey", a.TargetingKey)
	for _, attribute := range a.Attribute {
		name, value, ok := strings.Cut(attribute, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is not an attribute; write one such as plan=pro", attribute)
		}
		query.Add("attribute."+name, value)
	}
	return query, nil
}

// explainCmd says why a unit gets what it gets.
type explainCmd struct {
	client
	output
	asked
	At string `help:"As it was at a revision or a time, such as 2027-01-31T09:00:00Z."`
}

// Run prints the explanation.
func (c explainCmd) Run(ctx context.Context) error {
	x, err := c.explain(ctx, c.asked, c.At)
	if err != nil {
		return err
	}
	return c.write(x, func(w io.Writer) { explained(w, x) })
}

func (c client) explain(ctx context.Context, a asked, at string) (x server.ExplanationView, err error) {
	query, err := a.query()
	if err == nil {
		err = c.get(ctx, "/api/v1/flags/"+url.PathEscape(a.Key)+"/explain?"+set(query, "at", at).Encode(), &x)
	}
	return x, err
}

// explained writes an explanation: the answer, each step, and the buckets.
func explained(w io.Writer, x server.ExplanationView) {
	r := x.Result
	fmt.Fprintf(w, "%s in %s\t%s = %s\t%s, at step %s, revision %d\n\n", r.Key, x.Environment, orDash(r.Variant), r.Value, r.Reason, r.Step, r.Revision)
	for _, look := range x.Looks {
		fmt.Fprintf(w, "%s %s\t%s\t%s\n", decided(look.Decided), look.Step, look.Name, look.Why)
		if look.Condition != nil {
			tested(w, *look.Condition, "  ")
		}
	}
	for _, b := range x.Buckets {
		bucket(w, b)
	}
}

func decided(yes bool) string {
	if yes {
		return "→"
	}
	return " "
}

// tested writes a condition and its parts, each with what the attribute was.
func tested(w io.Writer, t flags.Tested, indent string) {
	is := ""
	if len(t.Parts) == 0 {
		is = ": it is " + orDash(string(t.Is))
	}
	fmt.Fprintf(w, "\t\t%s%s %s%s\n", indent, met(t.Met), t.Condition, is)
	for _, part := range t.Parts {
		tested(w, part, indent+"  ")
	}
}

func met(yes bool) string {
	if yes {
		return "✓"
	}
	return "✗"
}

func bucket(w io.Writer, b flags.Hashed) {
	below := fmt.Sprintf("below %d", b.Below)
	if b.Bucket >= b.Below {
		below = fmt.Sprintf("not below %d", b.Below)
	}
	if b.Variant != "" {
		below += ": " + b.Variant
	}
	fmt.Fprintf(w, "  bucket %s\t%d\t%s, of %q\n", b.Of, b.Bucket, below, b.Text)
}

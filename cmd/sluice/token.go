package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/server"
)

// tokenCmd makes, lists and ends tokens. A name alone makes one.
type tokenCmd struct {
	Issue  tokenIssueCmd  `cmd:"" default:"withargs" help:"Make a token and print it, this once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens: whom they speak for, what they may do, when they were last used."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token at once."`
	Rotate tokenRotateCmd `cmd:"" help:"Print a new token that does the same; the old one ends after a while."`
}

// tokenIssueCmd makes a token.
type tokenIssueCmd struct {
	client
	Class       string         `help:"sls: server SDK, slc: client SDK, sla: person, team or service." enum:"sls,slc,sla" default:"sls"`
	Name        string         `arg:"" help:"Key of the person, team or service that will use it."`
	Kind        string         `help:"What an sla token belongs to: person (default), team or service." enum:"person,team,service," default:""`
	Environment string         `help:"Environment, required for SDK tokens."`
	Role        string         `help:"Role of an sla token: viewer, editor, approver, admin; reporter for what sends alerts."`
	Grant       []string       `help:"A role of an sla token and its reach, instead of --role: editor@staging:checkout. for one environment and all keys beneath checkout, viewer for everything." placeholder:"ROLE[@ENVIRONMENT,…][:KEY,…]" sep:"none"`
	Origin      []string       `help:"A site whose pages may use an slc token: https://shop.example."`
	Expires     event.Duration `help:"For how long it works, such as 90d; default: until it is revoked."`
}

// Run prints the token, which is shown this once.
func (c tokenIssueCmd) Run(ctx context.Context) error {
	body := map[string]any{}
	for key, value := range map[string]string{
		"class": c.Class, "name": c.Name, "kind": c.Kind, "environment": c.Environment, "role": c.Role,
	} {
		if value != "" {
			body[key] = value
		}
	}
	var grants []access.Grant
	for _, g := range c.Grant {
		grants = append(grants, parseGrant(g))
	}
	if grants != nil {
		body["grants"] = grants
	}
	if c.Origin != nil {
		body["origins"] = c.Origin
	}
	if c.Expires > 0 {
		body["expires"] = now().Add(time.Duration(c.Expires)).Format(time.RFC3339)
	}
	text, err := c.made(ctx, "/api/v1/tokens", body)
	if err == nil {
		fmt.Println(text)
	}
	return err
}

// parseGrant reads "editor@staging,production:checkout.,search". What makes no
// sense is left for the server to refuse.
func parseGrant(s string) (g access.Grant) {
	s, keys, bound := strings.Cut(s, ":")
	if bound {
		g.Keys = strings.Split(keys, ",")
	}
	role, environments, bound := strings.Cut(s, "@")
	if bound {
		g.Environments = strings.Split(environments, ",")
	}
	g.Role = access.Role(role)
	return g
}

// made asks for a token and returns its text.
func (c client) made(ctx context.Context, path string, body any) (string, error) {
	var out struct {
		Token string `json:"token"`
	}
	err := c.post(ctx, path, body, &out)
	return out.Token, err
}

// issue makes a token of an SDK.
func (c client) issue(ctx context.Context, class, name, environment string) (string, error) {
	return c.made(ctx, "/api/v1/tokens", map[string]string{"class": class, "name": name, "environment": environment})
}

// tokenListCmd lists tokens.
type tokenListCmd struct {
	client
	output
	Principal string `arg:"" optional:"" help:"Of one principal alone: person:ana, service:ci, sdk:shop."`
}

// Run prints the tokens, without their text, which nobody keeps.
func (c tokenListCmd) Run(ctx context.Context) error {
	var all []server.TokenView
	for cursor := ""; ; {
		var page struct {
			Tokens []server.TokenView `json:"tokens"`
			Next   string             `json:"next"`
		}
		if err := c.get(ctx, "/api/v1/tokens?"+url.Values{"cursor": {cursor}, "principal": {c.Principal}}.Encode(), &page); err != nil {
			return err
		}
		all = append(all, page.Tokens...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return c.write(all, func(w io.Writer) { tokenTable(w, all) })
}

func tokenTable(w io.Writer, all []server.TokenView) {
	fmt.Fprint(w, "ID\tCLASS\tPRINCIPAL\tMAY\tEXPIRES\tLAST USED\n")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Class, whose(t), rights(t), day(t.Expires, "never"), day(t.LastUsed, "–"))
	}
}

// whose names the principal, and the address of a person who signed in.
func whose(t server.TokenView) string {
	if t.Session == nil || t.Session.Email == "" {
		return t.Principal
	}
	return t.Principal + " (" + t.Session.Email + ")"
}

// rights says in a few words what a token may do.
func rights(t server.TokenView) string {
	grants := t.Grants
	if len(grants) == 0 {
		grants = []access.Grant{{Role: t.Role}}
		if t.Environment != "" {
			grants[0].Environments = []string{t.Environment}
		}
	}
	parts := make([]string, len(grants))
	for i, g := range grants {
		parts[i] = strings.TrimSpace(g.String())
	}
	if len(t.Origins) > 0 {
		parts = append(parts, "from "+strings.Join(t.Origins, ", "))
	}
	return strings.Join(parts, "; ")
}

func day(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// tokenRevokeCmd ends a token.
type tokenRevokeCmd struct {
	client
	ID string `arg:"" help:"As token list shows it."`
}

// Run ends it.
func (c tokenRevokeCmd) Run(ctx context.Context) error {
	return c.do(ctx, "DELETE", "/api/v1/tokens/"+c.ID, "", nil, nil)
}

// tokenRotateCmd puts a new token in the place of one.
type tokenRotateCmd struct {
	client
	ID      string         `arg:"" help:"Of the old one, as token list shows it."`
	Overlap event.Duration `help:"How long the old one still works; 0s: it ends at once." default:"24h"`
}

// Run prints the new token, which is shown this once.
func (c tokenRotateCmd) Run(ctx context.Context) error {
	text, err := c.made(ctx, "/api/v1/tokens/"+c.ID+"/rotate", map[string]any{"overlap": c.Overlap})
	if err == nil {
		fmt.Println(text)
	}
	return err
}

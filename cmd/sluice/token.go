package main

import (
	"context"
	"fmt"
)

// tokenCmd makes a token.
type tokenCmd struct {
	client
	Class       string `help:"sls: server SDK, slc: client SDK, sla: person or automation." enum:"sls,slc,sla" default:"sls"`
	Name        string `arg:"" help:"Who will use it."`
	Environment string `help:"Environment, required for SDK tokens."`
	Role        string `help:"Role of an sla token: viewer, editor, approver, admin."`
}

// Run prints the token, which is shown this once.
func (c tokenCmd) Run(ctx context.Context) error {
	text, err := c.issue(ctx, c.Class, c.Name, c.Environment, c.Role)
	if err == nil {
		fmt.Println(text)
	}
	return err
}

func (c client) issue(ctx context.Context, class, name, environment, role string) (string, error) {
	body := map[string]string{"class": class, "name": name}
	for key, value := range map[string]string{"environment": environment, "role": role} {
		if value != "" {
			body[key] = value
		}
	}
	var out struct {
		Token string `json:"token"`
	}
	err := c.post(ctx, "/api/v1/tokens", body, &out)
	return out.Token, err
}

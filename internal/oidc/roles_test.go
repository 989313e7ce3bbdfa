package oidc

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

func TestGrants(t *testing.T) {
	r := Roles{Everybody: access.Viewer, Roles: []Role{
		{Group: "payments", Role: access.Editor, Environments: []string{"staging"}, Keys: []string{"checkout."}},
		{Group: "leads", Role: access.Approver},
		{Group: "more-leads", Role: access.Approver},
	}}
	viewer, editor, approver := access.Grant{Role: access.Viewer}, r.Roles[0].grant(), access.Grant{Role: access.Approver}
	for claims, want := range map[string][]access.Grant{
		`{}`:                                  {viewer},
		`{"groups":["payments"]}`:             {editor, viewer},
		`{"groups":"leads"}`:                  {approver, viewer},
		`{"groups":["leads","more-leads",7]}`: {approver, viewer},
		`{"groups":["Payments","lead"]}`:      {viewer},
		`{"groups":{"payments":true}}`:        {viewer},
	} {
		if d := cmp.Diff(want, r.Grants(read(t, claims))); d != "" {
			t.Errorf("%s (-want +got):\n%s", claims, d)
		}
	}
	r.Everybody = ""
	if got := r.Grants(read(t, `{"groups":["interns"]}`)); got != nil {
		t.Errorf("who is in no group may %v", got)
	}
	for claim, claims := range map[string]string{
		"realm_access.roles": `{"realm_access":{"roles":["leads"]}}`, "https://a.example/roles": `{"https://a.example/roles":["leads"]}`,
		"a.b": `{"a.b":["leads"],"a":{"b":["payments"]}}`, "deep.er.est": `{"deep":{"er":{"est":"leads"}}}`,
	} {
		r.Claim = claim
		if d := cmp.Diff([]access.Grant{approver}, r.Grants(read(t, claims))); d != "" {
			t.Errorf("%s (-want +got):\n%s", claim, d)
		}
		if got := r.Grants(read(t, `{"realm_access":"leads","deep":{"er":7}}`)); got != nil {
			t.Errorf("%s where there is no such path: %v", claim, got)
		}
	}
}

func read(t *testing.T, text string) (claims map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestEmail: an address counts when the issuer vouches for it, or when the
// installation trusts an issuer that says nothing.
func TestEmail(t *testing.T) {
	for claims, want := range map[string][2]string{ // as it is, and trusted
		`{"email":"a@b.example","email_verified":true}`:    {"a@b.example", "a@b.example"},
		`{"email":"a@b.example","email_verified":"true"}`:  {"a@b.example", "a@b.example"},
		`{"email":"a@b.example","email_verified":false}`:   {"", ""},
		`{"email":"a@b.example"}`:                          {"", "a@b.example"},
		`{"email":"a","email_verified":true}`:              {"", ""},
		`{"email":"<a@b.example>","email_verified":true}`:  {"", ""},
		`{"email":"a@b.example\nc","email_verified":true}`: {"", ""},
		`{"email":["a@b.example"],"email_verified":true}`:  {"", ""},
	} {
		if got := [2]string{Roles{}.email(read(t, claims)), Roles{TrustEmail: true}.email(read(t, claims))}; got != want {
			t.Errorf("%s: got %q, want %q", claims, got, want)
		}
	}
}

func TestRoles_refuses(t *testing.T) {
	many := Roles{Everybody: access.Viewer, Scopes: make([]string, maxScopes+1), Roles: make([]Role, maxRoles+1)}
	for i := range many.Scopes {
		many.Scopes[i] = "a"
	}
	for i := range many.Roles {
		many.Roles[i] = Role{Group: "a", Role: access.Viewer}
	}
	for name, c := range map[string]struct {
		roles Roles
		paths []string
	}{
		"nobody":   {Roles{}, []string{"roles"}},
		"too many": {many, []string{"roles", "scopes"}},
		"all at once": {Roles{Everybody: "king", Scopes: []string{"a b", ""}, Roles: []Role{
			{Role: access.Viewer}, {Group: "a", Role: access.Reporter}, {Group: "a", Role: "king", Environments: []string{"a b"}, Keys: []string{"*"}},
		}}, []string{"roles[0].group", "roles[1].role", "roles[2].role", "roles[2].environments[0]", "roles[2].keys[0]", "everybody", "scopes[0]", "scopes[1]"}},
	} {
		var faults event.Invalids
		if err := c.roles.Validate(); !errors.As(err, &faults) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		var got []string
		for _, f := range faults {
			if got = append(got, f.Path); f.Fix == "" {
				t.Errorf("%s: %s says no way out", name, f.Path)
			}
		}
		if d := cmp.Diff(c.paths, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/oidc"
	doors "github.com/sluice-hq/sluice/internal/server"
)

const someRoles = `apiVersion: sluice/v1
kind: SignIn
claim: realm_access.roles
scopes: [groups]
roles:
  - {group: release-managers, role: approver}
  - {group: payments, role: editor, environments: [staging], keys: [checkout.]}
everybody: viewer
`

func fileWith(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOIDCFlags(t *testing.T) {
	if c, err := (oidcFlags{}).party(); c != nil || err != nil {
		t.Errorf("without an issuer: %+v, %v", c, err)
	}
	f := oidcFlags{
		OIDCIssuer: "https://login.example.com", OIDCClientID: "sluice", OIDCClientSecretFile: fileWith(t, "hush\n"), OIDCRoles: fileWith(t, someRoles),
		OIDCSession: 12 * time.Hour, OIDCCheck: time.Hour,
	}
	want := &oidc.Config{
		Issuer: "https://login.example.com", ClientID: "sluice", Secret: "hush", Lifetime: 12 * time.Hour, Check: time.Hour,
		Roles: oidc.Roles{Claim: "realm_access.roles", Scopes: []string{"groups"}, Everybody: access.Viewer, Roles: []oidc.Role{
			{Group: "release-managers", Role: access.Approver}, {Group: "payments", Role: access.Editor, Environments: []string{"staging"}, Keys: []string{"checkout."}},
		}},
	}
	got, err := f.party()
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	for name, c := range map[string]struct {
		change func(*oidcFlags)
		want   string
	}{
		"no issuer":       {func(f *oidcFlags) { f.OIDCIssuer = "" }, "--oidc-issuer"},
		"no roles":        {func(f *oidcFlags) { f.OIDCRoles = "" }, "--oidc-roles"},
		"no such roles":   {func(f *oidcFlags) { f.OIDCRoles = "/no/such/file" }, "--oidc-roles"},
		"no document":     {func(f *oidcFlags) { f.OIDCRoles = fileWith(t, "") }, "holds no document"},
		"other kind":      {func(f *oidcFlags) { f.OIDCRoles = fileWith(t, "apiVersion: sluice/v1\nkind: Team\nkey: a\n") }, "kind SignIn"},
		"unknown field":   {func(f *oidcFlags) { f.OIDCRoles = fileWith(t, someRoles+"admins: all\n") }, "admins"},
		"unknown role":    {func(f *oidcFlags) { f.OIDCRoles = fileWith(t, strings.Replace(someRoles, "approver", "king", 1)) }, "is not a role"},
		"empty secret":    {func(f *oidcFlags) { f.OIDCClientSecretFile = fileWith(t, "\n") }, "is empty"},
		"no such secret":  {func(f *oidcFlags) { f.OIDCClientSecretFile = "/no/such/file" }, "--oidc-client-secret-file"},
		"both are absent": {func(f *oidcFlags) { f.OIDCClientSecretFile, f.OIDCRoles = "/no/such/file", "" }, "lets nobody in"},
	} {
		bad := f
		c.change(&bad)
		if _, err := bad.party(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestOIDC_serve: a house stands and shows the way in although the issuer does
// not answer; one whose issuer nobody could trust does not stand.
func TestOIDC_serve(t *testing.T) {
	c := config{Data: t.TempDir(), Roles: roles{doors.Flags, doors.Web}, Lib: "/no/such/libchdb.so", SignIn: &oidc.Config{
		Issuer: "http://127.0.0.1:1", ClientID: "sluice", Roles: oidc.Roles{Everybody: access.Viewer},
	}}
	s := stand(t, c)
	s.want(200, "Sign in with 127.0.0.1", "GET", "/sign-in", "")
	s.want(503, "127.0.0.1 does not answer", "GET", "/sign-in/start", "")
	s.want(200, "<html", "GET", "/", "")
	s.stop()
	bad := *c.SignIn
	bad.Issuer = "http://login.example.com"
	c.SignIn, c.Listen, c.Quiet = &bad, "127.0.0.1:0", true
	if h, err := open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "oidc-issuer") {
		t.Errorf("with an issuer over an open wire: %v, %v", h, err)
	}
}

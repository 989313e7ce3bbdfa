package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/internal/oidc"
)

// oidcFlags say where people sign in, and what they may do then.
type oidcFlags struct {
	OIDCIssuer           string        `name:"oidc-issuer" help:"Issuer of identities (OpenID Connect) at which people sign in to the pages, as it writes itself: https://login.example.com; default: they sign in with tokens." env:"SLUICE_OIDC_ISSUER"`
	OIDCClientID         string        `name:"oidc-client-id" help:"As what the issuer knows this installation." env:"SLUICE_OIDC_CLIENT_ID"`
	OIDCClientSecretFile string        `name:"oidc-client-secret-file" help:"File with the secret that the issuer gave this installation; default: none, it is a public client." env:"SLUICE_OIDC_CLIENT_SECRET_FILE"`
	OIDCRoles            string        `name:"oidc-roles" help:"File that says what members of which groups may do: a document of kind SignIn." env:"SLUICE_OIDC_ROLES"`
	OIDCName             string        `name:"oidc-name" help:"What people call the issuer, for the button; default: its host." env:"SLUICE_OIDC_NAME"`
	OIDCSession          time.Duration `name:"oidc-session" help:"After how long people sign in again." default:"12h" env:"SLUICE_OIDC_SESSION"`
	OIDCCheck            time.Duration `name:"oidc-check" help:"After how long the issuer is asked whether a person is still who and what it said; twice as long after its last word a session ends." default:"1h" env:"SLUICE_OIDC_CHECK"`
}

// party reads the files that the flags name; nil: people sign in with tokens.
func (f oidcFlags) party() (*oidc.Config, error) {
	if f.OIDCIssuer == "" {
		if f.OIDCClientID != "" || f.OIDCClientSecretFile != "" || f.OIDCRoles != "" {
			return nil, errors.New("--oidc-client-id, --oidc-client-secret-file and --oidc-roles need to know where people sign in: name it with --oidc-issuer")
		}
		return nil, nil
	}
	c := oidc.Config{Issuer: f.OIDCIssuer, ClientID: f.OIDCClientID, Name: f.OIDCName, Lifetime: f.OIDCSession, Check: f.OIDCCheck}
	var errSecret, errRoles error
	if f.OIDCClientSecretFile != "" {
		c.Secret, errSecret = secretIn(f.OIDCClientSecretFile)
	}
	c.Roles, errRoles = rolesIn(f.OIDCRoles)
	return &c, errors.Join(errSecret, errRoles)
}

// secretIn reads a secret, without the line end that editors leave behind it.
func secretIn(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading --oidc-client-secret-file: %w", err)
	}
	if b = bytes.TrimSpace(b); len(b) == 0 {
		return "", fmt.Errorf("--oidc-client-secret-file %s is empty; write the secret into it, or leave the flag out", path)
	}
	return string(b), nil
}

func rolesIn(path string) (r oidc.Roles, err error) {
	if path == "" {
		return r, errors.New("--oidc-issuer lets nobody in without --oidc-roles: name a file that says what members of which groups may do")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("reading --oidc-roles: %w", err)
	}
	docs, err := manifest.Split(source)
	if err != nil {
		return r, fmt.Errorf("--oidc-roles %s: %w", path, err)
	}
	if len(docs) != 1 || docs[0].Kind != "SignIn" {
		return r, fmt.Errorf("--oidc-roles %s is not one document of kind SignIn; write one that begins with \"apiVersion: %s\" and \"kind: SignIn\"", path, manifest.APIVersion)
	}
	if err = docs[0].Decode(&r); err == nil {
		err = docs[0].Annotate(r.Validate())
	}
	if err != nil {
		return r, fmt.Errorf("--oidc-roles %s: %w", path, err)
	}
	return r, nil
}

// openIssuer makes what people sign in by. The key with which browsers' cookies
// are sealed is made of the installation's, which all replicas share.
func (h *house) openIssuer(context.Context) error {
	if h.SignIn == nil {
		return nil
	}
	c := *h.SignIn
	key, err := hkdf.Key(sha256.New, h.key, nil, "sluice sign-in", 32)
	if err != nil {
		return fmt.Errorf("making the key of sign-ins: %w", err)
	}
	c.Key, c.Public = key, cmp.Or(h.PublicURL, h.address())
	if h.issuer, err = oidc.New(c); err != nil {
		return fmt.Errorf("signing in at %s: %w", c.Issuer, err)
	}
	return nil
}

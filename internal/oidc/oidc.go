// Package oidc lets people in whom an issuer of identities vouches for: OpenID
// Connect 1.0, the authorization code flow with PKCE. It sends a browser to the
// issuer, proves what comes back, and says who that is and what it may do. It
// keeps nothing between the two but what the browser holds, sealed, so that any
// replica can finish what another began; it writes no events and sets no
// cookies, which internal/server does.
//
//	party, err := oidc.New(oidc.Config{Issuer: "https://login.example.com", ClientID: "sluice", …})
//	way, err := party.Begin(ctx, oidc.Wish{Next: "/flags"}, now)      // send the browser to way.Address, keep way.Sealed
//	entry, err := party.Finish(ctx, sealed, r.URL.Query(), now)       // entry.Identity, entry.Grants
package oidc

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Config says whom to ask and how. All fields are required, but for those that
// say otherwise.
type Config struct {
	Issuer   string        // its address, exactly as it writes itself: https, or http on loopback
	ClientID string        // as what the issuer knows this installation
	Secret   string        // empty: a public client, whom PKCE alone protects
	Public   string        // address at which people reach this installation: https, or http on loopback
	Name     string        // of the issuer, on the button; empty: its host
	Roles    Roles         // what who may do
	Lifetime time.Duration // of a session; 0: 12 h
	Check    time.Duration // after which the issuer is asked again; 0: 1 h
	Key      []byte        // 32 bytes, the same on all replicas: seals what browsers hold
	Client   *http.Client  // nil: one with bounds of its own
}

// CallbackPath is where the issuer sends browsers back to.
const CallbackPath = "/sign-in/callback"

// leeway is by how much the issuer's clock may differ from ours.
const leeway = time.Minute

// Errors that callers tell apart. What an issuer said stands in the error that
// wraps one of them, for the log; people are shown the sentence of Refusal.
var (
	ErrAway = errors.New("the issuer of identities does not answer")
	ErrAsks = errors.New("the issuer wants to ask the person something")
)

// Refusal is why somebody was not let in: a sentence for the person, and what
// was behind it for the log.
type Refusal struct {
	Why string // says what to do, and nothing that came from outside
	Err error  // nil: there is no more to say
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return r.Why
	}
	return r.Why + ": " + r.Err.Error()
}

// Unwrap returns what was behind it.
func (r *Refusal) Unwrap() error { return r.Err }

// validate reports every fault at once.
func (c Config) validate() error {
	var faults event.Invalids
	if !safe(c.Issuer) {
		faults.Add("oidc-issuer", c.Issuer, "is not an address over TLS", "write it as the issuer does, such as https://login.example.com; http is for loopback alone")
	}
	if c.ClientID == "" {
		faults.Add("oidc-client-id", nil, "is missing", "write as what the issuer knows this installation")
	}
	if !safe(c.Public) {
		faults.Add("public-url", c.Public, "is not an address over TLS that browsers can be sent back to", "write one such as https://sluice.example.com; http is for loopback alone")
	}
	if c.Check < time.Minute {
		faults.Add("oidc-check", c.Check.String(), "is less than a minute", "write one such as 1h: pages are sent to the issuer and back as often")
	}
	if c.Lifetime < c.Check {
		faults.Add("oidc-session", c.Lifetime.String(), "is shorter than --oidc-check", "write one such as 12h")
	}
	if len(c.Key) != keySize {
		faults.Add("key", len(c.Key), "has not 32 bytes", "give it the key of the installation")
	}
	return errors.Join(faults.Err(), c.Roles.Validate())
}

// safe reports whether nobody on the way can read or change what goes to an
// address: it is https, or stays on this machine.
func safe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// callback is where the issuer sends browsers back to; issuers compare it
// letter by letter.
func (c Config) callback() string { return c.at(CallbackPath) }

// at is the address of a path of ours.
func (c Config) at(path string) string { return strings.TrimSuffix(c.Public, "/") + path }

// name is what people call the issuer.
func (c Config) name() string {
	if c.Name != "" {
		return c.Name
	}
	u, _ := url.Parse(c.Issuer) // it is valid
	return u.Hostname()
}

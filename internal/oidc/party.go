package oidc

import (
	"cmp"
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sluice-hq/sluice/event"
)

// Party is this installation as the issuer sees it: the relying party. All
// methods may be called at once.
type Party struct {
	Config
	aead cipher.AEAD

	mu     sync.Mutex
	known  *issuer   // nil: it has not answered yet
	asked  time.Time // when it was asked last for what it is
	failed error     // what became of that
}

// issuer is what the issuer says of itself (OpenID Connect Discovery 1.0).
type issuer struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	asked    time.Time
	extra
}

// extra is what it may say besides.
type extra struct {
	End     string   `json:"end_session_endpoint"`
	NamesIt bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	Methods []string `json:"token_endpoint_auth_methods_supported"`
	PKCE    []string `json:"code_challenge_methods_supported"`
	Keys    string   `json:"jwks_uri"`
}

// New returns a party, without asking the issuer for anything: an installation
// starts and serves whether it answers or not.
func New(c Config) (*Party, error) {
	c.Lifetime, c.Check = cmp.Or(c.Lifetime, 12*time.Hour), cmp.Or(c.Check, time.Hour)
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.Client == nil {
		c.Client = &http.Client{
			Timeout: 5 * time.Second, Transport: bounded{http.DefaultTransport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	aead, err := newAEAD(c.Key)
	return &Party{Config: c, aead: aead}, err
}

// Title names the issuer on the button.
func (p *Party) Title() string { return p.name() }

// Secure reports whether browsers reach this installation over TLS.
func (p *Party) Secure() bool {
	u, err := url.Parse(p.Public)
	return err == nil && u.Scheme == "https"
}

// stale is how old what is known of the issuer may become, recent how old word of
// it is that it is there, and pause how long it is left alone when it did not
// answer.
const (
	stale  = time.Hour
	recent = time.Minute
	pause  = 10 * time.Second
)

// Awake reports whether the issuer answers, so that no browser is sent to one
// that does not.
func (p *Party) Awake(ctx context.Context, now time.Time) bool {
	_, err := p.issuer(ctx, now, recent)
	return err == nil
}

// issuer returns what is known of the issuer, and asks it when that is nothing
// older than that.
func (p *Party) issuer(ctx context.Context, now time.Time, than time.Duration) (*issuer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil && now.Sub(p.known.asked) < than {
		return p.known, nil
	}
	if p.failed != nil && now.Sub(p.asked) < pause {
		return nil, p.failed
	}
	known, err := p.discover(ctx)
	p.asked, p.failed = now, nil
	if err != nil {
		p.failed = fmt.Errorf("%w: %w", ErrAway, err)
		return nil, p.failed
	}
	known.asked, p.known = now, known
	return known, nil
}

func (p *Party) discover(ctx context.Context) (*issuer, error) {
	provider, err := oidc.NewProvider(p.through(context.WithoutCancel(ctx)), p.Issuer) // one browser that goes away fails nobody else
	if err != nil {
		return nil, fmt.Errorf("asking %s what it is: %w", p.Issuer, err)
	}
	i := &issuer{verifier: provider.Verifier(&oidc.Config{ClientID: p.ClientID, SkipExpiryCheck: true})} // prove checks it, with a leeway
	if err := provider.Claims(&i.extra); err != nil {
		return nil, fmt.Errorf("reading what %s is: %w", p.Issuer, err)
	}
	i.oauth = oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.Secret, RedirectURL: p.callback(), Endpoint: provider.Endpoint(),
		Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, p.Roles.Scopes...),
	}
	i.oauth.Endpoint.AuthStyle = i.style(p.Secret)
	return i, i.check()
}

// style says how the client names itself. It is not found out by trying: a code
// is good for one attempt.
func (e extra) style(secret string) oauth2.AuthStyle {
	if secret == "" || len(e.Methods) > 0 && !slices.Contains(e.Methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// check refuses an issuer that sends people, codes or keys over an open wire, or
// that says that it does not know PKCE's S256.
func (i *issuer) check() error {
	var faults event.Invalids
	addresses := map[string]string{
		"authorization_endpoint": i.oauth.Endpoint.AuthURL, "token_endpoint": i.oauth.Endpoint.TokenURL, "jwks_uri": i.Keys,
	}
	if i.End != "" {
		addresses["end_session_endpoint"] = i.End
	}
	for name, address := range addresses {
		if !safe(address) {
			faults.Add(name, address, "is not an address over TLS", "have the issuer say https")
		}
	}
	if len(i.PKCE) > 0 && !slices.Contains(i.PKCE, "S256") {
		faults.Add("code_challenge_methods_supported", i.PKCE, "does not have S256", "allow PKCE for this client at the issuer")
	}
	return faults.Err()
}

// through has requests go out by our client.
func (p *Party) through(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.Client)
}

// maxAnswer bounds what is read of any answer of the issuer.
const maxAnswer = 1 << 20

var errEndless = errors.New("the answer of the issuer is longer than 1 MiB")

// bounded is a transport whose answers end.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = &ending{ReadCloser: answer.Body, left: maxAnswer}
	}
	return answer, err
}

type ending struct {
	io.ReadCloser
	left int
}

func (e *ending) Read(b []byte) (int, error) {
	n, err := e.ReadCloser.Read(b)
	if e.left -= n; e.left < 0 {
		return 0, errEndless
	}
	return n, err
}

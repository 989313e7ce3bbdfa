// Package oidctest is an issuer of identities in this process, for tests: with
// keys of its own, codes that are good once, PKCE, and whatever misbehaviour a
// test wants.
package oidctest

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// What every client of the issuer is.
const (
	ClientID = "sluice"
	Secret   = "a secret of the test"
)

// Issuer vouches for one person. Its fields are changed between requests.
type Issuer struct {
	*httptest.Server
	Now    func() time.Time
	Claims map[string]any                                         // of the person besides the protocol's own; nil: nobody is signed in there
	Change func(claims map[string]any)                            // changes a token's claims before it is signed; nil: nothing
	Sign   func(i *Issuer, head, claims map[string]any) string    // signs instead of the issuer; nil: the issuer does
	Answer func(q url.Values)                                     // changes what the browser brings back; nil: nothing
	About  func(about map[string]any)                             // changes what the issuer says of itself; nil: nothing
	Token  func(w http.ResponseWriter, r *http.Request) (so bool) // answers instead of the token endpoint; nil: nothing

	mu    sync.Mutex
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey // nil: tokens are signed with rsa
	kid   string
	codes map[string]url.Values // code -> what was asked for; a code is good once
	Asked map[string]int        // how often each path was
}

// The keys are drawn once for a program: on a busy machine that takes seconds.
var ours, theirs = sync.OnceValue(drawn), sync.OnceValue(drawn)

func drawn() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // unreachable unless there is no chance left in the world
	}
	return key
}

// New returns an issuer that vouches for ana, an approver.
func New(t testing.TB, now func() time.Time) *Issuer {
	t.Helper()
	i := &Issuer{
		Now: now, rsa: ours(), kid: "first", codes: map[string]url.Values{}, Asked: map[string]int{},
		Claims: map[string]any{"sub": "u-1", "email": "ana@example.com", "email_verified": true, "groups": []string{"release-managers"}},
	}
	all := http.NewServeMux()
	all.HandleFunc("/.well-known/openid-configuration", i.about)
	all.HandleFunc("/keys", i.keys)
	all.HandleFunc("/authorize", i.authorize)
	all.HandleFunc("/token", i.token)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.Asked[r.URL.Path]++
		all.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

// Rotate gives the issuer a new key, of an elliptic curve, and forgets the old.
func (i *Issuer) Rotate(t testing.TB) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.ec, i.kid = key, "second"
}

func (i *Issuer) about(w http.ResponseWriter, _ *http.Request) {
	about := map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"end_session_endpoint": i.URL + "/end", "id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"},
		"authorization_response_iss_parameter_supported": true, "code_challenge_methods_supported": []string{"S256"},
	}
	if i.About != nil {
		i.About(about)
	}
	answer(w, http.StatusOK, about)
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	key := map[string]any{"kid": i.kid, "use": "sig", "kty": "RSA", "alg": "RS256", "n": encode(i.rsa.N.Bytes()), "e": encode(big.NewInt(int64(i.rsa.E)).Bytes())}
	if i.ec != nil {
		point, err := i.ec.PublicKey.Bytes()
		if err != nil {
			panic(err) // unreachable unless the curve is none of NIST's
		}
		key = map[string]any{"kid": i.kid, "use": "sig", "kty": "EC", "crv": "P-256", "alg": "ES256", "x": encode(point[1:33]), "y": encode(point[33:])}
	}
	answer(w, http.StatusOK, map[string]any{"keys": []any{key}})
}

// authorize lets the person in, whom it takes for signed in, or says that there
// is nobody.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	q := url.Values{"state": asked["state"], "iss": {i.URL}}
	switch {
	case asked.Get("client_id") != ClientID || asked.Get("response_type") != "code" || asked.Get("code_challenge_method") != "S256":
		q.Set("error", "invalid_request")
	case i.Claims == nil:
		q.Set("error", "login_required")
	default:
		code := rand.Text()
		i.codes[code] = asked
		q.Set("code", code)
	}
	if i.Answer != nil {
		i.Answer(q)
	}
	http.Redirect(w, r, asked.Get("redirect_uri")+"?"+q.Encode(), http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	if i.Token != nil && i.Token(w, r) {
		return
	}
	code := r.PostFormValue("code")
	asked, ok := i.codes[code]
	delete(i.codes, code)
	id, secret, _ := r.BasicAuth()
	if secret, _ = url.QueryUnescape(secret); secret == "" { // RFC 6749, section 2.3.1: both are form-encoded
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != ClientID || secret != Secret:
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !ok || encode(challenge[:]) != asked.Get("code_challenge") || asked.Get("redirect_uri") != r.PostFormValue("redirect_uri"):
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		access := rand.Text()
		answer(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "id_token": i.mint(asked.Get("nonce"), access)})
	}
}

func (i *Issuer) mint(nonce, access string) string {
	now, hash := i.Now(), sha256.Sum256([]byte(access))
	claims := map[string]any{
		"iss": i.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": nonce, "at_hash": encode(hash[:16]),
	}
	maps.Copy(claims, i.Claims)
	if i.Change != nil {
		i.Change(claims)
	}
	head := map[string]any{"kid": i.kid, "typ": "JWT"}
	if i.Sign != nil {
		return i.Sign(i, head, claims)
	}
	return i.Signed(head, claims)
}

// Signed is a token with the signature of the issuer's present key.
func (i *Issuer) Signed(head, claims map[string]any) string {
	head["alg"] = "RS256"
	if i.ec != nil {
		head["alg"] = "ES256"
	}
	text := Unsigned(head, claims)
	sum := sha256.Sum256([]byte(text))
	if i.ec == nil {
		signature, err := rsa.SignPKCS1v15(nil, i.rsa, crypto.SHA256, sum[:])
		return joined(text, signature, err)
	}
	r, s, err := ecdsa.Sign(rand.Reader, i.ec, sum[:])
	if err != nil {
		panic(err) // unreachable unless there is no chance left in the world
	}
	return joined(text, append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil)
}

func joined(text string, signature []byte, err error) string {
	if err != nil {
		panic(err) // unreachable unless the key is too short for the hash
	}
	return text + "." + encode(signature)
}

// None is a token that nobody has signed.
func None(_ *Issuer, head, claims map[string]any) string {
	head["alg"] = "none"
	return Unsigned(head, claims) + "."
}

// Symmetric is a token that is "signed" with the public key, as a secret.
func Symmetric(i *Issuer, head, claims map[string]any) string {
	head["alg"] = "HS256"
	der, err := x509.MarshalPKIXPublicKey(&i.rsa.PublicKey)
	text := Unsigned(head, claims)
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(text))
	return joined(text, mac.Sum(nil), err)
}

// Foreign is a token of somebody else's key, under the name of the issuer's.
func Foreign(_ *Issuer, head, claims map[string]any) string {
	other := Issuer{rsa: theirs()}
	return other.Signed(head, claims)
}

// Unsigned is head and claims of a token, without the last part.
func Unsigned(head, claims map[string]any) string {
	h, errHead := json.Marshal(head)
	c, errClaims := json.Marshal(claims)
	if err := cmp.Or(errHead, errClaims); err != nil {
		panic(err) // unreachable unless a test puts a function into a claim
	}
	return encode(h) + "." + encode(c)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

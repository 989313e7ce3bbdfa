package oidc

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/oidc/oidctest"
)

// street is an issuer, a party that trusts it, and a clock.
type street struct {
	*oidctest.Issuer
	*Party
	t   *testing.T
	now time.Time
}

func newStreet(t *testing.T, change ...func(*Config)) *street {
	s := &street{t: t, now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}
	s.Issuer = oidctest.New(t, func() time.Time { return s.now })
	c := Config{
		Issuer: s.URL, ClientID: oidctest.ClientID, Secret: oidctest.Secret, Public: "https://sluice.example", Key: bytes.Repeat([]byte{7}, keySize),
		Roles: Roles{Roles: []Role{{Group: "release-managers", Role: access.Approver}}},
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if s.Party, err = New(c); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *street) begin(w Wish) Way {
	s.t.Helper()
	way, err := s.Begin(s.t.Context(), w, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return way
}

// visit goes the way to the issuer, and returns what it sends back with the
// browser.
func (s *street) visit(way Way) url.Values {
	s.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(way.Address)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = answer.Body.Close()
	back, err := answer.Location()
	if err != nil || !strings.HasPrefix(back.String(), "https://sluice.example"+CallbackPath+"?") {
		s.t.Fatalf("the issuer sends the browser to %v, %v", back, err)
	}
	return back.Query()
}

func (s *street) finish(sealed string, q url.Values) (Entry, error) {
	return s.Finish(s.t.Context(), sealed, q, s.now)
}

// enter goes all the way.
func (s *street) enter() (Entry, error) {
	s.t.Helper()
	way := s.begin(Wish{Next: "/flags?q=a"})
	return s.finish(way.Sealed, s.visit(way))
}

func TestSignIn(t *testing.T) {
	s := newStreet(t)
	e, err := s.enter()
	if err != nil {
		t.Fatal(err)
	}
	want := Entry{
		Wish: Wish{Next: "/flags?q=a"}, Identity: access.Identity{Issuer: s.URL, Subject: "u-1", Email: "ana@example.com"},
		Grants: []access.Grant{{Role: access.Approver}}, Hint: e.Hint,
	}
	if d := cmp.Diff(want, e); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	way := s.begin(Wish{Next: "/"})
	u, err := url.Parse(way.Address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("scope") != "openid email profile" || q.Get("redirect_uri") != "https://sluice.example/sign-in/callback" || q.Has("prompt") || len(q.Get("state")) < 22 || len(q.Get("nonce")) < 22 || q.Get("nonce") == q.Get("state") {
		t.Errorf("the issuer is asked with %v", q)
	}
	if way.Mark != Mark(q.Get("state")) || strings.Contains(way.Sealed, q.Get("nonce")) {
		t.Errorf("the browser keeps %q and %q", way.Mark, way.Sealed)
	}
	end, err := url.Parse(s.Ending(t.Context(), e.Hint, "/sign-in", s.now))
	if q := end.Query(); err != nil || end.Path != "/end" || strings.Count(q.Get("id_token_hint"), ".") != 2 || q.Get("post_logout_redirect_uri") != "https://sluice.example/sign-in" || q.Get("client_id") != "sluice" {
		t.Errorf("the session at the issuer ends at %v, %v", end, err)
	}
}

// TestFinish_refuses: an issuer that misbehaves, and somebody who pretends to be
// one, let nobody in.
func TestFinish_refuses(t *testing.T) {
	claim := func(name string, value any) func(*street) {
		return func(s *street) { s.Change = func(c map[string]any) { c[name] = value } }
	}
	without := func(name string) func(*street) {
		return func(s *street) { s.Change = func(c map[string]any) { delete(c, name) } }
	}
	in := func(name string, after time.Duration) func(*street) {
		return func(s *street) { s.Change = func(c map[string]any) { c[name] = s.now.Add(after).Unix() } }
	}
	answers := func(change func(url.Values)) func(*street) { return func(s *street) { s.Answer = change } }
	for name, c := range map[string]struct {
		misbehave func(*street)
		want      string // of what is behind the refusal
	}{
		"wrong nonce":            {claim("nonce", "of somebody else"), "nonce"},
		"no nonce":               {without("nonce"), "nonce"},
		"other audience":         {claim("aud", "another-client"), "expected audience"},
		"no audience":            {without("aud"), "expected audience"},
		"second audience":        {claim("aud", []string{"sluice", "another-client"}), "alone"},
		"made for another":       {claim("azp", "another-client"), "was made for"},
		"expired":                {in("exp", -time.Minute), "ended at"},
		"never expires":          {without("exp"), "ended at"},
		"of the future":          {in("iat", 2*time.Minute), "not come yet"},
		"not yet":                {in("nbf", 2*time.Minute), "does not count before"},
		"other issuer":           {claim("iss", "https://evil.example"), "issued by a different provider"},
		"issuer with a slash":    {func(s *street) { s.Change = func(c map[string]any) { c["iss"] = s.URL + "/" } }, "issued by a different provider"},
		"never made":             {without("iat"), "when it was made"},
		"no subject":             {without("sub"), "names nobody"},
		"subject is empty":       {claim("sub", ""), "names nobody"},
		"unsigned":               {func(s *street) { s.Sign = oidctest.None }, "signature algorithm"},
		"public key as secret":   {func(s *street) { s.Sign = oidctest.Symmetric }, "signature algorithm"},
		"foreign key":            {func(s *street) { s.Sign = oidctest.Foreign }, "failed to verify"},
		"other access token":     {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "access token hash"},
		"no token":               {func(s *street) { s.Token = says(200, `{"access_token":"a","token_type":"Bearer"}`) }, "nobody's identity"},
		"code refused":           {func(s *street) { s.Token = says(400, `{"error":"invalid_grant"}`) }, "invalid_grant"},
		"mix-up":                 {answers(func(q url.Values) { q.Set("iss", "https://evil.example") }), `"https://evil.example"`},
		"two issuers":            {answers(func(q url.Values) { q.Add("iss", "https://evil.example") }), "evil.example"},
		"issuer left out":        {answers(func(q url.Values) { q.Del("iss") }), "not that of the issuer"},
		"code left out":          {answers(func(q url.Values) { q.Del("code") }), "no code"},
		"code of somebody else":  {answers(func(q url.Values) { q.Set("code", "guessed") }), "invalid_grant"},
		"denied":                 {answers(func(q url.Values) { q.Set("error", "access_denied") }), "access_denied"},
		"in no group":            {claim("groups", []string{"interns"}), "names no group"},
		"groups are no list":     {claim("groups", 7), "names no group"},
		"state of nobody":        {answers(func(q url.Values) { q.Set("state", "guessed") }), "not begun in this browser"},
		"state left out":         {answers(func(q url.Values) { q.Del("state") }), "not begun in this browser"},
		"took too long":          {func(s *street) { s.Answer = func(url.Values) { s.now = s.now.Add(Patience + time.Second) } }, "ten minutes"},
		"client secret is wrong": {func(s *street) { s.Party.Secret = "wrong" }, "invalid_client"},
	} {
		s := newStreet(t)
		c.misbehave(s)
		e, err := s.enter()
		var refusal *Refusal
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), c.want) || len(e.Grants) > 0 {
			t.Errorf("%s: got %+v, %v; want %q", name, e, err, c.want)
			continue
		}
		if refusal.Why == "" || strings.Contains(refusal.Why, "evil") {
			t.Errorf("%s: the person is told %q", name, refusal.Why)
		}
	}
}

func says(code int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// TestFinish_leeway: clocks may differ by less than a minute.
func TestFinish_leeway(t *testing.T) {
	s := newStreet(t)
	for _, off := range []time.Duration{-59 * time.Second, 59 * time.Second} {
		s.Change = func(c map[string]any) {
			c["iat"], c["nbf"], c["exp"] = s.now.Add(off).Unix(), s.now.Add(off).Unix(), s.now.Add(off).Unix()
		}
		if _, err := s.enter(); err != nil {
			t.Errorf("%v off: %v", off, err)
		}
	}
}

// TestFinish_anotherBrowser: what one browser began, no other can finish, nor
// can it be finished twice, nor with the seal of something else.
func TestFinish_anotherBrowser(t *testing.T) {
	s := newStreet(t)
	mine, theirs := s.begin(Wish{Next: "/"}), s.begin(Wish{Next: "/"})
	q := s.visit(mine)
	for name, sealed := range map[string]string{"of another browser": theirs.Sealed, "none": "", "noise": "AAAA", "changed": mine.Sealed[:len(mine.Sealed)-2] + "AA"} {
		if _, err := s.finish(sealed, q); err == nil || !strings.Contains(err.Error(), "not begun in this browser") {
			t.Errorf("a state with the attempt %s: %v", name, err)
		}
	}
	hint, err := s.Party.hint(`{"state":"` + q.Get("state") + `"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.finish(hint, q); err == nil {
		t.Error("a seal of something else opens")
	}
	if s.Asked["/token"] != 0 {
		t.Errorf("codes were sent on %d times before the browser was known", s.Asked["/token"])
	}
	if _, err := s.finish(mine.Sealed, q); err != nil {
		t.Fatal(err)
	}
	if _, err := s.finish(mine.Sealed, q); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("the same code again: %v", err)
	}
	// The code of one attempt with the state of another: PKCE and nonce differ.
	third, fourth := s.begin(Wish{}), s.begin(Wish{})
	injected := s.visit(fourth)
	injected.Set("code", s.visit(third).Get("code"))
	if _, err := s.finish(fourth.Sealed, injected); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("an injected code: %v", err)
	}
}

// TestKeysRotate: a key that is new is fetched, one that is gone no longer
// counts.
func TestKeysRotate(t *testing.T) {
	s := newStreet(t)
	if _, err := s.enter(); err != nil {
		t.Fatal(err)
	}
	var old string
	s.Sign = func(i *oidctest.Issuer, head, claims map[string]any) string { old = i.Signed(head, claims); return old }
	if _, err := s.enter(); err != nil || s.Asked["/keys"] != 1 {
		t.Fatalf("with a known key: %v, fetched %d times", err, s.Asked["/keys"])
	}
	s.Sign = nil
	s.Rotate(t)
	if _, err := s.enter(); err != nil || s.Asked["/keys"] != 2 {
		t.Fatalf("with a new key: %v, fetched %d times", err, s.Asked["/keys"])
	}
	s.Sign = func(*oidctest.Issuer, map[string]any, map[string]any) string { return old }
	if _, err := s.enter(); err == nil || !strings.Contains(err.Error(), "failed to verify") {
		t.Errorf("with a key that is gone: %v", err)
	}
}

// TestRenewal: a session is checked without a question to the person, and ends
// when the issuer has one.
func TestRenewal(t *testing.T) {
	s := newStreet(t)
	way := s.begin(Wish{Next: "/flags", Renews: "abc"})
	if !strings.Contains(way.Address, "prompt=none") {
		t.Errorf("the issuer is asked at %s", way.Address)
	}
	if e, err := s.finish(way.Sealed, s.visit(way)); err != nil || e.Renews != "abc" {
		t.Errorf("got %+v, %v", e, err)
	}
	s.Claims = nil
	way = s.begin(Wish{Next: "/flags", Renews: "abc"})
	if e, err := s.finish(way.Sealed, s.visit(way)); !errors.Is(err, ErrAsks) || e.Renews != "abc" || e.Next != "/flags" {
		t.Errorf("of somebody who is no longer signed in there: %+v, %v", e, err)
	}
	s.Answer = func(q url.Values) { q.Set("error", "temporarily_unavailable") }
	way = s.begin(Wish{Renews: "abc"})
	if _, err := s.finish(way.Sealed, s.visit(way)); !errors.Is(err, ErrAway) {
		t.Errorf("of an issuer that cannot: %v", err)
	}
}

// TestIssuerAway: nothing waits for an issuer that does not answer, and nobody
// is sent to it; it is asked again when it may be back.
func TestIssuerAway(t *testing.T) {
	s := newStreet(t)
	if !s.Awake(t.Context(), s.now) {
		t.Fatal("the issuer is not there")
	}
	away := false
	s.About = func(about map[string]any) {
		if away {
			about["issuer"] = "https://evil.example"
		}
	}
	away = true
	if !s.Awake(t.Context(), s.now.Add(30*time.Second)) {
		t.Error("it is asked at every look")
	}
	s.now = s.now.Add(2 * time.Hour)
	asked := func() int { return s.Asked["/.well-known/openid-configuration"] }
	before := asked()
	for range 3 {
		if _, err := s.Begin(t.Context(), Wish{}, s.now); !errors.Is(err, ErrAway) {
			t.Errorf("got %v", err)
		}
	}
	if got := asked() - before; got != 1 {
		t.Errorf("it was asked %d times in a row", got)
	}
	if s.Ending(t.Context(), "", "/", s.now) != "" {
		t.Error("a browser is sent to an issuer that is not there")
	}
	away, s.now = false, s.now.Add(pause)
	if _, err := s.enter(); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	s.Token = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	if _, err := s.enter(); !errors.Is(err, ErrAway) {
		t.Errorf("when its other half is gone: %v", err)
	}
	s.Token = func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = w.Write(bytes.Repeat([]byte(" "), maxAnswer+1))
		return true
	}
	if _, err := s.enter(); !errors.Is(err, ErrAway) {
		t.Errorf("when its answer has no end: %v", err)
	}
}

// TestDiscovery_refuses: an issuer whose own word would lead people or codes
// over an open wire is not used.
func TestDiscovery_refuses(t *testing.T) {
	for name, value := range map[string]any{
		"authorization_endpoint": "http://evil.example/authorize", "token_endpoint": "http://evil.example/token", "jwks_uri": "ftp://evil.example/keys",
		"end_session_endpoint": "javascript:alert(1)", "code_challenge_methods_supported": []string{"plain"},
	} {
		s := newStreet(t)
		s.About = func(about map[string]any) { about[name] = value }
		_, err := s.Begin(t.Context(), Wish{}, s.now)
		var faults event.Invalids
		if !errors.As(err, &faults) || faults[0].Path != name {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestClientStyles: the secret goes where the issuer wants it, at the first
// attempt.
func TestClientStyles(t *testing.T) {
	for _, methods := range [][]string{nil, {"client_secret_basic", "client_secret_post"}, {"client_secret_post"}} {
		s := newStreet(t)
		s.About = func(about map[string]any) { about["token_endpoint_auth_methods_supported"] = methods }
		basic := false
		s.Token = func(_ http.ResponseWriter, r *http.Request) bool { _, _, basic = r.BasicAuth(); return false }
		if _, err := s.enter(); err != nil || s.Asked["/token"] != 1 || basic != (len(methods) != 1) {
			t.Errorf("%v: %v, asked %d times, basic %v", methods, err, s.Asked["/token"], basic)
		}
	}
}

func TestConfig_refuses(t *testing.T) {
	for path, change := range map[string]func(*Config){
		"oidc-issuer":    func(c *Config) { c.Issuer = "http://login.example.com" },
		"oidc-client-id": func(c *Config) { c.ClientID = "" },
		"public-url":     func(c *Config) { c.Public = "http://sluice.example" },
		"oidc-check":     func(c *Config) { c.Check = time.Second },
		"oidc-session":   func(c *Config) { c.Lifetime = 30 * time.Minute },
		"key":            func(c *Config) { c.Key = nil },
		"roles":          func(c *Config) { c.Roles = Roles{} },
	} {
		c := Config{
			Issuer: "https://login.example.com", ClientID: "sluice", Public: "http://127.0.0.1:8321", Key: make([]byte, keySize),
			Roles: Roles{Everybody: access.Viewer},
		}
		if _, err := New(c); err != nil {
			t.Fatal(err)
		}
		change(&c)
		_, err := New(c)
		var faults event.Invalids
		if !errors.As(err, &faults) || faults[0].Path != path {
			t.Errorf("%s: got %v", path, err)
		}
	}
	for _, address := range []string{"", "login.example.com", "https://", "https://a:b@login.example.com", "https://login.example.com#x", "http://127.0.0.1.evil.example"} {
		if safe(address) {
			t.Errorf("%q is taken for safe", address)
		}
	}
}

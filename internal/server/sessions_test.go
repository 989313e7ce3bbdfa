package server

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/oidc"
	"github.com/sluice-hq/sluice/internal/oidc/oidctest"
)

// porch is a house whose people sign in at an issuer, and a clock.
type porch struct {
	*house
	issuer *oidctest.Issuer
	now    time.Time
}

func newPorch(t *testing.T) *porch {
	p := &porch{now: start}
	clock := func() time.Time { return p.now }
	p.issuer = oidctest.New(t, clock)
	party, err := oidc.New(oidc.Config{
		Issuer: p.issuer.URL, ClientID: oidctest.ClientID, Secret: oidctest.Secret, Public: "https://sluice.example", Name: "Example", Key: make([]byte, 32),
		Roles: oidc.Roles{Roles: []oidc.Role{{Group: "release-managers", Role: access.Approver}, {Group: "interns", Role: access.Viewer}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.house = newHouseWith(t, func(h *House) { h.Issuer, h.Now = party, clock })
	return p
}

// browser keeps cookies as browsers do, and goes where it is sent, one step at a
// time.
type browser struct {
	*porch
	cookies map[string]string
}

func (p *porch) browser() *browser { return &browser{p, map[string]string{}} }

// step asks for one page.
func (b *browser) step(method, address string) (code int, to, body string, header http.Header) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = "https://sluice.example" + address
	}
	r, err := http.NewRequest(method, strings.Replace(address, "https://sluice.example", b.URL, 1), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		if !strings.HasPrefix(c.Name, hostPrefix) || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
			b.t.Errorf("%s %s sets the cookie %v", method, address, c)
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(bytes.TrimSpace(text)), answer.Header
}

// open goes to a page of ours and on, until it is not sent further; it returns
// where it ended.
func (b *browser) open(path string) (code int, at, body string) {
	b.t.Helper()
	at = "https://sluice.example" + path
	for range 10 {
		var to string
		if code, to, body, _ = b.step("GET", at); to == "" {
			return code, strings.TrimPrefix(at, "https://sluice.example"), body
		}
		if at = to; strings.HasPrefix(to, "/") {
			at = "https://sluice.example" + to
		}
	}
	b.t.Fatalf("%s leads on and on", path)
	return 0, "", ""
}

func (b *browser) token() string { return b.cookies[hostPrefix+cookie] }

// signedIn is a browser whose person came in.
func (p *porch) signedIn() *browser {
	p.t.Helper()
	b := p.browser()
	if code, at, body := b.open("/sign-in/start?next=" + url.QueryEscape("/flags?q=a")); code != 200 || at != "/flags?q=a" || !strings.Contains(body, "ana@example.com") {
		p.t.Fatalf("signing in: %d at %s\n%s", code, at, body)
	}
	return b
}

func TestIssuer_signIn(t *testing.T) {
	p := newPorch(t)
	b := p.browser()
	code, at, body := b.open("/flags?q=a")
	if code != 200 || at != "/sign-in?next=%2Fflags%3Fq%3Da" || !strings.Contains(body, "Sign in with Example") || !strings.Contains(body, `href="/sign-in/start?next=%2Fflags%3Fq%3Da"`) || !strings.Contains(body, `name="token"`) {
		t.Fatalf("the way in: %d at %s\n%s", code, at, body)
	}
	b = p.signedIn()
	for name := range b.cookies {
		if strings.Contains(name, attemptCookie) {
			t.Errorf("the attempt is kept: %s", name)
		}
	}
	who, ok := p.holder(b.token())
	if !ok || !strings.HasPrefix(who.Name, "person:ana-") || !who.May(access.Decide, "production", "a") || who.May(access.Manage, access.AnyEnvironment, access.AnyKey) {
		t.Errorf("signed in as %+v, %v", who, ok)
	}
	list := p.want("admin", "GET", "/api/v1/tokens?principal="+who.Name, "", 200, `"email":"ana@example.com"`)
	if strings.Contains(list, b.token()) {
		t.Error("a list shows the token")
	}
	p.want("admin", "POST", "/api/v1/tokens/"+who.Token+"/rotate", `{}`, 400, "signs in again")
	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "/" + strings.Repeat("a", longest)} {
		if _, at, _ := p.browser().open("/sign-in/start?next=" + url.QueryEscape(next)); at != "/" {
			t.Errorf("next=%.30s leads to %.60s", next, at)
		}
	}
}

// holder is who a token speaks for.
func (p *porch) holder(token string) (who access.Principal, ok bool) {
	p.Projection.View(func(uint64) { who, ok = p.Access.Find(token, p.now) })
	return who, ok
}

// TestIssuer_revoked: whoever is revoked is out with the next request, and stays
// out, also when the session would have been checked.
func TestIssuer_revoked(t *testing.T) {
	p := newPorch(t)
	b := p.signedIn()
	who, _ := p.holder(b.token())
	p.want("admin", "DELETE", "/api/v1/tokens/"+who.Token, "", 204, "")
	p.now = p.now.Add(61 * time.Minute)
	if _, at, _ := b.open("/flags"); at != "/sign-in?next=%2Fflags" {
		t.Errorf("after the session was revoked the browser is at %s", at)
	}
	b = p.signedIn()
	p.now = p.now.Add(61 * time.Minute)
	_, way, _, _ := b.step("GET", "/flags") // on its way to the issuer when it is revoked
	who, _ = p.holder(b.token())
	p.want("admin", "DELETE", "/api/v1/tokens/"+who.Token, "", 204, "")
	_, back, _, _ := b.step("GET", way)
	if code, _, body, _ := b.step("GET", back); code != 403 || !strings.Contains(body, "Your session has ended") || b.token() != "" {
		t.Errorf("a check gives a revoked session back: %d\n%s", code, body)
	}
}

// TestIssuer_checks: the issuer is asked about a session again, and what it says
// by then counts.
func TestIssuer_checks(t *testing.T) {
	p := newPorch(t)
	b := p.signedIn()
	first := b.token()
	asked := func() int { return p.issuer.Asked["/authorize"] }
	p.now = p.now.Add(59 * time.Minute)
	if _, at, _ := b.open("/flags"); at != "/flags" || asked() != 1 {
		t.Errorf("at %s; asked %d times", at, asked())
	}
	p.now = p.now.Add(time.Minute)
	p.issuer.Claims["groups"] = []string{"interns"}
	if code, at, _ := b.open("/flags?q=b"); code != 200 || at != "/flags?q=b" || asked() != 2 || b.token() == first {
		t.Errorf("when a check is due: %d at %s, asked %d times", code, at, asked())
	}
	if who, ok := p.holder(b.token()); !ok || who.May(access.Decide, "production", "a") || !who.Session.Since.Equal(start) {
		t.Errorf("an approver who became an intern is %+v, %v", who, ok)
	}
	p.now = p.now.Add(time.Minute)
	if _, ok := p.holder(first); ok {
		t.Error("the token before the check works on")
	}
	p.now = p.now.Add(time.Hour)
	p.issuer.Claims["groups"] = []string{"nobody"}
	if code, _, body := b.open("/flags"); code != 403 || b.token() != "" || !strings.Contains(body, "none of your groups") {
		t.Errorf("in no group any more: %d\n%s", code, body)
	}
}

// TestIssuer_ended: the issuer no longer knows the person, or knows another one.
func TestIssuer_ended(t *testing.T) {
	for name, change := range map[string]func(*oidctest.Issuer){
		"signed out there": func(i *oidctest.Issuer) { i.Claims = nil },
		"somebody else":    func(i *oidctest.Issuer) { i.Claims["sub"] = "u-2" },
	} {
		p := newPorch(t)
		b := p.signedIn()
		token := b.token()
		p.now = p.now.Add(time.Hour)
		change(p.issuer)
		code, _, body := b.open("/flags")
		if _, ok := p.holder(token); ok || code != 403 || b.token() != "" || !strings.Contains(body, "Your session has ended") {
			t.Errorf("%s: the token works %v; %d\n%s", name, ok, code, body)
		}
	}
}

// TestIssuer_away: a session outlives an issuer that does not answer, for as
// long as its last word counts, and is not sent to it at every page.
func TestIssuer_away(t *testing.T) {
	p := newPorch(t)
	b := p.signedIn()
	p.now = p.now.Add(time.Hour)
	p.issuer.Answer = func(q url.Values) { q.Set("error", "server_error") }
	if code, at, _ := b.open("/flags"); code != 200 || at != "/flags" {
		t.Errorf("with an issuer that cannot: %d at %s", code, at)
	}
	asked := p.issuer.Asked["/authorize"]
	if code, at, _ := b.open("/flags"); code != 200 || at != "/flags" || p.issuer.Asked["/authorize"] != asked {
		t.Errorf("at the next page: %d at %s; the issuer was asked again", code, at)
	}
	delete(b.cookies, hostPrefix+askedCookie) // a minute later
	p.now = p.now.Add(2 * time.Minute)
	p.issuer.Close()
	if code, at, _ := b.open("/flags"); code != 200 || at != "/flags" {
		t.Errorf("with an issuer that is gone: %d at %s", code, at)
	}
	if code, at, body := p.browser().open("/sign-in/start"); code != 503 || at != "/sign-in/start" || !strings.Contains(body, "Example does not answer") {
		t.Errorf("signing in: %d at %s\n%s", code, at, body)
	}
	p.now = start.Add(2 * time.Hour)
	if _, at, _ := b.open("/flags"); at != "/sign-in?next=%2Fflags" {
		t.Errorf("when its last word no longer counts, the browser is at %s", at)
	}
}

// TestIssuer_lifetime: checks keep a session up to its end, and no further.
func TestIssuer_lifetime(t *testing.T) {
	p := newPorch(t)
	b := p.signedIn()
	for range 7 {
		p.now = p.now.Add(90 * time.Minute)
		if code, at, _ := b.open("/flags"); code != 200 || at != "/flags" {
			t.Fatalf("after %v: %d at %s", p.now.Sub(start), code, at)
		}
	}
	p.now = start.Add(12 * time.Hour)
	if _, at, _ := b.open("/flags"); at != "/sign-in?next=%2Fflags" {
		t.Errorf("after 12 hours the browser is at %s", at)
	}
}

func TestIssuer_signOut(t *testing.T) {
	p := newPorch(t)
	b := p.signedIn()
	token := b.token()
	code, _, body, header := b.step("POST", "/sign-out")
	leave := p.issuer.URL + "/end?client_id=sluice&id_token_hint="
	if _, ok := p.holder(token); ok || code != 200 || len(b.cookies) > 0 || !strings.HasPrefix(header.Get("Refresh"), "0; url="+leave) || !strings.Contains(body, "Sign out of Example, too") {
		t.Errorf("the token works %v, cookies %v, Refresh %q; %d\n%s", ok, b.cookies, header.Get("Refresh"), code, body)
	}
	p.issuer.About = func(about map[string]any) { delete(about, "end_session_endpoint") }
	p.now = p.now.Add(2 * time.Hour)
	b = p.signedIn()
	if code, to, _, header := b.step("POST", "/sign-out"); code != 303 || to != "/sign-in" || header.Get("Refresh") != "" {
		t.Errorf("where the issuer has no end: %d to %s", code, to)
	}
	b.cookies[hostPrefix+cookie] = p.tokens["viewer"]
	b.step("POST", "/sign-out")
	if _, ok := p.holder(p.tokens["viewer"]); !ok {
		t.Error("signing out ends a token that an admin issued")
	}
}

// TestIssuer_refuses: what one browser began no other can finish; what failed is
// told and counted; who is nobody here is told so.
func TestIssuer_refuses(t *testing.T) {
	p := newPorch(t)
	mine, theirs := p.browser(), p.browser()
	_, way, _, _ := mine.step("GET", "/sign-in/start")
	_, back, _, _ := mine.step("GET", way)
	if code, _, body, _ := theirs.step("GET", back); code != 403 || theirs.token() != "" || !strings.Contains(body, "not begun in this browser") {
		t.Errorf("in another browser: %d\n%s", code, body)
	}
	if code, to, _, _ := mine.step("GET", back); code != 303 || to != "/" || mine.token() == "" {
		t.Errorf("in the browser that began: %d to %s", code, to)
	}
	if code, _, _, _ := mine.step("GET", back); code != 403 {
		t.Errorf("the same answer again: %d", code)
	}
	person := `{apiVersion: sluice/v1, kind: Person, key: bo, name: Bo Ek, email: bo@example.com}`
	p.want("admin", "POST", "/api/v1/apply", person, 200, "")
	last, err := p.Log.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if code, _, body := p.browser().open("/sign-in/start"); code != 403 || !strings.Contains(body, "no declared person has the address ana@example.com") {
		t.Errorf("somebody who is not declared: %d\n%s", code, body)
	}
	if now, err := p.Log.Last(t.Context()); err != nil || now != last {
		t.Errorf("a refusal writes an event: %d after %d, %v", now, last, err)
	}
	p.want("", "GET", "/sign-in/callback?code=a&state=b", "", 403, "not begun in this browser")
	without := newHouse(t)
	without.want("", "GET", "/sign-in/start", "", 404, "")
	without.want("", "GET", "/sign-in/callback?code=a&state=b", "", 404, "")
}

// TestIssuer_limits: attempts that fail are bounded by address, those of an
// office that come in are not.
func TestIssuer_limits(t *testing.T) {
	p := newPorch(t)
	limited := newHouseWith(t, func(h *House) { h.Issuer, h.Now, h.Limits = p.House.Issuer, p.House.Now, StandardLimits() })
	crowd := &porch{house: limited, issuer: p.issuer, now: p.now}
	for range 12 {
		crowd.signedIn()
	}
	codes := map[int]int{}
	for range 12 {
		code, _, _ := limited.ask("", "GET", "/sign-in/callback?code=a&state=b", "")
		codes[code]++
	}
	if codes[http.StatusForbidden] > 11 || codes[http.StatusTooManyRequests] == 0 {
		t.Errorf("failed attempts are answered with %v", codes)
	}
}

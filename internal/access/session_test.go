package access

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

const issuer = "https://login.example.com"

var ana = Identity{Issuer: issuer, Subject: "u-1", Email: "ana@example.com"}

// enter is a sign-in of somebody at a time, for an hour, as viewer.
func enter(i Identity, when time.Time, n byte) (string, SignIn) {
	text, t := mint(Token{Class: Account}, n)
	return text, SignIn{ID: event.New(), At: when, Token: t, Identity: i, Grants: []Grant{{Role: Viewer}}, Until: when.Add(time.Hour)}
}

func (w *town) signIn(i Identity, when time.Time, n byte) string {
	w.t.Helper()
	text, c := enter(i, when, n)
	w.do(w.SignIn(c))
	return text
}

// TestSignIn_undeclared: while nobody is declared, everybody whom the issuer
// names is a principal of his own, whatever his address.
func TestSignIn_undeclared(t *testing.T) {
	w := newTown(t)
	names := map[string]bool{}
	for n, i := range []Identity{ana, {Issuer: issuer, Subject: "u-2", Email: ana.Email}, {Issuer: "https://other.example", Subject: "u-1", Email: ana.Email}, {Issuer: issuer, Subject: "u-3"}, {Issuer: issuer, Subject: "u-4", Email: "Ö.Ek@example.com"}} {
		p, ok := w.Find(w.signIn(i, at, byte(n)), at)
		if !ok || !p.Person() || names[p.Name] || !p.May(Read, "production", "a") || p.May(Write, "production", "a") {
			t.Errorf("%+v is %+v, %v", i, p, ok)
		}
		names[p.Name] = true
		if want := i.Email; want != "" && p.Shown() != want || want == "" && p.Shown() != p.Name {
			t.Errorf("%s is shown as %q", p.Name, p.Shown())
		}
	}
	first, _ := w.Find(w.signIn(ana, at, 10), at)
	moved := ana
	moved.Email = "ana.lind@example.com"
	second, _ := w.Find(w.signIn(moved, at, 11), at)
	if first.Name != second.Name || !strings.HasPrefix(first.Name, "person:ana-") || second.Shown() != moved.Email {
		t.Errorf("with a new address %s is %s, shown as %s", first.Name, second.Name, second.Shown())
	}
}

// TestSignIn_declared: the address finds the person the first time; after that
// the identity does, also when addresses change hands.
func TestSignIn_declared(t *testing.T) {
	w := newTown(t)
	w.do(w.declare(Person{Key: "ana", Name: "Ana Lind", Email: "Ana@Example.com"}))
	w.do(w.declare(Person{Key: "bo", Name: "Bo Ek"}))
	if p, ok := w.Find(w.signIn(ana, at, 1), at); !ok || p.Name != "person:ana" {
		t.Fatalf("got %+v, %v", p, ok)
	}
	w.do(w.declare(Person{Key: "ana", Name: "Ana Lind", Email: "lind@example.com"}))
	w.do(w.declare(Person{Key: "bo", Name: "Bo Ek", Email: "ana@example.com"}))
	if p, _ := w.Find(w.signIn(ana, at, 2), at); p.Name != "person:ana" {
		t.Errorf("after the address went to somebody else, the identity is %s", p.Name)
	}
	if p, _ := w.Find(w.signIn(Identity{Issuer: issuer, Subject: "u-2", Email: "ana@example.com"}, at, 3), at); p.Name != "person:bo" {
		t.Errorf("the new holder of the address is %s", p.Name)
	}
	w.do(w.Remove(Remove{ID: event.New(), At: at, Actor: "test", Kind: OfPerson, Key: "ana"}))
	w.do(w.declare(Person{Key: "ana", Name: "Ana Berg", Email: "berg@example.com"}))
	_, c := enter(Identity{Issuer: issuer, Subject: "u-1", Email: "gone@example.com"}, at, 4)
	if _, _, err := w.SignIn(c); !errors.Is(err, ErrStranger) {
		t.Errorf("a key that was declared again lets the one before in: %v", err)
	}
}

func TestSignIn_refuses(t *testing.T) {
	w := newTown(t)
	w.do(w.declare(Person{Key: "ana", Name: "Ana Lind", Email: "ana@example.com"}))
	w.do(w.declare(Person{Key: "bo", Name: "Bo Ek", Email: "both@example.com"}))
	w.do(w.declare(Person{Key: "cy", Name: "Cy Ro", Email: "BOTH@example.com"}))
	w.signIn(ana, at, 1)
	for name, c := range map[string]struct {
		who  Identity
		want string
	}{
		"no address":            {Identity{Issuer: issuer, Subject: "u-2"}, "vouches for no address"},
		"unknown address":       {Identity{Issuer: issuer, Subject: "u-2", Email: "eve@example.com"}, "no declared person has the address"},
		"address of two":        {Identity{Issuer: issuer, Subject: "u-2", Email: "both@example.com"}, "bo and cy"},
		"address of another":    {Identity{Issuer: issuer, Subject: "u-2", Email: "ana@example.com"}, "somebody else of the same issuer"},
		"no subject":            {Identity{Issuer: issuer, Email: "ana@example.com"}, "subject"},
		"subject without bound": {Identity{Issuer: issuer, Subject: strings.Repeat("u", 256)}, "subject"},
		"no issuer":             {Identity{Subject: "u-2"}, "issuer"},
	} {
		_, command := enter(c.who, at, 2)
		if _, _, err := w.SignIn(command); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestSignIn_renewed: a check of a session makes its next token, keeps its
// beginning, and ends the token before soon after.
func TestSignIn_renewed(t *testing.T) {
	w := newTown(t)
	first, c := enter(ana, at, 1)
	w.do(w.SignIn(c))
	later := at.Add(30 * time.Minute)
	second, next := enter(ana, later, 2)
	next.Replaces = c.Token.ID
	w.do(w.SignIn(next))
	p, ok := w.Find(second, later)
	if !ok || !p.Session.Since.Equal(at) || !p.Issued.Equal(later) {
		t.Errorf("the next token: got %+v, %v", p, ok)
	}
	if _, ok := w.Find(first, later.Add(30*time.Second)); !ok {
		t.Error("requests under way with the old token are turned away")
	}
	if _, ok := w.Find(first, later.Add(time.Minute)); ok {
		t.Error("the old token works on")
	}
	_, other := enter(Identity{Issuer: issuer, Subject: "u-2"}, later, 3)
	other.Replaces = next.Token.ID
	if _, _, err := w.SignIn(other); !errors.Is(err, ErrOther) {
		t.Errorf("renewed for somebody else: %v", err)
	}
	_, dead := enter(ana, later.Add(2*time.Hour), 4)
	dead.Replaces = next.Token.ID
	if _, _, err := w.SignIn(dead); !errors.Is(err, ErrUnknown) {
		t.Errorf("renewing what has ended: %v", err)
	}
	_, rotated := mint(Token{Class: Account}, 5)
	var faults event.Invalids
	if _, _, err := w.Rotate(Rotate{ID: event.New(), At: later, Actor: "test", TokenID: next.Token.ID, Token: rotated}); !errors.As(err, &faults) || faults[0].Path != "id" {
		t.Errorf("somebody else gets a token of the session: %v", err)
	}
	w.do(w.Revoke(Revoke{ID: event.New(), At: later, Actor: "test", TokenID: next.Token.ID}))
	if _, ok := w.Find(second, later); ok {
		t.Error("a revoked session works on")
	}
}

// TestSessions_areForgotten: what ended long ago is not kept, and who signed in
// as whom is.
func TestSessions_areForgotten(t *testing.T) {
	w := newTown(t)
	soon := at.Add(time.Hour)
	_, issued := mint(Token{Class: ServerSDK, Name: "shop", Environment: "production", Expires: &soon}, 9)
	w.do(w.issue(issued))
	was := w.signIn(ana, at, 1)
	name, _ := w.Find(was, at)
	for n := range 5 {
		w.signIn(ana, at.Add(time.Duration(n+1)*24*time.Hour), byte(n+2))
	}
	if got := w.Tokens(); len(got) != 2 { // the newest session, and the token of which lists say that it has ended
		t.Errorf("%d tokens are kept: %+v", len(got), got)
	}
	b, err := json.Marshal(w.State.State())
	if err != nil {
		t.Fatal(err)
	}
	again := NewState()
	if err := again.Restore(b); err != nil {
		t.Fatal(err)
	}
	if got, err := again.personOf(ana); err != nil || "person:"+got != name.Name {
		t.Errorf("after a snapshot the identity is %s, %v", got, err)
	}
	if d := cmp.Diff(w.State.State(), again.State()); d != "" {
		t.Errorf("the snapshot (-was +is):\n%s", d)
	}
}

package access

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// town is a state with its log, for stories of several commands.
type town struct {
	*State
	t   *testing.T
	log *event.MemLog
	p   *event.Projection
}

func newTown(t *testing.T) *town {
	s := NewState()
	return &town{State: s, t: t, log: event.NewMemLog(), p: event.NewProjection(s)}
}

// do records what a command says; refuse wants it to say no.
func (w *town) do(e event.Event, expect event.Expect, err error) {
	w.t.Helper()
	if err == nil {
		_, err = w.log.Append(context.Background(), e, expect)
	}
	if err == nil {
		err = w.p.Catch(context.Background(), w.log)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) declare(v any) (event.Event, event.Expect, error) {
	c := Declare{ID: event.New(), At: at, Actor: "test"}
	switch v := v.(type) {
	case Person:
		c.Person = &v
	case Team:
		c.Team = &v
	}
	return w.Declare(c)
}

func (w *town) issue(t Token) (event.Event, event.Expect, error) {
	return w.Issue(Issue{ID: event.New(), At: at, Actor: "test", Token: t})
}

func TestPeople(t *testing.T) {
	w := newTown(t)
	if w.Owner("anybody") != "" {
		t.Error("before the first declaration an owner is free text")
	}
	w.do(w.declare(Team{Key: "payments", Contact: "#payments"}))
	w.do(w.declare(Person{Key: "ana", Name: "Ana Lind", Email: "ana@example.com", Teams: []string{"payments"}}))
	w.do(w.declare(Person{Key: "bo", Name: "Bo Ek"}))
	w.do(w.declare(Team{Key: "payments", Contact: "#pay", Members: []string{"bo"}}))
	if d := cmp.Diff([]Team{{Key: "payments", Contact: "#pay", Members: []string{"ana", "bo"}}}, w.Teams()); d != "" {
		t.Errorf("teams (-want +got):\n%s", d)
	}
	if w.Owner("payments") != "" || w.Owner("ana") != "" || w.Owner("anybody") == "" {
		t.Error("owners are the declared people and teams, and nobody else")
	}
	if _, _, err := w.declare(Person{Key: "bo", Name: "Bo Ek"}); !errors.Is(err, ErrUnchanged) {
		t.Errorf("the same again: got %v", err)
	}
	if w.Revision("Team", "payments") != 4 || w.Revision("Person", "payments") != 0 {
		t.Errorf("got revisions %d and %d", w.Revision("Team", "payments"), w.Revision("Person", "payments"))
	}
}

func TestDeclare_refuses(t *testing.T) {
	w := newTown(t)
	w.do(w.declare(Team{Key: "payments"}))
	w.do(w.declare(Person{Key: "ana", Name: "Ana"}))
	for _, c := range []struct {
		what any
		want string
	}{
		{Person{Name: "Ana"}, "key is empty"},
		{Person{Key: "cy"}, "name is missing"},
		{Person{Key: "cy", Name: " "}, "name is missing"},
		{Person{Key: "cy", Name: "Cy", Email: "cy"}, `email "cy" is not an address`},
		{Person{Key: "cy", Name: "Cy", Teams: []string{"payments", "none"}}, `teams[1] "none" is not a team`},
		{Person{Key: "payments", Name: "Pay"}, `key "payments" is a team's`},
		{Team{Key: "a b"}, "key"},
		{Team{Key: "ana"}, `key "ana" is a person's`},
		{Team{Key: "new", Members: []string{"none"}}, `members[0] "none" is not a person`},
	} {
		if _, _, err := w.declare(c.what); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.what, err, c.want)
		}
	}
	if _, _, err := w.Remove(Remove{Kind: OfTeam, Key: "ana"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a person is no team: got %v", err)
	}
}

// TestRemove: whoever leaves has no token left, and a service of the same name
// keeps its own.
func TestRemove(t *testing.T) {
	w := newTown(t)
	w.do(w.declare(Person{Key: "ana", Name: "Ana"}))
	first, token := mint(Token{Class: Account, Role: Editor, Name: "ana"}, 1)
	w.do(w.issue(token))
	second, token := mint(Token{Class: Account, Role: Editor, Name: "ana"}, 2)
	w.do(w.issue(token))
	service, token := mint(Token{Class: Account, Role: Editor, Name: "ana", Kind: OfService}, 3)
	w.do(w.issue(token))
	w.do(w.Remove(Remove{ID: event.New(), At: at, Actor: "test", Kind: OfPerson, Key: "ana"}))
	for _, text := range []string{first, second} {
		if _, ok := w.Find(text, at); ok {
			t.Error("a person that is gone still has a token")
		}
	}
	if p, ok := w.Find(service, at); !ok || p.Name != "service:ana" {
		t.Errorf("the service: got %+v, %v", p, ok)
	}
}

func TestIssue_toWhoIsDeclared(t *testing.T) {
	w := newTown(t)
	_, ana := mint(Token{Class: Account, Role: Viewer, Name: "ana"}, 1)
	w.do(w.issue(ana)) // nobody is declared yet
	w.do(w.declare(Person{Key: "bo", Name: "Bo"}))
	for want, token := range map[string]Token{
		`name "cy" is not a person`: {Class: Account, Role: Viewer, Name: "cy"},
		`name "bo" is not a team`:   {Class: Account, Role: Viewer, Name: "bo", Kind: OfTeam},
	} {
		if _, _, err := w.issue(token); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	w.do(w.issue(Token{Class: Account, Role: Viewer, Name: "bo"}))
	w.do(w.issue(Token{Class: Account, Role: Viewer, Name: "ci", Kind: OfService}))
	w.do(w.issue(Token{Class: ServerSDK, Name: "shop", Environment: "production"}))
}

func TestRotate(t *testing.T) {
	w := newTown(t)
	soon := at.Add(10 * time.Hour)
	old, token := mint(Token{Class: ClientSDK, Name: "shop", Environment: "production", Expires: &soon, Origins: []string{"https://shop.example"}}, 1)
	w.do(w.issue(token))
	later := at.Add(4 * time.Hour)
	fresh, next := mint(Token{Class: ClientSDK}, 2)
	w.do(w.Rotate(Rotate{ID: event.New(), At: later, Actor: "test", TokenID: token.ID, Token: next, Overlap: time.Hour}))

	for _, c := range []struct {
		text string
		now  time.Time
		want bool
	}{
		{old, later, true}, {fresh, later, true}, {old, later.Add(time.Hour), false},
		{fresh, later.Add(9 * time.Hour), true}, {fresh, later.Add(10 * time.Hour), false},
	} {
		p, ok := w.Find(c.text, c.now)
		if ok != c.want || ok && (p.Name != "sdk:shop" || len(p.Origins) != 1) {
			t.Errorf("%.8s at %v: got %+v, %v", c.text, c.now, p, ok)
		}
	}
	if made, _ := w.Token(next.ID); made.Replaces != token.ID {
		t.Errorf("the new token replaces %q, want %q", made.Replaces, token.ID)
	}
	if _, _, err := w.Rotate(Rotate{At: later.Add(2 * time.Hour), TokenID: token.ID, Token: next}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a token that has ended: got %v", err)
	}
}

// TestLists: a preflight is answered for sites that a live token lists.
func TestLists(t *testing.T) {
	w := newTown(t)
	soon := at.Add(time.Hour)
	_, token := mint(Token{Class: ClientSDK, Name: "shop", Environment: "production", Expires: &soon, Origins: []string{"https://shop.example"}}, 1)
	w.do(w.issue(token))
	if !w.Lists("https://shop.example", at) || w.Lists("https://shop.example", soon) || w.Lists("https://evil.example", at) {
		t.Error("the origin of a live token, and no other, is listed")
	}
	w.do(w.Revoke(Revoke{ID: event.New(), At: at, Actor: "test", TokenID: token.ID}))
	if w.Lists("https://shop.example", at) {
		t.Error("the origin of a revoked token is listed")
	}
}

// TestTeamsOf: a person is in a team whichever of the two says so; nobody else
// is in any.
func TestTeamsOf(t *testing.T) {
	s := NewState()
	s.people["ana"], s.people["ben"] = Person{Key: "ana", Teams: []string{"pay"}}, Person{Key: "ben"}
	s.teams["pay"], s.teams["shop"] = Team{Key: "pay"}, Team{Key: "shop", Members: []string{"ana", "ben", "gone"}}
	for principal, want := range map[string]string{"person:ana": "pay shop", "person:ben": "shop", "person:gone": "", "team:pay": "", "service:ana": "", "ana": ""} {
		if got := strings.Join(s.TeamsOf(principal), " "); got != want {
			t.Errorf("%s: got %q, want %q", principal, got, want)
		}
	}
}

package access

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
)

var at = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

func mint(t Token, n byte) (string, Token) {
	var random [Entropy]byte
	random[0] = n
	return Mint(t, random)
}

// house issues the tokens through a log and returns the folded state.
func house(t *testing.T, tokens ...Token) (*State, *event.MemLog) {
	t.Helper()
	log, s := event.NewMemLog(), NewState()
	p := event.NewProjection(s)
	for _, token := range tokens {
		e, expect, err := s.Issue(Issue{ID: event.New(), At: at, Actor: "test", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(context.Background(), e, expect); err != nil {
			t.Fatal(err)
		}
		if err := p.Catch(context.Background(), log); err != nil {
			t.Fatal(err)
		}
	}
	return s, log
}

func TestFind(t *testing.T) {
	soon := at.Add(time.Hour)
	text, token := mint(Token{Class: ServerSDK, Name: "shop", Environment: "production", Expires: &soon}, 1)
	s, log := house(t, token)

	if p, ok := s.Find(text, at); !ok || p.Name != "sdk:shop" || p.Environment != "production" {
		t.Errorf("got %+v, %v", p, ok)
	}
	for name, c := range map[string]struct {
		text string
		now  time.Time
	}{
		"expired":        {text, soon},
		"empty":          {"", at},
		"one letter off": {text[:10] + "x" + text[11:], at},
		"other class":    {"sla" + text[3:], at},
		"short":          {"sls_abc", at},
	} {
		if p, ok := s.Find(c.text, c.now); ok {
			t.Errorf("%s: found %+v", name, p)
		}
	}
	for r := range log.Read(context.Background(), event.Filter{}, 0) {
		if b, _ := json.Marshal(r); strings.Contains(string(b), text) {
			t.Error("the log holds the text of a token")
		}
	}
}

func TestRevoke(t *testing.T) {
	text, token := mint(Token{Class: Account, Role: Viewer, Name: "ana"}, 1)
	s, _ := house(t, token)
	if _, _, err := s.Revoke(Revoke{TokenID: "none"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("an unknown token: got %v", err)
	}
	e, expect, err := s.Revoke(Revoke{ID: event.New(), At: at, Actor: "test", TokenID: token.ID})
	if err != nil || expect != 1 {
		t.Fatalf("got expect %d, %v", expect, err)
	}
	if err := s.Apply(event.Recorded{Event: e, Seq: 2}); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Find(text, at); ok {
		t.Error("a revoked token still works")
	}
}

func TestIssue_refuses(t *testing.T) {
	for name, c := range map[string]struct {
		token Token
		want  string
	}{
		"no class":         {Token{Name: "a"}, "class"},
		"no environment":   {Token{Name: "a", Class: ClientSDK}, "environment is missing"},
		"role of an SDK":   {Token{Name: "a", Class: ServerSDK, Environment: "production", Role: Admin}, "role"},
		"unknown role":     {Token{Name: "a", Class: Account, Role: "king"}, `role "king" is not a role`},
		"name with blanks": {Token{Name: "a b", Class: Account, Role: Admin}, "name"},
	} {
		if _, _, err := NewState().Issue(Issue{Token: c.token}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestMay(t *testing.T) {
	sdk := Principal{Class: ServerSDK, Environment: "production"}
	bound := Principal{Class: Account, Role: Admin, Environment: "staging"}
	all := []Permission{Public, Evaluate, Send, Sync, Read, Write, Decide, Manage}
	for _, c := range []struct {
		name        string
		who         Principal
		environment string
		want        string
	}{
		{"nobody", Principal{}, "production", "public"},
		{"SDK at home", sdk, "production", "public evaluate send sync"},
		{"SDK abroad", sdk, "staging", "public"},
		{"client SDK", Principal{Class: ClientSDK, Environment: "production"}, "production", "public evaluate send"},
		{"viewer", Principal{Class: Account, Role: Viewer}, "production", "public sync read"},
		{"editor", Principal{Class: Account, Role: Editor}, "production", "public evaluate send sync read write"},
		{"approver", Principal{Class: Account, Role: Approver}, "production", "public evaluate send sync read write decide"},
		{"admin", Principal{Class: Account, Role: Admin}, "production", "public evaluate send sync read write decide manage"},
		{"bound admin at home", bound, "staging", "public evaluate send sync read write decide manage"},
		{"bound admin abroad", bound, "production", "public"},
		{"bound admin, whole house", bound, AnyEnvironment, "public read"},
	} {
		var got []string
		for _, p := range all {
			if c.who.May(p, c.environment) {
				got = append(got, string(p))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: may %v, want %s", c.name, got, c.want)
		}
	}
}

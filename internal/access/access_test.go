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
		"kind of an SDK":   {Token{Name: "a", Class: ServerSDK, Environment: "production", Kind: OfTeam}, "kind"},
		"grants of an SDK": {Token{Name: "a", Class: ServerSDK, Environment: "production", Grants: []Grant{{Role: Admin}}}, "grants"},
		"unknown kind":     {Token{Name: "a", Class: Account, Role: Admin, Kind: "robot"}, `kind "robot" is not a kind`},
		"grant and role":   {Token{Name: "a", Class: Account, Role: Admin, Grants: []Grant{{Role: Admin}}}, "grants stand beside"},
		"role of a grant":  {Token{Name: "a", Class: Account, Grants: []Grant{{Role: Admin}, {Role: "king"}}}, `grants[1].role "king"`},
		"key of a grant":   {Token{Name: "a", Class: Account, Grants: []Grant{{Role: Admin, Keys: []string{"a..b"}}}}, "grants[0].keys[0]"},
		"environment of a grant": {Token{Name: "a", Class: Account, Grants: []Grant{{Role: Admin, Environments: []string{""}}}},
			"grants[0].environments[0]"},
		"too many grants":     {Token{Name: "a", Class: Account, Grants: make([]Grant, 33)}, "are too many"},
		"origins of a server": {Token{Name: "a", Class: ServerSDK, Environment: "production", Origins: []string{"https://a.example"}}, "origins fit client"},
		"every origin":        {Token{Name: "a", Class: ClientSDK, Environment: "production", Origins: []string{"*"}}, "origins[0]"},
		"null":                {Token{Name: "a", Class: ClientSDK, Environment: "production", Origins: []string{"null"}}, "origins[0]"},
		"origin with path":    {Token{Name: "a", Class: ClientSDK, Environment: "production", Origins: []string{"https://a.example/"}}, "more than scheme"},
		"origin in capitals":  {Token{Name: "a", Class: ClientSDK, Environment: "production", Origins: []string{"https://A.example"}}, "lower case"},
		"origin with 443":     {Token{Name: "a", Class: ClientSDK, Environment: "production", Origins: []string{"https://a.example:443"}}, "port"},
		"subdomains":          {Token{Name: "a", Class: ClientSDK, Environment: "production", Origins: []string{"https://*.example"}}, "origin of a site"},
		"name with blanks":    {Token{Name: "a b", Class: Account, Role: Admin}, "name"},
	} {
		if _, _, err := NewState().Issue(Issue{Token: c.token}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

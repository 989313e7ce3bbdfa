package access

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Kind is what an account token belongs to.
type Kind string

// The kinds of principals that accounts belong to.
const (
	OfPerson  Kind = "person" // what an account token without a kind belongs to
	OfTeam    Kind = "team"
	OfService Kind = "service"
)

// Token is a token as it is kept: everything but its text. A principal has as
// many as it needs. The stored shape is append-only: a token that was issued
// before a field was added means what it meant then.
type Token struct {
	ID          string     `json:"id"`                    // first 12 hexadecimal digits of Hash
	Hash        event.Hash `json:"hash"`                  // SHA-256 of the text
	Class       Class      `json:"class"`                 //
	Role        Role       `json:"role,omitempty"`        // of an account without Grants
	Name        string     `json:"name"`                  // key of the person, team or service: "ana", "checkout-service"
	Environment string     `json:"environment,omitempty"` // AnyEnvironment: all, or as Grants say
	Expires     *time.Time `json:"expires,omitempty"`     // nil: never

	Kind     Kind       `json:"kind,omitempty"`     // of an account; empty: OfPerson
	Grants   []Grant    `json:"grants,omitempty"`   // of an account, instead of Role and Environment
	Origins  []string   `json:"origins,omitempty"`  // of a client SDK: "https://shop.example"; none: no other site's pages
	Issued   *time.Time `json:"issued,omitempty"`   // nil: before this was kept
	Replaces string     `json:"replaces,omitempty"` // ID of the token whose place it takes
	Ends     *time.Time `json:"ends,omitempty"`     // when the replaced token ends
	Session  *Session   `json:"session,omitempty"`  // of a person who signed in at an issuer; nil: an admin issued it
}

// Entropy is the number of random bytes in a token.
const Entropy = 24

// Mint makes the text of a token from Entropy random bytes and fills in ID,
// Hash and Class. The text ends in a checksum, so that a secret scanner can
// tell a token from noise.
func Mint(t Token, random [Entropy]byte) (text string, made Token) {
	body := base64.RawURLEncoding.EncodeToString(random[:])
	text = string(t.Class) + "_" + body + checksum(body)
	t.Hash = sha256.Sum256([]byte(text))
	t.ID = hex.EncodeToString(t.Hash[:6])
	return text, t
}

func checksum(body string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))) }

// shortest is the least length that a token's text can have.
const shortest = len("sls_") + 8

// wellFormed says whether text can be a token at all. It looks no further than
// the class, because every request asks: noise has no hash that is known.
func wellFormed(text string) bool {
	if len(text) <= shortest {
		return false
	}
	switch class, _, _ := strings.Cut(text, "_"); Class(class) {
	case ServerSDK, ClientSDK, Account:
		return true
	}
	return false
}

// principal returns who the token speaks for.
func (t Token) principal() Principal {
	p := Principal{Token: t.ID, Class: t.Class, Environment: t.Environment, Origins: t.Origins, Session: t.Session}
	if t.Issued != nil {
		p.Issued = *t.Issued
	}
	if t.Class != Account {
		p.Name = "sdk:" + t.Name
		return p
	}
	p.Name, p.Grants = string(t.kind())+":"+t.Name, t.grants()
	p.Environment = only(p.Grants)
	return p
}

// Principal names whom the token speaks for, as events name it.
func (t Token) Principal() string { return t.principal().Name }

func (t Token) kind() Kind {
	if t.Kind == "" {
		return OfPerson
	}
	return t.Kind
}

// grants returns what an account may do, also one that has a role alone.
func (t Token) grants() []Grant {
	if len(t.Grants) > 0 {
		return t.Grants
	}
	g := Grant{Role: t.Role}
	if t.Environment != AnyEnvironment {
		g.Environments = []string{t.Environment}
	}
	return []Grant{g}
}

// only returns the one environment that all grants are bound to.
func only(grants []Grant) string {
	one := AnyEnvironment
	for _, g := range grants {
		if len(g.Environments) != 1 || one != AnyEnvironment && one != g.Environments[0] {
			return AnyEnvironment
		}
		one = g.Environments[0]
	}
	return one
}

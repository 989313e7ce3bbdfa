// Package access holds who may do what: tokens, the principals they belong
// to, and the permissions of each class and role. Tokens are kept as hashes
// alone. It never reads a request and never decides what a route needs; the
// route table in internal/server says that.
//
//	text, token := access.Mint(access.Token{Class: access.Account, Role: access.Admin, Name: "ana"}, random)
//	e, expect, err := state.Handle(access.Issue{Token: token, …})
//	…
//	principal, ok := state.Find(text, now)
//	ok = principal.May(access.Decide, "production")
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

// Class is the kind of a token; its text starts with it.
type Class string

// The classes. A client token is public: it may evaluate and send events and
// never sees rules.
const (
	ServerSDK Class = "sls" // one environment: evaluate, send events, whole rulesets
	ClientSDK Class = "slc" // one environment: evaluate, send events
	Account   Class = "sla" // people and automation, with a role
)

// Role is what an Account token may do.
type Role string

// The roles, each including the ones before it.
const (
	Viewer   Role = "viewer"
	Editor   Role = "editor"
	Approver Role = "approver"
	Admin    Role = "admin"
)

// Permission is what a route needs.
type Permission string

// The permissions.
const (
	Public   Permission = "public"   // nothing: health, sign-in, assets
	Evaluate Permission = "evaluate" // flags of one environment, evaluated
	Send     Permission = "send"     // exposures and metric events
	Sync     Permission = "sync"     // whole rulesets of one environment: SDKs and relays that evaluate by themselves
	Read     Permission = "read"     // definitions, readouts, decisions
	Write    Permission = "write"    // flags, metrics, plans
	Decide   Permission = "decide"   // approve, hold, roll back
	Manage   Permission = "manage"   // tokens
)

// AnyEnvironment is the scope of a token that is not bound to one.
const AnyEnvironment = ""

// Token is a token as it is kept: everything but its text.
type Token struct {
	ID          string     `json:"id"`    // first 12 hexadecimal digits of Hash
	Hash        event.Hash `json:"hash"`  // SHA-256 of the text
	Class       Class      `json:"class"` //
	Role        Role       `json:"role,omitempty"`
	Name        string     `json:"name"`                  // the principal: "admin", "checkout-service"
	Environment string     `json:"environment,omitempty"` // AnyEnvironment: all
	Expires     *time.Time `json:"expires,omitempty"`     // nil: never
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

// wellFormed says whether text can be a token at all.
func wellFormed(text string) bool {
	class, body, ok := strings.Cut(text, "_")
	if !ok || class != string(ServerSDK) && class != string(ClientSDK) && class != string(Account) || len(body) <= 8 {
		return false
	}
	return checksum(body[:len(body)-8]) == body[len(body)-8:]
}

// Principal is who a request comes from.
type Principal struct {
	Name        string // "person:admin", "sdk:checkout-service"
	Class       Class
	Role        Role
	Environment string // AnyEnvironment: all
}

// May reports whether p has the permission in an environment. A route without
// an environment asks with AnyEnvironment, which a bound token may only read.
func (p Principal) May(what Permission, environment string) bool {
	if what == Public {
		return true
	}
	if p.Environment != AnyEnvironment && environment != AnyEnvironment && p.Environment != environment {
		return false
	}
	switch p.Class {
	case ServerSDK:
		return what == Evaluate || what == Send || what == Sync
	case ClientSDK:
		return what == Evaluate || what == Send
	case Account:
		return p.mayAccount(what, environment)
	}
	return false
}

func (p Principal) mayAccount(what Permission, environment string) bool {
	if p.Environment != AnyEnvironment && environment == AnyEnvironment && what != Read {
		return false
	}
	switch what {
	case Read, Sync:
		return p.Role == Viewer || p.Role == Editor || p.Role == Approver || p.Role == Admin
	case Evaluate, Send, Write:
		return p.Role == Editor || p.Role == Approver || p.Role == Admin
	case Decide:
		return p.Role == Approver || p.Role == Admin
	case Manage:
		return p.Role == Admin
	case Public:
		return true
	}
	return false
}

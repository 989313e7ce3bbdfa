// Package access holds who may do what: people, teams, the tokens of both and
// of services, and what each class and role may do in which environments and
// to which keys. Tokens are kept as hashes alone. It never reads a request and
// never decides what a route needs; the route table in internal/server says
// that.
//
//	text, token := access.Mint(access.Token{Class: access.Account, Role: access.Admin, Name: "ana"}, random)
//	e, expect, err := state.Issue(access.Issue{Token: token, …})
//	…
//	principal, ok := state.Find(text, now)
//	ok = principal.May(access.Decide, "production", "checkout.express-pay")
package access

import "slices"

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

// Reporter is the role of programs that watch: it tells of incidents and sees
// nothing. It is apart from the others, which are people's.
const Reporter Role = "reporter"

// roles lists those of people, least first.
var roles = []Role{Viewer, Editor, Approver, Admin}

// Permission is what a route needs.
type Permission string

// The permissions.
const (
	Public   Permission = "public"   // nothing: health, sign-in, assets
	Evaluate Permission = "evaluate" // flags of one environment, evaluated
	Send     Permission = "send"     // exposures and metric events
	Import   Permission = "import"   // events of any age: what was measured long ago may come out otherwise
	Sync     Permission = "sync"     // whole rulesets of one environment: SDKs and relays that evaluate by themselves
	Read     Permission = "read"     // definitions, readouts, decisions
	Write    Permission = "write"    // flags, metrics, plans
	Report   Permission = "report"   // open and resolve incidents, upon which plans pause or roll back
	Decide   Permission = "decide"   // approve, hold, roll back
	Manage   Permission = "manage"   // tokens, people and teams
)

// may says what a role may do where it reaches.
func (r Role) may(what Permission) bool {
	switch what {
	case Public:
		return true
	case Read, Sync:
		return slices.Contains(roles, r)
	case Evaluate, Send, Write:
		return r == Editor || r == Approver || r == Admin
	case Report:
		return r == Reporter || r == Approver || r == Admin
	case Decide, Import:
		return r == Approver || r == Admin
	case Manage:
		return r == Admin
	}
	return false
}

// What a question is about when it is about no single environment or key.
const (
	AnyEnvironment = ""
	AnyKey         = ""
)

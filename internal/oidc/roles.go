package oidc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// Roles is the document of kind SignIn: what the groups that an issuer puts a
// person into may do here.
type Roles struct {
	Claim      string      `json:"claim,omitempty" yaml:"claim,omitempty"`           // that lists the groups: groups, or a path such as realm_access.roles; empty: groups
	Scopes     []string    `json:"scopes,omitempty" yaml:"scopes,omitempty"`         // to ask for besides openid, email and profile
	Roles      []Role      `json:"roles,omitempty" yaml:"roles,omitempty"`           //
	Everybody  access.Role `json:"everybody,omitempty" yaml:"everybody,omitempty"`   // of whoever the issuer lets in; empty: who has no group stays out
	TrustEmail bool        `json:"trustEmail,omitempty" yaml:"trustEmail,omitempty"` // addresses count although the issuer does not call them verified
}

// Role is what the members of one group may do.
type Role struct {
	Group        string      `json:"group" yaml:"group"` // as the issuer writes it
	Role         access.Role `json:"role" yaml:"role"`
	Environments []string    `json:"environments,omitempty" yaml:"environments,omitempty"` // none: all
	Keys         []string    `json:"keys,omitempty" yaml:"keys,omitempty"`                 // "checkout." and all beneath, or one key; none: all
}

func (r Role) grant() access.Grant {
	return access.Grant{Role: r.Role, Environments: r.Environments, Keys: r.Keys}
}

// Bounds of the document.
const (
	maxRoles  = 1000
	maxScopes = 16
)

// Validate reports every fault at once, with the path of each field.
func (r Roles) Validate() error {
	var faults event.Invalids
	if len(r.Roles) == 0 && r.Everybody == "" {
		faults.Add("roles", nil, "let nobody in", "write a group with its role, such as {group: release-managers, role: approver}")
	}
	if len(r.Roles) > maxRoles {
		faults.Add("roles", len(r.Roles), "are too many", fmt.Sprintf("write at most %d", maxRoles))
	}
	for i, role := range r.Roles {
		role.validate(fmt.Sprintf("roles[%d].", i), &faults)
	}
	if r.Everybody != "" {
		ofPeople("everybody", r.Everybody, &faults)
	}
	if len(r.Scopes) > maxScopes {
		faults.Add("scopes", len(r.Scopes), "are too many", fmt.Sprintf("write at most %d", maxScopes))
	}
	for i, s := range r.Scopes {
		if s == "" || strings.ContainsAny(s, " \t\r\n\"\\") {
			faults.Add(fmt.Sprintf("scopes[%d]", i), s, "is not one scope", "write one such as groups")
		}
	}
	return faults.Err()
}

func (r Role) validate(path string, faults *event.Invalids) {
	if r.Group == "" {
		faults.Add(path+"group", nil, "is missing", "write the group as the issuer does")
	}
	ofPeople(path+"role", r.Role, faults)
	access.Grant{Role: access.Viewer, Environments: r.Environments, Keys: r.Keys}.Check(path, faults)
}

// ofPeople takes the roles of those who sign in.
func ofPeople(path string, r access.Role, faults *event.Invalids) {
	switch r {
	case access.Viewer, access.Editor, access.Approver, access.Admin:
	case access.Reporter:
		faults.Add(path, r, "is a role of programs, which do not sign in", "issue a token of kind service, or write viewer, editor, approver or admin")
	default:
		faults.Add(path, r, "is not a role", "write viewer, editor, approver or admin")
	}
}

func (r Roles) claim() string {
	if r.Claim == "" {
		return "groups"
	}
	return r.Claim
}

// Grants returns what somebody with these claims may do; none: stays out.
func (r Roles) Grants(claims map[string]any) []access.Grant {
	in := groups(claims, r.claim())
	var found []access.Grant
	add := func(g access.Grant) {
		if !slices.ContainsFunc(found, func(f access.Grant) bool { return f.String() == g.String() }) {
			found = append(found, g)
		}
	}
	for _, role := range r.Roles {
		if slices.Contains(in, role.Group) {
			add(role.grant())
		}
	}
	if r.Everybody != "" {
		add(access.Grant{Role: r.Everybody})
	}
	return found
}

// groups reads a claim that holds one group or a list of them. A claim of that
// very name comes first; else its dots lead into objects.
func groups(claims map[string]any, name string) []string {
	value, ok := claims[name]
	for at := any(claims); !ok; {
		object, isObject := at.(map[string]any)
		first, rest, more := strings.Cut(name, ".")
		if at, name = object[first], rest; !isObject || !more {
			value, ok = at, true
		}
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// email returns the address that the issuer vouches for; empty: none. Some write
// the truth as text.
func (r Roles) email(claims map[string]any) string {
	email, _ := claims["email"].(string)
	verified := claims["email_verified"]
	if verified != true && verified != "true" && !(r.TrustEmail && verified == nil) {
		return ""
	}
	if len(email) > maxEmail || !strings.Contains(email, "@") || strings.ContainsFunc(email, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
		return ""
	}
	return email
}

// maxEmail is RFC 5321, section 4.5.3.1.3, without the brackets.
const maxEmail = 254

package access

import (
	"slices"
	"strings"
	"time"
)

// Principal is who a request comes from.
type Principal struct {
	Name        string   // "person:ana", "team:payments", "service:ci", "sdk:checkout-service"
	Token       string   // ID of the token that was shown
	Class       Class    //
	Environment string   // the only one that the token reaches: what a request that names none is about; else AnyEnvironment
	Grants      []Grant  // of an account
	Origins     []string // of a client SDK: the sites whose pages may use it

	Session *Session  // of a person who signed in at an issuer; nil: the token was issued by an admin
	Issued  time.Time // when the token was: for a session, when its issuer was asked last; zero: before this was kept
}

// Shown is what people are shown of p: the address that an issuer vouches for,
// or the name.
func (p *Principal) Shown() string {
	if p.Session != nil && p.Session.Email != "" {
		return p.Session.Email
	}
	return p.Name
}

// May reports whether p has the permission in an environment and for a key.
// AnyEnvironment and AnyKey ask for all of them, which only a grant without
// that bound has; but whoever may read something may ask for a list, and sees
// what he Sees of it.
func (p *Principal) May(what Permission, environment, key string) bool {
	switch {
	case what == Public:
		return true
	case p.Class == ServerSDK || p.Class == ClientSDK:
		return p.maySDK(what, environment)
	case p.Class != Account:
		return false
	}
	return slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.Role.may(what) && (g.reaches(environment, key) || what == Read && g.lists(environment, key))
	})
}

// lists reports whether the grant covers part of what is asked for.
func (g Grant) lists(environment, key string) bool {
	return (environment == AnyEnvironment || g.covers(environment)) && (key == AnyKey || g.holds(key))
}

// maySDK is the whole right of SDKs: one environment, and rules for those alone
// that can keep a secret.
func (p *Principal) maySDK(what Permission, environment string) bool {
	if environment != AnyEnvironment && environment != p.Environment {
		return false
	}
	return what == Evaluate || what == Send || what == Sync && p.Class == ServerSDK
}

// Could reports whether p has the permission for a key in some environment, and
// with AnyKey for some key. It is asked of what names its environments and keys
// in its body: whoever reads that asks May for each.
func (p *Principal) Could(what Permission, key string) bool {
	return p.Class == Account && slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.Role.may(what) && (key == AnyKey || g.holds(key))
	})
}

// Sees reports whether p may read what belongs to an environment and a key:
// what of a list is shown. What belongs to an unknown environment or key is
// seen by those alone who may read all of them.
func (p *Principal) Sees(environment, key string) bool {
	return p.Class == Account && slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.Role.may(Read) && g.reaches(environment, key)
	})
}

// Within returns the environments of which p may read what has the key; nil
// stands for all of them.
func (p *Principal) Within(key string) []string {
	if p.Class != Account {
		return []string{p.Environment}
	}
	found := []string{}
	for _, g := range p.Grants {
		switch {
		case !g.Role.may(Read) || !g.holds(key):
		case len(g.Environments) == 0:
			return nil
		default:
			found = append(found, g.Environments...)
		}
	}
	return found
}

// Person reports whether p is one person: what several people or a program hold
// is not.
func (p *Principal) Person() bool {
	kind, _, _ := strings.Cut(p.Name, ":")
	return p.Class == Account && Kind(kind) == OfPerson
}

// Bounds says what p is bound to, for refusals: "staging", or each grant.
func (p *Principal) Bounds() string {
	keys := slices.ContainsFunc(p.Grants, func(g Grant) bool { return len(g.Keys) > 0 })
	if p.Environment != AnyEnvironment && !keys {
		return p.Environment
	}
	parts := make([]string, len(p.Grants))
	for i, g := range p.Grants {
		parts[i] = g.String()
	}
	return strings.Join(parts, "; ")
}

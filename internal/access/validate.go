package access

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Bounds of one token.
const (
	maxGrants  = 32
	maxOrigins = 32
)

func (t Token) validate() error {
	var faults event.Invalids
	if why := event.CheckKey(t.Name); why != "" {
		faults.Add("name", t.Name, why, "write a name such as checkout-service")
	}
	switch t.Class {
	case ServerSDK, ClientSDK:
		t.validateSDK(&faults)
	case Account:
		t.validateAccount(&faults)
	default:
		faults.Add("class", t.Class, "is not a class of token", "write sls, slc or sla")
	}
	t.validateOrigins(&faults)
	return faults.Err()
}

func (t Token) validateSDK(faults *event.Invalids) {
	if t.Environment == AnyEnvironment {
		faults.Add("environment", nil, "is missing", "an SDK token belongs to one environment, such as production")
	}
	if t.Role != "" {
		faults.Add("role", t.Role, "does not fit an SDK token", "leave it out")
	}
	if t.Kind != "" {
		faults.Add("kind", t.Kind, "does not fit an SDK token", "leave it out")
	}
	if len(t.Grants) > 0 {
		faults.Add("grants", nil, "do not fit an SDK token", "leave them out")
	}
}

func (t Token) validateAccount(faults *event.Invalids) {
	switch t.Kind {
	case "", OfPerson, OfTeam, OfService:
	default:
		faults.Add("kind", t.Kind, "is not a kind of principal", "write person, team or service")
	}
	if len(t.Grants) == 0 {
		Grant{Role: t.Role}.Check("", faults)
		return
	}
	if t.Role != "" || t.Environment != AnyEnvironment {
		faults.Add("grants", nil, "stand beside a role or an environment", "write both into a grant")
	}
	if len(t.Grants) > maxGrants {
		faults.Add("grants", len(t.Grants), "are too many", fmt.Sprintf("write at most %d", maxGrants))
	}
	for i, g := range t.Grants {
		g.Check(fmt.Sprintf("grants[%d].", i), faults)
	}
}

func (t Token) validateOrigins(faults *event.Invalids) {
	if len(t.Origins) > 0 && t.Class != ClientSDK {
		faults.Add("origins", nil, "fit client tokens alone", "leave them out: other tokens are secrets and belong on no page")
	}
	if len(t.Origins) > maxOrigins {
		faults.Add("origins", len(t.Origins), "are too many", fmt.Sprintf("write at most %d", maxOrigins))
	}
	for i, o := range t.Origins {
		if why := checkOrigin(o); why != "" {
			faults.Add(fmt.Sprintf("origins[%d]", i), o, why, "write one such as https://shop.example, as browsers send it")
		}
	}
}

// checkOrigin takes what browsers send in Origin: scheme, host and a port that
// is not the scheme's own, all in lower case. "null" and "*" are nobody.
func checkOrigin(o string) string {
	u, err := url.Parse(o)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.Contains(u.Host, "*"):
		return "is not the origin of a site"
	case u.Scheme+"://"+u.Host != o:
		return "has more than scheme, host and port"
	case o != strings.ToLower(o):
		return "is not in lower case"
	case u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return "names the port that browsers leave out"
	}
	return ""
}

// live reports whether the token still works.
func (t Token) live(now time.Time) bool { return t.Expires == nil || now.Before(*t.Expires) }

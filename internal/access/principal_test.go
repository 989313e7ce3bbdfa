package access

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// account returns who has the grants, as a token of theirs would say.
func account(grants ...Grant) Principal {
	t := Token{Class: Account, Name: "ana", Grants: grants}
	return t.principal()
}

func TestMay(t *testing.T) {
	sdk := Principal{Class: ServerSDK, Environment: "production"}
	bound := Token{Class: Account, Role: Admin, Environment: "staging"}.principal()
	keys := account(Grant{Role: Editor, Keys: []string{"checkout.", "search"}})
	mixed := account(Grant{Role: Editor, Environments: []string{"staging"}, Keys: []string{"checkout."}}, Grant{Role: Viewer})
	const everything = "public evaluate send import sync read write report decide manage"
	for _, c := range []struct {
		name             string
		who              Principal
		environment, key string
		want             string
	}{
		{"nobody", Principal{}, "production", "a", "public"},
		{"SDK at home", sdk, "production", "a", "public evaluate send sync"},
		{"SDK abroad", sdk, "staging", "a", "public"},
		{"client SDK", Principal{Class: ClientSDK, Environment: "production"}, "production", AnyKey, "public evaluate send"},
		{"viewer", account(Grant{Role: Viewer}), "production", "a", "public sync read"},
		{"editor", account(Grant{Role: Editor}), "production", "a", "public evaluate send sync read write"},
		{"approver", account(Grant{Role: Approver}), "production", "a", "public evaluate send import sync read write report decide"},
		{"reporter", account(Grant{Role: Reporter}), "production", "a", "public report"},
		{"reporter abroad", account(Grant{Role: Reporter, Environments: []string{"staging"}}), "production", "a", "public"},
		{"reporter, all keys", account(Grant{Role: Reporter, Keys: []string{"checkout."}}), "production", AnyKey, "public"},
		{"admin", account(Grant{Role: Admin}), AnyEnvironment, AnyKey, everything},
		{"unknown role", account(Grant{Role: "king"}), "production", "a", "public"},
		{"bound admin at home", bound, "staging", "a", everything},
		{"bound admin abroad", bound, "production", "a", "public"},
		{"bound admin, whole house", bound, AnyEnvironment, "a", "public read"},
		{"keys, beneath the prefix", keys, "production", "checkout.pay", "public evaluate send sync read write"},
		{"keys, a whole key", keys, AnyEnvironment, "search", "public evaluate send sync read write"},
		{"keys, the prefix itself", keys, "production", "checkout", "public"},
		{"keys, a longer word", keys, "production", "searching", "public"},
		{"keys, all keys", keys, "production", AnyKey, "public read"},
		{"two grants, where both reach", mixed, "staging", "checkout.pay", "public evaluate send sync read write"},
		{"two grants, another key", mixed, "staging", "shop.pay", "public sync read"},
		{"two grants, another environment", mixed, "production", "checkout.pay", "public sync read"},
	} {
		var got []string
		for _, p := range []Permission{Public, Evaluate, Send, Import, Sync, Read, Write, Report, Decide, Manage} {
			if c.who.May(p, c.environment, c.key) {
				got = append(got, string(p))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: may %v, want %s", c.name, got, c.want)
		}
	}
}

// TestSees: a list shows nothing of which environment or key is not known to be
// one's own.
func TestSees(t *testing.T) {
	bound := account(Grant{Role: Viewer, Environments: []string{"staging"}, Keys: []string{"checkout."}})
	free := account(Grant{Role: Viewer})
	sdk := Principal{Class: ServerSDK, Environment: "staging"}
	for _, c := range []struct {
		environment, key string
		bound            bool
	}{
		{"staging", "checkout.pay", true}, {"production", "checkout.pay", false}, {"staging", "shop", false},
		{AnyEnvironment, "checkout.pay", false}, {"staging", AnyKey, false},
	} {
		if got := bound.Sees(c.environment, c.key); got != c.bound {
			t.Errorf("%q %q: bound sees %v, want %v", c.environment, c.key, got, c.bound)
		}
		if !free.Sees(c.environment, c.key) || sdk.Sees(c.environment, c.key) {
			t.Errorf("%q %q: a viewer sees it, an SDK does not", c.environment, c.key)
		}
	}
}

func TestWithin(t *testing.T) {
	two := Grant{Role: Viewer, Environments: []string{"staging", "development"}}
	for _, c := range []struct {
		name string
		who  Principal
		want []string
	}{
		{"free", account(two, Grant{Role: Viewer}), nil},
		{"two environments", account(two), []string{"staging", "development"}},
		{"all, of other keys", account(two, Grant{Role: Viewer, Keys: []string{"shop."}}), []string{"staging", "development"}},
		{"other keys alone", account(Grant{Role: Viewer, Keys: []string{"shop."}}), []string{}},
		{"SDK", Principal{Class: ServerSDK, Environment: "staging"}, []string{"staging"}},
	} {
		if d := cmp.Diff(c.want, c.who.Within("checkout.pay")); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestCould(t *testing.T) {
	p := account(Grant{Role: Editor, Environments: []string{"staging"}, Keys: []string{"checkout."}})
	sdk := Principal{Class: ServerSDK, Environment: "staging"}
	if !p.Could(Write, AnyKey) || !p.Could(Write, "checkout.pay") || p.Could(Write, "shop") || p.Could(Decide, AnyKey) || sdk.Could(Evaluate, AnyKey) {
		t.Error("could is not: some environment, and the key")
	}
}

func TestBounds(t *testing.T) {
	for want, p := range map[string]Principal{
		"staging":                               account(Grant{Role: Editor, Environments: []string{"staging"}}),
		"editor in staging on checkout.":        account(Grant{Role: Editor, Environments: []string{"staging"}, Keys: []string{"checkout."}}),
		"editor in staging, production; viewer": account(Grant{Role: Editor, Environments: []string{"staging", "production"}}, Grant{Role: Viewer}),
	} {
		if got := p.Bounds(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

package dashboards

import (
	"fmt"
	"strings"
	"testing"
)

func searchedFor(q string, found ...Lookup) Page {
	f := Frame{Path: "/search?q=" + q, Person: "person:ana", Query: q}
	return NewSearch(f, found, "/api/v1/search?q="+q)
}

func searchSamples() map[string]Page {
	many := Lookup{Kind: "flags", Total: 200}
	for i := range 10 {
		many.Hits = append(many.Hits, Hit{Name: fmt.Sprintf("checkout.payments.express-pay-%d", i), Text: strings.Repeat("a long description ", 30)})
	}
	return map[string]Page{
		"search": searchedFor("pay", many, Lookup{"rollouts", 1, []Hit{{Name: "production/checkout.pay/1", Text: "running: One tap"}}}, Lookup{"metrics", 1, []Hit{{Name: "payments"}}},
			Lookup{"segments", 1, []Hit{{Name: "paying"}}}, Lookup{"people", 1, []Hit{{Name: "payments-team"}}}, Lookup{"decisions", 1, []Hit{{Name: "018f2c1e-7c1f-7d13-9a53-0d5f3a6c9e11", Text: "production/checkout.pay/1: Every check passed"}}}),
		"search-nothing": searchedFor("nowhere"),
		"search-unasked": searchedFor(""),
	}
}

// TestNewSearch: what was found leads to its page.
func TestNewSearch(t *testing.T) {
	text := html(t, searchSamples()["search"])
	for _, want := range []string{`href="/flags/checkout.payments.express-pay-0"`, `href="/rollouts/production/checkout.pay/1"`, `href="/catalogue/payments"`, `href="/segments/paying"`,
		`href="/?q=payments-team"`, `href="/decisions/018f2c1e-7c1f-7d13-9a53-0d5f3a6c9e11"`, `href="/search?limit=100&amp;q=pay#flags"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

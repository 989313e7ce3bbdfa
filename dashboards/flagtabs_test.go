package dashboards

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// tabSamples are the views of a flag, and the pages before it is changed.
func tabSamples(asOf AsOf) map[string]Page {
	f := sampleFrame(InFlags)
	f.Path, f.Environments, f.Environment = "/flags/checkout.payments.express-pay", nil, ""
	s, plain := sampleFlag(), plainFlag("shop.gift-cards")
	key := func() string { return "018f2c1e" }
	edit := NewFlagEdit(f, Editing{FlagSeen: s, Environment: "production", Environments: append(places3, "moon"), Segments: []string{"beta-testers"}, YAML: newFlagDocument, May: Rights{Write: true, Decide: true}})
	refused := edit.Refuse(event.Invalids{{Path: "rule.when", Why: "cannot be read"}, {Path: "rule.serve", Why: "is not a variant", Fix: "write on or off"}}, func(name string) string {
		return map[string]string{"form": "add-rule-0", "rule.name": "x"}[name]
	})
	change := NewChange(f, sampleForeseen(), true, "018f2c1e")
	asks := sampleForeseen()
	asks.Asks, asks.Notes = "1 approval (approver, production)", []string{"production: evaluations are not counted there"}
	archive := NewChange(f, Foreseen{Key: s.Flag.Key, Name: "Archive", Exists: true, Switch: true, Command: "sluice flag archive x -m 'why'"}, false, "")
	archive.Again = ArchiveForm(s.Flag.Flag, "", "")
	made := NewFlagNew(f, places3)
	return map[string]Page{
		"flag-edit": edit, "flag-edit-refused": refused, "flag-new": made,
		"flag-new-refused": made.Refuse(event.Invalids{{Path: "owner", Why: "is nobody"}}, func(string) string { return "" }),
		"change":           change, "change-asks": NewChange(f, asks, true, "k"), "change-same": NewChange(f, Foreseen{Key: "a", Name: "Enable", Exists: true, Unchanged: true}, true, "k"),
		"change-refused":   archive.Refuse(errors.New("op is refused: it is a prerequisite of shop.basket"), func(string) string { return "" }),
		"flag-history":     NewFlagHistory(f, s, sampleHistory(), Pager{Older: "/flags/x?tab=history&cursor=a"}, asOf),
		"flag-explain":     NewFlagExplain(f, s, places3, UnitQuestion{"production", "user-14", "plan=pro\nage=3", "412"}, sampleExplanation(), asOf),
		"flag-explain-ask": NewFlagExplain(f, plain, places3, UnitQuestion{Environment: "production"}, nil, asOf),
		"flag-use":         NewFlagUse(f, s, places3, sampleUse(2, 14), asOf, at), "flag-use-many": NewFlagUse(f, s, places3, sampleUse(12, 90), asOf, at),
		"flag-use-none": NewFlagUse(f, plain, places3, Used{Environment: "production", Days: 14}, asOf, at), "flag-use-unknown": NewFlagUse(f, plain, places3, Used{Missing: "this replica counts no evaluations"}, asOf, at),
		"flag-code": NewFlagCode(f, s, sampleScans(), asOf), "flag-code-none": NewFlagCode(f, plain, nil, asOf),
		"flag-needs": NewFlagNeeds(f, s, []flags.Dependencies{{Environment: "staging"}, {Environment: "production", Needs: []flags.Prerequisite{{Flag: "checkout.new-basket", Variant: "on"}}, Through: []string{"checkout.cart"},
			NeededBy: []string{"checkout.wallet", "checkout.gift-cards"}, Segments: []flags.SegmentUse{{Key: "beta-testers", Revision: 4, Pinned: true}}, Rules: []string{"embargo"}}}, asOf),
		"flag-waiting":      NewFlagWaiting(f, s, []flags.Request{sampleRequest()}, sampleFlagDetail().Schedules, asOf, key),
		"flag-waiting-none": NewFlagWaiting(f, plain, nil, nil, asOf, key),
		"requests":          NewRequests(f, []FlagRequest{{"checkout.payments.express-pay", sampleRequest()}, {"shop.gift-cards", sampleRequest()}}, Pager{}, asOf), "requests-none": NewRequests(f, nil, Pager{}, asOf),
		"request":      NewRequest(f, sampleAsked(false), asOf, key),
		"request-over": NewRequest(f, over(sampleAsked(true)), asOf, key),
	}
}

func sampleForeseen() Foreseen {
	return Foreseen{
		Key: "checkout.payments.express-pay", Name: "Change", Exists: true, Seen: `"412"`, Wanted: `{"changes":[]}`,
		Differences: []string{"production: rule staff now serves off (was on)", "production: the ramp now covers 25 % (was 5 %)"},
		Command:     "sluice change make change.yaml -m 'why'", Document: "apiVersion: sluice/v1\nkind: Changes\n",
		Samples: []Sample{
			{Environment: "production", Bare: flags.Shift{Units: 1000, Changed: 203, Moves: []flags.Move{{From: "off", To: "on", Units: 202}, {From: "on", Units: 1}}},
				Attributed: &flags.Shift{Units: 1000, Changed: 1}, Attributes: []string{"app", "email"}, Named: 3},
			{Environment: "staging", Bare: flags.Shift{Units: 1000}},
		},
	}
}

func sampleHistory() []flags.Entry {
	due := at.Add(time.Hour)
	return []flags.Entry{
		{Revision: 412, Type: "flag.changed", At: at, Actor: "person:ana", Comment: "staff and beta testers first", Differences: []flags.Difference{{Text: "production: rule beta added in place 2: it serves on"}}},
		{Revision: 410, Type: "flag.scheduled", At: at, Actor: "person:ana", Due: &due, Changes: []flags.Change{{Op: flags.Enable, Environment: "production"}}},
		{Revision: 402, Type: "flag.changed", At: at, Actor: "controller", Cause: "018f2c1e-7c1f-7d13-9a53-0d5f3a6c9e11", Differences: []flags.Difference{{Text: "production: forced"}}},
	}
}

func sampleExplanation() *flags.Explanation {
	return &flags.Explanation{
		Result: flags.Result{Variant: "on", Value: []byte("true"), Reason: flags.Split, Revision: 412},
		Looks: []flags.Look{
			{Step: flags.AtTarget, Why: `user "user-14" is not targeted`},
			{Step: flags.AtRule, Name: "beta", Why: "the condition is not met", Condition: &flags.Tested{Condition: "all of (segment beta-testers, app semver_gte 2.4.0)", Parts: []flags.Tested{
				{Condition: "segment beta-testers", Segments: []flags.Membership{{Segment: "beta-testers", Revision: 4, Why: "the condition is not met", Condition: &flags.Tested{Condition: "plan eq beta", Is: []byte(`"pro"`)}}}},
				{Condition: "app semver_gte 2.4.0", Met: true, Is: []byte(`"2.5.0"`)},
			}}},
			{Step: flags.AtAllocation, Name: "production/checkout.payments.express-pay/2", Decided: true, Why: "the enrolment bucket is below the coverage of 25000: on"},
		},
		Buckets: []flags.Hashed{{Of: "enrolment", Text: "checkout.payments.express-pay:enrol:user-14", Bucket: 6364, Below: 25000}, {Of: "arm", Text: "checkout.payments.express-pay:arm:user-14", Bucket: 71981, Below: 50000, Variant: "on"}},
	}
}

func sampleUse(variants, days int) Used {
	u := Used{Environment: "production", Days: days, Seen: flags.Seen{Asked: at.Add(-time.Minute), Since: at.AddDate(0, -3, 0)}}
	for v := range variants {
		for d := range days {
			if v == 1 && d == days/2 {
				continue // of a day without evaluations nothing is told
			}
			u.Usage = append(u.Usage, flags.Usage{Day: flags.Date(at.AddDate(0, 0, d-days).Format(time.DateOnly)), Variant: fmt.Sprintf("arm-%d", v), Reason: flags.Split,
				Asked: int64(120000*(variants-v) + 900*d), Listed: int64(d), Exposures: int64(40 * d)})
		}
	}
	return u
}

func sampleScans() []Scanned {
	out := []Scanned{{Repository: "github.com/acme/shop", Revision: "4be1c0d8a35f9e77", At: at, Count: 240}, {Repository: "github.com/acme/mobile", Revision: "77", At: at}}
	for i := range 240 {
		out[0].Places = append(out[0].Places, flags.Place{Path: "internal/checkout/express_pay_" + strings.Repeat("very", i%7) + "_long.go", Line: i + 1, Alias: map[bool]string{true: "useExpressPay"}[i%5 == 0]})
	}
	return out
}

func sampleRequest() flags.Request {
	return flags.Request{Author: "person:ana", Made: at.Add(-time.Hour), Base: 412, Comment: "the weekend is over", Standing: flags.Pending,
		Changes: []flags.Change{{Op: flags.RemoveUnits, Environment: "production", Variant: "on", Units: []string{"user-8"}}},
		Needs:   []flags.Need{{Environment: "production", Count: 2, Role: "approver"}}, Approvals: []flags.Approval{{Actor: "person:ben", At: at, Comment: "looks good"}}}
}

func sampleAsked(mine bool) RequestSeen {
	return RequestSeen{FlagRequest: FlagRequest{"checkout.payments.express-pay", sampleRequest()}, Differences: []string{"production: unit user-8 is no longer targeted with on"}, Samples: sampleForeseen().Samples, Mine: mine}
}

func over(a RequestSeen) RequestSeen {
	a.Request.Standing, a.Request.Why, a.Differences, a.Samples = flags.Void, "the flag changed under it", nil, nil
	return a
}

// TestNewRequest_offers: nobody is offered what would be refused: an author does
// not approve, others do not withdraw.
func TestNewRequest_offers(t *testing.T) {
	for name, c := range map[string]struct {
		may  Rights
		mine bool
		want string
	}{
		"viewer": {Rights{}, false, ""}, "author": {Rights{Write: true, Decide: true}, true, "Apply Reject Withdraw"},
		"approver": {Rights{Write: true, Decide: true}, false, "Approve Apply Reject"}, "editor": {Rights{Write: true}, false, "Apply"},
	} {
		var got []string
		for _, f := range NewRequest(Frame{Rights: c.may}, sampleAsked(c.mine), AsOf{}, func() string { return "" }).Forms {
			got = append(got, f.Name)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s is offered %q, want %q", name, text, c.want)
		}
	}
}

// TestNewFlagUse: the sentence names the most frequent variant, a day without
// evaluations is a zero and no gap, and no exposure is counted twice.
func TestNewFlagUse(t *testing.T) {
	p := NewFlagUse(Frame{}, sampleFlag(), places3, sampleUse(2, 4), AsOf{}, at)
	if got, want := strings.ReplaceAll(p.Lead, space, " "), "In production, 72.6 % of 1,329,000 evaluations in 4 days gave arm-0."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if rows := p.Chart.Table.Rows; len(rows) != 4 || rows[2][2] != "0" {
		t.Errorf("the table is %v", rows)
	}
	for _, shape := range NewFlagUse(Frame{}, sampleFlag(), places3, sampleUse(12, 4), AsOf{}, at).Chart.Shapes {
		if strings.Contains(string(shape.Class), "worse") {
			t.Error("a variant is drawn as something that is worse")
		}
	}
	u := sampleUse(1, 2)
	for i := range u.Usage {
		u.Usage[i].Asked = 0
	}
	if p := NewFlagUse(Frame{}, sampleFlag(), places3, u, AsOf{}, at); !strings.Contains(p.Lead, "exposures") {
		t.Errorf("where nobody reports evaluations: %q", p.Lead)
	}
}

// TestReading: what the editor's own fields hold is read back as it was.
func TestReading_rulesComeBack(t *testing.T) {
	for _, r := range sampleFlag().Flag.Environments["production"].Rules {
		fields := map[string]string{"op": "change-rule", "name": r.Name, "environment": "production"}
		for _, f := range ruleFields(r) {
			fields[f.Name] = f.Value
		}
		when := func(text string) (*flags.Condition, error) { return r.When, nil }
		c, err := Reading{Sent: func(name string) string { return fields[name] }, When: when}.Change()
		if err != nil {
			t.Fatal(err)
		}
		want := r
		if r.When.All == nil { // one value is written as one
			want.When = &flags.Condition{Attribute: r.When.Attribute, Op: r.When.Op, Value: r.When.Values[0]}
		}
		if diff := cmp.Diff(&want, c.Rule); diff != "" {
			t.Error(diff)
		}
	}
}

// TestScalar: what was written between quotes is a text, a version is one
// without, and other words are what JSON makes of them.
func TestScalar(t *testing.T) {
	for text, want := range map[string]any{"2": 2.0, `"2"`: "2", "true": true, "pro": "pro", "[1]": "[1]"} {
		if got := scalar(flags.In, text); got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
		c := flags.Condition{Op: flags.In, Values: []any{want}}
		if got := scalar(flags.In, written(c)); got != want {
			t.Errorf("%v is written %s, and read as %v", want, written(c), got)
		}
	}
	if got := scalar(flags.SemverGte, "2.4"); got != "2.4" {
		t.Errorf("a version is %v", got)
	}
}

package dashboards

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

func sampleGroup() flags.RecordedSegment {
	s := flags.RecordedSegment{Segment: flags.Segment{Key: "beta-testers", Description: "Workspaces that asked for early features", Owner: "payments-team", Tags: []string{"early"},
		When: condition("plan", flags.In, "beta", "pro"), Included: flags.ListOf("user-7", "ana"), Excluded: flags.ListOf("user-9")}}
	s.Revision, s.Changed, s.Actor, s.Comment = 9, at, "person:ana", "two more"
	return s
}

func manyIDs(n int) flags.RecordedSegment {
	s := flags.RecordedSegment{Segment: flags.Segment{Key: "imported." + strings.Repeat("long-", 30)}}
	for i := range n {
		s.Included.Units = append(s.Included.Units, fmt.Sprintf("user-%d", i))
	}
	return s
}

func groupSamples() map[string]Page {
	f := sampleFrame(InFlags)
	f.Path, f.Environment, f.Environments = "/segments", "", nil
	f.Rights.Manage = true
	asOf := AsOf{Log: 9182, JSON: "/api/v1/segments"}
	seen := SegmentSeen{Segment: sampleGroup(), Unit: "user-14", Attributes: "plan=free",
		UsedBy: []flags.Use{{Environment: "production", Flag: "checkout.payments.express-pay", Rule: "beta"}, {Environment: "production", Rule: "embargo"}, {Environment: "production", Flag: "a", Rollout: "production/a/1", Revision: 4}},
		Member: &flags.Membership{Why: "the condition of the segment is not met", Condition: &flags.Tested{Condition: "plan in [beta pro]", Is: []byte(`"free"`)}}}
	house := HouseSeen{YAML: func(kind, key string) string { return "apiVersion: sluice/v1\nkind: " + kind + "\nkey: " + key + "\n" }}
	for _, name := range places3 {
		house.Environments = append(house.Environments, flags.RecordedEnvironment{EnvironmentDoc: flags.EnvironmentDoc{Key: name}})
	}
	production := &house.Environments[2]
	production.Description, production.Stamp = "What customers see", flags.Stamp{Revision: 6, Changed: at, Actor: "person:ana", Comment: "no payments there"}
	production.Rules = []flags.InheritedRule{{Name: "embargo", Tags: []string{"payments"}, When: condition("country", flags.In, "XX"), Serve: "off"}}
	production.Layers = []flags.Layer{{Name: "checkout", Holdout: event.Percent(5000)}}
	production.Events = flags.EnvironmentEvents{Exposures: flags.OnEvaluate, Private: []string{"email"}}
	house.Policies = []flags.RecordedPolicy{{Policy: samplePolicy()}}
	doc := Document{Kind: "Segment", Key: "beta-testers", YAML: "apiVersion: sluice/v1\nkind: Segment\nkey: beta-testers\n", Preview: "/segments/beta-testers/edit", To: "/segments/beta-testers/save", Back: "/segments/beta-testers"}
	shownDoc := doc
	shownDoc.Differences, shownDoc.Reaches = []string{`owner is now "shop-team" (was "payments-team")`}, seen.UsedBy
	same := Document{Kind: "Policy", Key: "four-eyes", Unchanged: true, Preview: "/environments/edit", To: "/environments/save", Back: "/environments"}
	plain := f
	plain.Rights = Rights{}
	return map[string]Page{
		"segments":      NewSegmentList(f, []flags.RecordedSegment{sampleGroup(), manyIDs(200), {Segment: flags.Segment{Key: "nobody", Unit: "workspace"}}}, Pager{Older: "/segments?cursor=a"}, asOf),
		"segments-none": NewSegmentList(f, nil, Pager{}, asOf), "segment": NewSegmentPage(f, seen, asOf, "k"), "segment-large": NewSegmentPage(plain, SegmentSeen{Segment: manyIDs(1204)}, asOf, ""),
		"environments": NewHouse(f, house, asOf), "environments-bare": NewHouse(plain, HouseSeen{}, asOf),
		"document": NewDocEdit(f, doc), "document-refused": NewDocEdit(f, doc).Refuse(event.Invalid{Path: "yaml", Why: "is refused:\n[3:1] unknown field \"ownr\""}, func(string) string { return "ownr: x" }),
		"document-preview": NewDocPreview(f, shownDoc, "k"), "document-same": NewDocPreview(f, same, "k"),
	}
}

func samplePolicy() flags.Policy {
	return flags.Policy{Key: "four-eyes", Description: "Payments take two people", Rank: 10,
		Match: flags.Match{Environments: []string{"production"}, Tags: []string{"payments"}, Purposes: []flags.Purpose{flags.Release}, Keys: []string{"checkout.*"}},
		Flags: flags.Demands{KeyPattern: `[a-z.-]+`, Require: []flags.Required{flags.RequireWhy, flags.RequireDates}, MaxPrerequisiteDepth: 2, Approvals: &flags.Approvals{Count: 2}},
		Rollouts: flags.Releases{Approvals: flags.Approvals{Count: 1}, Guardrails: []flags.ReleaseGuardrail{{Metric: "checkout_errors"}}, Windows: []flags.Hours{{From: "08:00", To: "16:00"}},
			Freezes: []flags.Freeze{{From: at, To: at.Add(48 * time.Hour), Why: "holidays"}}}}
}

// TestPolicyLines: all that a policy asks is said in words.
func TestPolicyLines(t *testing.T) {
	want := []string{
		"Of flags in production, with the tag payments, of purpose release, with the key checkout.*.", "Rank 10: where two policies differ, the higher wins.", "Changes take 2 approvals (approver).",
		"Keys of new flags match [a-z.-]+.", "Every change has a comment.", "Flags say when they are meant to be on and off.", "Chains of prerequisites are at most 2 deep.",
		"Stages of rollouts take 1 approval.", "Rollouts have the guardrail checkout_errors.", "Stages begin in 1 window of the week alone.", "No stage begins from 2026-11-21 14:00:02 UTC to 2026-11-23 14:00:02 UTC: holidays.",
	}
	var got []string
	for _, line := range policyLines(samplePolicy()) {
		got = append(got, strings.ReplaceAll(line, space, " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := policyLines(flags.Policy{}); len(got) != 1 || got[0] != "Of all flags." {
		t.Errorf("a policy that asks for nothing: %v", got)
	}
}

// TestMembers: who is in a segment is said whatever decides.
func TestMembers(t *testing.T) {
	for want, s := range map[string]flags.Segment{
		"2 units by name, whoever meets: plan in [beta pro], without 1 unit": sampleGroup().Segment, "nobody": {}, "1,204 units by name": manyIDs(1204).Segment,
	} {
		if got := strings.ReplaceAll(members(s), space, " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

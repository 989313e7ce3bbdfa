package flags

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPolicyFaults(t *testing.T) {
	h := newHouse(t)
	p := Policy{
		Key:   "strict",
		Match: Match{Environments: []string{"moon"}, Tags: []string{""}, Purposes: []Purpose{"fun"}, Keys: []string{"a b*", "checkout.*", "*"}},
		Flags: Demands{KeyPattern: "(?=x)", Require: []Required{RequireWhy, "tea"}, MaxPrerequisiteDepth: 9, Approvals: &Approvals{Role: "viewer"}},
	}
	_, err := h.tryPolicy("strict", &p)
	wantRefusal(t, "everything", err,
		"match.tags[0]: is empty",
		"match.purposes[0]: is not a purpose",
		"match.keys[0]: has the character ' '; letters, digits, '-', '_' and '.' are allowed",
		"flags.keyPattern: is not a regular expression: error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
		"flags.require[1]: is not something that can be required",
		"flags.maxPrerequisiteDepth: is not between 1 and 8",
		"flags.approvals.count: is not a number from 1",
		"flags.approvals.role: is not a role that approves",
		"match.environments[0]: is not an environment",
	)
	_, err = h.tryPolicy("other", &Policy{Key: "strict"})
	wantRefusal(t, "another key", err, "key: is not the policy that is being written, other")
}

// Requirements add up; of all else the highest rank's is asked.
func TestPoliciesAreMerged(t *testing.T) {
	h := newHouse(t)
	h.policy(Policy{Key: "all", Flags: Demands{Require: []Required{RequireWhy}, MaxPrerequisiteDepth: 2}})
	h.policy(Policy{Key: "payments", Rank: 5, Match: Match{Tags: []string{"payments"}, Environments: []string{production}}, Flags: Demands{
		Require: []Required{RequireDates, RequireWhy}, MaxPrerequisiteDepth: 3, Approvals: &Approvals{Count: 2},
	}})
	h.policy(Policy{Key: "checkout", Rank: 9, Match: Match{Keys: []string{"checkout.*"}, Purposes: []Purpose{Release}}, Flags: Demands{KeyPattern: "[a-z.]+", Approvals: &Approvals{Count: 1}}})
	f := tagged("payments")
	for environment, want := range map[string]Demands{
		production: {KeyPattern: "[a-z.]+", Require: []Required{RequireDates, RequireWhy}, MaxPrerequisiteDepth: 3, Approvals: &Approvals{Count: 1}},
		"staging":  {KeyPattern: "[a-z.]+", Require: []Required{RequireWhy}, MaxPrerequisiteDepth: 2, Approvals: &Approvals{Count: 1}},
	} {
		if diff := cmp.Diff(want, h.state.Policy(environment, &f)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", environment, diff)
		}
	}
	f.Key, f.Tags = "search", nil
	if got := h.state.Policy(production, &f); !cmp.Equal(got, Demands{Require: []Required{RequireWhy}, MaxPrerequisiteDepth: 2}) {
		t.Errorf("of another flag: %+v", got)
	}
	h.granted(h.tryPolicy("all", nil))
	if got := h.state.Policy(production, &f); !cmp.Equal(got, Demands{}) || len(h.state.Policies()) != 2 {
		t.Errorf("of a policy that is gone: %+v", got)
	}
}

func TestPoliciesAreAskedOfFlags(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.policy(Policy{Key: "pattern", Match: Match{Environments: []string{production}}, Flags: Demands{KeyPattern: `[a-z]+\.[a-z]+\.[a-z]+`}})
	h.policy(Policy{Key: "dates", Match: Match{Purposes: []Purpose{Experiment}}, Flags: Demands{Require: []Required{RequireDates}}})
	f := checkout()
	f.Key = "checkout.slow"
	_, err := h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	wantRefusal(t, "a new key", err, "key: does not have the pattern that a policy asks for")
	f.Key = "shop.checkout.slow"
	h.define(f)
	f.Purpose = Experiment
	_, err = h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	wantRefusal(t, "no dates", err, "dates: is missing, and a policy asks for it")
	f.Dates = &Dates{On: "2026-12-01"}
	_, err = h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))
	wantRefusal(t, "no end", err, "dates: is missing, and a policy asks for it")
	f.Dates.Off = "2027-01-01"
	h.define(f)
	old := checkout()
	old.Description = "a key that nobody can choose again"
	h.define(old)
}

func TestPolicyAsksForAComment(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	h.policy(Policy{Key: "why", Match: Match{Environments: []string{production}}, Flags: Demands{Require: []Required{RequireWhy}}})
	c := h.command("checkout.express", in(Disable))
	c.Comment = " "
	_, err := h.try(c)
	wantRefusal(t, "a person", err, "comment: is missing, and a policy asks for it")
	f := checkout()
	f.Key = "new"
	c = h.command(f.Key, Change{Op: Define, Flag: &f})
	c.Comment = ""
	_, err = h.try(c)
	wantRefusal(t, "a new flag", err, "comment: is missing, and a policy asks for it")
	c = h.command("checkout.express", in(Disable))
	c.Comment, c.Cause = "", "0190a3d2"
	if _, err := h.try(c); err != nil {
		t.Errorf("a decision says why itself: %v", err)
	}
}

// chained returns a flag in whose environments others are asked for.
func chained(key string, needs ...string) Flag {
	f := checkout()
	e := Environment{Enabled: true}
	for _, n := range needs {
		e.Prerequisites = append(e.Prerequisites, Prerequisite{n, "off"})
	}
	f.Key, f.Environments = key, map[string]Environment{production: e}
	return f
}

func TestPrerequisitesAsDeepAsAPolicyAllows(t *testing.T) {
	h := newHouse(t)
	h.policy(Policy{Key: "deep", Match: Match{Keys: []string{"c*"}}, Flags: Demands{MaxPrerequisiteDepth: 3}})
	h.define(chained("a"), chained("b", "a"), chained("c", "b"), chained("c2", "c"))
	try := func(f Flag) error { return second(h.try(h.command(f.Key, Change{Op: Define, Flag: &f}))) }
	wantRefusal(t, "deeper", try(chained("c3", "c2")), "environments.production.prerequisites[0].flag: has prerequisites of its own, and chains deeper than 3 are refused")
	wantRefusal(t, "of another flag", try(chained("d", "b")), "environments.production.prerequisites[0].flag: has prerequisites of its own, and chains deeper than 1 are refused")
	h.define(chained("z"))
	wantRefusal(t, "from below", try(chained("a", "z")),
		"environments.production.prerequisites: makes the chain that begins with b deeper than 1",
		"environments.production.prerequisites: makes the chain that begins with c2 deeper than 3")
	wantRefusal(t, "cycle", try(chained("a", "c2")),
		"environments.production.prerequisites[0].flag: needs this flag itself (c2 needs c needs b needs a): that is a cycle")
	staging := chained("a", "c2")
	staging.Environments = map[string]Environment{production: {}, "staging": staging.Environments[production]}
	if err := try(staging); err != nil {
		t.Errorf("in another environment there is no cycle: %v", err)
	}
	set := h.state.Compile(production, nil)
	got, ok := set.Dependencies("b")
	want := Dependencies{Flag: "b", Environment: production, Needs: []Prerequisite{{"a", "off"}}, NeededBy: []string{"c"}, Segments: []SegmentUse{}, Rules: []string{}}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("want -, got +\n%s", diff)
	}
	if got, _ := set.Dependencies("c2"); !cmp.Equal(got.Through, []string{"a", "b"}) {
		t.Errorf("got %+v", got)
	}
	if _, ok := set.Dependencies("none"); ok {
		t.Error("there are dependencies of a flag that is not there")
	}
}

// A flag that comes back must fit into what the others have become.
func TestRestoreChecksTheOthers(t *testing.T) {
	h := newHouse(t)
	h.define(chained("a"), chained("b", "a"))
	h.do("b", Change{Op: Archive, Reason: "over"})
	h.define(chained("z"), chained("a", "z"))
	_, err := h.try(h.command("b", Change{Op: Restore}))
	wantRefusal(t, "restore", err, "changes[0].environments.production.prerequisites[0].flag: has prerequisites of its own, and chains deeper than 1 are refused")
}

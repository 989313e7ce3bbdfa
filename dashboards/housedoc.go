package dashboards

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// HouseSeen is what the page of environments and policies is made from.
type HouseSeen struct {
	Environments []flags.RecordedEnvironment
	Policies     []flags.RecordedPolicy
	YAML         func(kind, key string) string // the document as it is written
	One          string                        // the environment that the page is about; empty: all
}

// NewHouse makes the page.
func NewHouse(f Frame, in HouseSeen, asOf AsOf) House {
	p := House{Frame: f, AsOf: asOf}
	for i, e := range in.Environments {
		if in.One != "" && in.One != e.Key {
			continue
		}
		d := HouseDoc{ID: Anchor("environment-" + strconv.Itoa(i)), Key: e.Key, Description: e.Description, Lines: environmentLines(e.EnvironmentDoc), YAML: in.YAML("Environment", e.Key), Stamp: stamped(e.Stamp)}
		p.Documents = append(p.Documents, d.editable(f, "Environment"))
	}
	for i, c := range in.Policies {
		if !about(c.Policy, in.One) {
			continue
		}
		d := HouseDoc{ID: Anchor("policy-" + strconv.Itoa(i)), Key: c.Key, Description: c.Description, Lines: policyLines(c.Policy), YAML: in.YAML("Policy", c.Key), Stamp: stamped(c.Stamp)}
		p.Policies = append(p.Policies, d.editable(f, "Policy"))
	}
	if f.Rights.Manage {
		p.New = []Button{{Name: "New environment", Link: houseEdit("Environment", "")}, {Name: "New policy", Link: houseEdit("Policy", "")}}
	}
	return p
}

// about reports whether a policy holds in an environment; "" is any.
func about(p flags.Policy, environment string) bool {
	if environment == "" || len(p.Match.Environments) == 0 {
		return true
	}
	for _, name := range p.Match.Environments {
		if name == environment {
			return true
		}
	}
	return false
}

func (d HouseDoc) editable(f Frame, kind string) HouseDoc {
	if f.Rights.Manage {
		d.Edit = houseEdit(kind, d.Key)
	}
	return d
}

func houseEdit(kind, key string) string {
	q := url.Values{"kind": {kind}}
	if key != "" {
		q.Set("key", key)
	}
	return "/environments/edit?" + q.Encode()
}

func stamped(s flags.Stamp) string {
	if s.Revision == 0 {
		return ""
	}
	text := "revision " + revision(s.Revision) + ", " + moment(s.Changed) + " by " + s.Actor
	if s.Comment != "" {
		text += ": " + s.Comment
	}
	return text
}

// environmentLines say what an environment is, in sentences.
func environmentLines(e flags.EnvironmentDoc) []string {
	var out []string
	for _, r := range e.Rules {
		out = append(out, "Flags with the tag "+strings.Join(r.Tags, " or ")+" inherit the rule "+r.Name+": "+asked(r.When)+" gets "+r.Serve+".")
	}
	for _, l := range e.Layers {
		text := "Layer " + l.Name + ": its experiments share no " + cmp.Or(l.Unit, flags.DefaultUnit)
		if l.Holdout > 0 {
			text += ", and " + short(l.Holdout.Fraction()) + " stay out of all of them"
		}
		out = append(out, text+".")
	}
	if e.Events.Exposures == flags.OnEvaluate {
		out = append(out, "Each single evaluation that an allocation answers is an exposure.")
	}
	if len(e.Events.Private) > 0 {
		out = append(out, "Attributes that are kept nowhere: "+few(e.Events.Private, 12)+".")
	}
	return out
}

// policyLines say what a policy asks, and of which flags.
func policyLines(p flags.Policy) []string {
	out := []string{"Of " + matched(p.Match) + "."}
	if p.Rank != 0 {
		out = append(out, fmt.Sprintf("Rank %d: where two policies differ, the higher wins.", p.Rank))
	}
	if a := p.Flags.Approvals; a != nil {
		out = append(out, "Changes take "+amount(a.Count, "approval")+" ("+cmp.Or(a.Role, "approver")+").")
	}
	if p.Flags.KeyPattern != "" {
		out = append(out, "Keys of new flags match "+p.Flags.KeyPattern+".")
	}
	for _, r := range p.Flags.Require {
		out = append(out, map[flags.Required]string{flags.RequireWhy: "Every change has a comment.", flags.RequireDates: "Flags say when they are meant to be on and off."}[r])
	}
	if n := p.Flags.MaxPrerequisiteDepth; n > 0 {
		out = append(out, "Chains of prerequisites are at most "+strconv.Itoa(n)+" deep.")
	}
	r := p.Rollouts
	if r.Approvals.Count > 0 {
		out = append(out, "Stages of rollouts take "+amount(r.Approvals.Count, "approval")+".")
	}
	for _, g := range r.Guardrails {
		out = append(out, "Rollouts have the guardrail "+g.Metric+".")
	}
	if len(r.Windows) > 0 {
		out = append(out, "Stages begin in "+amount(len(r.Windows), "window")+" of the week alone.")
	}
	for _, z := range r.Freezes {
		out = append(out, "No stage begins from "+moment(z.From)+" to "+moment(z.To)+": "+z.Why+".")
	}
	return out
}

// matched says which flags a policy is about.
func matched(m flags.Match) string {
	var out []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			out = append(out, what+" "+strings.Join(names, " or "))
		}
	}
	add("in", m.Environments)
	add("with the tag", m.Tags)
	var kinds []string
	for _, p := range m.Purposes {
		kinds = append(kinds, string(p))
	}
	add("of purpose", kinds)
	add("with the key", m.Keys)
	if len(out) == 0 {
		return "all flags"
	}
	return "flags " + strings.Join(out, ", ")
}

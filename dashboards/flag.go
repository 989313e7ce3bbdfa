package dashboards

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Flag is the page of one flag: who gets what in every environment, and why.
type Flag struct {
	Frame
	Top      FlagTop
	Variants []Variant
	Facts    []Fact
	Where    []FlagPlace
	Rollouts []FlagRollout
	AsOf     AsOf
}

func (Flag) template() string { return "flag" }

// Variant is one answer that a flag can give.
type Variant struct{ Name, Value, Part string }

// FlagPlace is a flag in one environment: its rules in the order in which they
// are asked.
type FlagPlace struct {
	ID          Anchor
	Name        string
	Text        string // who gets what, in a sentence
	Health      Mark
	HealthText  string
	Source      string    // who says so
	Since       time.Time // zero: nobody looks
	Asked       time.Time // newest evaluation; zero: none
	Unasked     string
	Steps       []FlagStep
	Coming      []string // schedules, in sentences
	Acts        []Button
	Rollout     string // link of the page of the rollout that allocates; empty: none
	RolloutName string
}

// FlagStep is one thing that evaluation asks, in order.
type FlagStep struct {
	Kind, Name, When, Gives, Until string
}

// FlagRollout is a rollout of the flag.
type FlagRollout struct {
	Link, Name, Stage, Owner string
	Status                   Mark
	Since                    time.Time
}

// FlagDetail is what the page of a flag is made from, beside FlagSeen.
type FlagDetail struct {
	FlagSeen
	Schedules []flags.Schedule
	Inherited map[string][]flags.InheritedRule // by environment: rules that the flag inherits
	Rollouts  []Seen
	Order     []string          // of environments
	May       map[string]Rights // by environment
}

// NewFlag makes the page of a flag.
func NewFlag(f Frame, d FlagDetail, asOf AsOf) Flag {
	p := Flag{Frame: f, Top: newFlagTop(f, d.FlagSeen, TabOverview), Variants: variants(d.Flag.Flag), Facts: flagFacts(d), AsOf: asOf}
	for i, name := range inOrder(d.Flag, d.Order) {
		p.Where = append(p.Where, d.place(i, name))
	}
	for _, s := range slices.Backward(d.Rollouts) {
		r := s.Rollout
		p.Rollouts = append(p.Rollouts, FlagRollout{Link: link(r), Name: r.ID, Owner: r.Plan.Owner, Status: status(s), Since: since(r), Stage: stageName(r.Plan, r.Stage)})
	}
	return p
}

func variants(f flags.Flag) []Variant {
	var out []Variant
	for _, name := range slices.Sorted(maps.Keys(f.Variants)) {
		v := Variant{Name: name, Value: compact(f.Variants[name])}
		switch {
		case name == f.Default && name == f.Safe:
			v.Part = "default and safe"
		case name == f.Default:
			v.Part = "default: whoever nothing else decides"
		case name == f.Safe:
			v.Part = "safe: when it is disabled, forced or short of a prerequisite"
		}
		out = append(out, v)
	}
	return out
}

func flagFacts(d FlagDetail) []Fact {
	f := d.Flag
	out := []Fact{{"Created", moment(f.Created)}}
	if c := f.Cleanup; c != nil {
		text := string(c.EndState)
		if c.Due > 0 {
			text += ", due " + c.Due.String() + " after the final decision"
		}
		if c.Why != "" {
			text += ": " + c.Why
		}
		if c.Review != "" {
			text += ", to be asked again " + string(c.Review)
		}
		out = append(out, Fact{"Cleanup", text})
	}
	if f.Dates != nil {
		out = append(out, Fact{"Meant to be on", cmp.Or(string(f.Dates.On), "now") + " to " + cmp.Or(string(f.Dates.Off), "no end")})
	}
	if f.OnCritical != "" {
		out = append(out, Fact{"A critical incident", map[flags.OnCritical]string{flags.GoSafe: "forces the safe variant", flags.Notify: "tells people"}[f.OnCritical]})
	}
	if f.Comment != "" {
		out = append(out, Fact{"Last comment", f.Comment})
	}
	return out
}

func (d FlagDetail) place(i int, name string) FlagPlace {
	f, h := d.Flag, d.Health[name]
	e := f.Environments[name]
	p := FlagPlace{ID: Anchor("environment-" + strconv.Itoa(i)), Name: name, Text: sentence(upper(gets(f, name))), Health: healthMark(h), HealthText: h.Text, Source: h.Source, Since: h.Since}
	p.Asked, p.Unasked = lastAsked(d.FlagSeen, name)
	p.Steps = d.steps(name, e)
	if a := e.Allocation; a != nil && !a.Ramp {
		p.Rollout, p.RolloutName = "/rollouts/"+a.Rollout, a.Rollout
	}
	for _, s := range d.Schedules {
		if s.Standing == flags.Pending && concerns(s.Changes, name) {
			p.Coming = append(p.Coming, moment(s.At)+": "+inWords(s.Changes)+" ("+s.Actor+")")
		}
	}
	p.Acts = placeActs(d.May[name], f, name)
	return p
}

// steps lists what evaluation asks, in order.
func (d FlagDetail) steps(name string, e flags.Environment) []FlagStep {
	var out []FlagStep
	for _, p := range e.Prerequisites {
		out = append(out, FlagStep{Kind: "prerequisite", Name: p.Flag, When: "it does not answer " + p.Variant, Gives: orCode(d.Flag.Safe)})
	}
	for _, t := range e.Targets {
		out = append(out, FlagStep{Kind: "targets", Name: amount(len(t.Units), "unit"), When: few(t.Units, 8), Gives: t.Variant})
	}
	for _, r := range e.Rules {
		out = append(out, FlagStep{Kind: "rule", Name: r.Name, When: asked(r.When), Gives: gives(r), Until: string(r.Until)})
	}
	for _, r := range d.Inherited[name] {
		out = append(out, FlagStep{Kind: "inherited rule", Name: r.Name, When: asked(r.When), Gives: r.Serve})
	}
	if len(e.Targeting) > 0 {
		out = append(out, FlagStep{Kind: "imported rule", When: string(e.Targeting), Gives: "what it names"})
	}
	for _, r := range e.Served {
		out = append(out, FlagStep{Kind: "audience of a rollout", Name: r.Name, When: asked(r.When), Gives: gives(r)})
	}
	if a := e.Allocation; a != nil {
		s := FlagStep{Kind: "rollout", Name: a.Stage, When: thousandth(a.Coverage) + " of " + asked(a.Audience), Gives: arms(a.Arms)}
		if a.Ramp {
			s.Kind, s.Name, s.Gives = "ramp", "", a.Arms[0].Variant
		}
		if a.Slice != nil {
			s.When += ", within its slice of a layer"
		}
		out = append(out, s)
	}
	return append(out, FlagStep{Kind: "default", When: "everybody else", Gives: orCode(d.Flag.Default)})
}

func gives(r flags.Rule) string {
	if len(r.Split) > 0 {
		return arms(r.Split)
	}
	return r.Serve
}

// concerns reports whether one of the changes is made in an environment, or in
// all of them.
func concerns(changes []flags.Change, environment string) bool {
	return slices.ContainsFunc(changes, func(c flags.Change) bool { return c.Reaches() == "" || c.Reaches() == environment })
}

// inWords says what changes are asked for, in the words of their operations.
func inWords(changes []flags.Change) string {
	var out []string
	for _, c := range changes {
		out = append(out, opWords(c))
	}
	return few(out, 5)
}

// placeActs are what can be done to a flag in one environment.
func placeActs(may Rights, f flags.Recorded, name string) []Button {
	e := f.Environments[name]
	var out []Button
	if f.Archived {
		return nil
	}
	if may.Write {
		out = append(out, Button{Name: "Edit rules", Link: flagLink(f.Key) + "/edit?" + url.Values{"environment": {name}}.Encode()})
	}
	if !may.Decide {
		return out
	}
	if e.Enabled {
		out = append(out, Button{Name: "Disable", Link: switchLink(f.Key, name, flags.Disable), Grave: true})
	} else {
		out = append(out, Button{Name: "Enable", Link: switchLink(f.Key, name, flags.Enable)})
	}
	if e.Forced != nil {
		return append(out, Button{Name: "End the forced state", Link: switchLink(f.Key, name, flags.Unforce)})
	}
	return append(out, Button{Name: "Force the safe variant", Link: switchLink(f.Key, name, flags.Force), Grave: true})
}

// switchLink returns the address of the page before a switch.
func switchLink(key, environment string, op flags.Op) string {
	link := flagLink(key) + "/do/" + string(op)
	if environment != "" {
		link += "?" + url.Values{"environment": {environment}}.Encode()
	}
	return link
}

// opWords says what one change is asked for.
func opWords(c flags.Change) string {
	text := strings.ReplaceAll(string(c.Op), "-", " ")
	for _, part := range []string{c.Variant, c.Name, c.Tag, c.Owner} {
		if part != "" {
			text += " " + part
		}
	}
	if c.Rule != nil {
		text += " " + c.Rule.Name
	}
	if len(c.Units) > 0 {
		text += " (" + few(c.Units, 5) + ")"
	}
	if at := c.Reaches(); at != "" {
		text += " in " + at
	}
	return text
}

package decisions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// stages checks every stage by itself and the order they stand in.
func (c *planCheck) stages() {
	if len(c.plan.Stages) == 0 {
		c.add("stages", nil, "is missing", "write at least one stage")
	}
	names := map[string]bool{}
	for i, s := range c.plan.Stages {
		path := fmt.Sprintf("stages[%d]", i)
		if s.Name == "" {
			c.add(path+".name", nil, "is missing", "name the stage, such as canary")
		} else if names[s.Name] {
			c.add(path+".name", s.Name, "is the name of an earlier stage", "rename one of them")
		}
		c.key(path+".name", s.Name)
		names[s.Name] = true
		c.stage(path, s)
		c.follows(path, i)
	}
}

func (c *planCheck) stage(path string, s Stage) {
	switch s.Kind() {
	case Serve, Full:
		c.serving(path, s)
	case Ramp, Decide:
		c.comparing(path, s)
	case "":
		c.add(path, s.Name, "says neither serve nor treatment", "write treatment: 5%, or serve: treatment")
	}
	if s.MaxWindow > 0 && s.MaxWindow < s.MinWindow {
		c.add(path+".maxWindow", s.MaxWindow, "is shorter than minWindow", "")
	}
	if s.Kind() != Full && (s.Holdback > 0 || s.Observe > 0) {
		c.add(path, s.Name, "has a holdback or observe, which only a full stage has", "move it to a stage with serve: treatment and no audience")
	}
	if s.Approve < 0 || s.Approve > 20 {
		c.add(path+".approve", s.Approve, "is not a number of approvals", "write 0 to 20")
	}
	if s.MinUnits < 0 {
		c.add(path+".minUnits", s.MinUnits, "is negative", "")
	}
}

// serving checks a stage that gives the treatment to an audience, or to all.
func (c *planCheck) serving(path string, s Stage) {
	if s.Serve != treatmentRole {
		c.add(path+".serve", s.Serve, "is not the treatment", "write serve: treatment; arms says which variant that is")
	}
	if s.Treatment > 0 || s.Decide {
		c.add(path+".treatment", s.Treatment, "stands beside serve", "write two stages")
	}
	if s.MinUnits > 0 || len(s.Exclude) > 0 {
		c.add(path, s.Name, "asks for units or exclusion, but compares nothing", "move minUnits and exclude to a stage with treatment")
	}
	if s.Holdback > All/2 {
		c.add(path+".holdback", s.Holdback, "is more than half", "a full stage serves most units")
	}
	if s.When != nil {
		c.faults.Under(path, audienceFaults(*s.When))
	}
	if s.To != "" && s.When != nil {
		c.add(path+".to", s.To, "stands beside when", "write one of the two")
	}
	c.segments(path, s)
}

// segments asks that every segment which the audience names is there.
func (c *planCheck) segments(path string, s Stage) {
	at := path + ".when"
	if s.To != "" {
		at = path + ".to"
	}
	for _, key := range s.audience().Segments() {
		c.segment(at, key)
	}
}

// comparing checks a stage that puts a share of units next to as large a
// control.
func (c *planCheck) comparing(path string, s Stage) {
	switch {
	case s.Treatment <= 0 && s.Ramp == nil:
		c.add(path+".treatment", nil, "is missing", "write the share of units, such as 5%")
	case s.Treatment > All/2:
		c.add(path+".treatment", s.Treatment, "leaves no equal control", "compare at up to 50%; a full stage serves everybody")
	}
	for _, key := range sorted(s.Exclude) {
		c.exclusion(path+".exclude."+key, key, s.Exclude[key])
	}
	if s.Kind() == Decide && !c.plan.proves(s) {
		c.add(path, s.Name, "decides, and nothing that it asks could be proven: a margin of 0% can only stop",
			"add a success metric, a guardrail with a margin above 0% or a limit, or exclude")
	}
	if s.Kind() != Ramp {
		return
	}
	for _, key := range c.plan.guarded() {
		if _, ok := s.Exclude[key]; !ok && !c.onlyStops(key) {
			c.add(path+".exclude", s.Name, "does not say which harm to "+key+" must be excluded before the next stage",
				"add exclude: {"+key+": 30%}")
		}
	}
}

// proves reports whether a stage that decides asks for anything that evidence
// must show. Without, a release would ship because nothing was found.
func (p Plan) proves(s Stage) bool {
	return len(p.Metrics.Success) > 0 || len(s.Exclude) > 0 ||
		slices.ContainsFunc(p.Metrics.Guardrails, func(g Guardrail) bool { return g.Margin == nil || *g.Margin > 0 })
}

func (c *planCheck) exclusion(path, key string, size Size) {
	if !slices.Contains(c.plan.guarded(), key) {
		c.add(path, key, "is not a guardrail with a margin", "exclude harm to guardrails")
		return
	}
	if size.IsZero() {
		c.add(path, nil, "is missing", "write the smallest harm that matters, such as 30%")
	}
	c.reachable(path, key, &size.Change)
}

// follows checks that a stage may stand behind those before it: audiences
// first, then growing shares, then at most one stage that decides, then full.
func (c *planCheck) follows(path string, i int) {
	s, kind := c.plan.Stages[i], c.plan.Stages[i].Kind()
	before := c.plan.Stages[:i]
	decided := slices.ContainsFunc(before, func(b Stage) bool { return b.Kind() == Decide })
	switch {
	case slices.ContainsFunc(before, func(b Stage) bool { return b.Kind() == Full }):
		c.add(path, s.Name, "stands behind a full stage", "full is the last stage")
	case kind == Full && !decided:
		c.add(path, s.Name, "serves everybody without a stage that decides", "put one before it: {name: experiment, treatment: 50%, decide: true}")
	case kind != Full && decided:
		c.add(path, s.Name, "stands behind the stage that decides", "only a full stage follows it")
	case kind == Serve && slices.ContainsFunc(before, Stage.Compares):
		c.add(path, s.Name, "serves an audience after units were compared", "put audiences first: it would move units out of the comparison")
	}
	for _, b := range before {
		if s.Compares() && b.Compares() && s.Treatment < b.Treatment {
			c.add(path+".treatment", s.Treatment, "shrinks what "+b.Name+" reached", "treatment never shrinks on the way; a rollback is how it goes back")
			return
		}
	}
}

// audienceFaults asks package flags what it would say of the condition, by way
// of the smallest flag that has it as a rule.
func audienceFaults(when flags.Condition) (faults event.Invalids) {
	const env, path = "audience", "environments.audience.rules[0]."
	f := flags.Flag{
		Key: "audience", Purpose: flags.Operational, Owner: "audience", Type: flags.Boolean, Safe: "on",
		Variants: flags.Variants{"on": []byte("true")},
		Environments: map[string]flags.Environment{
			env: {Enabled: true, Rules: []flags.Rule{{Name: "audience", When: &when, Serve: "on"}}},
		},
	}
	all, _ := f.Validate().(event.Invalids)
	for _, fault := range all {
		if rest, ok := strings.CutPrefix(fault.Path, path); ok {
			fault.Path = rest
			faults = append(faults, fault)
		}
	}
	return faults
}

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
	if n := len(c.plan.Stages); n > mostStages {
		c.add("stages", n, fmt.Sprintf("are more than %d", mostStages), "write fewer, or a ramp of larger steps")
	}
	names := map[string]bool{}
	for i, s := range c.plan.Stages {
		path := c.places[i]
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
	case Dark:
		c.dark(path, s)
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
	c.stageArms(path, s)
	c.audience(path, s)
	c.conditions(path, s)
}

// dark checks a stage that nobody notices.
func (c *planCheck) dark(path string, s Stage) {
	if s.Serve != "" || s.Decide || s.Ramp != nil {
		c.add(path+".dark", s.Name, "stands beside serve, ramp or decide", "write two stages: in the dark everybody answers control")
	}
	c.uncompared(path, s)
}

// uncompared refuses what only a comparison could answer.
func (c *planCheck) uncompared(path string, s Stage) {
	if s.MinUnits > 0 || len(s.Exclude) > 0 {
		c.add(path, s.Name, "asks for units or exclusion, but compares nothing", "move minUnits and exclude to a stage with treatment")
	}
}

// stageArms checks variants that a stage names itself.
func (c *planCheck) stageArms(path string, s Stage) {
	if s.Arms == nil {
		return
	}
	arms := c.plan.arms(s)
	switch f, known := c.known.flag(c.plan.Flag); {
	case s.Kind() == Decide || s.Kind() == Full:
		c.add(path+".arms", s.Name, "are other variants than those that are decided about", "leave them out: deciding and full stages have the plan's")
		return
	case known:
		c.variant(path+".arms.control", arms.Control, f)
		c.variant(path+".arms.treatment", arms.Treatment, f)
		if arms.Treatment == f.Safe {
			c.add(path+".arms.treatment", arms.Treatment, "is the safe variant of the flag", "a stage tries what a rollback takes away")
		}
	}
	if s.Kind() == Serve {
		return // it compares nothing, so that control is nobody's
	}
	if arms.Control == arms.Treatment {
		c.add(path+".arms", arms.Control, "are one variant", "name two")
	}
	if arms.Treatment == c.plan.Arms.Control && arms.Control == c.plan.Arms.Treatment {
		c.add(path+".arms", arms.Treatment, "are the plan's the other way round", "a unit would go from treatment to control")
	}
}

// audience checks whom a stage is for.
func (c *planCheck) audience(path string, s Stage) {
	said := 0
	for _, is := range []bool{s.To != "", s.When != nil, len(s.Units) > 0} {
		if is {
			said++
		}
	}
	if said > 1 {
		c.add(path+".to", or(s.To, s.Name), "stands beside when or units", "write one of to, when and units")
	}
	if s.When != nil {
		c.faults.Under(path, audienceFaults(*s.When))
	}
	for i, u := range s.Units {
		if strings.TrimSpace(u) == "" || slices.Contains(s.Units[:i], u) {
			c.add(indexed(path+".units[%d]", i), u, "is empty, or stands twice", "list the ids of units, such as eu-west")
		}
	}
	if len(s.Units) > 0 && s.Kind() != Serve {
		c.add(path+".units", s.Name, "are listed by a stage that does not serve them", "write serve: treatment; few units are not compared with each other")
	}
	c.segments(path, s)
}

// serving checks a stage that gives the treatment to an audience, or to all.
func (c *planCheck) serving(path string, s Stage) {
	if s.Serve != treatmentRole {
		c.add(path+".serve", s.Serve, "is not the treatment", "write serve: treatment; arms says which variant that is")
	}
	if s.Treatment > 0 || s.Decide {
		c.add(path+".treatment", s.Treatment, "stands beside serve", "write two stages")
	}
	c.uncompared(path, s)
	if s.Kind() == Full {
		c.observed(path, s)
	}
	if s.Holdback > All/2 {
		c.add(path+".holdback", s.Holdback, "is more than half", "a full stage serves most units")
	}
}

// observed refuses windows of a full stage: nothing is waited for there, it is
// observed for a time.
func (c *planCheck) observed(path string, s Stage) {
	const why, fix = "is of a stage that waits for evidence, and a full stage is observed", "write observe: "
	if s.MinWindow > 0 {
		c.add(path+".minWindow", s.MinWindow, why, fix+s.MinWindow.String())
	}
	if s.MaxWindow > 0 {
		c.add(path+".maxWindow", s.MaxWindow, why, fix+s.MaxWindow.String())
	}
}

// segments asks that every segment which the audience names is there.
func (c *planCheck) segments(path string, s Stage) {
	at := path + ".when"
	if s.To != "" {
		at = path + ".to"
	}
	for _, key := range s.audience(c.plan.Unit).Segments() {
		c.segment(at, key)
	}
}

// comparing checks a stage that puts a share of units next to as large a
// control.
func (c *planCheck) comparing(path string, s Stage) {
	switch {
	case s.Ramp != nil: // one that has steps is written out
		c.add(path+".ramp", nil, s.Ramp.fault(), "write one such as ramp: {from: 1%, to: 50%, times: 2, every: 24h}")
		return
	case s.Treatment <= 0:
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

// follows checks that a stage may stand behind those before it: audiences and
// the dark first, then growing shares, then at most one stage that decides, then
// full.
func (c *planCheck) follows(path string, i int) {
	s, kind := c.plan.Stages[i], c.plan.Stages[i].Kind()
	before := c.plan.Stages[:i]
	decided := slices.ContainsFunc(before, func(b Stage) bool { return b.Kind() == Decide })
	switch {
	case slices.ContainsFunc(before, func(b Stage) bool { return b.Kind() == Full }):
		c.add(path, s.Name, "stands behind a full stage", "full is the last stage")
	case kind == Full && len(before) > 0 && c.plan.fewUnits():
		c.limited(path)
	case kind == Full && !decided:
		c.add(path, s.Name, "serves everybody without a stage that decides", "put one before it: {name: experiment, treatment: 50%, decide: true}")
	case kind != Full && decided:
		c.add(path, s.Name, "stands behind the stage that decides", "only a full stage follows it")
	case (kind == Serve || kind == Dark) && slices.ContainsFunc(before, Stage.Compares):
		c.add(path, s.Name, "comes after units were compared", "put audiences and the dark first: they would move units out of the comparison")
	}
	for _, b := range before {
		if s.Compares() && b.Compares() && c.shrinks(path, b, s) {
			return
		}
	}
	for j, u := range s.Units {
		if k := slices.IndexFunc(before, func(b Stage) bool { return slices.Contains(b.Units, u) }); k >= 0 {
			c.add(indexed(path+".units[%d]", j), u, "is served since "+before[k].Name, "stages add up: list the units that are new")
		}
	}
}

// shrinks refuses a stage that takes the treatment from units of an earlier one.
func (c *planCheck) shrinks(path string, before, s Stage) bool {
	had, has := before.audience(c.plan.Unit), s.audience(c.plan.Unit)
	switch {
	case s.Treatment < before.Treatment:
		c.add(path+".treatment", s.Treatment, "shrinks what "+before.Name+" reached", "treatment never shrinks on the way; a rollback is how it goes back")
	case has != nil && !equal(had, has):
		c.add(path, s.Name, "is for other units than "+before.Name, "an audience only grows: name the same one, or none")
	default:
		return false
	}
	return true
}

// fewUnits reports whether the plan goes from unit to unit, too few to compare.
func (p Plan) fewUnits() bool {
	return !slices.ContainsFunc(p.Stages, Stage.Compares) && slices.ContainsFunc(p.Stages, func(s Stage) bool { return len(s.Units) > 0 })
}

// limited asks a plan that compares nothing for a level to be held against:
// without, it would ship because nothing was asked.
func (c *planCheck) limited(path string) {
	if !slices.ContainsFunc(c.plan.Metrics.Guardrails, func(g Guardrail) bool { return g.Limit != "" || c.rated(g.Metric) }) {
		c.add(path, nil, "serves everybody, and nothing says at which level that is right", "give a guardrail with a limit, or one of failures whose metric has a rate")
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

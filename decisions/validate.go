package decisions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// Known looks up what a plan names. A nil function looks nothing up, so that a
// plan can be checked without a server.
type Known struct {
	Metric func(key string) (stats.Metric, bool)
	Flag   func(key string) (flags.Recorded, bool)

	Segment   func(key string) (flags.RecordedSegment, bool)
	FreeSlice func(environment, layer, flag string, share int) (flags.Slice, error)

	Webhook func(key string) (why string)                         // nobody would hear of what is sent there; empty: somebody would
	Policy  func(environment string, f *flags.Flag) RolloutPolicy // nil: policies ask nothing
	Owner   func(key string) string                               // why nobody can be asked under that key; "" for a known person or team

	// Speaks reports whether a principal speaks for an owner: is that person, or
	// in that team.
	Speaks func(actor, owner string) bool
}

// Validate says all that is wrong with a plan, as event.Invalids with paths:
// what contradicts itself and what names something unknown. A plan is never
// accepted in part.
func (p Plan) Validate(k Known) error {
	c := planCheck{doc: p, known: k, roles: map[string][]string{}}
	c.plan, c.places = p.filled(k)
	c.template()
	c.header()
	c.flag()
	c.units()
	c.metrics()
	c.actions()
	c.stages()
	c.notified()
	c.rollback()
	c.policy()
	c.owners()
	c.people()
	return onceEach(c.faults).Err()
}

// onceEach leaves out what is said twice: the steps of a ramp are at fault
// together.
func onceEach(faults event.Invalids) (out event.Invalids) {
	for _, f := range faults {
		if !slices.ContainsFunc(out, func(o event.Invalid) bool { return o.Path == f.Path && o.Why == f.Why }) {
			out = append(out, f)
		}
	}
	return out
}

// planCheck collects the faults of one plan.
type planCheck struct {
	doc    Plan     // as it was written
	plan   Plan     // with its defaults
	places []string // of the stages of plan: path in doc
	known  Known
	faults event.Invalids
	roles  map[string][]string // metric -> what it is used for
}

func (c *planCheck) add(path string, value any, why, fix string) { c.faults.Add(path, value, why, fix) }

// missing adds a fault for every named field that is empty.
func (c *planCheck) missing(fix string, path, value string) {
	if strings.TrimSpace(value) == "" {
		c.add(path, nil, "is missing", fix)
	}
}

func (c *planCheck) header() {
	p := c.plan
	c.missing("name the flag to release", "flag", p.Flag)
	c.missing("name the environment, such as production", "environment", p.Environment)
	c.missing("name the person or team that answers for the release", "owner", p.Owner)
	c.missing("name what is hashed and analysed, such as user", "unit", p.Unit)
	c.missing("name the variant that is released", "arms.treatment", p.Arms.Treatment)
	c.missing("name the variant to compare with", "arms.control", p.Arms.Control)
	if p.Arms.Control != "" && p.Arms.Control == p.Arms.Treatment {
		c.add("arms.treatment", p.Arms.Treatment, "is the control too", "name two variants")
	}
	c.key("flag", p.Flag)
	c.key("environment", p.Environment)
	if strings.ContainsAny(p.Environment, ".") {
		c.add("environment", p.Environment, "has a dot", "an environment is one word, such as production")
	}
	c.cleanup()
	c.links()
	c.followUp()
}

// key refuses what cannot be part of a subject.
func (c *planCheck) key(path, key string) {
	if why := event.CheckKey(key); key != "" && why != "" {
		c.add(path, key, why, "")
	}
}

func (c *planCheck) cleanup() {
	cl := c.plan.Cleanup
	if cl == nil {
		c.add("cleanup", nil, "is missing", "say how the flag ends before it begins: cleanup: {due: 30d, endState: promote}")
		return
	}
	if cl.Due == 0 {
		c.add("cleanup.due", nil, "is missing", "say how long after the final decision, such as 30d")
	}
	ends := []flags.EndState{flags.Promote, flags.Remove, flags.Keep, flags.Convert}
	if !slices.Contains(ends, flags.EndState(cl.EndState)) {
		c.add("cleanup.endState", cl.EndState, "is not an end state", "write promote, remove, keep or convert")
	}
}

// flag compares the plan with the flag that it releases.
func (c *planCheck) flag() {
	if c.known.Flag == nil || c.plan.Flag == "" {
		return
	}
	f, ok := c.known.Flag(c.plan.Flag)
	switch {
	case !ok:
		c.add("flag", c.plan.Flag, "is not known", "define the flag first")
		return
	case f.Archived:
		c.add("flag", c.plan.Flag, "is archived", "restore it, or release another flag")
	}
	env, ok := f.Environments[c.plan.Environment]
	switch {
	case !ok:
		c.add("environment", c.plan.Environment, "is not an environment of the flag", "add it to the flag: "+strings.Join(sorted(f.Environments), ", ")+" are there")
	case !env.Enabled:
		c.add("environment", c.plan.Environment, "has the flag disabled", "enable the flag there, or nobody would get the treatment")
	case env.Forced != nil:
		c.add("environment", c.plan.Environment, "has the flag forced to its safe variant", "lift that first: "+env.Forced.Reason)
	}
	if len(env.Targeting) > 0 {
		c.add("environment", c.plan.Environment, "has imported targeting for the flag, which decides before a rollout could", "convert it into rules first")
	}
	if f.Safe == "" {
		c.add("flag", c.plan.Flag, "has no safe variant", "set safe: a rollback gives it to everybody")
	}
	if unit := or(f.Unit, flags.DefaultUnit); c.plan.Unit != "" && c.plan.Unit != unit {
		c.add("unit", c.plan.Unit, "is not the unit of the flag", "write "+unit+", or change the flag")
	}
	c.variant("arms.control", c.plan.Arms.Control, f)
	c.variant("arms.treatment", c.plan.Arms.Treatment, f)
	if c.plan.Arms.Treatment == f.Safe {
		c.add("arms.treatment", f.Safe, "is the safe variant of the flag", "a rollback would serve what is being released; set another safe variant")
	}
}

// units checks who the plan is for: a segment, and a part of a layer. A rollout
// that has its part already is not asked again.
func (c *planCheck) units() {
	p := c.plan
	if p.Eligible != "" {
		c.segment("eligible", p.Eligible)
	}
	if p.Layer == nil {
		return
	}
	c.missing("name a layer of the environment", "layer.name", p.Layer.Name)
	if p.Layer.Share <= 0 || p.Layer.Share > All {
		c.add("layer.share", p.Layer.Share, "is not between 0% and 100%", "write the share of all units, such as 30%")
	} else if c.known.FreeSlice != nil && p.Layer.Name != "" && p.Environment != "" {
		_, err := c.known.FreeSlice(p.Environment, p.Layer.Name, p.Flag, int(p.Layer.Share))
		found, _ := err.(event.Invalids)
		c.faults.Under("layer", found)
	}
}

func (c *planCheck) segment(path, key string) {
	if c.known.Segment == nil {
		return
	}
	if _, ok := c.known.Segment(key); !ok {
		c.add(path, key, "is not a segment", "define the segment first")
	}
}

func (c *planCheck) variant(path, name string, f flags.Recorded) {
	if _, ok := f.Variants[name]; name != "" && !ok {
		c.add(path, name, "is not a variant of the flag", "write one of "+strings.Join(sorted(f.Variants), ", "))
	}
}

// actions checks what each field may ask for: nothing that fails may ask to
// expand or ship.
func (c *planCheck) actions() {
	stop := []Action{Hold, Pause, Rollback}
	p := c.plan
	c.oneOf("health.srm.onFail", p.Health.SRM.OnFail, stop)
	c.oneOf("health.telemetry.onMissing", p.Health.Telemetry.OnMissing, stop)
	c.oneOf("health.multiExposure.onFail", p.Health.MultiExposure.OnFail, stop)
	c.oneOf("incidents.critical", p.Incidents.Critical, stop)
	c.oneOf("incidents.blocking", p.Incidents.Blocking, stop)
	c.oneOf("incidents.minor", p.Incidents.Minor, stop)
	for i, g := range p.Metrics.Guardrails {
		c.oneOf(fmt.Sprintf("metrics.guardrails[%d].onBreach", i), g.OnBreach, []Action{Pause, Rollback})
	}
	for i, s := range p.Metrics.Success {
		c.oneOf(fmt.Sprintf("metrics.success[%d].onLoss", i), s.OnLoss, []Action{Review, Pause, Rollback})
		c.oneOf(fmt.Sprintf("metrics.success[%d].onInconclusive", i), s.OnInconclusive, []Action{Review, Pause, Rollback})
	}
	if a := p.Health.SRM.Alpha; !(a > 0 && a < 0.1) {
		c.add("health.srm.alpha", a, "is not a chance of a false alarm", "write one such as 0.001")
	}
	if m := p.Health.MultiExposure.Max; m > All {
		c.add("health.multiExposure.max", m, "is more than everybody", "write a percentage up to 100%")
	}
}

func (c *planCheck) oneOf(path string, a Action, allowed []Action) {
	if slices.Contains(allowed, a) {
		return
	}
	words := make([]string, len(allowed))
	for i, w := range allowed {
		words[i] = string(w)
	}
	c.add(path, a, "is not something a failing check may ask for", "write one of "+strings.Join(words, ", "))
}

// sorted returns the keys of a map in order, for messages.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

package decisions

import (
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// revising compares a new version of a plan with the one that is under way. The
// new one may ask more, and go to more stages; what was agreed to before anybody
// was exposed it does not lower, because whoever sees the numbers could.
type revising struct {
	Rollout
	known  Known
	next   Plan     // filled
	places []string // of its stages, in the document
	faults event.Invalids
}

const (
	notLowered = "; a plan that is under way does not lower its own guardrails"
	keepIt     = "keep it, or end this rollout and plan another"
)

// lowers adds a fault where something is asked more weakly than before.
func (c *revising) lowers(weaker bool, path string, was, is any) {
	if weaker {
		c.faults.Add(path, is, fmt.Sprintf("was %v%s", was, notLowered), keepIt)
	}
}

// milder adds a fault where a failure asks for less than before.
func (c *revising) milder(path string, was, is Action) {
	c.lowers(was.outranks(is), path, was, is)
}

// refuse adds a fault where something that has happened would be said otherwise.
func (c *revising) refuse(when bool, path string, is any, why string) {
	if when {
		c.faults.Add(path, is, why, "roll back, or let the rollout end, and plan another")
	}
}

func (c *revising) check() {
	c.guardrails()
	c.health()
	c.people()
	c.begun()
	c.stages()
	c.units()
}

// guardrails holds every guardrail of the version before against this one.
func (c *revising) guardrails() {
	for _, was := range c.Plan.Metrics.Guardrails {
		i := slices.IndexFunc(c.next.Metrics.Guardrails, func(g Guardrail) bool {
			return g.Metric == was.Metric && (g.Margin == nil) == (was.Margin == nil)
		})
		if i < 0 {
			c.lowers(true, "metrics.guardrails", "guarding "+was.Metric, nil)
			continue
		}
		c.guardrail(indexed("metrics.guardrails[%d]", i), was, c.next.Metrics.Guardrails[i])
	}
	c.successes()
}

// successes holds what the change should improve against the version before: it
// may be something else, whose tests start afresh, and not less.
func (c *revising) successes() {
	n, m := len(c.Plan.Metrics.Success), len(c.next.Metrics.Success)
	c.lowers(m < n, "metrics.success", fmt.Sprintf("showing success by %d", n), m)
	for _, was := range c.Plan.Metrics.Success {
		if i := slices.IndexFunc(c.next.Metrics.Success, func(s Success) bool { return s.Metric == was.Metric }); i >= 0 {
			is := c.next.Metrics.Success[i]
			c.milder(indexed("metrics.success[%d].onLoss", i), was.OnLoss, is.OnLoss)
			c.milder(indexed("metrics.success[%d].onInconclusive", i), was.OnInconclusive, is.OnInconclusive)
		}
	}
}

func (c *revising) guardrail(path string, was, is Guardrail) {
	if was.Margin != nil {
		c.lowers(*is.Margin > *was.Margin, path+".margin", *was.Margin, *is.Margin)
		c.lowers(is.Detect.Change > was.Detect.Change, path+".detect", was.Detect, is.Detect)
	}
	c.lowers(c.looser(was, is), path+".limit", was.Limit, is.Limit)
	c.lowers(was.Within != "" && is.Within != was.Within, path+".within", was.Within, is.Within)
	c.milder(path+".onBreach", was.OnBreach, is.OnBreach)
}

// looser reports whether a limit tolerates more: a higher level, or a lower one
// of what is better when it grows.
func (c *revising) looser(was, is Guardrail) bool {
	before, _, _ := event.ParseLevel(was.Limit) // both plans have been validated
	after, _, _ := event.ParseLevel(is.Limit)
	if or(c.Metrics[was.Metric].Direction, stats.Increase) == stats.Increase {
		before, after = after, before
	}
	return was.Limit != "" && after > before
}

// health holds what must hold before any effect is believed, and what incidents
// ask for, against the version before.
func (c *revising) health() {
	was, is := c.Plan, c.next
	c.lowers(is.Health.SRM.Alpha < was.Health.SRM.Alpha, "health.srm.alpha", was.Health.SRM.Alpha, is.Health.SRM.Alpha)
	c.milder("health.srm.onFail", was.Health.SRM.OnFail, is.Health.SRM.OnFail)
	c.lowers(is.Health.Telemetry.MaxLag > was.Health.Telemetry.MaxLag, "health.telemetry.maxLag", was.Health.Telemetry.MaxLag, is.Health.Telemetry.MaxLag)
	c.milder("health.telemetry.onMissing", was.Health.Telemetry.OnMissing, is.Health.Telemetry.OnMissing)
	c.lowers(is.Health.MultiExposure.Max > was.Health.MultiExposure.Max, "health.multiExposure.max", was.Health.MultiExposure.Max, is.Health.MultiExposure.Max)
	c.milder("health.multiExposure.onFail", was.Health.MultiExposure.OnFail, is.Health.MultiExposure.OnFail)
	c.milder("incidents.critical", was.Incidents.Critical, is.Incidents.Critical)
	c.milder("incidents.blocking", was.Incidents.Blocking, is.Incidents.Blocking)
	c.milder("incidents.minor", was.Incidents.Minor, is.Incidents.Minor)
	c.lowers(was.Rollback.To != is.Rollback.To, "rollback.to", was.Rollback.To, is.Rollback.To)
	c.lowers(was.Rollback.lockUntilExplained() && !is.Rollback.lockUntilExplained(), "rollback.lockUntilExplained", true, false)
	if proof := was.Rollback.Prove; proof != nil {
		now := or(is.Rollback.Prove, &Proof{UnsafeExposures: All})
		c.lowers(now.UnsafeExposures > proof.UnsafeExposures, "rollback.prove.unsafeExposures", proof.UnsafeExposures, now.UnsafeExposures)
		c.lowers(now.Within == 0 || now.Within > proof.Within, "rollback.prove.within", proof.Within, now.Within)
	}
}

// begun asks that the stages which have begun are there as they were carried out.
func (c *revising) begun() {
	for i, was := range c.Plan.Stages[:c.Stage+1] {
		if i >= len(c.next.Stages) || !equal(was.exposing(), c.next.Stages[i].exposing()) {
			c.refuse(true, c.place(i), was.Name, "is not stage "+was.Name+" as it has begun")
		}
	}
}

func (c *revising) place(i int) string {
	if i >= len(c.places) {
		return "stages"
	}
	return c.places[i]
}

// exposing is the stage without its gate: who gets what.
func (s Stage) exposing() Stage {
	return Stage{
		Name: s.Name, Serve: s.Serve, To: s.To, When: s.When, Units: s.Units, Treatment: s.Treatment, Dark: s.Dark, Decide: s.Decide,
		Arms: s.Arms, Holdback: s.Holdback,
	}
}

// stages asks that the gates which are not passed yet ask no less. Those that
// are passed ask nothing any more.
func (c *revising) stages() {
	last := -1
	for i, was := range c.Plan.Stages {
		if i < c.Stage {
			continue
		}
		j := slices.IndexFunc(c.next.Stages, func(s Stage) bool { return s.Name == was.Name })
		if j < 0 || j < last {
			c.lowers(true, "stages", "going by way of "+was.Name, nil)
			continue
		}
		last = j
		c.gate(c.places[j], was, c.next.Stages[j])
	}
}

func (c *revising) gate(path string, was, is Stage) {
	c.lowers(is.Exposure() > was.Exposure(), path+".treatment", was.Exposure(), is.Exposure())
	c.lowers(is.MinWindow < was.MinWindow, path+".minWindow", was.MinWindow, is.MinWindow)
	c.lowers(is.Observe < was.Observe, path+".observe", was.Observe, is.Observe)
	c.lowers(is.MinUnits < was.MinUnits, path+".minUnits", was.MinUnits, is.MinUnits)
	c.lowers(is.Approve < was.Approve, path+".approve", was.Approve, is.Approve)
	narrower := was.ApproveBy == "" || was.ApproveBy == "approver" && is.ApproveBy == "admin"
	c.lowers(is.ApproveBy != was.ApproveBy && !narrower, path+".approveBy", was.ApproveBy, is.ApproveBy)
	c.lowers(was.Kind() != is.Kind(), path, was.Kind(), is.Kind())
	for _, key := range sorted(was.Exclude) {
		size := is.Exclude[key]
		c.lowers(size.IsZero() || size.Change > was.Exclude[key].Change, path+".exclude."+key, was.Exclude[key], size)
	}
	now := is.conditions()
	for i, list := range was.conditions() {
		for _, one := range list.of {
			c.lowers(!slices.Contains(now[i].of, one), path+"."+list.name, fmt.Sprintf("asking for %s", one), nil)
		}
	}
	for _, name := range was.Requires {
		c.lowers(!slices.Contains(is.Requires, name), path+".requires", "requiring "+name, nil)
	}
}

// units refuses what would give units that have the treatment another variant,
// or none: that is a rollback's to do.
func (c *revising) units() {
	was, is := c.Plan, c.next
	dark, served := false, false
	for _, s := range was.Stages[:c.Stage+1] {
		dark, served = dark || s.Kind() == Dark, served || s.Kind() == Serve
	}
	present, _ := c.Now()
	anew := was.Arms != is.Arms || was.Eligible != is.Eligible || !equal(was.Layer, is.Layer) || was.Unit != is.Unit
	c.refuse(anew && present.Kind() == Full, "arms", nil, "would split units that all have the treatment")
	c.refuse(anew && dark && !present.Compares(), "arms", nil, "would change what runs in the dark")
	c.refuse(served && was.Arms.Treatment != is.Arms.Treatment, "arms.treatment", is.Arms.Treatment, "is not "+was.Arms.Treatment+", which an audience has")
	c.refuse(was.Arms.Treatment == is.Arms.Control && c.Stage >= 0, "arms.control", is.Arms.Control, "is the treatment that units have")
}

// String says what a condition is about.
func (c Condition) String() string {
	switch {
	case c.Guardrail != "":
		return "guardrail " + c.Guardrail
	case c.Incident != "":
		return "incident " + c.Incident
	case c.Check != "":
		return "check " + c.Check
	}
	return "manual " + c.Manual
}

package decisions

import (
	"fmt"
	"slices"
	"strings"
)

// told asks what comes from outside the data: the external checks that the
// stage requires, and its conditions on incidents, checks and people. Those on
// guardrails wait for the guardrails.
func (g *gate) told(stage Stage) {
	for _, name := range stage.Requires {
		g.add(g.external(Check{Name: CheckRequires, Of: name}, name, ""))
	}
	g.conditions(stage, func(c Condition) bool { return c.Guardrail == "" })
}

// judged asks the stage's conditions on guardrails.
func (g *gate) judged(stage Stage) {
	g.conditions(stage, func(c Condition) bool { return c.Guardrail != "" })
}

// conditions asks those of the stage's conditions that are chosen, the worst
// first.
func (g *gate) conditions(stage Stage, chosen func(Condition) bool) {
	lists := [...]struct {
		name CheckName
		list []Condition
	}{{CheckRollbackWhen, stage.RollbackWhen}, {CheckPauseWhen, stage.PauseWhen}, {CheckAdvanceWhen, stage.AdvanceWhen}}
	for _, l := range lists {
		for _, c := range l.list {
			if chosen(c) {
				g.condition(l.name, c)
			}
		}
	}
}

// stops returns what a list of conditions does when one is met: nothing, for
// those of which each must be met to go on.
func (n CheckName) stops() Action {
	switch n {
	case CheckRollbackWhen:
		return Rollback
	case CheckPauseWhen:
		return Pause
	}
	return ""
}

// condition adds the item of one condition. One that stops does so when it is
// met; one to advance holds until it is.
func (g *gate) condition(name CheckName, c Condition) {
	item := Check{Name: name}
	switch {
	case c.Check != "":
		item.Of = "check " + c.Check
		g.add(g.external(item, c.Check, name.stops()))
	case c.Incident != "":
		item.Of = aboutIncidents + c.Incident
		g.incident(item, Severity(c.Incident))
	case c.Manual != "":
		item.Of = "manual " + c.Manual
		g.add(g.manual(item, c.Manual))
	case c.Guardrail != "":
		item.Metric = c.Guardrail
		g.add(g.guarded(item))
	}
}

// external fills in the check of something that another system reports. What it
// has not said, or has said too long ago, holds; what it says has failed asks
// for what the plan says, or holds.
func (g *gate) external(c Check, name string, asks Action) Check {
	r, ok := g.State.Reported[name]
	switch {
	case !ok:
		c.State, c.Code, c.Text = Wait, "missing", fmt.Sprintf("The external check %s has not reported yet", name)
	case !g.Now.Before(r.Expires):
		c.State, c.Code = Wait, "expired"
		c.Text = fmt.Sprintf("What the external check %s reported has expired at %s", name, clock(r.Expires))
	case r.State != Pass:
		c.State, c.Code, c.Asks = Fail, "failed", or(asks, Hold)
		c.Text = fmt.Sprintf("The external check %s has failed, says %s at %s", name, r.By, clock(r.At)) + because(r.Text)
	default:
		c.State, c.Code = Pass, "passed"
		c.Text = fmt.Sprintf("The external check %s has passed, says %s at %s; that holds until %s", name, r.By, clock(r.At), clock(r.Expires))
	}
	return c
}

// because adds what somebody said.
func because(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// aboutIncidents is what the items of conditions on incidents are about, before
// the severity.
const aboutIncidents = "incident "

// incident adds an item for every open incident of a severity or a worse one, so
// that a person goes on over those he saw and no other.
func (g *gate) incident(c Check, least Severity) {
	c.State, c.Text = Pass, fmt.Sprintf("No incident is open that is %s or worse", least)
	met := false
	for _, i := range g.Evidence.Incidents {
		if !i.Severity.reaches(least) {
			continue
		}
		met = true
		c.State, c.Code, c.Asks = Fail, "open "+i.ID, or(c.Name.stops(), Hold)
		c.Text = fmt.Sprintf("A %s incident is open since %s: %s", i.Severity, clock(i.Since), or(i.Text, i.ID))
		g.add(c)
	}
	if !met {
		g.add(c)
	}
}

// reaches reports whether a severity is as bad as another. One that nobody knows
// is as bad as any.
func (s Severity) reaches(least Severity) bool {
	rising := []Severity{Minor, Blocking, Critical}
	at := slices.Index(rising, s)
	return at < 0 || at >= slices.Index(rising, least)
}

// manual fills in the check of what its owner must say.
func (g *gate) manual(c Check, owner string) Check {
	said, ok := g.State.Confirmed[c.key()]
	stops := c.Name.stops()
	switch {
	case ok && stops != "":
		c.State, c.Code, c.Asks = Fail, "confirmed", stops
		c.Text = fmt.Sprintf("%s says that it is so: %s", said.By, said.Comment)
	case stops != "":
		c.State, c.Text = Pass, fmt.Sprintf("%s has not said that the stage must stop", owner)
	case ok:
		c.State, c.Code, c.Text = Pass, "confirmed", fmt.Sprintf("%s has confirmed: %s", said.By, said.Comment)
	default:
		c.State, c.Code, c.Text = Wait, "missing", fmt.Sprintf("Waits for %s to confirm", owner)
	}
	return c
}

// guarded fills in a condition on a guardrail, from the items that the guardrail
// has in this gate already.
func (g *gate) guarded(c Check) Check {
	var items []Check
	for _, i := range g.checks {
		if i.Metric == c.Metric && (i.Name == CheckGuardrail || i.Name == CheckLimit) {
			items = append(items, i)
		}
	}
	if c.Name == CheckAdvanceWhen {
		return shown(c, items)
	}
	c.State, c.Text = Pass, c.Metric+" is not shown to be worse"
	for _, i := range items {
		if !i.harms() {
			continue
		}
		information, looks := i.Numbers["information"]
		switch {
		case looks: // a guardrail of failures has none, and acts at once
			c = g.confirm(c, c.Name.stops(), information)
			c.Text = i.Text + unlessSaid(c, i)
		default:
			c.State, c.Code, c.Asks, c.Text = Fail, codeBreached, c.Name.stops(), i.Text
		}
		return c
	}
	return c
}

// shown fills in a condition to advance on a guardrail: it is met when the
// guardrail is shown to be safe, which is more than that nothing was found.
func shown(c Check, items []Check) Check {
	c.State, c.Code, c.Text = Wait, "open", c.Metric+" is not shown to be safe yet"
	safe := func(i Check) bool { return i.State == Pass && (i.Code == codeSafe || i.Code == codeTolerated) }
	open := func(i Check) bool { return !safe(i) && i.State != NotApplicable && !(i.State == Pass && i.onlyStops()) }
	if slices.ContainsFunc(items, safe) && !slices.ContainsFunc(items, open) {
		c.State, c.Code, c.Text = Pass, codeSafe, c.Metric+" is shown to be safe"
	}
	return c
}

// onlyStops reports whether a guardrail's item is of a test that finds harm and
// proves nothing: that of one value of an attribute, and of a declared rate.
func (c Check) onlyStops() bool {
	_, rate := c.Numbers["failing"]
	return c.Name == CheckGuardrail && c.Of != "" || c.Name == CheckLimit && rate
}

// harms reports whether a guardrail's item says that harm is established.
func (c Check) harms() bool {
	return c.State == Fail && (c.Code == codeBreached || c.Code == codeBreachedOnce || c.Code == codeHarmed)
}

// unlessSaid says that harm is to be confirmed, unless the guardrail's own sentence
// does.
func unlessSaid(c, guardrail Check) string {
	if strings.HasSuffix(guardrail.Text, once(c)) {
		return ""
	}
	return once(c)
}

// forPeople reports whether an open check changes only when a person acts.
func (c Check) forPeople() bool {
	manual := strings.HasPrefix(c.Of, "manual ")
	return c.Name == CheckApproval && c.Code == "missing" || manual
}

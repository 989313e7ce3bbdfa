package dashboards

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// FlagHealth is the page of how a flag is: for each environment the conclusion,
// and every check that it rests on, in words with numbers.
type FlagHealth struct {
	Frame
	Top   FlagTop
	Lead  string
	Where []HealthPlace
	AsOf  AsOf
}

func (FlagHealth) template() string { return "flaghealth" }

// HealthPlace is how a flag is in one environment.
type HealthPlace struct {
	ID        Anchor
	Name      string
	Mark      Mark
	Text      string // the conclusion
	Source    string // who says so; empty: nobody
	Since     time.Time
	Checks    []Check // what is known without a look of a rollout
	Rollout   string  // address of the newest; empty: none
	Of        string  // its id
	Looked    time.Time
	Gate      []Check // of that look; none: it has not looked
	Incidents string  // address of those of this environment
}

// HealthKnown is what is known of a flag in one environment.
type HealthKnown struct {
	Grounds decisions.Grounds
	Used
}

// NewFlagHealth makes the page.
func NewFlagHealth(f Frame, s FlagSeen, known []HealthKnown, asOf AsOf) FlagHealth {
	p := FlagHealth{Frame: f, Top: newFlagTop(f, s, TabHealth), AsOf: asOf}
	for i, k := range known {
		place := newHealthPlace(s, k)
		place.ID = Anchor("environment-" + strconv.Itoa(i))
		p.Where = append(p.Where, place)
	}
	p.Lead = healthLead(p.Where)
	slices.SortStableFunc(p.Where, func(a, b HealthPlace) int { return cmp.Compare(b.worry(), a.worry()) })
	return p
}

// worry orders environments: critical before unknown before healthy.
func (p HealthPlace) worry() int { return slices.Index([]Mark{Healthy, Unclear, Critical}, p.Mark) }

// healthLead names the environments by how the flag is there, the worst first.
func healthLead(all []HealthPlace) string {
	by := map[Mark][]string{}
	for _, p := range all {
		by[p.Mark] = append(by[p.Mark], p.Name)
	}
	var said []string
	for _, is := range []struct {
		mark Mark
		text string
	}{{Critical, "It is critical in "}, {Unclear, "Nothing can be said of "}, {Healthy, "It is healthy in "}} {
		if names := by[is.mark]; len(names) > 0 {
			said = append(said, is.text+few(names, 5)+".")
		}
	}
	return strings.Join(said, " ")
}

func newHealthPlace(s FlagSeen, k HealthKnown) HealthPlace {
	h, g := s.Health[k.Environment], k.Grounds
	p := HealthPlace{Name: k.Environment, Mark: healthMark(h), Text: sentence(h.Text), Source: h.Source, Since: h.Since, Looked: g.Looked, Gate: newChecks(g.Checks),
		Incidents: "/incidents?" + url.Values{"environment": {k.Environment}, "flag": {s.Flag.Key}}.Encode()}
	if g.Rollout != "" {
		p.Rollout, p.Of = "/rollouts/"+g.Rollout, g.Rollout
	}
	p.Checks = append(incidentChecks(g), rolloutCheck(g), useCheck(k.Used))
	return p
}

// incidentChecks has one row for each open incident. That none is open says
// something only where somebody would tell of one.
func incidentChecks(g decisions.Grounds) (all []Check) {
	for _, i := range g.Incidents {
		mark := Caution
		if i.Severity == decisions.Critical {
			mark = Failed
		}
		all = append(all, Check{mark, "incident " + i.ID, upper(string(i.Severity)) + ", open since " + moment(i.Since) + ": " + sentence(or(i.Text, "nothing is said of it"))})
	}
	switch {
	case len(all) > 0:
	case g.Told == 0:
		all = []Check{{NotApplicable, "incidents", "None is open, and nobody has ever told of one here: that silence says nothing."}}
	default:
		all = []Check{{Passed, "incidents", "None is open. The last of " + count(int64(g.Told)) + " was over on " + moment(g.Over) + "."}}
	}
	return all
}

// rolloutCheck says whether a rollout looks after the flag.
func rolloutCheck(g decisions.Grounds) Check {
	c := Check{Mark: NotApplicable, Name: "rollout", Have: "None looks after it."}
	switch {
	case g.Rollout == "":
	case g.Locked:
		c.Mark, c.Have = Failed, "It was rolled back, and nobody has explained why."
	case !g.Looked.IsZero():
		c.Mark, c.Have = Passed, "It is under way in the stage "+g.Stage+", and decided last on what it saw on "+moment(g.Looked)+"."
	case g.Status == decisions.Planned:
		c.Mark, c.Have = Waiting, "It is planned, and has not begun."
	case g.Stage != "" && (g.Status == decisions.Running || g.Status == decisions.Paused || g.Status == decisions.Observing):
		c.Mark, c.Have = Waiting, "It is under way in the stage "+g.Stage+", and no decision has looked at it yet."
	default:
		c.Have = "The last one is over: it looks no more."
	}
	return c
}

// useCheck says how many evaluations ended in an error.
func useCheck(u Used) Check {
	c := Check{Mark: NotApplicable, Name: "evaluations"}
	var all, failed int64
	for _, one := range u.Usage {
		all += one.Asked + one.Listed
		if one.Reason == flags.Errored {
			failed += one.Asked + one.Listed
		}
	}
	days := " in " + amount(u.Days, "day")
	switch {
	case u.Missing != "":
		c.Have = "Nothing is known of them: " + sentence(u.Missing)
		return c
	case all == 0:
		c.Have = "None was counted" + days + "."
		return c
	case failed == 0:
		c.Mark, c.Have = Passed, "None of "+count(all)+days+" ended in an error."
	default:
		c.Mark, c.Have = Caution, count(failed)+" of "+count(all)+days+" ended in an error, "+percent(float64(failed)/float64(all))+": whoever asked got the code's default."
	}
	if !u.Seen.Asked.IsZero() {
		c.Have += " The last was on " + moment(u.Seen.Asked) + "."
	}
	return c
}

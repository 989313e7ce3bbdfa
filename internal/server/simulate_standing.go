package server

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// standing is a stage of a plan with the share that somebody tries there.
type standing struct {
	stage int               // −1: the flag as it is
	share decisions.Percent // 0: the plan's own, or none
}

// String is what the address calls it.
func (a standing) String() string {
	return strconv.Itoa(a.stage) + ":" + strings.TrimSuffix(a.share.String(), "%")
}

// in names it for people.
func (a standing) in(p decisions.Plan) string {
	name := p.Stages[a.stage].Name
	if a.share > 0 {
		name += " " + a.share.String()
	}
	return name
}

// reach is the share of units that get the treatment.
func (a standing) reach(p decisions.Plan) decisions.Percent {
	if a.share > 0 {
		return a.share
	}
	return p.Stages[a.stage].Exposure()
}

// standings reads which stage of the plan of the flag in a place is asked for,
// what was shown before, and which share each stage is to have: its own, where
// none is asked for.
func standings(q url.Values, place int, p decisions.Plan) (here, was standing, shares []decisions.Percent, err error) {
	var faults event.Invalids
	of := func(thing string) string { return dashboards.OfFlag(place, thing) }
	for i, stage := range p.Stages {
		share := decisions.Percent(0)
		if stage.Compares() {
			name := of(fmt.Sprintf("share%d", i))
			share = shareAsked(name, q.Get(name), stage.Treatment, &faults)
		}
		shares = append(shares, share)
	}
	here.stage, was.stage = -1, -1
	if text := q.Get(of("stage")); text != "" {
		here.stage = stageAsked(of("stage"), text, p, &faults)
	}
	if here.stage >= 0 {
		here.share = shares[here.stage]
	}
	if text := q.Get(of("was")); text != "" {
		stage, share, _ := strings.Cut(text, ":")
		if was.stage = stageAsked(of("was"), stage, p, &faults); was.stage >= 0 && p.Stages[was.stage].Compares() {
			was.share = shareAsked(of("was"), share, p.Stages[was.stage].Treatment, &faults)
		}
	}
	return here, was, shares, faults.Err()
}

// stageAsked reads a place in a plan, −1 for none.
func stageAsked(path, text string, p decisions.Plan, faults *event.Invalids) int {
	stage, err := strconv.Atoi(text)
	if err != nil || stage < 0 || stage >= len(p.Stages) {
		faults.Add(path, text, "is no stage of the newest plan of that flag", "choose one of those that the page shows")
		return -1
	}
	return stage
}

// shareAsked reads a percentage, or returns the plan's own where there is none.
// Half of all units is the most, since control is as large as the treatment.
func shareAsked(path, text string, own decisions.Percent, faults *event.Invalids) decisions.Percent {
	if text == "" {
		return own
	}
	share, err := event.ParsePercent(text + "%")
	if err != nil || share <= 0 || share > decisions.All/2 {
		faults.Add(path, text, "is no share of the units that the treatment can have", "write a percentage above 0, up to 50")
		return own
	}
	return share
}

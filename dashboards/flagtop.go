package dashboards

import (
	"cmp"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// FlagTop is what every page of a flag begins with.
type FlagTop struct {
	Key, Description, Owner, Purpose, Type, Unit, Tags string
	Set                                                string // of files that keep it; empty: none
	Phase                                              Mark
	Reasons                                            []string // why somebody should look at it
	Revision                                           uint64
	Changed                                            time.Time
	Actor                                              string
	Acts                                               []Button // what this person can do
	Tabs                                               []Tab
}

// FlagTab is a view of a flag, as its address names it.
type FlagTab string

// The views of a flag.
const (
	TabOverview FlagTab = ""
	TabUse      FlagTab = "evaluations"
	TabExplain  FlagTab = "explain"
	TabHealth   FlagTab = "health"
	TabHistory  FlagTab = "history"
	TabCode     FlagTab = "code"
	TabNeeds    FlagTab = "dependencies"
	TabWaiting  FlagTab = "waiting"
)

var flagTabs = []struct {
	tab  FlagTab
	name string
}{
	{TabOverview, "Overview"}, {TabHealth, "Health"}, {TabUse, "Evaluations"}, {TabExplain, "Explain"}, {TabHistory, "History"},
	{TabNeeds, "Dependencies"}, {TabCode, "Code"}, {TabWaiting, "Requests and schedules"},
}

func newFlagTop(f Frame, s FlagSeen, here FlagTab) FlagTop {
	r := s.Flag
	t := FlagTop{
		Key: r.Key, Description: r.Description, Owner: r.Owner, Purpose: string(r.Purpose), Type: string(r.Type), Unit: cmp.Or(r.Unit, flags.DefaultUnit),
		Tags: few(r.Tags, 12), Set: r.Set, Phase: phase(s.Life), Reasons: s.Life.Reasons, Revision: r.Revision, Changed: r.Changed, Actor: r.Actor,
	}
	for _, tab := range flagTabs {
		link := flagLink(r.Key)
		if tab.tab != TabOverview {
			link += "?tab=" + string(tab.tab)
		}
		t.Tabs = append(t.Tabs, Tab{Name: tab.name, Link: link, Here: tab.tab == here})
	}
	t.Acts = wholeActs(f.Rights, r)
	return t
}

// wholeActs are what can be done to a flag as a whole.
func wholeActs(may Rights, r flags.Recorded) []Button {
	var out []Button
	if may.Write && !r.Archived {
		out = append(out, Button{Name: "Edit", Link: flagLink(r.Key) + "/edit"})
	}
	switch {
	case !may.Decide:
	case r.Archived:
		out = append(out, Button{Name: "Restore", Link: switchLink(r.Key, "", flags.Restore)})
	default:
		out = append(out, Button{Name: "Archive", Link: switchLink(r.Key, "", flags.Archive), Grave: true})
	}
	return out
}

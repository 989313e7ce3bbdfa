package dashboards

import (
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// FlagCode is the page of where the code uses a flag.
type FlagCode struct {
	Frame
	Top          FlagTop
	Lead         string
	Repositories []Repository
	Empty        *Empty
	AsOf         AsOf
}

func (FlagCode) template() string { return "flagcode" }

// Repository is what the newest scan of a source tree says of a flag.
type Repository struct {
	Name, Revision string
	At             time.Time
	Count          string
	Places         []SourceLine
	More           string // places that are not shown; empty: none
}

// SourceLine is one line of a source tree.
type SourceLine struct{ At, Alias string }

// Scanned is what a scan says of a flag, as the server knows it.
type Scanned struct {
	Repository, Revision string
	At                   time.Time
	Count                int
	Places               []flags.Place
}

// mostPlaces bounds the lines of a repository on a page.
const mostPlaces = 200

// NewFlagCode makes the page.
func NewFlagCode(f Frame, s FlagSeen, all []Scanned, asOf AsOf) FlagCode {
	p := FlagCode{Frame: f, Top: newFlagTop(f, s, TabCode), AsOf: asOf}
	total := 0
	for _, scan := range all {
		total += scan.Count
		r := Repository{Name: scan.Repository, Revision: scan.Revision, At: scan.At, Count: amount(scan.Count, "place")}
		for i, place := range scan.Places {
			if i == mostPlaces {
				r.More = amount(len(scan.Places)-i, "place") + " more: sluice get flag " + s.Flag.Key + " -o json"
				break
			}
			r.Places = append(r.Places, SourceLine{place.Path + ":" + strconv.Itoa(place.Line), place.Alias})
		}
		p.Repositories = append(p.Repositories, r)
	}
	p.Lead = "The code uses it in " + amount(total, "place") + " of " + amount(len(all), "source tree") + "."
	if len(all) == 0 {
		p.Lead, p.Empty = "", &Empty{Title: "No source tree was scanned", Text: "A scan says where the code uses which flag. Run it where the code is, best in its pipeline:", Command: "sluice refs scan ."}
	}
	return p
}

// FlagNeeds is the page of what a flag depends on, and what depends on it.
type FlagNeeds struct {
	Frame
	Top   FlagTop
	Where []Dependency
	AsOf  AsOf
}

func (FlagNeeds) template() string { return "flagneeds" }

// Dependency is what a flag needs in one environment, and what needs it.
type Dependency struct {
	ID                       Anchor
	Name                     string
	Needs, Through, NeededBy []Linked
	Segments, InheritedRules []Linked
	Alone                    bool // nothing of all that
}

// Linked is a name that leads somewhere, with a remark.
type Linked struct{ Name, Link, Text string }

// NewFlagNeeds makes the page.
func NewFlagNeeds(f Frame, s FlagSeen, all []flags.Dependencies, asOf AsOf) FlagNeeds {
	p := FlagNeeds{Frame: f, Top: newFlagTop(f, s, TabNeeds), AsOf: asOf}
	for i, d := range all {
		w := Dependency{ID: Anchor("environment-" + strconv.Itoa(i)), Name: d.Environment}
		for _, n := range d.Needs {
			w.Needs = append(w.Needs, Linked{n.Flag, flagLink(n.Flag), "has to answer " + n.Variant})
		}
		for _, key := range d.Through {
			w.Through = append(w.Through, Linked{key, flagLink(key), ""})
		}
		for _, key := range d.NeededBy {
			w.NeededBy = append(w.NeededBy, Linked{key, flagLink(key), ""})
		}
		for _, g := range d.Segments {
			text := "revision " + revision(g.Revision)
			if g.Pinned {
				text += ", kept by the rollout"
			}
			w.Segments = append(w.Segments, Linked{g.Key, segmentLink(g.Key), text})
		}
		for _, name := range d.Rules {
			w.InheritedRules = append(w.InheritedRules, Linked{name, environmentLink(d.Environment), "inherited by a tag"})
		}
		w.Alone = len(w.Needs)+len(w.NeededBy)+len(w.Segments)+len(w.InheritedRules) == 0
		p.Where = append(p.Where, w)
	}
	return p
}

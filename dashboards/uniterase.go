package dashboards

import (
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

// ErasedUnit is a unit whose facts were deleted, or are being.
type ErasedUnit struct {
	Mark       Mark
	Kind, Unit string
	At         time.Time
	By         string
	Comment    string
	What       string
}

// erasing shows whoever may delete units how, and what was deleted.
func (p *UnitPage) erasing(q UnitAsked, asked bool, e UnitErasure) {
	p.MayErase = true
	for _, d := range e.Deletions {
		p.Erased = append(p.Erased, newErased(d))
	}
	p.Deletions = Turn("/events/unit", url.Values{"environment": {p.Environment}, "cursor": {p.asks("cursor")}}, e.Next)
	if asked {
		named := namedFields(q)
		p.Export = &Form{ID: "export", Action: "/events/unit/export", Button: "Export everything that is kept", Fields: named}
		p.Erase = &Form{ID: "erase", Action: "/events/unit/deletion", Button: "See what a deletion takes…", Grave: true, Fields: named}
	}
}

// namedFields name the unit as it was asked for.
func namedFields(q UnitAsked) []Field {
	return []Field{{Name: "kind", Kind: AsHidden, Value: or(q.Kind, flags.DefaultUnit)}, {Name: "id", Kind: AsHidden, Value: q.ID}}
}

func newErased(d ingest.Forgotten) ErasedUnit {
	out := ErasedUnit{Mark: Pending, Kind: d.Kind, Unit: d.Unit, At: d.Before, By: d.Actor, Comment: d.Comment, What: "under way"}
	if e := d.Erased; e != nil {
		out.Mark, out.What = Made, amount(int(e.Rows), "row")+" and "+amount(e.Letters, "dead letter")+" deleted "+moment(e.At)
	}
	return out
}

// UnitErase is the page before the facts of a unit are deleted.
type UnitErase struct {
	Frame
	Tabs       []Tab
	Kind, Unit string
	Facts      []Fact
	Mentions   []Linked
	Remains    []string
	Form       Form
	Command    string
}

func (UnitErase) template() string { return "uniterase" }

// UnitKept is what is kept of a unit.
type UnitKept struct {
	ingest.UnitFacts
	Mentions []Mentioned
	Remains  []string // what no deletion takes
}

// Mentioned is a definition that names the unit.
type Mentioned struct{ Kind, Key, Place string }

// NewUnitErase makes that page.
func NewUnitErase(f Frame, q UnitAsked, k UnitKept, key string) UnitErase {
	p := UnitErase{Frame: f, Tabs: eventTabs(f, OfUnit), Kind: k.Kind, Unit: k.Unit, Remains: k.Remains, Facts: []Fact{
		{"Exposures", count(int64(len(k.Exposures)))}, {"Metric events", count(int64(len(k.Metrics)))},
		{"Not countable yet", count(int64(len(k.Waiting)))}, {"Dead letters", count(int64(len(k.Letters)))}}}
	for _, m := range k.Mentions {
		link := "/flags/"
		if m.Kind == "segment" {
			link = "/segments/"
		}
		p.Mentions = append(p.Mentions, Linked{Name: m.Key, Link: link + url.PathEscape(m.Key), Text: m.Kind + ", " + strings.ReplaceAll(m.Place, ".", " ")})
	}
	p.Form = Form{ID: "erase", Action: "/events/unit/deletions", Key: key, Button: "Delete them for good", Grave: true, Cancel: asking("/events/unit", url.Values{"environment": {f.Environment}}),
		Fields: append(namedFields(q), Field{Name: "comment", Label: "Why", Kind: AsText, Rows: 2, Hint: "case 4711", Help: "It stays on record, and must not name the unit."})}
	p.Command = "sluice units delete " + k.Unit + " --kind " + word(k.Kind) + " --yes -m 'case 4711'"
	return p
}

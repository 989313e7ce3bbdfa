package dashboards

import (
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// segmentLink returns the address of a segment's page.
func segmentLink(key string) string { return "/segments/" + url.PathEscape(key) }

// environmentLink returns the address of an environment's page.
func environmentLink(name string) string { return "/environments/" + url.PathEscape(name) }

// SegmentList is the list of segments: groups of units that are named once, for the
// rules of many flags.
type SegmentList struct {
	Frame
	Rows  []SegmentRow
	Empty *Empty
	New   string // where one is made; empty: this person makes none
	Pager Pager
	AsOf  AsOf
}

func (SegmentList) template() string { return "segments" }

// SegmentRow is one segment in the list.
type SegmentRow struct{ Key, Link, Description, Owner, Unit, Members string }

// NewSegmentList makes the list.
func NewSegmentList(f Frame, all []flags.RecordedSegment, turn Pager, asOf AsOf) SegmentList {
	p := SegmentList{Frame: f, Pager: turn, AsOf: asOf}
	for _, s := range all {
		p.Rows = append(p.Rows, SegmentRow{Key: s.Key, Link: segmentLink(s.Key), Description: s.Description, Owner: s.Owner, Unit: or(s.Unit, flags.DefaultUnit), Members: members(s.Segment)})
	}
	if f.Rights.Write {
		p.New = "/segments/new"
	}
	if len(all) == 0 {
		p.Empty = &Empty{Title: "No segment yet", Text: "A segment is a document. This command makes one from a file:", Command: "sluice apply segment.yaml -m 'why'"}
	}
	return p
}

// members says who is in a segment.
func members(s flags.Segment) string {
	var out []string
	if n := s.Included.Len(); n > 0 {
		out = append(out, amount(n, "unit")+" by name")
	}
	if s.When != nil {
		out = append(out, "whoever meets: "+s.When.String())
	}
	if len(out) == 0 {
		out = append(out, "nobody")
	}
	if n := s.Excluded.Len(); n > 0 {
		out = append(out, "without "+amount(n, "unit"))
	}
	return strings.Join(out, ", ")
}

// SegmentPage is the page of one segment.
type SegmentPage struct {
	Frame
	Key, Description, Owner, Unit, Tags string
	Lead                                string
	Facts                               []Fact
	Included, Excluded                  []string // some of the ids
	More                                string   // where all are
	UsedBy                              []Linked
	Lookup                              Form
	Answer                              *Looked // nil: nobody was asked for
	Units                               *Form   // nil: this person changes none
	Edit                                string
	Command                             string
	AsOf                                AsOf
}

func (SegmentPage) template() string { return "segment" }

// SegmentSeen is a segment as the server knows it.
type SegmentSeen struct {
	Segment          flags.RecordedSegment
	UsedBy           []flags.Use
	Unit, Attributes string            // that was asked for
	Member           *flags.Membership // nil: nobody was
}

// mostIDs bounds how many ids of a list a page shows.
const mostIDs = 50

// NewSegmentPage makes the page of a segment. key names the request of its form.
func NewSegmentPage(f Frame, in SegmentSeen, asOf AsOf, key string) SegmentPage {
	s := in.Segment
	p := SegmentPage{
		Frame: f, Key: s.Key, Description: s.Description, Owner: s.Owner, Unit: or(s.Unit, flags.DefaultUnit), Tags: few(s.Tags, 12), AsOf: asOf,
		Lead: sentence("It holds " + members(s.Segment)), Command: "curl -X PUT --data-binary @ids.txt $SLUICE_SERVER/api/v1/segments/" + s.Key + "/units?list=included",
		Included: s.Included.Units[:min(len(s.Included.Units), mostIDs)], Excluded: s.Excluded.Units[:min(len(s.Excluded.Units), mostIDs)],
		More: "/api/v1" + segmentLink(s.Key) + "/units",
	}
	p.Facts = []Fact{{"Included", amount(s.Included.Len(), "unit")}, {"Excluded", amount(s.Excluded.Len(), "unit")}, {"Condition", asked(s.When)}, {"Revision", revision(s.Revision) + ", " + moment(s.Changed) + " by " + s.Actor}}
	if s.When == nil {
		p.Facts[2].Value = "none: the lists decide alone"
	}
	if s.Comment != "" {
		p.Facts = append(p.Facts, Fact{"Last comment", s.Comment})
	}
	for _, u := range in.UsedBy {
		p.UsedBy = append(p.UsedBy, used(u))
	}
	p.Lookup = Form{ID: "lookup", Get: true, Action: segmentLink(s.Key), Button: "Look", Fields: []Field{
		{Name: "unit", Label: "Id of the " + p.Unit, Kind: AsLine, Value: in.Unit, Must: true},
		{Name: "attributes", Label: "Attributes", Kind: AsText, Rows: 2, Value: in.Attributes, Hint: "plan=pro", Help: "One a line, for the condition."},
	}}
	if m := in.Member; m != nil {
		p.Answer = &Looked{Mark: NotMember, Why: sentence(m.Why), Name: in.Unit}
		if m.Member {
			p.Answer.Mark = Member
		}
		if m.Condition != nil {
			p.Answer.Tests = tests(*m.Condition, 0)
		}
	}
	if f.Rights.Write {
		p.Edit = segmentLink(s.Key) + "/edit"
		p.Units = &Form{ID: "units", Action: segmentLink(s.Key) + "/units", Key: key, Button: "Do it", Fields: []Field{
			{Name: "mode", Label: "What", Kind: AsChoice, Must: true, Options: []Option{{"add", "put these in"}, {"remove", "take these out"}, {"replace", "replace the list, after a look at the difference"}}},
			choice("list", "List", "included", "", "included", "excluded"),
			{Name: "ids", Label: "Units", Kind: AsCode, Rows: 6, Must: true, Help: "One id a line. A list of up to a million is sent by the command below."},
			{Name: "comment", Label: "Why", Kind: AsLine, Must: true},
		}}
	}
	return p
}

// used is one place that asks for a segment, and where it is.
func used(u flags.Use) Linked {
	switch {
	case u.Rollout != "":
		return Linked{u.String(), "/rollouts/" + u.Rollout, "it keeps revision " + revision(u.Revision)}
	case u.Flag != "":
		return Linked{u.String(), flagLink(u.Flag), ""}
	}
	return Linked{u.String(), environmentLink(u.Environment), "many flags inherit it"}
}

// Refuse returns the page with what was refused of a change of its lists.
func (p SegmentPage) Refuse(err error, sent func(string) string) SegmentPage {
	if p.Units != nil {
		form := p.Units.Refuse(err, sent)
		p.Units = &form
	}
	return p
}

// House is the page of environments and policies: what all flags have in
// common.
type House struct {
	Frame
	Documents []HouseDoc
	Policies  []HouseDoc
	New       []Button
	AsOf      AsOf
}

func (House) template() string { return "environments" }

// HouseDoc is the document of an environment or a policy.
type HouseDoc struct {
	ID               Anchor
	Key, Description string
	Lines            []string // what it says, in sentences
	YAML             string
	Edit             string // empty: this person may not
	Stamp            string // who wrote it, and when; empty: nobody did
}

// DocEdit is the page on which a document is written: as YAML, then what would
// become different, then saved.
type DocEdit struct {
	Frame
	Kind, Key, Back string
	Differences     []string
	Seen            bool // the differences are shown, and saving is the next step
	Unchanged       bool
	Reaches         []Linked
	Form            Form
	Again           *Form // the document, to be written once more; nil: it is in Form
	Command         string
}

func (DocEdit) template() string { return "docedit" }

// Document is what a DocEdit is made from.
type Document struct {
	Kind, Key    string // Key is empty: a new one
	YAML         string
	Preview, To  string // addresses that its forms are sent to
	Back         string
	Differences  []string
	Unchanged    bool
	Reaches      []flags.Use
	Comment, Tag string
}

// NewDocEdit makes the page on which a document is written.
func NewDocEdit(f Frame, d Document) DocEdit {
	return DocEdit{Frame: f, Kind: d.Kind, Key: d.Key, Back: d.Back, Form: docForm(d), Command: "sluice apply " + strings.ToLower(d.Kind) + ".yaml -m 'why'"}
}

func docForm(d Document) Form {
	return Form{ID: "write", Action: d.Preview, Button: "Preview", Cancel: d.Back, Fields: []Field{
		{Name: "kind", Kind: AsHidden, Value: d.Kind}, {Name: "key", Kind: AsHidden, Value: d.Key},
		{Name: "yaml", Label: "The document", Kind: AsCode, Rows: 20, Value: d.YAML, Must: true},
	}}
}

// NewDocPreview makes the page that shows what a document would make different.
func NewDocPreview(f Frame, d Document, key string) DocEdit {
	p := NewDocEdit(f, d)
	again := p.Form
	again.Button = "Look again"
	p.Again, p.Seen, p.Differences, p.Unchanged = &again, true, d.Differences, d.Unchanged
	for _, u := range d.Reaches {
		p.Reaches = append(p.Reaches, used(u))
	}
	p.Form = Form{ID: "save", Action: d.To, Key: key, Button: "Save", Cancel: d.Back, Fields: []Field{
		{Name: "comment", Label: "Why", Kind: AsText, Rows: 2, Must: true, Value: d.Comment, Help: "It stands in the log for as long as that exists."},
		{Name: "kind", Kind: AsHidden, Value: d.Kind}, {Name: "key", Kind: AsHidden, Value: d.Key}, {Name: "yaml", Kind: AsHidden, Value: d.YAML},
	}}
	return p
}

// Refuse returns the page with what was refused.
func (p DocEdit) Refuse(err error, sent func(string) string) DocEdit {
	p.Form = p.Form.Refuse(err, sent)
	return p
}

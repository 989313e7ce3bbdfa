package dashboards

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// Change is the page before a flag is changed: what becomes different, whom it
// reaches, who has to agree, and the form that does it.
type Change struct {
	Frame
	Key, Link   string
	Name        string // what is done: "Change", "Disable in production"
	Refused     []string
	Unchanged   bool
	Differences []string
	Effects     []string // one sentence for each environment
	Sampled     string   // how the units were made up; empty: nobody was asked
	Moves       []MoveRow
	Asks        string // what policies ask for first; empty: nothing
	Notes       []string
	Form        *Form  // nil: this person cannot do it, or there is nothing to do
	Again       *Form  // to look at it again with other answers; nil: there are none
	Document    string // the same as a document
	Command     string // that makes it
}

func (Change) template() string { return "change" }

// Refusal is the mark of what cannot be done.
func (Change) Refusal() Mark { return Failed }

// MoveRow is how many made-up units leave one variant for another.
type MoveRow struct {
	Environment, From, To string
	Bare, Attributed      string
}

// Foreseen is what the server knows of a change before it is made.
type Foreseen struct {
	Key, Name   string
	Exists      bool // the flag does
	Unchanged   bool
	Differences []string
	Asks        string
	Notes       []string
	Samples     []Sample
	Seen        string // entity tag of the flag that was looked at
	Wanted      string // what is to be done, for the form to bring back
	Comment     string // a proposal for one
	Switch      bool   // it is done at once, by one person: neither at a time nor by request
	Command     string
	Document    string
}

// Sample is what a change does to made-up units in one environment.
type Sample struct {
	Environment string
	Bare        flags.Shift
	Attributed  *flags.Shift // nil: no condition asks for an attribute
	Attributes  []string
	Named       int
}

// NewChange makes the page before a change. key names the request that the form
// makes; may says whether this person can do it.
func NewChange(f Frame, in Foreseen, may bool, key string) Change {
	p := Change{
		Frame: f, Key: in.Key, Link: flagLink(in.Key), Name: in.Name, Unchanged: in.Unchanged, Differences: in.Differences,
		Asks: in.Asks, Notes: in.Notes, Document: in.Document, Command: in.Command,
	}
	for _, s := range in.Samples {
		p.Effects = append(p.Effects, s.effect())
		p.Moves = append(p.Moves, s.moves()...)
	}
	p.Sampled = sampledWords(in.Samples)
	if !in.Exists {
		p.Link = "/flags"
	}
	if in.Asks != "" && !in.Exists {
		p.Notes = append(p.Notes, "A flag that is not there yet cannot be proposed: create it disabled where others have to agree, then change it there.")
	}
	if may && !in.Unchanged && (in.Asks == "" || in.Exists) {
		form := changeForm(in, key)
		p.Form = &form
	}
	return p
}

func changeForm(in Foreseen, key string) Form {
	f := Form{ID: "do", Action: flagLink(in.Key) + "/save", Key: key, Button: "Save", Cancel: flagLink(in.Key), Fields: []Field{
		{Name: "comment", Label: "Why", Kind: AsText, Must: true, Value: in.Comment, Help: "It stands in the history for as long as that exists."},
		{Name: "wanted", Kind: AsHidden, Value: in.Wanted}, {Name: "seen", Kind: AsHidden, Value: in.Seen}, {Name: "name", Kind: AsHidden, Value: in.Name},
	}}
	switch {
	case !in.Exists:
		f.Button, f.Cancel = "Create", "/flags"
	case in.Switch:
		f.Button, f.Grave = in.Name, true
	case in.Asks != "":
		f.Button = "File a change request"
		f.Fields = append(f.Fields, Field{Name: "request", Kind: AsHidden, Value: "true"})
	default:
		f.Fields = append(f.Fields,
			Field{Name: "at", Label: "When, in UTC", Kind: AsMoment, Help: "Empty: now. What waits is made once, also after a restart, and can be taken back."},
			Field{Name: "request", Label: "Ask others to agree first, although nobody has to", Kind: AsTick})
	}
	return f
}

// effect says in a sentence what a change does in an environment.
func (s Sample) effect() string {
	text := "In " + s.Environment + ", of " + amount(s.Bare.Units, "made-up unit") + " " + shifted(s.Bare)
	if s.Attributed != nil {
		text += "; with attributes that conditions ask for (" + few(s.Attributes, 6) + "), " + shifted(*s.Attributed)
	}
	return text + "."
}

func shifted(s flags.Shift) string {
	if s.Changed == 0 {
		return "none gets another variant"
	}
	verb := " get another variant"
	if s.Changed == 1 {
		verb = " gets another variant"
	}
	return count(int64(s.Changed)) + verb
}

// moves lists who leaves which variant for which, of both kinds of crowd.
func (s Sample) moves() []MoveRow {
	var out []MoveRow
	at := map[[2]string]int{}
	row := func(m flags.Move) *MoveRow {
		key := [2]string{m.From, m.To}
		if _, ok := at[key]; !ok {
			at[key] = len(out)
			out = append(out, MoveRow{Environment: s.Environment, From: orCode(m.From), To: orCode(m.To), Bare: "0", Attributed: "0"})
		}
		return &out[at[key]]
	}
	for _, m := range s.Bare.Moves {
		row(m).Bare = count(int64(m.Units))
	}
	if s.Attributed != nil {
		for _, m := range s.Attributed.Moves {
			row(m).Attributed = count(int64(m.Units))
		}
	}
	for i := range out {
		if s.Attributed == nil {
			out[i].Attributed = "—"
		}
	}
	return out
}

// sampledWords says how the units of samples were made up.
func sampledWords(all []Sample) string {
	if len(all) == 0 {
		return ""
	}
	named := 0
	for _, s := range all {
		named = max(named, s.Named)
	}
	text := "The units are made up and asked by the evaluator that serves, before and after"
	if named > 0 {
		text += "; " + amount(named, "unit") + " that targets, segments and conditions name are among them"
	}
	return text + ". Shares of real units differ where attributes do."
}

// Refuse returns the page with what an error says of it.
func (c Change) Refuse(err error, sent func(string) string) Change {
	if c.Form == nil {
		c.Refused = strings.Split(err.Error(), "\n")
		return c
	}
	form := c.Form.Refuse(err, sent)
	c.Form = &form
	return c
}

// ArchiveForm asks, before a flag is archived, what it answers from then on,
// and for a reason to archive it although something speaks against that.
func ArchiveForm(f flags.Flag, variant, reason string) *Form {
	return &Form{ID: "again", Get: true, Action: switchLink(f.Key, "", flags.Archive), Button: "Look again", Fields: []Field{
		choice("variant", "Everybody gets", variant, "by its end state", slices.Sorted(maps.Keys(f.Variants))...),
		{Name: "reason", Label: "Reason to archive it in any case", Kind: AsLine, Value: reason, Help: "Needed while it is asked for, undecided, or needed by other flags."},
	}}
}

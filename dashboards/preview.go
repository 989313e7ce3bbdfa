package dashboards

import (
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
)

// Preview is the page before something is done about a rollout: what it does,
// to whom, what it is decided against, and the form that does it.
type Preview struct {
	Frame
	Title     Title
	Name      string   // "Roll back"
	Refused   string   // why it cannot be done now; empty: it can
	Effects   []string // one sentence each
	Advice    *Advice  // nil: nothing is recommended
	Frozen    string   // which evidence the record keeps; empty: none
	Void      []string // what is no longer in force after it
	Told      []string // who is told
	Preflight []Check  // what is looked at before a start
	Form      Form
	Command   string // that does the same
	JSON      string // address of the same as JSON
}

func (Preview) template() string { return "preview" }

// Advice is the recommendation that a decision follows, or not.
type Advice struct {
	Text    string // "hold: units open"
	Link    string // of the decision's record
	Against bool   // the decision is another one
}

// Mark says whether the recommendation is followed.
func (a Advice) Mark() Mark {
	if a.Against {
		return Overruled
	}
	return NotApplicable
}

// Refusal is the mark of what cannot be done.
func (Preview) Refusal() Mark { return Failed }

// Prospect is what the server knows of an operation before it is done.
type Prospect struct {
	decisions.Prospect
	Owner     string              // of confirm: who has to
	When      decisions.CheckName // of confirm: which list of the stage
	Webhooks  []string            // that are told
	Hearing   string              // who hears of the change, and when; empty: it is not known
	Preflight decisions.Preflight // of a start
	JSON      string              // address of the same as JSON
}

// NewPreview makes the page before an operation; false: there is none of that
// name. key names the request that the form makes.
func NewPreview(f Frame, s Seen, p Prospect, key string) (Preview, bool) {
	m, ok := moveOf(p.Op)
	if !ok {
		return Preview{}, false
	}
	r := s.Rollout
	page := Preview{
		Frame: f, Title: newTitle(s), Name: m.name, Refused: p.Refused, Effects: sentences(p.Effects), Frozen: sentence(p.Frozen), Void: sentences(p.Void),
		Told: told(s, p), Preflight: prechecks(p.Preflight), Form: form(r, m, p, key), Command: command(r.ID, m.op), JSON: p.JSON,
	}
	if p.Op == decisions.OpConfirm {
		page.Command = "sluice confirm " + r.ID + " " + p.Owner + " --when " + string(p.When) + " -m 'what was looked at'"
	}
	if p.Hearing != "" {
		page.Effects = append(page.Effects, p.Hearing)
	}
	if p.Advice != "" {
		page.Advice = &Advice{Text: p.Advises, Link: "/decisions/" + p.Advice, Against: p.Against}
	}
	return page, true
}

// sentences makes sentences of texts.
func sentences(all []string) []string {
	out := make([]string, len(all))
	for i, text := range all {
		out[i] = sentence(text)
	}
	return out
}

// told says who hears of it: the webhooks, and the people whom the plan names.
func told(s Seen, p Prospect) []string {
	if p.Refused != "" {
		return nil
	}
	var all []string
	for _, key := range p.Webhooks {
		all = append(all, "The webhook "+key+" is told.")
	}
	if len(all) == 0 {
		all = append(all, "No webhook listens to this.")
	}
	all = append(all, "The release is owned by "+s.Rollout.Plan.Owner+".")
	if owners := s.Rollout.Plan.Rollback.Owners; p.Op == decisions.OpRollback && len(owners) > 0 {
		all = append(all, "Those who explain a rollback: "+strings.Join(owners, ", ")+".")
	}
	return all
}

func prechecks(all decisions.Preflight) []Check {
	marks := map[decisions.PrecheckState]Mark{decisions.Given: Passed, decisions.Doubted: Waiting, decisions.Lacking: Failed}
	checks := make([]Check, len(all))
	for i, c := range all {
		checks[i] = Check{Mark: marks[c.State], Name: c.Name, Have: c.Text + colon(c.Fix)}
		if c.State != decisions.Given && c.Path != "" {
			checks[i].Have += " (" + c.Path + ")"
		}
	}
	return checks
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// form is what has to be said for an operation.
func form(r decisions.Rollout, m move, p Prospect, key string) Form {
	why := Field{Name: "comment", Label: "Why", Kind: AsText, Must: p.Reason, Help: "It stands in the record for as long as that exists."}
	f := Form{ID: "do", Action: link(r) + "/" + string(m.op), Key: key, Button: m.name, Grave: m.grave, Cancel: link(r), Fields: append(fields(m.op, p), why)}
	if !m.calm {
		f.Fields = append(f.Fields, Field{Name: "seen", Kind: AsHidden, Value: `"` + strconv.FormatUint(r.Seq, 10) + `"`})
	}
	if d, ok := r.Last(); ok {
		f.Fields = append(f.Fields, Field{Name: "decision", Kind: AsHidden, Value: d.ID})
	}
	return f
}

// fields are what an operation asks for besides the reason.
func fields(op decisions.Op, p Prospect) (all []Field) {
	switch op {
	case decisions.OpSchedule:
		all = append(all, Field{Name: "at", Label: "When, in UTC", Kind: AsMoment, Must: true})
		return append(all, anyway("Schedule it although something is lacking"))
	case decisions.OpStart:
		return append(all, anyway("Start it although something is lacking"))
	case decisions.OpOverride:
		for i, c := range p.Checks {
			all = append(all, Field{Name: TickOf(i), Label: c.Check + " (" + string(checked(c.State)) + ")", Kind: AsTick})
		}
	case decisions.OpReduce:
		to := Field{Name: "to", Label: "To which stage", Kind: AsChoice, Options: []Option{{"", "the share below"}}}
		for _, w := range p.Ways {
			to.Options = append(to.Options, Option{w.Stage, w.Stage + ": " + w.Reach})
		}
		if len(p.Ways) > 0 {
			to.Value = p.Ways[len(p.Ways)-1].Stage
		}
		return []Field{to, {Name: "share", Label: "Or to a smaller share", Kind: AsLine, Hint: "5%", Help: "Of the units. It stands in the place of the stage."}}
	case decisions.OpConfirm:
		return []Field{{Name: "owner", Kind: AsHidden, Value: p.Owner}, {Name: "when", Kind: AsHidden, Value: string(p.When)}}
	}
	return all
}

func anyway(label string) Field {
	return Field{Name: "anyway", Label: label, Kind: AsTick, Help: "It takes a reason, and what was lacking stands in the record."}
}

// TickOf names the box of the i-th check that can be overruled.
func TickOf(i int) string { return "check-" + strconv.Itoa(i) }

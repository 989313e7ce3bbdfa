package dashboards

import (
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// CleanupPage is the end of one flag: what speaks against it, what to delete
// where, and the forms that carry it out and close it.
type CleanupPage struct {
	Frame
	Ending  Ending
	Facts   []Fact
	Text    string // of a ticket, in Markdown
	Choose  *Form  // how it is to end; nil: this person may not, or not now
	Close   *Form  // nil: likewise
	Command string // what carries it out from a terminal; empty: that is done
	AsOf    AsOf
}

func (CleanupPage) template() string { return "cleanupone" }

// NewCleanupPage makes the page. ticket is the text of a ticket; key names the
// request that closes.
func NewCleanupPage(f Frame, e Ended, ticket, key string, now time.Time) CleanupPage {
	p := CleanupPage{Frame: f, Ending: NewEnding(e, now), Text: ticket, AsOf: AsOf{Log: f.Log, JSON: "/api/v1/cleanup/" + e.ID}}
	p.Facts = []Fact{{"End", p.Ending.End}, {"Owner", e.Owner}}
	if e.Due != nil {
		p.Facts = append(p.Facts, Fact{"Due", moment(*e.Due)})
	}
	if e.Carried != nil {
		p.Facts = append(p.Facts, Fact{"Carried out", moment(e.Carried.At) + ", by " + e.Carried.By})
	}
	wish := EndWish{EndState: string(e.EndState)}
	if e.Carried == nil && e.Closed == nil {
		p.Command = wish.command(e.ID)
	}
	if !f.Rights.Decide || e.Closed != nil || e.Due == nil { // while the rollout goes on, both are refused
		return p
	}
	if e.Carried == nil {
		p.Choose = ChooseEnd(p.Ending.Link, wish)
	}
	p.Close = &Form{ID: "close", Action: p.Ending.Link + "/close", Key: key, Button: "Close it", Fields: []Field{
		{Name: "comment", Label: "Why nothing is left to do", Kind: AsText, Must: true, Help: "It stays on record. To archive the flag closes it as well."}}}
	return p
}

// EndWish is how somebody wants a flag to end.
type EndWish struct{ EndState, Purpose, Why, Review, Reason string }

// ChooseEnd asks how a flag is to end; what that comes to is the next page.
func ChooseEnd(link string, w EndWish) *Form {
	purposes := []Option{{"", "—"}}
	for _, p := range []flags.Purpose{flags.Operational, flags.Permission, flags.KillSwitch} {
		purposes = append(purposes, Option{string(p), string(p)})
	}
	return &Form{ID: "choose", Get: true, Action: link + "/do", Button: "See what it does", Fields: []Field{
		{Name: "endState", Label: "What becomes of the flag", Kind: AsChoice, Must: true, Value: w.EndState, Options: []Option{{string(flags.Promote), "promote: everybody gets the winner, and the flag goes"},
			{string(flags.Remove), "remove: everybody gets the safe variant, and the flag goes"}, {string(flags.Keep), "keep: it stays on purpose"}, {string(flags.Convert), "convert: it stays as something else"}}},
		{Name: "purpose", Label: "To convert it: as what", Kind: AsChoice, Value: w.Purpose, Options: purposes},
		{Name: "why", Label: "To keep or convert it: why it stays", Kind: AsLine, Value: w.Why},
		{Name: "review", Label: "To keep or convert it: when that is asked again", Kind: AsLine, Value: w.Review, Hint: "2027-06-30"},
		{Name: "reason", Label: "Why it is done although the readiness is blocked", Kind: AsLine, Value: w.Reason},
	}}
}

// NewEnd makes the page before a flag is ended. refused is why that cannot be
// done now; nil: it can.
func NewEnd(f Frame, id string, in Foreseen, w EndWish, refused error, key string) Change {
	link := "/cleanup/" + id
	in.Name, in.Exists = "End the flag: "+w.EndState, true
	p := NewChange(f, in, false, key)
	p.Link, p.Again = link, ChooseEnd(link, w)
	p.Command = w.command(id)
	if p.Unchanged {
		p.Unchanged, p.Notes = false, append(p.Notes, "The flag is so already; that nothing is left to change goes on record.")
	}
	if refused != nil {
		again := p.Again.Refuse(refused, w.said)
		p.Again, p.Refused = &again, strings.Split(refused.Error(), "\n")
		p.Again.Faults = nil // said above
		return p
	}
	p.Form = &Form{ID: "do", Action: link + "/do", Key: key, Button: "End it", Grave: true, Cancel: link, Fields: []Field{
		{Name: "comment", Label: "Why", Kind: AsText, Help: "It stays on record."},
		{Name: "endState", Kind: AsHidden, Value: w.EndState}, {Name: "purpose", Kind: AsHidden, Value: w.Purpose}, {Name: "why", Kind: AsHidden, Value: w.Why},
		{Name: "review", Kind: AsHidden, Value: w.Review}, {Name: "reason", Kind: AsHidden, Value: w.Reason},
	}}
	return p
}

// said returns what a wish says in a field.
func (w EndWish) said(name string) string {
	return map[string]string{"endState": w.EndState, "purpose": w.Purpose, "why": w.Why, "review": w.Review, "reason": w.Reason}[name]
}

// command is what does the same from a terminal.
func (w EndWish) command(id string) string {
	text := "sluice cleanup do " + id + " --end-state " + w.EndState
	for _, flag := range []struct{ name, value string }{{"purpose", w.Purpose}, {"why", w.Why}, {"review", w.Review}, {"reason", w.Reason}} {
		if flag.value != "" {
			text += " --" + flag.name + " " + quoted(flag.value)
		}
	}
	return text + " -m 'why'"
}

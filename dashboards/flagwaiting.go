package dashboards

import (
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// FlagWaiting is the page of what waits to change a flag: change requests and
// schedules.
type FlagWaiting struct {
	Frame
	Top       FlagTop
	Requests  []RequestRow
	Schedules []ScheduleRow
	AsOf      AsOf
}

func (FlagWaiting) template() string { return "flagwaiting" }

// RequestRow is a change request in a list.
type RequestRow struct {
	Flag, FlagLink, Link, Author, Comment, What string
	Asks                                        string // "1 approval (approver, production), 0 given"
	Made                                        time.Time
	Standing                                    Mark
	Why                                         string // it ended
}

// ScheduleRow is a change that waits for its time.
type ScheduleRow struct {
	At, Made             time.Time
	Actor, Comment, What string
	Standing             Mark
	Why                  string
	Cancel               *Form // nil: this person cannot take it back, or it is over
}

// NewFlagWaiting makes the page. key names the requests of its forms.
func NewFlagWaiting(f Frame, s FlagSeen, requests []flags.Request, schedules []flags.Schedule, asOf AsOf, key func() string) FlagWaiting {
	p := FlagWaiting{Frame: f, Top: newFlagTop(f, s, TabWaiting), AsOf: asOf}
	for i := range requests {
		p.Requests = append(p.Requests, requestRow(s.Flag.Key, requests[len(requests)-1-i]))
	}
	for i, c := range schedules {
		row := ScheduleRow{At: c.At, Made: c.Made, Actor: c.Actor, Comment: c.Comment, What: inWords(c.Changes), Standing: standing(c.Standing), Why: c.Why}
		if c.Standing == flags.Pending && f.Rights.Write {
			row.Cancel = &Form{ID: Anchor("cancel-" + strconv.Itoa(i)), Action: flagLink(s.Flag.Key) + "/schedules/" + c.ID.String() + "/cancel", Key: key(), Button: "Take it back",
				Fields: []Field{{Name: "comment", Label: "Why", Kind: AsLine}}}
		}
		p.Schedules = append(p.Schedules, row)
	}
	return p
}

func requestRow(flag string, q flags.Request) RequestRow {
	return RequestRow{
		Flag: flag, FlagLink: flagLink(flag), Link: requestLink(flag, q), Author: q.Author, Comment: q.Comment, What: inWords(q.Changes), Made: q.Made,
		Asks: q.Asks() + ", " + strconv.Itoa(len(q.Approvals)) + " given", Standing: standing(q.Standing), Why: q.Why,
	}
}

func requestLink(flag string, q flags.Request) string {
	return flagLink(flag) + "/requests/" + q.ID.String()
}

// standing is what became of something that waited, in a word.
func standing(s flags.Standing) Mark {
	switch s {
	case flags.Done:
		return Made
	case flags.Cancelled, flags.Withdrawn:
		return Withdrawn
	case flags.Lapsed:
		return Lapsed
	case flags.Rejected:
		return Rejected
	case flags.Void:
		return Void
	case flags.Pending:
	}
	return Pending
}

// Requests is the list of change requests that wait, of all flags.
type Requests struct {
	Frame
	Rows  []RequestRow
	Empty *Empty
	Pager Pager
	AsOf  AsOf
}

func (Requests) template() string { return "requests" }

// FlagRequest is a change request and its flag.
type FlagRequest struct {
	Flag    string
	Request flags.Request
}

// NewRequests makes the list.
func NewRequests(f Frame, all []FlagRequest, turn Pager, asOf AsOf) Requests {
	p := Requests{Frame: f, Pager: turn, AsOf: asOf}
	for _, q := range all {
		p.Rows = append(p.Rows, requestRow(q.Flag, q.Request))
	}
	if len(all) == 0 {
		p.Empty = &Empty{Title: "Nothing waits for others to agree", Text: "Where a policy asks for it, the page before a change files a request. This command does so too:", Command: "sluice change propose change.yaml -m 'why'"}
	}
	return p
}

// RequestPage is one change request: what it would make different, who agreed,
// and what can be done about it.
type RequestPage struct {
	Frame
	Flag, FlagLink string
	Row            RequestRow
	Differences    []string
	Approvals      []Approved
	Effects        []string
	Sampled        string
	Moves          []MoveRow
	Forms          []RequestForm
	Command        string // empty: the request is over
	Base           uint64
	Refused        string
	AsOf           AsOf
}

func (RequestPage) template() string { return "request" }

// Approved is one person's agreement.
type Approved struct {
	Who, Comment string
	At           time.Time
}

// RequestForm is one thing that can be done about a request.
type RequestForm struct {
	ID   Anchor
	Name string
	Text string
	Form Form
}

// RequestSeen is a change request as the server knows it.
type RequestSeen struct {
	FlagRequest
	Differences []string
	Samples     []Sample
	Mine        bool // whoever looks at it filed it
	Enough      bool // nothing more has to be agreed to
}

var requestForms = []struct {
	op, name, text string
	grave          bool
}{
	{"approve", "Approve", "You agree to exactly this change of exactly this revision.", false},
	{"apply", "Apply", "The change is made, when enough others have agreed.", false},
	{"reject", "Reject", "The request is over.", true},
	{"withdraw", "Withdraw", "You take your request back.", true},
}

// NewRequest makes the page of a change request.
func NewRequest(f Frame, in RequestSeen, asOf AsOf, key func() string) RequestPage {
	q := in.Request
	p := RequestPage{Frame: f, Flag: in.Flag, FlagLink: flagLink(in.Flag), Row: requestRow(in.Flag, q), Differences: in.Differences, Base: q.Base, AsOf: asOf}
	for _, a := range q.Approvals {
		p.Approvals = append(p.Approvals, Approved{a.Actor, a.Comment, a.At})
	}
	for _, s := range in.Samples {
		p.Effects = append(p.Effects, s.effect())
		p.Moves = append(p.Moves, s.moves()...)
	}
	p.Sampled = sampledWords(in.Samples)
	if q.Standing != flags.Pending {
		return p
	}
	p.Command = "sluice change approve " + in.Flag + " -m 'why'"
	for _, o := range requestForms {
		if !offered(f.Rights, in, o.op) {
			continue
		}
		p.Forms = append(p.Forms, RequestForm{ID: Anchor(o.op + "-h"), Name: o.name, Text: o.text, Form: Form{
			ID: Anchor(o.op), Action: requestLink(in.Flag, q) + "/" + o.op, Key: key(), Button: o.name, Grave: o.grave,
			Fields: []Field{{Name: "comment", Label: "Why", Kind: AsText, Rows: 2, Must: o.op == "reject"}},
		}})
	}
	return p
}

// offered reports whether a form can do anything: an author's own approval does
// not count, and nobody takes another's request back.
func offered(may Rights, in RequestSeen, op string) bool {
	switch op {
	case "approve":
		return may.Decide && !in.Mine
	case "reject":
		return may.Decide
	case "withdraw":
		return may.Write && in.Mine
	}
	return may.Write
}

// Refuse returns the page with what was refused of one operation.
func (p RequestPage) Refuse(op string, err error, sent func(string) string) RequestPage {
	p.Forms = append([]RequestForm(nil), p.Forms...)
	for i, f := range p.Forms {
		if f.Form.ID == Anchor(op) {
			p.Forms[i].Form = f.Form.Refuse(err, sent)
			return p
		}
	}
	p.Refused = err.Error()
	return p
}

// Refusal is the mark of what cannot be done.
func (RequestPage) Refusal() Mark { return Failed }

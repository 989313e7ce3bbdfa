package dashboards

import (
	"strconv"

	"github.com/sluice-hq/sluice/decisions"
)

// Preview is the page before something is done about a rollout: what it does,
// to whom, and the form that does it.
type Preview struct {
	Frame
	Title        Title
	Name         string   // "Roll back"
	Consequences []string // one sentence each
	Form         Form
	Command      string // that does the same
}

func (Preview) template() string { return "preview" }

// move is what a person can do about a rollout.
type move struct {
	op     decisions.Op
	name   string
	text   string
	grave  bool
	reason bool // has to be given
}

var moves = []move{
	{decisions.OpStart, "Start", "The plan is checked and frozen; the first stage begins.", false, false},
	{decisions.OpHold, "Hold", "Nothing expands until somebody resumes. Whoever gets the treatment keeps it.", false, true},
	{decisions.OpResume, "Resume", "The plan goes on from the stage where it is.", false, false},
	{decisions.OpApprove, "Approve", "The step that the newest evidence recommends is agreed to. The approval is void when the evidence or the plan changes.", false, false},
	{decisions.OpAdvance, "Go on", "The next stage begins, although the evidence does not decide.", true, true},
	{decisions.OpShip, "Ship", "Everybody gets the treatment.", true, true},
	{decisions.OpReject, "Reject", "The treatment is taken back from everybody, and the rollout is over.", true, true},
	{decisions.OpRollback, "Roll back", "Everybody gets the safe variant at once. It needs no approval, and the rollout is locked until somebody explains.", true, true},
	{decisions.OpExplain, "Explain", "The reason of the rollback is recorded, which unlocks the rollout.", false, true},
}

// NewPreview makes the page before an operation; false: there is none of that
// name. key names the request that the form makes.
func NewPreview(f Frame, s Seen, op, key string) (Preview, bool) {
	for _, m := range moves {
		if string(m.op) == op {
			return preview(f, s, m, key), true
		}
	}
	return Preview{}, false
}

func preview(f Frame, s Seen, m move, key string) Preview {
	r := s.Rollout
	form := Form{ID: "do", Action: link(r) + "/" + string(m.op), Key: key, Button: m.name, Grave: m.grave, Cancel: link(r), Fields: []Field{
		{Name: "comment", Label: "Why", Kind: AsText, Must: m.reason, Help: "It stands in the record for as long as that exists."},
		{Name: "seen", Kind: AsHidden, Value: `"` + strconv.FormatUint(r.Seq, 10) + `"`},
	}}
	if d, ok := r.Last(); ok {
		form.Fields = append(form.Fields, Field{Name: "decision", Kind: AsHidden, Value: d.ID})
	}
	return Preview{Frame: f, Title: newTitle(s), Name: m.name, Consequences: []string{m.text}, Form: form,
		Command: "sluice decide " + string(m.op) + " " + r.ID + " -m 'why'"}
}
